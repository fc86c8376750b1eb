"""The books of a SQLite ledger: every question and change of a transaction as SQL. Opening transactions is ``sqlite``'s."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import Body, Entry, chain_hash, entry_text, from_microseconds, microseconds
from budget_gate.core.reservations import Crossing, State
from budget_gate.ledger.books import OpenReservation, Operation, QueuePlace, Waiter
from budget_gate.ledger.identity import labels_json
from budget_gate.ledger.placing import CounterName, parsed_charges

Thing = TypeVar("Thing")

COUNTER_COLUMNS = ", ".join(
    f"{part}_{unit}" for part in ("posted", "pending", "held") for unit in ("nano_usd", "tokens", "requests")
)
RESERVATION_COLUMNS = (
    "reservation, key, state, granted_nano_usd, granted_tokens, granted_requests, cost_nano_usd, cost_tokens, cost_requests,"
    " labels, charges, created_at, expires_at, resolved_at"
)
_COUNTERS_AT_ONCE = 64
"""Counters that one statement names, at most: each takes three of the 999 parameters that an old SQLite allows."""

_ADD = (
    f"INSERT INTO counters (scope, per, label, {COUNTER_COLUMNS}) VALUES ({', '.join('?' * 12)})"  # noqa: S608 (our own names)
    " ON CONFLICT (scope, per, label) DO UPDATE SET "
    + ", ".join(f"{column} = {column} + excluded.{column}" for column in COUNTER_COLUMNS.split(", "))
)
_OPENING = (
    "SELECT seq, chain_hash, digest, answer, EXISTS (SELECT 1 FROM waiters),"
    " (SELECT min(expires_at) FROM reservations WHERE state = 'pending')"
    " FROM (SELECT 1) LEFT JOIN head LEFT JOIN operations ON kind = ? AND key = ?"
)
_NEVER = 2**63 - 1
_tuple = tuple.__new__
INSERT_RESERVATION = f"INSERT INTO reservations ({RESERVATION_COLUMNS}) VALUES ({', '.join('?' * 14)})"  # noqa: S608 (our own names)
_RESERVATION = f"SELECT {RESERVATION_COLUMNS} FROM reservations"  # noqa: S608 (our own names)
_RESERVATION_BY_ID = f"{_RESERVATION} WHERE reservation = ?"
_AT_PLACE = "scope = ? AND per = ? AND label = ? AND unit = ?"


class SqliteBooks:
    """One connection's tables, inside a transaction. Implements ``Books``.

    A statement costs more than what it finds, so the first one of an operation asks for all that the next steps of most operations
    want to know. What it found stands while the transaction lasts, but for what is written here.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._head: tuple[int, str] | None = None
        self._somebody_waits: bool | None = None
        self._none_expires_before: int | None = None
        self._numbers: dict[CounterName, int | None] = {}

    def operation(self, kind: str, key: str) -> Operation | None:
        """Return what was answered to this key before."""
        row = self._connection.execute(_OPENING, (kind, key)).fetchone()
        seq, previous, digest, answer, somebody_waits, earliest_deadline = row
        self._head = None if seq is None else (seq, previous)
        self._somebody_waits = bool(somebody_waits)
        self._none_expires_before = _NEVER if earliest_deadline is None else earliest_deadline
        return None if digest is None else Operation(digest, answer)

    def put_operation(self, kind: str, key: str, operation: Operation) -> None:
        """Remember an answer."""
        self._connection.execute("INSERT INTO operations VALUES (?, ?, ?, ?)", (kind, key, *operation))

    def values(self, counters: Sequence[CounterName]) -> list[CounterValue]:
        """Return what counters hold."""
        found: list[CounterValue] = []
        for names in _pieces(counters):
            rows = self._connection.execute(_values_query(len(names)), tuple(chain.from_iterable(names))).fetchall()
            self._numbers.update(zip(names, [row[-1] for row in rows], strict=True))
            found += [CounterValue() if row[-1] is None else counter_value(row) for row in rows]
        return found

    def add(self, counters: Sequence[CounterName], delta: CounterValue) -> None:
        """Add a difference to each counter."""
        amounts = (*delta.posted, *delta.pending, *delta.held)
        known = [number for counter in counters if (number := self._numbers.get(counter)) is not None]
        for numbers in _pieces(known):
            self._connection.execute(_add_query(len(numbers)), (*amounts, *numbers))
        if len(known) < len(counters):
            new = [(*counter, *amounts) for counter in counters if self._numbers.get(counter) is None]
            self._connection.executemany(_ADD, new)

    def reservation(self, reservation: str) -> OpenReservation | None:
        """Return a reservation by id."""
        row = self._one(_RESERVATION_BY_ID, reservation)
        return open_reservation(row) if row else None

    def put_reservation(self, reservation: OpenReservation) -> None:
        """Store a new reservation."""
        self._none_expires_before = None
        self._connection.execute(INSERT_RESERVATION, reservation_row(reservation))

    def move_reservation(self, reservation: str, state: State, cost: Amount, resolved_at: datetime | None) -> None:
        """Change the state of a stored reservation."""
        self._connection.execute(
            "UPDATE reservations SET state = ?, cost_nano_usd = ?, cost_tokens = ?, cost_requests = ?, resolved_at = ?"
            " WHERE reservation = ?",
            (state, *cost, microseconds(resolved_at) if resolved_at else None, reservation),
        )

    def expired(self, now: datetime, most: int) -> list[OpenReservation]:
        """Return pending reservations whose deadline has passed."""
        if self._none_expires_before is not None and microseconds(now) < self._none_expires_before:
            return []
        where = "WHERE state = 'pending' AND expires_at <= ? ORDER BY expires_at LIMIT ?"
        rows = self._connection.execute(f"{_RESERVATION} {where}", (microseconds(now), most))
        return [open_reservation(row) for row in rows.fetchall()]

    def append(self, at: datetime, kind: str, delta: CounterValue, body: Body) -> Entry:
        """Append an entry behind the newest one."""
        last, previous = self._head or self._one("SELECT seq, chain_hash FROM head") or (0, "")
        text = entry_text(last + 1, at, kind, delta, body)
        entry = Entry(last + 1, text, chain_hash(previous, text))
        self._connection.execute("INSERT INTO entries VALUES (?, ?, ?)", entry)
        self._head = (entry.seq, entry.chain_hash)
        self._connection.execute("UPDATE head SET seq = ?, chain_hash = ?", self._head)
        return entry

    def entry(self, seq: int) -> Entry:
        """Return one entry."""
        return Entry(*self._connection.execute("SELECT seq, text, chain_hash FROM entries WHERE seq = ?", (seq,)).fetchone())

    def somebody_waits(self) -> bool:
        """Return whether anybody is in the queue."""
        if self._somebody_waits is None:
            self._somebody_waits = self._one("SELECT 1 FROM waiters LIMIT 1") is not None
        return self._somebody_waits

    def waiter(self, key: str) -> Waiter | None:
        """Return a request's place in the queue."""
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


