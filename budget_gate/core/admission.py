"""The admission rule, in one place: whether a request fits under every line, must wait, is clamped, or is refused.

Ledgers that can run Python call it inside their transaction; the Redis scripts state the same rule in Lua, and one contract
suite holds both to it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from budget_gate.core.amounts import UNIT_FIELDS, UNITS, Amount, CounterValue, Unit
from budget_gate.core.charges import Charge, LimitLine
from budget_gate.core.periods import Window
from budget_gate.core.reservations import Refusal, RefusalReason, ReserveRequest

Place = tuple[int, Unit]
"""A limit of a request: the index of its charge, and the unit."""


class Counted(NamedTuple):
    """A charge with the period it falls into and what its counter holds."""

    charge: Charge
    window: Window
    value: CounterValue


class Grant(NamedTuple):
    """Fits: take ``amount``."""

    amount: Amount


class Wait(NamedTuple):
    """Only pending amounts, or earlier waiters, are in the way. ``blocked`` are the places to queue at."""

    blocked: tuple[Place, ...]


class Refuse(NamedTuple):
    """Does not fit, and waiting would not help or is over."""

    refused_by: tuple[Refusal, ...]


def decide(
    request: ReserveRequest, counted: Sequence[Counted], *, queue: Sequence[Place] = (), is_queued: bool = False
) -> Grant | Wait | Refuse:
    """Return what to do with a request.

    ``queue`` names the places (charge index, unit) among this request's enforced limits where an earlier request already waits;
    ``is_queued`` is true when this request waited before. On its last try a request that waited takes what is free; one that
    never waited does not pass the queue.
    """
    if not queue and _fits(request.amount, counted):
        return Grant(request.amount)
    least = request.minimum or request.amount
    rooms = _rooms(counted)
    hopeless = [room for room in rooms.values() if least.of(room.unit) > room.once_settled]
    if hopeless:
        return _refuse(hopeless, counted, least)
    tight = [place for place, room in rooms.items() if request.amount.of(room.unit) > room.left]
    if request.may_wait and (queue or any(rooms[place].pending for place in tight)):
        return Wait(tuple(dict.fromkeys([*tight, *queue])))
    if queue and not is_queued:
        return _refuse([rooms[place] for place in dict.fromkeys(queue)], counted, least)
    short = [room for room in rooms.values() if least.of(room.unit) > room.left]
    if short:
        return _refuse(short, counted, least)
    return Grant(_clamped(request.amount, rooms.values()))


def _fits(amount: Amount, counted: Sequence[Counted]) -> bool:
    """Whether all of ``amount`` is free under every line: so it nearly always is, and then nothing else need be known."""
    for charge, _window, value in counted:
        posted, pending, held = value
        for line in charge.limits:
            if (at_most := line.admission_line) is not None:
                field = UNIT_FIELDS[line.unit]
                if posted[field] + pending[field] + held[field] + amount[field] > at_most:
                    return False
    return True


class _Room(NamedTuple):
    """What is left at one place under the line that decides there: the lowest, should one scope have two of a unit and period.

    ``once_settled`` is what would be left if everything pending turned out to cost nothing.
    """

    charge_index: int
    unit: Unit
    line: LimitLine
    admission_line: int
    left: int
    once_settled: int

    @property
    def pending(self) -> int:
        """What others have reserved there."""
        return self.once_settled - self.left


def _rooms(counted: Sequence[Counted]) -> dict[Place, _Room]:
    """Return the places that can refuse, those with an admission line."""
    rooms: dict[Place, _Room] = {}
    for index, (charge, _window, value) in enumerate(counted):
        for line in charge.limits:
            admission_line, unit = line.admission_line, line.unit
            if admission_line is None:
                continue
            known = rooms.get((index, unit))
            if known is None or admission_line < known.admission_line:
                once_settled = admission_line - value.posted.of(unit) - value.held.of(unit)
                left = once_settled - value.pending.of(unit)
                rooms[index, unit] = _Room(index, unit, line, admission_line, left, once_settled)
    return rooms


def _clamped(amount: Amount, rooms: Iterable[_Room]) -> Amount:
    """Return the part of ``amount`` that is free at every place."""
    granted = dict(zip(UNITS, amount, strict=True))
    for room in rooms:
        granted[room.unit] = min(granted[room.unit], room.left)
    return Amount(granted["usd"], granted["tokens"], granted["requests"])


def _refuse(rooms: Iterable[_Room], counted: Sequence[Counted], needed: Amount) -> Refuse:
    """Name each limit once, and why it refuses: spent for good, held, or merely promised to others."""
    return Refuse(tuple(_refusal(room, counted[room.charge_index], needed.of(room.unit)) for room in rooms))


def _refusal(room: _Room, each: Counted, needed: int) -> Refusal:
    reason: RefusalReason = "pending"
    if needed > room.admission_line - each.value.posted.of(room.unit):
        reason = "spent"
    elif needed > room.once_settled:
        reason = "held"
    left = max(room.left, 0)
    return Refusal(each.charge.scope, each.charge.per, room.unit, reason, needed, left, each.window.ends_at, room.line.owner)
