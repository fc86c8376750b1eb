"""Which files one test generation reads: as many as its task has room for, in order, and why each of the others is not read.

Up to the soft bound everything that the hard one allows; past it no further file is read, and the answer is asked to be short.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from budget_gate.agents.review_report import why
from budget_gate.agents.testgen_request import MaskedFile
from budget_gate.core.packing import Cause, Price, Room
from budget_gate.core.policy import Bounds
from budget_gate.core.test_plans import UnreadFile

PriceOf = Callable[["Packed"], Price]
"""Prices the whole request that such files make."""

_NOTHING = Price(0, 0)


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
        more = packed._replace(code=(*packed.code, each)) if is_code else packed._replace(tests=(*packed.tests, each))
        more = more._replace(price=price_of(more))
        cause = _cause(room, more.price)
        is_past = is_past or cause == "soft"
        packed = more if cause is None else packed._replace(unread=(*packed.unread, UnreadFile(each.path, why(cause, bounds))))
    return packed._replace(is_narrow=is_narrow or is_past)


def _cause(room: Room, price: Price) -> Cause | None:
    """Return the bound that a request would pass: a hard one first, then the soft one."""
    is_soft = room.soft_tokens is not None and price.tokens > room.soft_tokens
    return room.holds(price, 1) or ("soft" if is_soft else None)
