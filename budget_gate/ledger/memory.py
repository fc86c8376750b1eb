"""The ledger in memory: one process, gone with it. For tests, demos and dry runs.

It keeps the same laws as the others, because it runs the same rules; only its storage is plain dictionaries under one lock.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import GENESIS, Entry, chain_hash, entry_text
from budget_gate.core.periods import Per
from budget_gate.core.reservations import Crossing, Reservation, State
from budget_gate.ledger.booked import Answer, BookedLedger, Step, system_clock
from budget_gate.ledger.books import OpenReservation, Operation, QueuePlace, Waiter
from budget_gate.ledger.health import Finding
from budget_gate.ledger.interface import CounterRow, Delivery
from budget_gate.ledger.moving import Crossed, Record, StoredOperation, check_behind, crossing_of
from budget_gate.ledger.placing import CounterName


class _Message(NamedTuple):
    payload: str
    attempt: int = 0
    claimant: str = ""
    claimed_until: datetime | None = None
    is_delivered: bool = False


class MemoryBooks:
    """The tables as dictionaries. Implements ``Books``."""

    def __init__(self) -> None:
        self.counters: dict[CounterName, CounterValue] = {}
        self.reservations: dict[str, OpenReservation] = {}
        self.entries: list[Entry] = []
        self.messages: list[_Message] = []
        self._pending: dict[str, datetime] = {}
        self._operations: dict[tuple[str, str], Operation] = {}
        self._waiters: dict[str, Waiter] = {}
        self._crossed: dict[Crossing, datetime] = {}

    def operation(self, kind: str, key: str) -> Operation | None:
        """Return what was answered to this key before."""
        return self._operations.get((kind, key))

    def put_operation(self, kind: str, key: str, operation: Operation) -> None:
        """Remember an answer."""
        self._operations[kind, key] = operation

    def values(self, counters: Sequence[CounterName]) -> list[CounterValue]:
        """Return what counters hold."""
        return [self.counters.get(counter, CounterValue()) for counter in counters]

    def add(self, counters: Sequence[CounterName], delta: CounterValue) -> None:
        """Add a difference to each counter."""
        for counter in counters:
            self.counters[counter] = self.counters.get(counter, CounterValue()).plus(delta)

    def reservation(self, reservation: str) -> OpenReservation | None:
        """Return a reservation by id."""
        return self.reservations.get(reservation)

    def put_reservation(self, reservation: OpenReservation) -> None:
        """Store a new reservation."""
        self.reservations[reservation.reservation] = reservation
        self._pending[reservation.reservation] = reservation.expires_at

    def move_reservation(self, reservation: str, state: State, cost: Amount, resolved_at: datetime | None) -> None:
        """Change the state of a stored reservation."""
        stored = self.reservations[reservation]
        self.reservations[reservation] = stored._replace(state=state, cost=cost, resolved_at=resolved_at)
        self._pending.pop(reservation, None)

    def expired(self, now: datetime, most: int) -> list[OpenReservation]:
        """Return pending reservations whose deadline has passed."""
        late = sorted((deadline, name) for name, deadline in self._pending.items() if deadline <= now)
        return [self.reservations[name] for _, name in late[:most]]

    def append(self, at: datetime, kind: str, delta: CounterValue, body: Mapping[str, Any]) -> Entry:
        """Append an entry behind the newest one."""
        seq = len(self.entries) + 1
        text = entry_text(seq, at, kind, delta, body)
        entry = Entry(seq, text, chain_hash(self.entries[-1].chain_hash if self.entries else GENESIS, text))
        self.entries.append(entry)
        return entry

    def entry(self, seq: int) -> Entry:
        """Return one entry."""
        return self.entries[seq - 1]

    def somebody_waits(self) -> bool:
        """Return whether anybody is in the queue."""
        return bool(self._waiters)

    def waiter(self, key: str) -> Waiter | None:
        """Return a request's place in the queue."""
        return self._waiters.get(key)

    def put_waiter(self, waiter: Waiter) -> None:
        """Store a waiter."""
        self._waiters[waiter.key] = waiter

    def drop_waiter(self, key: str) -> None:
        """Take a request out of the queue."""
        self._waiters.pop(key, None)

    def drop_dead_waiters(self, now: datetime, most: int, spared: str) -> None:
        """Drop waiters that are no longer alive."""
        dead = [waiter.key for waiter in self._waiters.values() if waiter.alive_until <= now and waiter.key != spared]
        for key in dead[:most]:
            del self._waiters[key]

    def next_waiter_number(self) -> int:
        """Return a number higher than every waiter's."""
        return max((waiter.number for waiter in self._waiters.values()), default=0) + 1

    def waiting_at(self, place: QueuePlace, before: int | None, now: datetime) -> set[str]:
        """Return the keys of live waiters at a place."""
        return {
            waiter.key
            for waiter in self._waiters.values()
            if place in waiter.places and waiter.alive_until > now and (before is None or waiter.number < before)
        }

    def cross(self, crossing: Crossing, at: datetime) -> bool:
        """Write down that a tier was crossed."""
        if crossing in self._crossed:
            return False
        self._crossed[crossing] = at
        return True

    def send(self, payload: str) -> None:
        """Put a message into the outbox."""
        self.messages.append(_Message(payload))

    def dump(self) -> Iterator[Record]:
        """Yield everything that is stored, but no waiters and no claims."""
        yield from self.entries
        yield from self.reservations.values()
        yield from (StoredOperation(kind, key, operation) for (kind, key), operation in self._operations.items())
        yield from (CounterRow(*name, value) for name, value in self.counters.items())
        payloads = {crossing_of(message.payload): message.payload for message in self.messages if not message.is_delivered}
        for crossing, at in self._crossed.items():
            yield Crossed(crossing, at, payloads.get(crossing, ""))

    def load(self, records: Iterable[Record], behind: int) -> None:
        """Store records over what is there."""
        for record in records:
            match record:
                case Entry():
                    if record.seq > behind:
                        self.entries.append(record)
                case OpenReservation():
                    self.reservations[record.reservation] = record
                    self._pending.pop(record.reservation, None)
                    if record.state == "pending":
                        self._pending[record.reservation] = record.expires_at
                case StoredOperation():
                    self._operations[record.kind, record.key] = record.operation
                case CounterRow():
                    self.counters[CounterName(record.scope, cast("Per", record.per), record.label)] = record.value
                case Crossed():
                    if self.cross(record.crossing, record.at) and record.payload:
                        self.send(record.payload)

    def copy(self) -> "MemoryBooks":
        """Return other books that hold the same."""
        return deepcopy(self)


