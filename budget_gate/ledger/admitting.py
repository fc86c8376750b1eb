"""Reserve, in one transaction on any books: replay, sweep, queue, decide, and take everything or nothing.

Whether a request fits is ``core.admission``; what happens to a reservation afterwards is ``resolving``.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from budget_gate.core.admission import Counted, Place, Wait, decide
from budget_gate.core.admission import Grant as Granted
from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import compact_json
from budget_gate.core.errors import KeyReused
from budget_gate.core.reservations import Admitted, Decision, Refusal, Refused, ReserveRequest, Waiting
from budget_gate.ledger.answers import decision_json, parsed_decision
from budget_gate.ledger.books import (
    Books,
    OpenReservation,
    Operation,
    QueuePlace,
    Waiter,
    budget_states,
    budget_states_now,
    counted_now,
)
from budget_gate.ledger.crossing import cross_lines
from budget_gate.ledger.identity import labels_json, reservation_id, reserve_digest
from budget_gate.ledger.interface import SWEEP_MOST, WAITER_TTL_SECONDS
from budget_gate.ledger.placing import PlacedCharges, place_charges
from budget_gate.ledger.resolving import sweep_expired

DEAD_WAITERS_MOST = 16
"""How many dead waiters an admission clears away, at most. They block nobody either way."""


class Patience(NamedTuple):
    """How often a waiter should ask again, and how long its place is kept meanwhile: longer where asking takes seconds."""

    waiter_ttl_seconds: float = WAITER_TTL_SECONDS
    first_retry_seconds: float = 0.02
    more_retry_seconds: float = 0.01
    most_retry_seconds: float = 0.25

    @property
    def waiter_ttl(self) -> timedelta:
        """How long a waiter that does not ask again counts as alive."""
        return timedelta(seconds=self.waiter_ttl_seconds)

    def retry_seconds(self, ahead: int) -> float:
        """Return how soon to ask again: the first in the queue at once, those behind it at leisure."""
        return min(self.first_retry_seconds + self.more_retry_seconds * ahead, self.most_retry_seconds)


PATIENCE = Patience()
"""Of a ledger that answers within milliseconds."""


class Foreseen(NamedTuple):
    """A request with what is known of it before its transaction begins, so that nobody waits while it is worked out."""

    request: ReserveRequest
    digest: str
    reservation: str
    placed: PlacedCharges
    body: str


def foresee(request: ReserveRequest, probably: datetime) -> Foreseen:
    """Work out what the transaction will ask for, should the ledger's clock, which decides, show about ``probably``."""
    placed = place_charges(request.charges, request.zone, probably).worked_out()
    reservation, labels = reservation_id(request.key), labels_json(request.labels)
    digest = reserve_digest(request, placed.scopes_text, labels)
    body = reserve_body(placed.counters_text, compact_json(request.key), labels, reservation)
    return Foreseen(request, digest, reservation, placed, body)


def reserve_body(counters: str, key: str, labels: str, reservation: str) -> str:
    """Return the body of a reserve's entry as ``compact_json`` has it, given its parts as JSON and the reservation's id."""
    return f'{{"counters":{counters},"key":{key},"labels":{labels},"reservation":"{reservation}"}}'


def reserve(books: Books, foreseen: Foreseen, now: datetime, patience: Patience = PATIENCE) -> Decision:
    """Admit, refuse, or let wait; see ``Ledger.reserve``."""
    request = foreseen.request
    if not foreseen.placed.hold(now):
        foreseen = foresee(request, now)
    placed = foreseen.placed
    known = books.operation("reserve", request.key)
    if known is not None:
        if known.digest != foreseen.digest:
            raise KeyReused(f"key {request.key!r} was used for another reservation; make a new key for each request")
        return parsed_decision(known.answer, budget_states_now(books, placed))
    sweep_expired(books, now, SWEEP_MOST)
    waiter = _own_place(books, request.key, now) if books.somebody_waits() else None
    counted = counted_now(books, placed)
    queue = _queue(books, placed, waiter, now) if books.somebody_waits() else ()
    verdict = decide(request, counted, queue=queue, is_queued=waiter is not None)
    if isinstance(verdict, Wait):
        return _wait(books, foreseen, counted, verdict.blocked, waiter, now, patience)
    if waiter is not None:
        books.drop_waiter(request.key)
    if isinstance(verdict, Granted):
        return _take(books, foreseen, counted, verdict.amount, now)
    return _turn_down(books, foreseen, counted, verdict.refused_by, now)


