"""A SQLite ledger written out and read in whole: its tables as the records of ``moving``. Opening transactions is ``sqlite``'s."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from budget_gate.core.audit import Entry, compact_json, from_microseconds, microseconds
from budget_gate.core.reservations import Crossing
from budget_gate.core.scopes import Scope
from budget_gate.ledger.books import OpenReservation, Operation
from budget_gate.ledger.interface import CounterRow
from budget_gate.ledger.moving import Crossed, Record, StoredOperation, check_behind, crossing_of
from budget_gate.ledger.sqlite_books import COUNTER_COLUMNS, RESERVATION_COLUMNS, open_reservation

BATCH = 500
"""Operations read at a time."""

Row = tuple[Any, ...]
Read = Callable[..., Sequence[Row]]
"""Runs a query with its arguments in a transaction of its own."""

_PUT_COUNTER = (
    f"INSERT INTO counters (scope, per, label, {COUNTER_COLUMNS}) VALUES ({', '.join('?' * 12)})"  # noqa: S608 (our own names)
    " ON CONFLICT (scope, per, label) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in COUNTER_COLUMNS.split(", "))
)
_PUT_RESERVATION = (
    f"INSERT INTO reservations ({RESERVATION_COLUMNS}) VALUES ({', '.join('?' * 14)})"  # noqa: S608 (our own names)
    " ON CONFLICT (reservation) DO UPDATE SET state = excluded.state, cost_nano_usd = excluded.cost_nano_usd,"
    " cost_tokens = excluded.cost_tokens, cost_requests = excluded.cost_requests, resolved_at = excluded.resolved_at"
)
_PUT_CROSSING = "INSERT INTO crossings VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"


def reservations(read: Read) -> Iterator[OpenReservation]:
    """Yield every reservation, in the order in which they were made."""
    query = f"SELECT number, {RESERVATION_COLUMNS} FROM reservations WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608
    behind = 0
    while rows := read(query, behind, BATCH):
        yield from (open_reservation(row[1:]) for row in rows)
        behind = rows[-1][0]


def operations(read: Read) -> Iterator[StoredOperation]:
    """Yield every answer that is remembered."""
    query = "SELECT kind, key, digest, answer FROM operations WHERE (kind, key) > (?, ?) ORDER BY kind, key LIMIT ?"
    behind = ("", "")
    while rows := read(query, *behind, BATCH):
        yield from (StoredOperation(kind, key, Operation(digest, answer)) for kind, key, digest, answer in rows)
        behind = (rows[-1][0], rows[-1][1])


def crossed(read: Read) -> Iterator[Crossed]:
    """Yield every tier that was crossed, those without a message first. Memory grows with the messages that wait."""
    waiting = {}
    for (payload,) in read("SELECT payload FROM deliveries WHERE delivered_at IS NULL ORDER BY number"):
        waiting[crossing_of(payload)] = payload
    announced = {}
    for scope, per, label, unit, tier, at in read("SELECT * FROM crossings ORDER BY at"):
        kind, _, name = scope.partition("/")
        crossing = Crossing(Scope(kind, name), per, label, unit, tier)
        if crossing in waiting:
            announced[crossing] = from_microseconds(at)
        else:
            yield Crossed(crossing, from_microseconds(at), "")
    yield from (Crossed(each, announced[each], payload) for each, payload in waiting.items() if each in announced)


def load(connection: sqlite3.Connection, url: str, records: Iterable[Record], behind: int) -> None:
    """Store records over what is there, inside the caller's transaction."""
    check_behind(url, connection.execute("SELECT seq FROM head").fetchone()[0], behind)
    newest: Entry | None = None
    for record in records:
        match record:
            case Entry():
                if record.seq > behind:
                    connection.execute("INSERT INTO entries VALUES (?, ?, ?)", record)
                    newest = record
            case OpenReservation():
                connection.execute(_PUT_RESERVATION, _reservation_row(record))
            case StoredOperation():
                row = (record.kind, record.key, *record.operation)
                connection.execute("INSERT OR REPLACE INTO operations VALUES (?, ?, ?, ?)", row)
            case CounterRow():
                value = record.value
                connection.execute(_PUT_COUNTER, (*record[:3], *value.posted, *value.pending, *value.held))
            case Crossed():
                _load_crossed(connection, record)
    if newest is not None:
        connection.execute("UPDATE head SET seq = ?, chain_hash = ?", (newest.seq, newest.chain_hash))


def _load_crossed(connection: sqlite3.Connection, record: Crossed) -> None:
    crossing = record.crossing
    done = connection.execute(_PUT_CROSSING, (crossing.scope.text, *crossing[1:], microseconds(record.at)))
    if done.rowcount == 1 and record.payload:
        connection.execute("INSERT INTO deliveries (payload) VALUES (?)", (record.payload,))


def _reservation_row(each: OpenReservation) -> Row:
    resolved_at = None if each.resolved_at is None else microseconds(each.resolved_at)
    times = (microseconds(each.created_at), microseconds(each.expires_at), resolved_at)
    texts = (compact_json(dict(each.labels)), each.charges.text)
    return (each.reservation, each.key, each.state, *each.granted, *each.cost, *texts, *times)
