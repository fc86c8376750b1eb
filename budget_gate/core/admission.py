"""The admission rule, in one place: whether a request fits under every line, must wait, is clamped, or is refused.

Ledgers that can run Python call it inside their transaction; the Redis scripts state the same rule in Lua, and one contract
suite holds both to it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from budget_gate.core.amounts import UNITS, Amount, CounterValue, Unit
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
    least = request.minimum or request.amount
    enforced = _enforced(counted)
    hopeless = [place for place in enforced if least.of(place[1]) > _left(counted, place, settled=True)]
    if hopeless:
        return _refuse(hopeless, counted, least)
    tight = [place for place in enforced if request.amount.of(place[1]) > _left(counted, place)]
    if not tight and not queue:
        return Grant(request.amount)
    if request.may_wait and (queue or any(counted[index].value.pending.of(unit) for index, unit in tight)):
        return Wait(tuple(dict.fromkeys([*tight, *queue])))
    if queue and not is_queued:
        return _refuse(queue, counted, least)
    short = [place for place in enforced if least.of(place[1]) > _left(counted, place)]
    if short:
        return _refuse(short, counted, least)
    return Grant(_clamped(request.amount, counted, enforced))


def _enforced(counted: Sequence[Counted]) -> list[Place]:
    """Return the places that can refuse: those with an admission line."""
    return [
        (index, line.unit) for index, each in enumerate(counted) for line in each.charge.limits if line.admission_line is not None
    ]


def _clamped(amount: Amount, counted: Sequence[Counted], enforced: Sequence[Place]) -> Amount:
    """Return the part of ``amount`` that is free at every place."""
    granted = dict(zip(UNITS, amount, strict=True))
    for place in enforced:
        granted[place[1]] = min(granted[place[1]], _left(counted, place))
    return Amount(granted["usd"], granted["tokens"], granted["requests"])


def _tightest(counted: Sequence[Counted], place: Place) -> LimitLine:
    """Return the line that decides at a place: the lowest, should one scope have two limits of a unit and period."""
    index, unit = place
    lines = [line for line in counted[index].charge.limits if line.unit == unit and line.admission_line is not None]
    return min(lines, key=_admission_line)


def _admission_line(line: LimitLine) -> int:
    assert line.admission_line is not None
    return line.admission_line


def _left(counted: Sequence[Counted], place: Place, *, settled: bool = False) -> int:
    """Return what is left under the line now, or once everything pending turned out to cost nothing."""
    index, unit = place
    value = counted[index].value
    pending = 0 if settled else value.pending.of(unit)
    return _admission_line(_tightest(counted, place)) - value.posted.of(unit) - value.held.of(unit) - pending


def _refuse(places: Sequence[Place], counted: Sequence[Counted], needed: Amount) -> Refuse:
    """Name each limit once, and why it refuses: spent for good, held, or merely promised to others."""
    return Refuse(tuple(_refusal(place, counted, needed) for place in dict.fromkeys(places)))


def _refusal(place: Place, counted: Sequence[Counted], needed: Amount) -> Refusal:
    index, unit = place
    line, each = _tightest(counted, place), counted[index]
    admission_line, want = _admission_line(line), needed.of(unit)
    reason: RefusalReason = "pending"
    if want > admission_line - each.value.posted.of(unit):
        reason = "spent"
    elif want > admission_line - each.value.posted.of(unit) - each.value.held.of(unit):
        reason = "held"
    left = max(_left(counted, place), 0)
    return Refusal(each.charge.scope, each.charge.per, unit, reason, want, left, each.window.ends_at, line.owner)
