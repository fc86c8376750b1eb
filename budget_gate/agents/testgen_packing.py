"""Which files one test generation reads: as many as its task has room for, in order, and why each of the others is not read.

Up to the soft bound everything that the hard one allows; past it the answer is asked to be short, and no further file is read. A
long file for which there is no room is read in part.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from budget_gate.agents.review_report import why
from budget_gate.agents.testgen_request import MaskedFile
from budget_gate.core.packing import Cause, Price, Room
from budget_gate.core.policy import Bounds
from budget_gate.core.routing import Route
from budget_gate.core.test_plans import UnreadFile

PriceOf = Callable[["Packed"], Price]
"""Prices the whole request that such files make."""

_NOTHING = Price(0, 0)

SHORT_ANSWER_TOKENS_LEAST = 1_500
"""A few cases and one test file take about so much: a shorter answer would be cut off and worth nothing."""


def short_answer(route: Route) -> Route:
    """Return the route for a narrow request: half the answer, which leaves that much more room for files to read."""
    longest = route.max_output_tokens
    return route._replace(max_output_tokens=max(longest // 2, min(longest, SHORT_ANSWER_TOKENS_LEAST)))


class Packed(NamedTuple):
    """What goes into the one request: files of code, tests, whether a short answer is asked for, and the request's worst case."""

    code: tuple[MaskedFile, ...] = ()
    tests: tuple[MaskedFile, ...] = ()
    is_narrow: bool = False
    price: Price = _NOTHING
    unread: tuple[UnreadFile, ...] = ()

    @property
    def files(self) -> tuple[MaskedFile, ...]:
        """All files, in the order in which they are shown."""
        return (*self.code, *self.tests)


def packed_within(
    room: Room, bounds: Bounds, price_of: PriceOf, code: Sequence[MaskedFile], tests: Sequence[MaskedFile]
) -> Packed:
    """Return the code that the ticket names, then tests beside it, while the whole request stays within the room."""
    packed = _taken(room, bounds, price_of, code, tests, is_narrow=False)
    return _taken(room, bounds, price_of, code, tests, is_narrow=True) if packed.is_narrow else packed


def _taken(
    room: Room, bounds: Bounds, price_of: PriceOf, code: Sequence[MaskedFile], tests: Sequence[MaskedFile], *, is_narrow: bool
) -> Packed:
    """Take files one by one. ``is_narrow`` in the answer says that the soft bound is passed, or would be by the next file."""
    packed = Packed(is_narrow=is_narrow)
    packed = packed._replace(price=price_of(packed))
    is_past = _cause(room, packed.price) == "soft"
    for place, each in enumerate((*code, *tests)):
        is_code = place < len(code)
        more, cause = _with(packed, each, room, price_of, is_code=is_code)
        is_past = is_past or cause == "soft"
        if cause is None:
            packed = more
            continue
        words = why(cause, bounds)
        if each.brief:
            more, still = _with(packed, each._replace(text=each.brief), room, price_of, is_code=is_code)
            packed, words = (more, f"in part {words}") if still is None else (packed, words)
        packed = packed._replace(unread=(*packed.unread, UnreadFile(each.path, words)))
    return packed._replace(is_narrow=is_narrow or is_past)


def _with(packed: Packed, file: MaskedFile, room: Room, price_of: PriceOf, *, is_code: bool) -> tuple[Packed, Cause | None]:
    """Return what is packed with one file more, and the bound that this would pass."""
    more = packed._replace(code=(*packed.code, file)) if is_code else packed._replace(tests=(*packed.tests, file))
    more = more._replace(price=price_of(more))
    return more, _cause(room, more.price)


def _cause(room: Room, price: Price) -> Cause | None:
    """Return the bound that a request would pass: a hard one first, then the soft one."""
    is_soft = room.soft_tokens is not None and price.tokens > room.soft_tokens
    return room.holds(price, 1) or ("soft" if is_soft else None)
