"""What becomes of a reservation, in one transaction on any books: settle, void, hold, and the hold by the clock.

Every move is counted in the periods of the reservation, with the limits known when it was made.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from budget_gate.core.amounts import ZERO, Amount, CounterValue
from budget_gate.core.errors import KeyReused, UnknownReservation
from budget_gate.core.reservations import (
    LEGAL_MOVES,
    Actual,
    BudgetState,
    Crossing,
    Resolution,
    State,
)
from budget_gate.ledger.answers import parsed_resolution, resolution_json
from budget_gate.ledger.books import Books, OpenReservation, Operation, budget_states, budget_states_now, counted_now
from budget_gate.ledger.crossing import cross_lines
from budget_gate.ledger.identity import resolve_digest


def settle(books: Books, key: str, reservation: str, actual: Actual, digest: str, now: datetime) -> Resolution:
    """Post what a call cost; see ``Ledger.settle``. ``digest`` is the ``settle_digest`` of the two."""
    if (replayed := _replayed(books, "settle", key, digest)) is not None:
        return replayed
    stored = _stored(books, reservation)
    if stored.state == "posted":
        return _answer(books, "settle", key, digest, _unchanged(books, stored))
    body: dict[str, Any] = {
        "reservation": reservation,
        "key": key,
        "labels": dict(stored.labels),
        "usage": actual.usage._asdict() if actual.usage else {},
        "details": dict(actual.details),
        "overrun": actual.amount.excess_over(stored.granted),
    }
    if stored.state == "voided":
        body["counters"] = stored.counters
    return _answer(books, "settle", key, digest, _move(books, stored, "posted", now, "post", body, actual.amount))


def void(books: Books, key: str, reservation: str, reason: str, now: datetime) -> Resolution:
    """Release a reservation; see ``Ledger.void``."""
    return _resolve(books, "void", "voided", key, reservation, reason, now)


def hold(books: Books, key: str, reservation: str, reason: str, now: datetime) -> Resolution:
    """Keep the reserved amount counted; see ``Ledger.hold``."""
    return _resolve(books, "hold", "held", key, reservation, reason, now)


def sweep_expired(books: Books, now: datetime, most: int) -> int:
    """Turn up to ``most`` expired reservations into holds: their process died, but the call may have been billed."""
    expired = books.expired(now, most)
    for stored in expired:
        _move(books, stored, "held", now, "expire", {"reservation": stored.reservation})
    return len(expired)


def _resolve(books: Books, kind: str, to: State, key: str, reservation: str, reason: str, now: datetime) -> Resolution:
    digest = resolve_digest(reservation, kind)
    if (replayed := _replayed(books, kind, key, digest)) is not None:
        return replayed
    stored = _stored(books, reservation)
    if to not in LEGAL_MOVES[stored.state]:
        return _answer(books, kind, key, digest, _unchanged(books, stored))
    body = {"reservation": reservation, "key": key, "reason": reason}
    return _answer(books, kind, key, digest, _move(books, stored, to, now, kind, body))


def _move(
    books: Books,
    stored: OpenReservation,
    to: State,
    now: datetime,
    kind: str,
    body: Mapping[str, Any],
    cost: Amount = ZERO,
) -> Resolution:
    """Move a reservation to another state: counters, entry, and the tiers this crosses."""
    delta = _delta(stored, to, cost)
    before = counted_now(books, stored.charges)
    books.add(stored.counters, delta)
    books.move_reservation(stored.reservation, to, cost, None if to == "held" else now)
    books.append(now, kind, delta, body)
    budgets = budget_states(stored.charges, before, delta)
    crossed = cross_lines(books, stored.charges, budgets, stored.labels, now)
    return _resolution(stored._replace(state=to, cost=cost), crossed, budgets)


def _delta(stored: OpenReservation, to: State, cost: Amount) -> CounterValue:
    """Return what a move adds to each counter: out of the part it was counted in, into the part it moves to."""
    given_back = ZERO.minus(stored.granted)
    return CounterValue(
        posted=cost,
        pending=given_back if stored.state == "pending" else ZERO,
        held=stored.granted if to == "held" else given_back if stored.state == "held" else ZERO,
    )


def _stored(books: Books, reservation: str) -> OpenReservation:
    stored = books.reservation(reservation)
    if stored is None:
        raise UnknownReservation(f"no reservation {reservation!r} in this ledger")
    return stored


def _replayed(books: Books, kind: str, key: str, digest: str) -> Resolution | None:
    """Return the answer given to this key before, if there was one."""
    known = books.operation(kind, key)
    if known is None:
        return None
    if known.digest != digest:
        raise KeyReused(f"key {key!r} was used for another {kind}; make a new key for each operation")
    answer = parsed_resolution(known.answer, ())
    return answer._replace(budgets=budget_states_now(books, _stored(books, answer.reservation).charges))


def _answer(books: Books, kind: str, key: str, digest: str, answer: Resolution) -> Resolution:
    """Remember the answer under its key, and return it."""
    books.put_operation(kind, key, Operation(digest, resolution_json(answer)))
    return answer


def _unchanged(books: Books, stored: OpenReservation) -> Resolution:
    """Return how a reservation stands that this operation did not move."""
    return _resolution(stored, (), budget_states_now(books, stored.charges))._replace(replayed=True)


def _resolution(stored: OpenReservation, crossed: tuple[Crossing, ...], budgets: tuple[BudgetState, ...]) -> Resolution:
    overrun = stored.cost.excess_over(stored.granted) if stored.state == "posted" else ZERO
    return Resolution(stored.reservation, stored.state, stored.cost, overrun, crossed, budgets)
