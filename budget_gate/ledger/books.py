"""What one transaction of a ledger can look up and write down: the seam between the rules of a ledger and its storage.

The rules (``admitting``, ``resolving``, ``crossing``) run on any books; a storage that can run Python inside its transaction
implements these and nothing else. Every method acts within the transaction that the books were opened for.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from budget_gate.core.admission import Counted
from budget_gate.core.amounts import ZERO, Amount, CounterValue, Unit
from budget_gate.core.audit import Body, Entry
from budget_gate.core.reservations import BudgetState, Crossing, Reservation, State
from budget_gate.ledger.placing import CounterName, PlacedCharges

_NOTHING = CounterValue()


class QueuePlace(NamedTuple):
    """Where requests queue: one unit of one counter."""

    counter: CounterName
    unit: Unit


class Waiter(NamedTuple):
    """A request in the queue. Lower ``number`` came earlier; past ``alive_until`` nobody believes it is still there."""

    key: str
    number: int
    alive_until: datetime
    places: tuple[QueuePlace, ...]


class Operation(NamedTuple):
    """What was asked under a key (as a digest) and answered (as JSON, see ``answers``)."""

    digest: str
    answer: str


class OpenReservation(NamedTuple):
    """A reservation with what is needed to resolve it: its charges, in its own periods, with the limits known then."""

    reservation: str
    key: str
    state: State
    granted: Amount
    labels: Mapping[str, str]
    charges: PlacedCharges
    created_at: datetime
    expires_at: datetime
    cost: Amount = ZERO
    resolved_at: datetime | None = None

    @property
    def counters(self) -> tuple[CounterName, ...]:
        """The counters it is counted in."""
        return self.charges.counters

    def shown(self) -> Reservation:
        """Return what callers of the ledger see of it."""
        return Reservation(
            self.reservation,
            self.key,
            self.state,
            self.granted,
            self.cost,
            self.labels,
            self.created_at,
            self.expires_at,
            self.resolved_at,
        )


class Books(Protocol):
    """One transaction's view of a ledger."""

    def operation(self, kind: str, key: str) -> Operation | None:
        """Return what was answered to this key before."""
        ...

    def put_operation(self, kind: str, key: str, operation: Operation) -> None:
        """Remember an answer."""
        ...

    def values(self, counters: Sequence[CounterName]) -> list[CounterValue]:
        """Return what counters hold, in the order asked; one that was never added to holds nothing."""
        ...

    def add(self, counters: Sequence[CounterName], delta: CounterValue) -> None:
        """Add a signed difference to each counter."""
        ...

    def reservation(self, reservation: str) -> OpenReservation | None:
        """Return a reservation by id."""
        ...

    def put_reservation(self, reservation: OpenReservation) -> None:
        """Store a new reservation."""
        ...

    def move_reservation(self, reservation: str, state: State, cost: Amount, resolved_at: datetime | None) -> None:
        """Change the state of a stored reservation."""
        ...

    def expired(self, now: datetime, most: int) -> list[OpenReservation]:
        """Return up to ``most`` pending reservations whose deadline is not after ``now``, earliest deadline first."""
        ...

    def append(self, at: datetime, kind: str, delta: CounterValue, body: Body) -> Entry:
        """Append an entry behind the newest one."""
        ...

    def entry(self, seq: int) -> Entry:
        """Return one entry."""
        ...

    def somebody_waits(self) -> bool:
        """Return whether anybody is in the queue, alive or not: nearly always nobody is, and then no place need be asked."""
        ...

    def waiter(self, key: str) -> Waiter | None:
        """Return the place in the queue that a request holds, alive or not."""
        ...

    def put_waiter(self, waiter: Waiter) -> None:
        """Store a waiter, in place of the one with its key."""
        ...

    def drop_waiter(self, key: str) -> None:
        """Take a request out of the queue, if it is in it."""
        ...

    def drop_dead_waiters(self, now: datetime, most: int, spared: str) -> None:
        """Drop up to ``most`` waiters that are no longer alive, but not the one with key ``spared``: it is asking right now."""
        ...

    def next_waiter_number(self) -> int:
        """Return a number higher than that of every waiter."""
        ...

    def waiting_at(self, place: QueuePlace, before: int | None, now: datetime) -> set[str]:
        """Return the keys of live waiters at a place, only those with a number below ``before`` if it is given."""
        ...

    def cross(self, crossing: Crossing, at: datetime) -> bool:
        """Write down that a tier was crossed; False when it had been before."""
        ...

    def send(self, payload: str) -> None:
        """Put a message into the outbox."""
        ...


def counted_now(books: Books, placed: PlacedCharges) -> list[Counted]:
    """Return the charges with what their counters hold."""
    values = books.values(placed.counters)
    return [Counted(charge, window, value) for (charge, window), value in zip(placed, values, strict=True)]


def budget_states(placed: PlacedCharges, counted: Sequence[Counted], added: CounterValue = _NOTHING) -> tuple[BudgetState, ...]:
    """Return how every limit of the charges stands once ``added`` is added to each counter: nobody else writes meanwhile."""
    more_posted, more_pending, more_held = added
    states = []
    for index, unit, stands in placed.limits:
        posted, pending, held = counted[index].value
        states.append(stands(posted[unit] + more_posted[unit], pending[unit] + more_pending[unit], held[unit] + more_held[unit]))
    return tuple(states)


def budget_states_now(books: Books, placed: PlacedCharges) -> tuple[BudgetState, ...]:
    """Return how every limit of the charges stands."""
    return budget_states(placed, counted_now(books, placed))
