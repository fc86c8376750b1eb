"""The ledger in a SQLite file: any number of processes on one machine, no server.

One write transaction per operation (``BEGIN IMMEDIATE``, write-ahead log, every commit synced to disk), so that an answer once
given survives a crash and an operation cut off by one never happened. What is asked inside a transaction is in ``sqlite_books``,
the tables are in ``sqlite_schema``.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from budget_gate.core.audit import Entry, microseconds
from budget_gate.core.errors import LedgerError, LedgerUnavailable
from budget_gate.core.reservations import Reservation
from budget_gate.core.scopes import BOUND_KINDS
from budget_gate.ledger.booked import Answer, BookedLedger, Step, paged, system_clock
from budget_gate.ledger.interface import SCHEMA_VERSION, CounterRow, Delivery
from budget_gate.ledger.sqlite_books import (
    COUNTER_COLUMNS,
    RESERVATION_COLUMNS,
    SqliteBooks,
    counter_value,
    open_reservation,
)
from budget_gate.ledger.sqlite_schema import check_version, migrate, version_of

if TYPE_CHECKING:
    from budget_gate.ledger.health import Finding
    from budget_gate.ledger.moving import Record

BUSY_SECONDS = 30.0
"""How long an operation waits for other processes' transactions, each of which takes milliseconds."""

_DRIVER_WAIT_SECONDS = 0.0
"""SQLite's own waiting sleeps longer the longer it has waited, so whoever came last is first: we wait ourselves."""

_TURN_SECONDS, _PAUSE_SECONDS = 0.040, 0.005
"""How long one process goes on while others wait, and in what time most of those who wait have asked once. On a fast disk others come in
between two transactions anyway; to ask more often would cost the one that writes more than it gains."""

_SLOW_SECONDS, _SLOW_PAUSE_SECONDS = 0.002, 0.001
"""From when on a transaction waits for a slow disk. There others hardly ever come in between two, so each of them is a turn, and asking
often costs little."""

_CROWDED_SECONDS = 1.0
"""How long others are believed to be there after they were in the way."""

_PRIMARY_CODE = 0xFF
_BUSY_CODES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_PROBLEMS = {
    sqlite3.SQLITE_READONLY: "cannot be written; make the file and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check the folder's permissions and that the disk is not read-only",
    sqlite3.SQLITE_NOTADB: "is not a ledger; name another file, or move this one away",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore it from a backup",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk reports an error",
}

_LAST = "\U0010ffff"
_CALENDAR = tuple(
    (f"{before}0" if before else "", f"{kind}/" if kind else _LAST)  # "0" follows "/"
    for before, kind in pairwise(("", *sorted(BOUND_KINDS), ""))
)
"""Ranges of scopes (first, and the one behind the last): all but tasks and sessions, which are many and have no calendar."""

Row = TypeVar("Row")


class _Handle(NamedTuple):
    """A connection of one process. SQLite connections must not cross a fork, so another process opens its own."""

    process: int
    connection: sqlite3.Connection
    lock: threading.Lock


_inherited: list[_Handle] = []
"""Handles of a parent process. Closing one here would drop the parent's locks, so they are kept and never touched."""


