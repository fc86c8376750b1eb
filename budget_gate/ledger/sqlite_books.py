"""The books of a SQLite ledger: every question and change of a transaction as SQL. Opening transactions is ``sqlite``'s."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import Entry, chain_hash, compact_json, entry_text, from_microseconds, microseconds
from budget_gate.core.reservations import Crossing, State
from budget_gate.ledger.answers import charges_json, parsed_charges
from budget_gate.ledger.books import CounterName, OpenReservation, Operation, QueuePlace, Waiter

COUNTER_COLUMNS = ", ".join(
    f"{part}_{unit}" for part in ("posted", "pending", "held") for unit in ("nano_usd", "tokens", "requests")
)
RESERVATION_COLUMNS = (
    "reservation, key, state, granted_nano_usd, granted_tokens, granted_requests, cost_nano_usd, cost_tokens, cost_requests,"
    " labels, charges, created_at, expires_at, resolved_at"
)
_ADD = (
    f"INSERT INTO counters (scope, per, label, {COUNTER_COLUMNS}) VALUES ({', '.join('?' * 12)})"  # noqa: S608 (our own names)
    " ON CONFLICT (scope, per, label) DO UPDATE SET "
    + ", ".join(f"{column} = {column} + excluded.{column}" for column in COUNTER_COLUMNS.split(", "))
)
_VALUE = f"SELECT {COUNTER_COLUMNS} FROM counters WHERE scope = ? AND per = ? AND label = ?"  # noqa: S608 (our own names)
_RESERVATION = f"SELECT {RESERVATION_COLUMNS} FROM reservations"  # noqa: S608 (our own names)
_AT_PLACE = "scope = ? AND per = ? AND label = ? AND unit = ?"


class SqliteBooks:
    """One connection's tables, inside a transaction. Implements ``Books``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._somebody_waits: bool | None = None

    @property
    def _is_queue_empty(self) -> bool:
        """Whether nobody waits anywhere: then no queue need be asked, which is most of the time."""
        if self._somebody_waits is None:
            self._somebody_waits = self._one("SELECT 1 FROM waiters LIMIT 1") is not None
        return not self._somebody_waits

    def operation(self, kind: str, key: str) -> Operation | None:
        """Return what was answered to this key before."""
        row = self._one("SELECT digest, answer FROM operations WHERE kind = ? AND key = ?", kind, key)
        return Operation(*row) if row else None

    def put_operation(self, kind: str, key: str, operation: Operation) -> None:
        """Remember an answer."""
        self._connection.execute("INSERT INTO operations VALUES (?, ?, ?, ?)", (kind, key, *operation))

    def values(self, counters: Sequence[CounterName]) -> list[CounterValue]:
        """Return what counters hold."""
        rows = (self._one(_VALUE, *counter) for counter in counters)
        return [counter_value(row) if row else CounterValue() for row in rows]

    def add(self, counters: Sequence[CounterName], delta: CounterValue) -> None:
        """Add a difference to each counter."""
        numbers = (*delta.posted, *delta.pending, *delta.held)
        self._connection.executemany(_ADD, [(*counter, *numbers) for counter in counters])

    def reservation(self, reservation: str) -> OpenReservation | None:
        """Return a reservation by id."""
        row = self._one(f"{_RESERVATION} WHERE reservation = ?", reservation)
        return open_reservation(row) if row else None

    def put_reservation(self, reservation: OpenReservation) -> None:
        """Store a new reservation."""
        self._connection.execute(
            f"INSERT INTO reservations ({RESERVATION_COLUMNS}) VALUES ({', '.join('?' * 14)})",  # noqa: S608 (our own names)
            (
                *(reservation.reservation, reservation.key, reservation.state),
                *(*reservation.granted, *reservation.cost),
                *(compact_json(dict(reservation.labels)), charges_json(reservation.charges)),
                *(microseconds(reservation.created_at), microseconds(reservation.expires_at), None),
            ),
        )

    def move_reservation(self, reservation: str, state: State, cost: Amount, resolved_at: datetime | None) -> None:
        """Change the state of a stored reservation."""
        self._connection.execute(
            "UPDATE reservations SET state = ?, cost_nano_usd = ?, cost_tokens = ?, cost_requests = ?, resolved_at = ?"
            " WHERE reservation = ?",
            (state, *cost, microseconds(resolved_at) if resolved_at else None, reservation),
        )

    def expired(self, now: datetime, most: int) -> list[OpenReservation]:
        """Return pending reservations whose deadline has passed."""
        where = "WHERE state = 'pending' AND expires_at <= ? ORDER BY expires_at LIMIT ?"
        rows = self._connection.execute(f"{_RESERVATION} {where}", (microseconds(now), most))
        return [open_reservation(row) for row in rows.fetchall()]

    def append(self, at: datetime, kind: str, delta: CounterValue, body: Mapping[str, Any]) -> Entry:
        """Append an entry behind the newest one."""
        last, previous = self._one("SELECT seq, chain_hash FROM head") or (0, "")
        text = entry_text(last + 1, at, kind, delta, body)
        entry = Entry(last + 1, text, chain_hash(previous, text))
        self._connection.execute("INSERT INTO entries VALUES (?, ?, ?)", entry)
        self._connection.execute("UPDATE head SET seq = ?, chain_hash = ?", (entry.seq, entry.chain_hash))
        return entry

    def entry(self, seq: int) -> Entry:
        """Return one entry."""
        return Entry(*self._connection.execute("SELECT seq, text, chain_hash FROM entries WHERE seq = ?", (seq,)).fetchone())

    def waiter(self, key: str) -> Waiter | None:
        """Return a request's place in the queue."""
        if self._is_queue_empty:
            return None
        query = "SELECT number, alive_until, scope, per, label, unit FROM waiters WHERE key = ?"
        rows = self._connection.execute(query, (key,)).fetchall()
        if not rows:
            return None
        places = tuple(QueuePlace(CounterName(*row[2:5]), row[5]) for row in rows)
        return Waiter(key, rows[0][0], from_microseconds(rows[0][1]), places)

    def put_waiter(self, waiter: Waiter) -> None:
        """Store a waiter, in place of the one with its key."""
        self.drop_waiter(waiter.key)
        self._somebody_waits = True
        self._connection.executemany(
            "INSERT INTO waiters VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (*place.counter, place.unit, waiter.number, waiter.key, microseconds(waiter.alive_until))
                for place in waiter.places
            ],
        )

    def drop_waiter(self, key: str) -> None:
        """Take a request out of the queue."""
        self._connection.execute("DELETE FROM waiters WHERE key = ?", (key,))

    def drop_dead_waiters(self, now: datetime, most: int, spared: str) -> None:
        """Drop waiters that are no longer alive."""
        if self._is_queue_empty:
            return
        self._connection.execute(
            "DELETE FROM waiters WHERE key IN (SELECT DISTINCT key FROM waiters WHERE alive_until <= ? AND key <> ? LIMIT ?)",
            (microseconds(now), spared, most),
        )

    def next_waiter_number(self) -> int:
        """Return a number higher than every waiter's."""
        row = self._one("SELECT coalesce(max(number), 0) + 1 FROM waiters")
        assert row is not None
        return int(row[0])

    def waiting_at(self, place: QueuePlace, before: int | None, now: datetime) -> set[str]:
        """Return the keys of live waiters at a place."""
        if self._is_queue_empty:
            return set()
        query = f"SELECT key FROM waiters WHERE {_AT_PLACE} AND alive_until > ?"  # noqa: S608 (our own names)
        arguments: list[Any] = [*place.counter, place.unit, microseconds(now)]
        if before is not None:
            query += " AND number < ?"
            arguments.append(before)
        return {row[0] for row in self._connection.execute(query, arguments)}

    def cross(self, crossing: Crossing, at: datetime) -> bool:
        """Write down that a tier was crossed."""
        done = self._connection.execute(
            "INSERT INTO crossings VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (crossing.scope.text, *crossing[1:], microseconds(at)),
        )
        return done.rowcount == 1

    def send(self, payload: str) -> None:
        """Put a message into the outbox."""
        self._connection.execute("INSERT INTO deliveries (payload) VALUES (?)", (payload,))

    def _one(self, query: str, *arguments: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(query, arguments).fetchone()
        return row


def counter_value(row: Sequence[int]) -> CounterValue:
    """Return what a row of ``COUNTER_COLUMNS`` says."""
    return CounterValue(Amount(*row[0:3]), Amount(*row[3:6]), Amount(*row[6:9]))


def open_reservation(row: Sequence[Any]) -> OpenReservation:
    """Return what a row of ``RESERVATION_COLUMNS`` says."""
    reservation, key, state = row[0:3]
    labels, charges, created_at, expires_at, resolved_at = row[9:14]
    return OpenReservation(
        reservation,
        key,
        state,
        Amount(*row[3:6]),
        json.loads(labels),
        parsed_charges(charges),
        from_microseconds(created_at),
        from_microseconds(expires_at),
        Amount(*row[6:9]),
        None if resolved_at is None else from_microseconds(resolved_at),
    )
