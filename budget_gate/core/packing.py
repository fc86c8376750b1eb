"""Packs pieces of a diff into what a task may still use: dearest mistakes first, nothing lost, no bound ever passed.

Prices come from the caller, and are worst cases; so is every sum here. An agent plans, sends the first pack, and plans again with
what the call really left: see docs/decisions/0008-packing.md.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from budget_gate.core.diff_pieces import Piece, halves, with_less_context
from budget_gate.core.diff_risk import Risk

PACK_TOKENS_MOST = 60_000
"""The most tokens of one call's pieces, where no bound says less: inside every context window, and short enough for care."""

_UNBOUNDED = 2**62

NARROW_CONTEXT_LINES = 1
"""Unchanged lines kept around a change once the soft bound is passed."""

NARROW_FUNCTION_LINES = 40
"""A changed function up to this long stays whole all the same, where the hard bounds have room for it."""

Cause = Literal["tokens", "usd", "steps", "soft", "line"]
"""Why a piece was left out: a bound of the task, the soft bound, or a single line longer than all that is left."""


class Price(NamedTuple):
    """The most that something can use: tokens, read and written, and nano-dollars."""

    tokens: int
    nano_usd: int

    def plus(self, other: "Price") -> "Price":
        """Return the sum (``+`` on a tuple would join the two)."""
        return Price(self.tokens + other.tokens, self.nano_usd + other.nano_usd)


class Priced(NamedTuple):
    """A piece and the most that it adds to a call."""

    piece: Piece
    price: Price


class Room(NamedTuple):
    """What is left of a task. None is unbounded. ``soft_tokens`` is what is left until narrowing begins, zero if it has."""

    tokens: int | None = None
    nano_usd: int | None = None
    steps: int | None = None
    soft_tokens: int | None = None

    def holds(self, price: Price, calls: int) -> Cause | None:
        """Return the bound that so much would pass, or None."""
        if self.steps is not None and calls > self.steps:
            return "steps"
        if self.tokens is not None and price.tokens > self.tokens:
            return "tokens"
        if self.nano_usd is not None and price.nano_usd > self.nano_usd:
            return "usd"
        return None


class Pack(NamedTuple):
    """The pieces of one call, in the diff's order within each risk, and the most that the whole call can use."""

    pieces: tuple[Priced, ...]
    price: Price


class LeftOut(NamedTuple):
    """A piece that no pack holds, with its price and the bound that kept it out."""

    priced: Priced
    cause: Cause


class Plan(NamedTuple):
    """The calls to make, in order, and what they leave out."""

    packs: tuple[Pack, ...]
    left_out: tuple[LeftOut, ...]


def plan(pieces: Iterable[Priced], *, call: Price, room: Room, price: Callable[[Piece], Price]) -> Plan:
    """Return packs whose prices together stay within ``room``.

    ``call`` is the price of a call before its pieces: instructions and the longest answer. ``price`` prices the parts of a piece
    that had to be cut; cutting changes no line. Past the soft bound only source is packed, with less context around it.
    """
    whole = tuple(pieces)
    fitting = [part for each in whole for part in _cut_to_fit(each, _piece_most(call, room), price)]
    packer = _Packer(call, room, price)
    for each in sorted(fitting, key=_review_order(fitting)):
        packer.place(each)
    return packer.result()


