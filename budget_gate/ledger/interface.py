"""What every ledger backend promises. The laws are in docs/guarantees.md; one contract suite holds every backend to them.

A backend translates its driver's failures: callers only ever see ``LedgerError`` and its subclasses. It stamps entries by its own
clock. Anything that two backends would share (waiting, verifying, ids) lives beside this file, not in them.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from budget_gate.core.amounts import CounterValue
from budget_gate.core.audit import Entry
from budget_gate.core.charges import Charge
from budget_gate.core.reservations import (
    Actual,
    BudgetState,
    Decision,
    Reservation,
    ReserveRequest,
    Resolution,
)

SCHEMA_VERSION = 1
"""Of what backends store. An older ledger is upgraded in place, a newer one refused with ``LedgerTooNew``."""

WAITER_TTL_SECONDS = 2.0
"""A waiter that has not asked again for this long is dead, and blocks nobody."""

SWEEP_MOST = 64
"""How many expired reservations an admission turns into holds, at most: its work stays bounded."""


class CounterRow(NamedTuple):
    """One stored counter: scope text, kind of period, its label, and what it holds."""

    scope: str
    per: str
    label: str
    value: CounterValue


class Delivery(NamedTuple):
    """A message waiting in the outbox. ``payload`` is JSON; ``attempt`` counts claims, this one included."""

    delivery: str
    payload: str
    attempt: int


class NewNote(NamedTuple):
    """A note to be recorded: its key, its kind (not one of ``core.audit.MONEY_KINDS``), whose it is, and what it says."""

    key: str
    kind: str
    labels: Mapping[str, str]
    details: Mapping[str, str]


class Ledger(Protocol):
    """Two-phase spending. Every method is one atomic step; keys are the caller's and make retries safe.

    Keys are separate per kind of operation: a reserve and a settle may share one. Repeating a key with the same arguments
    answers the same and counts once; with other arguments it raises ``KeyReused``.
    """

    @property
    def url(self) -> str:
        """Where the ledger is, without any secret: safe to print."""
        ...

    def now(self) -> datetime:
        """Return the ledger's own clock (UTC): the one that decides."""
        ...

    def reserve(self, request: ReserveRequest) -> Decision:
        """Check every limit and take the amount from all of them, or take nothing.

        First turns up to ``SWEEP_MOST`` expired reservations into holds. ``Waiting`` keeps the caller's place in the queue for
        ``WAITER_TTL_SECONDS``; see ``waiting.reserve_waiting`` for the loop. A refusal is recorded under its key and is final.
        """
        ...

    def leave_queue(self, key: str) -> None:
        """Give up the place of a waiting reserve; harmless when there is none."""
        ...

    def settle(self, key: str, reservation: str, actual: Actual) -> Resolution:
        """Post what a call cost, in the period of its reservation. Never refused for lateness or for passing a line.

        A reservation that was posted before keeps its first cost and answers ``replayed``; one that was voided is posted now.
        Raises ``UnknownReservation``.
        """
        ...

    def void(self, key: str, reservation: str, reason: str) -> Resolution:
        """Release a reservation for which nothing was bought. Changes nothing once it is posted or voided."""
        ...

    def hold(self, key: str, reservation: str, reason: str) -> Resolution:
        """Keep the reserved amount counted, because it may have been billed. Changes nothing unless pending."""
        ...

    def read(self, charges: Sequence[Charge], zone: str) -> tuple[BudgetState, ...]:
        """Return how each limit of the charges stands now. Reads counters, never entries; writes nothing."""
        ...

    def show(self, reservation: str) -> Reservation:
        """Return one reservation. Raises ``UnknownReservation``."""
        ...

    def open_reservations(self) -> Iterator[Reservation]:
        """Yield what is pending or held, oldest first."""
        ...

    def sweep(self, most: int) -> int:
        """Turn up to ``most`` expired pending reservations into holds; return how many there were."""
        ...

    def record(self, key: str, kind: str, labels: Mapping[str, str], details: Mapping[str, str]) -> Entry:
        """Append a note that moves no money (kind: not one of ``core.audit.MONEY_KINDS``), once per key; return its entry."""
        ...

    def record_missing(self, notes: Sequence[NewNote]) -> None:
        """Append those of some notes whose key was never used, together where the storage can; used keys stay as they are."""
        ...

    def notes(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        """Return the note recorded under each key, None where there is none; one consistent look, which writes nothing."""
        ...

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield entries in order, starting behind sequence number ``after``, reading in batches."""
        ...

    def head(self) -> int:
        """Return the sequence number of the newest entry ever appended (0: none), kept apart from the entries themselves.

        So a tail that was cut off is missed, even one that moved no money.
        """
        ...

    def counters(self, labels: Sequence[str] = ()) -> Iterator[CounterRow]:
        """Yield every stored counter, in any order, reading in batches.

        With ``labels``, only those whose label begins with one of these texts: ``2026-11`` is that month and its days. The others,
        a task's and a session's above all, are passed over where they are stored.
        """
        ...

    def claim_deliveries(self, claimant: str, most: int, lease_seconds: int) -> tuple[Delivery, ...]:
        """Claim messages that nobody else holds; unacknowledged ones come back after the lease."""
        ...

    def acknowledge(self, delivery: str, claimant: str) -> bool:
        """Mark a message as delivered; False when the claim had passed to somebody else."""
        ...

    def close(self) -> None:
        """Release connections and files."""
        ...