class MemoryLedger(BookedLedger):
    """A ledger in this process's memory."""

    def __init__(self, clock: Callable[[], datetime] = system_clock) -> None:
        super().__init__(clock)
        self._books = MemoryBooks()
        self._lock = threading.RLock()

    @property
    def url(self) -> str:
        """Where it is."""
        return "memory://"

    def _write(self, step: Step[Answer]) -> Answer:
        # Steps raise (a reused key, an unknown reservation) before they write, so there is nothing to take back.
        with self._lock:
            return step(self._books, self.now())

    def _look(self, step: Step[Answer]) -> Answer:
        return self._write(step)

    def open_reservations(self) -> Iterator[Reservation]:
        """Yield what is pending or held, oldest first."""
        with self._lock:
            stored = list(self._books.reservations.values())
        return (each.shown() for each in stored if each.state in {"pending", "held"})

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield entries in order."""
        with self._lock:
            return iter(self._books.entries[after:])

    def head(self) -> int:
        """Return the newest entry's sequence number."""
        return len(self._books.entries)

    def counters(self, labels: Sequence[str] = ()) -> Iterator[CounterRow]:
        """Yield every counter, or those with certain labels."""
        begins = tuple(labels) or ("",)
        with self._lock:
            known = self._books.counters.items()
            return iter([CounterRow(*name, value) for name, value in known if name.label.startswith(begins)])

    def claim_deliveries(self, claimant: str, most: int, lease_seconds: int) -> tuple[Delivery, ...]:
        """Claim messages that nobody holds."""
        with self._lock:
            now = self.now()
            claimed: list[Delivery] = []
            for number, message in enumerate(self._books.messages):
                is_free = message.claimed_until is None or message.claimed_until <= now
                if message.is_delivered or not is_free or len(claimed) == most:
                    continue
                until = now + timedelta(seconds=lease_seconds)
                taken = message._replace(attempt=message.attempt + 1, claimant=claimant, claimed_until=until)
                self._books.messages[number] = taken
                claimed.append(Delivery(str(number + 1), taken.payload, taken.attempt))
            return tuple(claimed)

    def acknowledge(self, delivery: str, claimant: str) -> bool:
        """Mark a message as delivered by its claimant."""
        with self._lock:
            number = int(delivery) - 1 if delivery.isdecimal() else -1
            if not 0 <= number < len(self._books.messages) or self._books.messages[number].claimant != claimant:
                return False
            self._books.messages[number] = self._books.messages[number]._replace(is_delivered=True)
            return True

    def dump(self) -> Iterator[Record]:
        """Yield everything that is stored."""
        with self._lock:
            return iter(list(self._books.dump()))

    def load(self, records: Iterable[Record], behind: int = 0) -> None:
        """Store records over what is there; all of them, or none."""
        with self._lock:
            check_behind(self.url, self.head(), behind)
            filled = self._books.copy()
            filled.load(records, behind)
            self._books = filled

    def examine(self) -> Sequence[Finding]:
        """Say that nothing lasts here."""
        return (Finding("persistence", "warning", "memory:// forgets everything when the process ends; name a file or a server"),)

    def close(self) -> None:
        """Nothing to release."""