def _pieces(things: Sequence[Thing]) -> Iterator[Sequence[Thing]]:
    """Yield sequences short enough for one statement."""
    for first in range(0, len(things), _COUNTERS_AT_ONCE):
        yield things[first : first + _COUNTERS_AT_ONCE]


@lru_cache(maxsize=_COUNTERS_AT_ONCE)
def _values_query(count: int) -> str:
    """Return a query for as many counters, in the order asked: each is found by the index, a row value in a list would not be."""
    asked = ", ".join(["(?, ?, ?)"] * count)
    return (
        f"SELECT {COUNTER_COLUMNS}, number FROM (VALUES {asked}) LEFT JOIN counters"  # noqa: S608 (our own names)
        " ON scope = column1 AND per = column2 AND label = column3"
    )


@lru_cache(maxsize=_COUNTERS_AT_ONCE)
def _add_query(count: int) -> str:
    """Return a statement that adds the same amounts to as many counters, which are named by number."""
    columns = ", ".join(f"{column} = {column} + ?" for column in COUNTER_COLUMNS.split(", "))
    return f"UPDATE counters SET {columns} WHERE number IN ({', '.join('?' * count)})"  # noqa: S608 (our own names)


def counter_value(row: Sequence[int]) -> CounterValue:
    """Return what a row that begins with ``COUNTER_COLUMNS`` says."""
    # A named tuple's own way to be made unpacks and packs its fields anew: half of what reading a counter costs.
    return _tuple(CounterValue, (_tuple(Amount, row[0:3]), _tuple(Amount, row[3:6]), _tuple(Amount, row[6:9])))


def reservation_row(each: OpenReservation) -> tuple[Any, ...]:
    """Return a reservation as a row of ``RESERVATION_COLUMNS``; ``open_reservation`` reads it."""
    resolved_at = None if each.resolved_at is None else microseconds(each.resolved_at)
    times = (microseconds(each.created_at), microseconds(each.expires_at), resolved_at)
    texts = (labels_json(each.labels), each.charges.text)
    return (each.reservation, each.key, each.state, *each.granted, *each.cost, *texts, *times)


@lru_cache(maxsize=64)
def _parsed_labels(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(json.loads(text).items())


def open_reservation(row: Sequence[Any]) -> OpenReservation:
    """Return what a row of ``RESERVATION_COLUMNS`` says."""
    reservation, key, state = row[0:3]
    labels, charges, created_at, expires_at, resolved_at = row[9:14]
    return OpenReservation(
        reservation,
        key,
        state,
        Amount(*row[3:6]),
        dict(_parsed_labels(labels)),
        parsed_charges(charges),
        from_microseconds(created_at),
        from_microseconds(expires_at),
        Amount(*row[6:9]),
        None if resolved_at is None else from_microseconds(resolved_at),
    )
