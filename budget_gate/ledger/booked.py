"""A ledger over books: checks arguments, runs the rules inside the storage's transaction, and pages through what is stored.

Backends whose transaction can run Python derive from it; they say how a transaction is opened and how tables are paged.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from budget_gate.core.amounts import CounterValue
from budget_gate.core.audit import Entry
from budget_gate.core.charges import Charge
from budget_gate.core.errors import KeyReused, UnknownReservation
from budget_gate.core.reservations import Actual, BudgetState, Decision, Reservation, ReserveRequest, Resolution
from budget_gate.ledger import admitting, checks, resolving
from budget_gate.ledger.admitting import PATIENCE, Patience
from budget_gate.ledger.books import Books, Operation, budget_states_now
from budget_gate.ledger.identity import note_digest, settle_digest
from budget_gate.ledger.interface import NewNote
from budget_gate.ledger.placing import place_charges

Answer = TypeVar("Answer")
Row = TypeVar("Row")
Position = TypeVar("Position")
Step = Callable[[Books, datetime], Answer]
"""What one transaction does, given its books and the ledger's clock as read inside the transaction."""

BATCH = 500
"""Rows that a paging reader fetches at a time."""


def system_clock() -> datetime:
    """Return the machine's clock, in UTC."""
    return datetime.now(UTC)


class BookedLedger(ABC):
    """Everything of ``Ledger`` that books suffice for."""

    def __init__(self, clock: Callable[[], datetime], patience: Patience = PATIENCE) -> None:
        self._clock = clock
        self._patience = patience

    @abstractmethod
    def _write(self, step: Step[Answer]) -> Answer:
        """Run a step in one transaction that alone may write; all of it is stored, or none."""

    @abstractmethod
    def _look(self, step: Step[Answer]) -> Answer:
        """Run a step that only reads, on one consistent view."""

    def now(self) -> datetime:
        """Return the ledger's clock."""
        return self._clock().astimezone(UTC)

    def reserve(self, request: ReserveRequest) -> Decision:
        """Check every limit and take the amount from all of them, or take nothing."""
        checks.check_request(request)
        foreseen = admitting.foresee(request, system_clock())
        return self._write(lambda books, now: admitting.reserve(books, foreseen, now, self._patience))

    def leave_queue(self, key: str) -> None:
        """Give up the place of a waiting reserve."""
        self._write(lambda books, _now: books.drop_waiter(key))

    def settle(self, key: str, reservation: str, actual: Actual) -> Resolution:
        """Post what a call cost, in the period of its reservation."""
        checks.check_key(key)
        checks.check_text(reservation, "reservation")
        checks.check_actual(actual)
        digest = settle_digest(reservation, actual)
        return self._write(lambda books, now: resolving.settle(books, key, reservation, actual, digest, now))

    def void(self, key: str, reservation: str, reason: str) -> Resolution:
        """Release a reservation for which nothing was bought."""
        self._check_resolve(key, reservation, reason)
        return self._write(lambda books, now: resolving.void(books, key, reservation, reason, now))

    def hold(self, key: str, reservation: str, reason: str) -> Resolution:
        """Keep the reserved amount counted, because it may have been billed."""
        self._check_resolve(key, reservation, reason)
        return self._write(lambda books, now: resolving.hold(books, key, reservation, reason, now))

    def read(self, charges: Sequence[Charge], zone: str) -> tuple[BudgetState, ...]:
        """Return how each limit of the charges stands now."""
        checks.check_charges(charges, zone)
        return self._look(lambda books, now: budget_states_now(books, place_charges(charges, zone, now)))

    def show(self, reservation: str) -> Reservation:
        """Return one reservation."""
        checks.check_text(reservation, "reservation")
        stored = self._look(lambda books, _now: books.reservation(reservation))
        if stored is None:
            raise UnknownReservation(f"no reservation {reservation!r} in this ledger")
        return stored.shown()

    def sweep(self, most: int) -> int:
        """Turn up to ``most`` expired pending reservations into holds."""
        return self._write(lambda books, now: resolving.sweep_expired(books, now, most))

    def record(self, key: str, kind: str, labels: Mapping[str, str], details: Mapping[str, str]) -> Entry:
        """Append a note that moves no money, once per key."""
        checks.check_note_fields(key, kind, labels, details)
        return self._write(lambda books, now: _append_note(books, key, kind, labels, details, now))

    def record_missing(self, notes: Sequence[NewNote]) -> None:
        """Append those of some notes whose key was never used, in one transaction."""
        for note in notes:
            checks.check_note_fields(*note)
        if notes:
            self._write(lambda books, now: _append_missing(books, notes, now))

    def notes(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        """Return the note under each key, None where there is none."""
        for key in keys:
            checks.check_key(key)
        return self._look(lambda books, _now: tuple(_note(books, key) for key in keys))

    def _check_resolve(self, key: str, reservation: str, reason: str) -> None:
        checks.check_key(key)
        checks.check_text(reservation, "reservation")
        checks.check_text(reason, "reason")


def _append_note(
    books: Books, key: str, kind: str, labels: Mapping[str, str], details: Mapping[str, str], now: datetime
) -> Entry:
    digest = note_digest(kind, labels, details)
    known = books.operation("record", key)
    if known is not None:
        if known.digest != digest:
            raise KeyReused(f"key {key!r} was used for another note; make a new key for each")
        return books.entry(int(known.answer))
    body = {"key": key, "labels": dict(labels), "details": dict(details)}
    entry = books.append(now, kind, CounterValue(), body)
    books.put_operation("record", key, Operation(digest, str(entry.seq)))
    return entry


def _append_missing(books: Books, notes: Sequence[NewNote], now: datetime) -> None:
    for note in notes:
        if books.operation("record", note.key) is None:
            _append_note(books, *note, now)


def _note(books: Books, key: str) -> Entry | None:
    known = books.operation("record", key)
    return books.entry(int(known.answer)) if known is not None else None


def paged(first: Position, fetch: Callable[[Position, int], Sequence[tuple[Position, Row]]]) -> Iterator[Row]:
    """Yield rows behind position ``first``, fetching ``(position, row)`` pairs in batches; holds no transaction in between."""
    behind = first
    while True:
        batch = fetch(behind, BATCH)
        for position, row in batch:
            behind = position
            yield row
        if len(batch) < BATCH:
            return