class SqliteLedger(BookedLedger):
    """A ledger in one file. Safe to share between threads, and across a fork."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], datetime] = system_clock,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        """Open the file, creating it and its folder if need be.

        Raises ``LedgerUnavailable`` if that cannot be done, ``LedgerTooNew`` if a newer program wrote it.
        """
        super().__init__(clock)
        self._path = os.path.abspath(path)  # noqa: PTH100 (Path.resolve would follow links, and costs more)
        self._busy_seconds = busy_seconds
        self._crowded_until = self._turn_at = self._turn_began = self._ended = 0.0
        self._pause_seconds = _SLOW_PAUSE_SECONDS
        self._handle = self._opened()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"sqlite:///{self._path}"

    def open_reservations(self) -> Iterator[Reservation]:
        """Yield what is pending or held, oldest first."""
        query = (
            f"SELECT number, {RESERVATION_COLUMNS} FROM reservations"  # noqa: S608 (our own names)
            " WHERE state IN ('pending', 'held') AND number > ? ORDER BY number LIMIT ?"
        )
        return self._paged(query, 0, lambda row: open_reservation(row[1:]).shown())

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield entries in order."""
        query = "SELECT seq, text, chain_hash FROM entries WHERE seq > ? ORDER BY seq LIMIT ?"
        return self._paged(query, after, lambda row: Entry(*row))

    def head(self) -> int:
        """Return the newest entry's sequence number."""
        return int(self._rows("SELECT seq FROM head")[0][0])

    def counters(self, labels: Sequence[str] = ()) -> Iterator[CounterRow]:
        """Yield every counter, or those with certain labels; tasks and sessions are not even looked at where no label is theirs."""
        wanted = " OR ".join("substr(label, 1, ?) = ?" for _ in labels) or "TRUE"
        given = [each for label in labels for each in (len(label), label)]
        columns = f"scope, per, label, {COUNTER_COLUMNS} FROM counters WHERE ({wanted}) AND"
        if not labels or any("all".startswith(label) for label in labels):
            query = f"SELECT number, {columns} number > ? ORDER BY number LIMIT ?"
            return self._paged(query, 0, lambda row: _counter(row[1:]), given)
        query = f"SELECT {columns} (scope, per, label) > (?, ?, ?) AND scope < ? ORDER BY scope, per, label LIMIT ?"
        ranges = (self._in_range(query, given, first, after) for first, after in _CALENDAR)
        return chain.from_iterable(ranges)

    def claim_deliveries(self, claimant: str, most: int, lease_seconds: int) -> tuple[Delivery, ...]:
        """Claim messages that nobody holds."""

        def claim(connection: sqlite3.Connection) -> tuple[Delivery, ...]:
            now = self.now()
            free = connection.execute(
                "SELECT number, payload, attempt + 1 FROM deliveries"
                " WHERE delivered_at IS NULL AND claimed_until <= ? ORDER BY number LIMIT ?",
                (microseconds(now), most),
            ).fetchall()
            until = microseconds(now + timedelta(seconds=lease_seconds))
            connection.executemany(
                "UPDATE deliveries SET attempt = ?, claimant = ?, claimed_until = ? WHERE number = ?",
                [(attempt, claimant, until, number) for number, _, attempt in free],
            )
            return tuple(Delivery(str(number), payload, attempt) for number, payload, attempt in free)

        return self._transaction("BEGIN IMMEDIATE", claim)

    def acknowledge(self, delivery: str, claimant: str) -> bool:
        """Mark a message as delivered by its claimant."""

        def mark(connection: sqlite3.Connection) -> bool:
            done = connection.execute(
                "UPDATE deliveries SET delivered_at = coalesce(delivered_at, ?)"
                " WHERE CAST(number AS TEXT) = ? AND claimant = ? AND attempt > 0",
                (microseconds(self.now()), delivery, claimant),
            )
            return done.rowcount == 1

        return self._transaction("BEGIN IMMEDIATE", mark)

    def dump(self) -> Iterator["Record"]:
        """Yield everything that is stored."""
        from budget_gate.ledger import sqlite_moving

        yield from self.entries()
        yield from sqlite_moving.reservations(self._rows)
        yield from sqlite_moving.operations(self._rows)
        yield from self.counters()
        yield from sqlite_moving.crossed(self._rows)

    def load(self, records: Iterable["Record"], behind: int = 0) -> None:
        """Store records over what is there, in one transaction."""
        from budget_gate.ledger import sqlite_moving

        self._transaction("BEGIN IMMEDIATE", lambda connection: sqlite_moving.load(connection, self.url, records, behind))

    def examine(self) -> "Sequence[Finding]":
        """Return whether the file itself is sound, and which schema it has."""
        from budget_gate.ledger.health import Finding

        found = self._rows("PRAGMA quick_check(1)")[0][0]
        version = self._transaction("BEGIN", version_of)
        schema = Finding("schema", "ok", f"version {version}, the newest this budget-gate knows")
        if found == "ok":
            return (Finding("file", "ok", "its pages are sound"), schema)
        return (
            Finding("file", "fault", f"{self._path} is damaged ({found}); restore it from a backup or a `ledger copy`"),
            schema,
        )

    def close(self) -> None:
        """Close the file. The last one to do so folds the write-ahead log into it."""
        if self._handle.process == os.getpid():
            with self._handle.lock:
                self._handle.connection.close()

    def _write(self, step: Step[Answer]) -> Answer:
        return self._transaction("BEGIN IMMEDIATE", lambda connection: step(SqliteBooks(connection), self.now()))

    def _look(self, step: Step[Answer]) -> Answer:
        return self._transaction("BEGIN", lambda connection: step(SqliteBooks(connection), self.now()))

    def _paged(
        self, query: str, first: int, read: Callable[[tuple[Any, ...]], Row], given: Sequence[int | str] = ()
    ) -> Iterator[Row]:
        return paged(first, lambda behind, most: [(row[0], read(row)) for row in self._rows(query, *given, behind, most)])

    def _in_range(self, query: str, given: Sequence[int | str], first: str, after: str) -> Iterator[CounterRow]:
        """Yield counters whose scope is not before ``first`` and before ``after``, by the index of their names."""

        def fetch(behind: tuple[str, str, str], most: int) -> list[tuple[tuple[str, str, str], CounterRow]]:
            return [((row[0], row[1], row[2]), _counter(row)) for row in self._rows(query, *given, *behind, after, most)]

        return paged((first, "", ""), fetch)

    def _rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        return self._transaction("BEGIN", lambda connection: connection.execute(query, arguments).fetchall())

    def _transaction(self, begin: str, step: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Run a step in a transaction, again from its start whenever another process was in the way."""
        if self._handle.process != os.getpid():
            _inherited.append(self._handle)
            self._handle = self._opened()
        connection, lock = self._handle.connection, self._handle.lock
        if not lock.acquire(timeout=self._busy_seconds):
            raise LedgerUnavailable(f"{self._path} is busy: other threads have kept it for {self._busy_seconds:g} seconds")
        try:
            if (pause_seconds := self._turn_at - time.monotonic()) > 0:
                time.sleep(pause_seconds)
            return self._patiently(lambda: self._in_turn(connection, begin, step))
        finally:
            lock.release()

    def _in_turn(self, connection: sqlite3.Connection, begin: str, step: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Run a transaction. When a turn of them is over, the next one is not begun at once: else who is here starves the others."""
        began = time.monotonic()
        if began - self._ended > _PAUSE_SECONDS:
            self._turn_began = began
        answer = _in_transaction(connection, begin, step)
        self._ended = ended = time.monotonic()
        if begin != "BEGIN":
            is_slow = ended - began > _SLOW_SECONDS
            self._pause_seconds = _SLOW_PAUSE_SECONDS if is_slow else _PAUSE_SECONDS
            is_over = is_slow or ended - self._turn_began > _TURN_SECONDS
            self._turn_at = ended + self._pause_seconds if is_over and ended < self._crowded_until else 0.0
        return answer

    def _opened(self) -> _Handle:
        _create_file(self._path)
        connection = self._patiently(lambda: _connect(self._path))
        return _Handle(os.getpid(), connection, threading.Lock())

    def _patiently(self, action: Callable[[], Answer]) -> Answer:
        """Repeat an action while the database is locked: that says nothing about a budget, only that somebody was first."""
        deadline = time.monotonic() + self._busy_seconds
        while True:
            try:
                return action()
            except sqlite3.Error as error:
                if _code(error) not in _BUSY_CODES:
                    raise _translated(error, self._path) from error
                if time.monotonic() > deadline:
                    raise LedgerUnavailable(
                        f"{self._path} is busy: another process has kept it locked for {self._busy_seconds:g} seconds"
                    ) from error
            self._crowded_until = time.monotonic() + _CROWDED_SECONDS
            _sleep_a_little(self._pause_seconds)


def _counter(row: tuple[Any, ...]) -> CounterRow:
    return CounterRow(row[0], row[1], row[2], counter_value(row[3:]))


def _in_transaction(connection: sqlite3.Connection, begin: str, step: Callable[[sqlite3.Connection], Answer]) -> Answer:
    connection.execute(begin)
    try:
        answer = step(connection)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # the failure that matters is on its way up
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise
    return answer


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_DRIVER_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA trusted_schema = OFF")  # the file may have come from a cache that others can write
        version = version_of(connection)
        check_version(version, path)
        if version < SCHEMA_VERSION:
            _in_transaction(connection, "BEGIN IMMEDIATE", lambda inside: migrate(inside, path))
    except BaseException:
        connection.close()
        raise
    return connection


def _create_file(path: str) -> None:
    """Create the file for its owner's eyes only, in a folder of its own if there is none yet."""
    with _disk_problems(path):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120 (pathlib takes 3 ms to import)
        # O_EXCL: opening an existing database beside SQLite, and closing it again, would drop the process's locks on it.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        if os.path.isdir(path):  # noqa: PTH112 (see above)
            raise LedgerUnavailable(f"{path} is a folder; name a file")


@contextmanager
def _disk_problems(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LedgerUnavailable(f"{path} cannot be created: {error.strerror}") from error


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code, or -1 for what the driver made up itself."""
    code = getattr(error, "sqlite_errorcode", None)
    return -1 if code is None else int(code) & _PRIMARY_CODE


def _translated(error: sqlite3.Error, path: str) -> LedgerError:
    return LedgerUnavailable(f"{path} {_PROBLEMS.get(_code(error), f'cannot be used: {error}')}")


def _sleep_a_little(pause_seconds: float) -> None:
    """Pause, never for the same time in two processes, or they would meet again."""
    from random import uniform

    time.sleep(uniform(pause_seconds / 8, pause_seconds * 5 / 4))  # noqa: S311 (jitter, no secret)