def _own_place(books: Books, key: str, now: datetime) -> Waiter | None:
    """Return the place in the queue that the request holds, once the dead are cleared away."""
    books.drop_dead_waiters(now, DEAD_WAITERS_MOST, key)
    return books.waiter(key)


def _queue(books: Books, placed: PlacedCharges, waiter: Waiter | None, now: datetime) -> list[Place]:
    """Return the enforced places of the request where somebody alive came earlier."""
    before = waiter.number if waiter else None
    places = dict.fromkeys(
        (index, line.unit) for index, each in enumerate(placed) for line in each.charge.limits if line.admission_line is not None
    )
    return [(index, unit) for index, unit in places if books.waiting_at(QueuePlace(placed.counters[index], unit), before, now)]


def _take(books: Books, foreseen: Foreseen, before: Sequence[Counted], granted: Amount, now: datetime) -> Admitted:
    """Take the amount from every counter, write it all down, and answer."""
    request, placed = foreseen.request, foreseen.placed
    expires_at = now + timedelta(seconds=request.ttl_seconds)
    stored = OpenReservation(foreseen.reservation, request.key, "pending", granted, dict(request.labels), placed, now, expires_at)
    delta = CounterValue(pending=granted)
    books.add(placed.counters, delta)
    books.put_reservation(stored)
    books.append(now, "reserve", delta, foreseen.body)
    budgets = budget_states(placed, before, delta)
    cross_lines(books, placed, budgets, request.labels, now)
    answer = Admitted(stored.reservation, granted, expires_at, budgets)
    books.put_operation("reserve", request.key, Operation(foreseen.digest, decision_json(answer)))
    return answer


def _turn_down(
    books: Books, foreseen: Foreseen, counted: Sequence[Counted], refused_by: tuple[Refusal, ...], now: datetime
) -> Refused:
    """Write the refusal down: it is final under its key."""
    request = foreseen.request
    body = {
        "key": request.key,
        "labels": dict(request.labels),
        "asked": request.amount,
        "refused_by": [[each.scope.text, each.per, each.unit, each.reason] for each in refused_by],
    }
    books.append(now, "refuse", CounterValue(), body)
    budgets = budget_states(foreseen.placed, counted)
    cross_lines(books, foreseen.placed, budgets, request.labels, now, refused_by)
    answer = Refused(refused_by, budgets)
    books.put_operation("reserve", request.key, Operation(foreseen.digest, decision_json(answer)))
    return answer


def _wait(
    books: Books,
    foreseen: Foreseen,
    counted: Sequence[Counted],
    blocked: Sequence[Place],
    waiter: Waiter | None,
    now: datetime,
    patience: Patience,
) -> Waiting:
    """Keep the request's place at exactly the limits that keep it out: at any other it would be in the way of others."""
    places = tuple(QueuePlace(foreseen.placed.counters[index], unit) for index, unit in blocked)
    number = waiter.number if waiter else books.next_waiter_number()
    # A waiter that asks often is written down again only when its time is half over: most asking costs no write.
    if waiter is None or set(waiter.places) != set(places) or waiter.alive_until - now < patience.waiter_ttl / 2:
        books.put_waiter(Waiter(foreseen.request.key, number, now + patience.waiter_ttl, places))
    earlier = set[str]().union(*(books.waiting_at(place, number, now) for place in places))
    return Waiting(len(earlier), patience.retry_seconds(len(earlier)), budget_states(foreseen.placed, counted))


def retry_seconds(ahead: int) -> float:
    """Return how soon to ask a ledger again that answers within milliseconds."""
    return PATIENCE.retry_seconds(ahead)
