"""A lease: one reservation worth a whole task, spent against locally and settled once. Works over any ledger.

Where one operation takes seconds, a task of ten calls would wait for twenty of them. So the first call reserves what its task may
use, the next ones are admitted here, and ``finish`` settles the sum. Limits are still only ever taken on the inner ledger; a lease
too small for a call is settled and another one taken. How leases end is ``lease_closing``, what survives a kill ``lease_journal``.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from budget_gate.core.amounts import UNITS, ZERO, Amount, CounterValue, Unit
from budget_gate.core.audit import Entry
from budget_gate.core.charges import Charge, LimitLine
from budget_gate.core.errors import LedgerError
from budget_gate.core.money import COUNT_MAX
from budget_gate.core.policy import Bounds
from budget_gate.core.reservations import (
    Actual,
    Admitted,
    BudgetState,
    Decision,
    Reservation,
    ReserveRequest,
    Resolution,
    Waiting,
    tier_reached,
)
from budget_gate.core.scopes import Scope
from budget_gate.ledger import checks
from budget_gate.ledger.identity import reservation_id
from budget_gate.ledger.interface import CounterRow, Delivery, Ledger, NewNote
from budget_gate.ledger.lease_closing import close_lease, held_key, reserve_outside
from budget_gate.ledger.lease_journal import Lease, LeaseBook
from budget_gate.ledger.memory import MemoryLedger

LEASE_TTL_SECONDS = 3600
"""How long a lease may stay pending before it becomes a hold. A hold can still be settled."""

LOOK_SECONDS = 30.0
"""How long a look at budgets may be shown again before there is a lease: only a reservation decides."""

RESTING_SECONDS = 60.0
"""A lease without a call for this long is settled when another account asks for one."""

CALLS_USUAL = 5
"""How many calls a lease is for when its task has no bound on steps."""

Bound = Callable[[ReserveRequest], Amount]
"""What a task may use in all, given its first request."""


def task_bound(bounds: Bounds) -> Bound:
    """Return the bound of a task: its limits, and where it has none, that many calls like the first."""

    def bound(request: ReserveRequest) -> Amount:
        steps = bounds.steps or CALLS_USUAL
        nano_usd = request.amount.nano_usd * steps if bounds.nano_usd is None else bounds.nano_usd
        tokens = request.amount.tokens * steps if bounds.hard_tokens is None else bounds.hard_tokens
        return Amount(nano_usd, tokens, request.amount.requests * steps)

    return bound


class _Terms(NamedTuple):
    """Until when calls may be spent from a lease, and how each limit stood when it was granted."""

    until: datetime
    budgets: Mapping[tuple[Scope, str, Unit, int], BudgetState]


class LeasedLedger:
    """Implements ``Ledger`` over another one. Safe to share between threads; ``journal`` is a path of its own."""

    def __init__(
        self,
        inner: Ledger,
        bound: Bound,
        *,
        journal: str | os.PathLike[str] | None = None,
        ttl_seconds: int = LEASE_TTL_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
        on_problem: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._inner = inner
        self._bound = bound
        self._book = LeaseBook(journal)
        self._ttl_seconds = ttl_seconds
        self._monotonic = monotonic
        self._on_problem = on_problem
        self._lock = threading.RLock()
        self._local = MemoryLedger(clock=self.now)
        self._told: tuple[datetime, float] | None = None
        self._lease_of: dict[str, Lease] = {}
        self._terms: dict[str, _Terms] = {}
        self._used_at: dict[str, float] = {}
        self._modest: set[str] = set()
        self._looks: dict[tuple[tuple[Charge, ...], str], tuple[float, tuple[BudgetState, ...]]] = {}

    @property
    def url(self) -> str:
        """Where the inner ledger is."""
        return self._inner.url

    def now(self) -> datetime:
        """Return the inner ledger's clock as of the last lease, carried on by this machine's: a lease works through an outage."""
        if self._told is None:
            return self._inner.now()
        return self._told[0] + timedelta(seconds=self._monotonic() - self._told[1])

    def reserve(self, request: ReserveRequest) -> Decision:
        """Admit a call against a lease, taking one where none fits; whatever the inner ledger says to that is the answer."""
        checks.check_request(request)
        with self._lock:
            lease = self._lease_of.get(reservation_id(request.key)) or self._fitting(request)
            if lease is None:
                decision = self._take(request)
                if not isinstance(decision, Admitted):
                    return decision
                lease = self._book.leases[_lease_key(request.key)]
            return self._admit(lease, request)

    def leave_queue(self, key: str) -> None:
        """Give up the place of a waiting reserve."""
        self._inner.leave_queue(_lease_key(key))

    def settle(self, key: str, reservation: str, actual: Actual) -> Resolution:
        """Post what a call cost: against its lease, or on the inner ledger if that has been settled meanwhile."""
        with self._lock:
            lease = self._lease_of.get(reservation)
            if lease is None:
                return self._inner.settle(key, reservation, actual)
            resolution = self._local.settle(key, reservation, actual)
            if lease.is_closed and not resolution.replayed:
                call = lease.calls[reservation]
                return self._inner.settle(held_key(lease, call), reserve_outside(self._inner, lease, call), actual)
            if not resolution.replayed:
                self._book.settled(lease.key, reservation, actual)
            return resolution._replace(crossed=(), budgets=self._states(lease, lease.request.charges))

    def void(self, key: str, reservation: str, reason: str) -> Resolution:
        """Release a call for which nothing was bought."""
        with self._lock:
            lease = self._lease_of.get(reservation)
            if lease is None:
                return self._inner.void(key, reservation, reason)
            return self._ended(lease, reservation, self._local.void(key, reservation, reason))

    def hold(self, key: str, reservation: str, reason: str) -> Resolution:
        """Keep a call counted, because it may have been billed."""
        with self._lock:
            lease = self._lease_of.get(reservation)
            if lease is None:
                return self._inner.hold(key, reservation, reason)
            return self._ended(lease, reservation, self._local.hold(key, reservation, reason))

    def read(self, charges: Sequence[Charge], zone: str) -> tuple[BudgetState, ...]:
        """Return how each limit stands: as when the lease was granted, with what was spent here since."""
        with self._lock:
            wanted = {(each.scope, each.per) for each in charges if each.limits}
            for lease in self._book.open_leases():
                if lease.granted is not None and lease.request.zone == zone and wanted <= _counters(lease.request):
                    return self._states(lease, charges)
            key, now = (tuple(charges), zone), self._monotonic()
            if key not in self._looks or now - self._looks[key][0] > LOOK_SECONDS:
                self._looks[key] = now, self._inner.read(charges, zone)
            return self._looks[key][1]

    def show(self, reservation: str) -> Reservation:
        """Return one reservation, of a call here or of the inner ledger."""
        return (self._local if reservation in self._lease_of else self._inner).show(reservation)

    def finish(self) -> None:
        """Settle every lease at what was spent. What fails stays in the journal, for ``settle_left_open``."""
        with self._lock:
            for lease in self._book.open_leases():
                if lease.granted is not None:
                    self._close(lease)

    def close(self) -> None:
        """Finish, then close the inner ledger. A failure is reported and not raised: the work is done, and the journal remains."""
        try:
            self.finish()
        except LedgerError as error:
            self._on_problem(
                f"what this job spent could not be settled yet ({error}); until it is, its whole lease stays counted"
            )
        finally:
            self._inner.close()

    def open_reservations(self) -> Iterator[Reservation]:
        """Yield what is pending or held on the inner ledger."""
        return self._inner.open_reservations()

    def sweep(self, most: int) -> int:
        """Sweep the inner ledger."""
        return self._inner.sweep(most)

    def record(self, key: str, kind: str, labels: Mapping[str, str], details: Mapping[str, str]) -> Entry:
        """Append a note to the inner ledger."""
        return self._inner.record(key, kind, labels, details)

    def record_missing(self, notes: Sequence[NewNote]) -> None:
        """Append new notes to the inner ledger."""
        self._inner.record_missing(notes)

    def notes(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        """Return the inner ledger's notes."""
        return self._inner.notes(keys)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield the inner ledger's entries."""
        return self._inner.entries(after)

    def head(self) -> int:
        """Return the inner ledger's newest sequence number."""
        return self._inner.head()

    def counters(self, labels: Sequence[str] = ()) -> Iterator[CounterRow]:
        """Yield the inner ledger's counters."""
        return self._inner.counters(labels)

    def claim_deliveries(self, claimant: str, most: int, lease_seconds: int) -> tuple[Delivery, ...]:
        """Claim messages of the inner ledger."""
        return self._inner.claim_deliveries(claimant, most, lease_seconds)

    def acknowledge(self, delivery: str, claimant: str) -> bool:
        """Acknowledge a message of the inner ledger."""
        return self._inner.acknowledge(delivery, claimant)

    def _fitting(self, request: ReserveRequest) -> Lease | None:
        """Return a lease that a request may be spent from.

        Leases that will hardly be again are settled on the way, so that others can have their rest: a used-up one, one whose period
        or time is over, and one on another account that has not been used for a while.
        """
        for lease in self._book.open_leases():
            if lease.granted is None:
                continue
            is_same = lease.request.zone == request.zone and _counters(lease.request) == _counters(request)
            if is_same and self.now() < self._terms[lease.key].until and self._has_room(lease, request.amount):
                return lease
            is_resting = self._monotonic() - self._used_at.get(lease.key, 0.0) > RESTING_SECONDS
            if lease.is_idle and (is_same or is_resting):
                self._close(lease)
        return None

    def _has_room(self, lease: Lease, amount: Amount) -> bool:
        spent, granted = self._spent(lease), lease.granted or ZERO
        return not granted.minus(spent.posted).minus(spent.pending).minus(spent.held).minus(amount).is_negative

    def _take(self, request: ReserveRequest) -> Decision:
        """Ask the inner ledger for the task's bound, content with what the call needs.

        Where others' pending amounts keep out so large a request, it asks for no more than the call: a lease must not be what makes
        a call wait, or others wait for it.
        """
        key = _lease_key(request.key)
        bound = self._bound(request) if key not in self._modest else request.amount
        amount = Amount(*(min(max(each), COUNT_MAX) for each in zip(bound, request.amount, strict=True)))
        least = request.minimum or request.amount
        lease = request._replace(key=key, amount=amount, minimum=least, ttl_seconds=max(self._ttl_seconds, request.ttl_seconds))
        if key not in self._book.leases:
            self._book.asked(self._inner.url, lease)
        decision = self._inner.reserve(lease)
        if isinstance(decision, Waiting) and key not in self._modest:
            self._modest.add(key)
            decision = self._inner.reserve(lease._replace(amount=request.amount))
        if isinstance(decision, Admitted):
            self._told = self._inner.now(), self._monotonic()
            self._book.granted(key, decision.granted)
            self._terms[key] = _terms(decision)
        elif not isinstance(decision, Waiting):
            self._book.closed(key)
        return decision

    def _admit(self, lease: Lease, request: ReserveRequest) -> Decision:
        """Admit a call against a lease that has room for it, or for as much of it as the inner ledger granted."""
        decision = self._local.reserve(request._replace(charges=(_lease_charge(lease),), may_wait=False))
        if not isinstance(decision, Admitted):
            return decision
        self._used_at[lease.key] = self._monotonic()
        if decision.reservation not in self._lease_of:
            self._book.called(lease.key, decision.reservation, decision.granted)
            self._lease_of[decision.reservation] = lease
        return decision._replace(budgets=self._states(lease, request.charges))

    def _ended(self, lease: Lease, reservation: str, resolution: Resolution) -> Resolution:
        """Write down that a call was voided or held; one that its lease's end has held already is voided on the inner ledger."""
        if lease.is_closed and resolution.state == "voided" and not resolution.replayed:
            key = held_key(lease, lease.calls[reservation])
            return self._inner.void(key, reservation_id(key), "nothing was bought after all")
        if not lease.is_closed and resolution.state in {"voided", "held"} and not resolution.replayed:
            self._book.ended(lease.key, reservation, "voided" if resolution.state == "voided" else "held")
        return resolution._replace(crossed=(), budgets=self._states(lease, lease.request.charges))

    def _close(self, lease: Lease) -> None:
        close_lease(self._inner, self._book, lease)
        self._looks.clear()

    def _spent(self, lease: Lease) -> CounterValue:
        """Return what was taken from a lease."""
        states = self._local.read((_lease_charge(lease),), "UTC")
        return CounterValue(*(Amount(*(getattr(state, part) for state in states)) for part in CounterValue._fields))

    def _states(self, lease: Lease, charges: Sequence[Charge]) -> tuple[BudgetState, ...]:
        """Return how limits stand: as the inner ledger said when it granted the lease, the grant replaced by what was taken of it."""
        spent, granted = self._spent(lease), lease.granted or ZERO
        known = self._terms[lease.key].budgets if lease.key in self._terms else {}
        states = []
        for charge in charges:
            for line in charge.limits:
                state = known.get((charge.scope, charge.per, line.unit, line.limit))
                if state is None:
                    continue
                posted = state.posted + spent.posted.of(line.unit)
                held = state.held + spent.held.of(line.unit)
                pending = state.pending - granted.of(line.unit) + spent.pending.of(line.unit)
                tier = tier_reached(line, posted + held)
                states.append(state._replace(posted=posted, held=held, pending=max(pending, 0), tier=tier))
        return tuple(states)


def _terms(admitted: Admitted) -> _Terms:
    """Return the terms of a lease: it ends with the first of its periods, because a call counts in the period it was made in."""
    budgets = {(each.scope, each.per, each.unit, each.limit): each for each in admitted.budgets}
    return _Terms(min([admitted.expires_at, *(each.resets_at for each in admitted.budgets)]), budgets)


def _lease_key(key: str) -> str:
    """Return the key under which the lease for a call is taken; a long one is shortened, and stays the call's own."""
    return f"lease/{key if len(key) <= checks.KEY_MOST // 2 else reservation_id(key)}"


def _counters(request: ReserveRequest) -> set[tuple[Scope, str]]:
    return {(each.scope, each.per) for each in request.charges}


def _lease_charge(lease: Lease) -> Charge:
    """Return the one limit that calls against a lease are held to: its grant."""
    granted = lease.granted or ZERO
    lines = tuple(LimitLine(unit, most, most, most, most, most) for unit, most in zip(UNITS, granted, strict=True))
    return Charge(Scope("task", lease.key), "lifetime", lines)