def _piece_most(call: Price, room: Room) -> Price:
    """Return the size above which a piece is cut: half of what one call can hold, so that little room stays unused."""
    tokens = PACK_TOKENS_MOST if room.tokens is None else min(PACK_TOKENS_MOST, room.tokens - call.tokens)
    nano_usd = _UNBOUNDED if room.nano_usd is None else room.nano_usd - call.nano_usd
    return Price(max(tokens, 0) // 2, max(nano_usd, 0) // 2)


def _cut_to_fit(priced: Priced, most: Price, price: Callable[[Piece], Price]) -> list[Priced]:
    """Halve a piece until every part fits, or is a single line. Without room there is nothing to cut for."""
    fits = priced.price.tokens <= most.tokens and priced.price.nano_usd <= most.nano_usd
    if fits or len(priced.piece.lines) == 1 or min(most) == 0:
        return [priced]
    return [part for half in halves(priced.piece) for part in _cut_to_fit(Priced(half, price(half)), most, price)]


def _review_order(pieces: Sequence[Priced]) -> Callable[[Priced], tuple[Risk, bool, int, tuple[int, ...]]]:
    """Order by risk, then what no test covers, then small files before large ones (more are seen), then by place in the diff."""
    file_tokens: dict[int, int] = {}
    for piece, price in pieces:
        file_tokens[piece.order[0]] = file_tokens.get(piece.order[0], 0) + price.tokens
    return lambda each: (each.piece.risk, not each.piece.is_untested, file_tokens[each.piece.order[0]], each.piece.order)


class _Packer:
    """Places pieces one by one: into the open pack, into a new one, or out."""

    def __init__(self, call: Price, room: Room, price: Callable[[Piece], Price]) -> None:
        self._call, self._room, self._price = call, room, price
        self._packs: list[list[Priced]] = []
        self._open = Price(0, 0)
        self._total = Price(0, 0)
        self._left_out: list[LeftOut] = []
        self._full: dict[tuple[int, ...], Cause] = {}

    def place(self, priced: Priced) -> None:
        """Place a piece, narrowed if it would pass the soft bound."""
        if not self._is_past_soft(priced.price):
            self._place_as_it_is(priced)
        elif priced.piece.risk > Risk.SOURCE:
            self._leave_out(priced, "soft")
        else:
            for part in self._narrowed(priced):
                self._place_as_it_is(part)

    def _narrowed(self, priced: Priced) -> list[Priced]:
        """Return the piece with less context; as it is, when the whole of it would stay out anyway or none is gained.

        Functions stay whole where all of the piece still fits so.
        """
        plain = with_less_context(priced.piece, NARROW_CONTEXT_LINES)
        whole = with_less_context(priced.piece, NARROW_CONTEXT_LINES, function_lines=NARROW_FUNCTION_LINES)
        if whole != plain:
            parts = [Priced(part, self._price(part)) for part in whole]
            total = Price(sum(part.price.tokens for part in parts), sum(part.price.nano_usd for part in parts))
            if total.tokens <= priced.price.tokens and self._obstacle(total)[0] is None:
                return parts
        parts = [Priced(part, self._price(part)) for part in plain]
        gained = sum(part.price.tokens for part in parts) < priced.price.tokens
        reachable = any(self._obstacle(part.price)[0] is None for part in parts)
        return parts if gained and reachable else [priced]

    def _is_past_soft(self, price: Price) -> bool:
        soft_tokens = self._room.soft_tokens
        return soft_tokens is not None and self._total.tokens + self._added(price)[0].tokens > soft_tokens

    def _added(self, price: Price) -> tuple[Price, bool]:
        """Return what placing a piece adds to the task, and whether it opens a new call."""
        opens = not self._packs or self._open.tokens + price.tokens > PACK_TOKENS_MOST
        return (price.plus(self._call) if opens else price), opens

    def _obstacle(self, price: Price) -> tuple[Cause | None, Price, bool]:
        added, opens = self._added(price)
        return self._room.holds(self._total.plus(added), len(self._packs) + opens), added, opens

    def _place_as_it_is(self, priced: Priced) -> None:
        obstacle, added, opens = self._obstacle(priced.price)
        obstacle = self._full.get(priced.piece.hunk, obstacle)
        if priced.price.tokens > PACK_TOKENS_MOST:
            obstacle = "line"
        if obstacle is not None:
            self._leave_out(priced, self._cause(obstacle, priced))
            return
        if opens:
            self._packs.append([])
            self._open = Price(0, 0)
        self._packs[-1].append(priced)
        self._open = self._open.plus(priced.price)
        self._total = self._total.plus(added)

    def _leave_out(self, priced: Priced, cause: Cause) -> None:
        """Once a part of a hunk does not fit, later parts stay out with it: a hunk is read from its start, without holes."""
        self._left_out.append(LeftOut(priced, cause))
        if cause != "line":
            self._full[priced.piece.hunk] = cause

    def _cause(self, obstacle: Cause, priced: Priced) -> Cause:
        """A line alone that the task could not hold even if nothing else were in it says so."""
        alone = self._room.holds(priced.price.plus(self._call), 1)
        empty = self._room.holds(self._call, 1)
        return "line" if len(priced.piece.lines) == 1 and alone == "tokens" and empty is None else obstacle

    def result(self) -> Plan:
        """Return what was placed and what was not."""
        return Plan(tuple(Pack(tuple(pack), self._sum(pack)) for pack in self._packs), tuple(self._left_out))

    def _sum(self, pack: Sequence[Priced]) -> Price:
        total = self._call
        for each in pack:
            total = total.plus(each.price)
        return total
