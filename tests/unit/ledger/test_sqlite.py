"""SQLite only: files, folders and errors as people meet them, schema versions, forks, and tampering with the file itself."""

import hashlib
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import pytest
from fakes.ledger_requests import actual, admitted, charge, line, request, usd

from budget_gate.core.amounts import CounterValue
from budget_gate.core.audit import chain_hash
from budget_gate.core.errors import LedgerTooNew, LedgerUnavailable
from budget_gate.core.periods import CALENDAR_LABELS, CALENDAR_PERIODS
from budget_gate.core.scopes import BOUND_KINDS, NAMED_KINDS, ORG, Scope
from budget_gate.ledger import sqlite, sqlite_books, sqlite_schema
from budget_gate.ledger.books import Books, OpenReservation, QueuePlace, Waiter
from budget_gate.ledger.interface import SCHEMA_VERSION
from budget_gate.ledger.placing import place_charges
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.ledger.verify import Fault, verify

MONTH = charge(ORG, "month", line(1000))
ROOT = Path(__file__).parents[3]
Answer = TypeVar("Answer")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a ledger may be."""
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqliteLedger]:
    """A ledger with four entries."""
    opened = SqliteLedger(path)
    for key in ("a", "b"):
        taken = admitted(opened.reserve(request(key, usd(10), MONTH)))
        opened.settle(key, taken.reservation, actual(usd(4)))
    yield opened
    opened.close()


def _tamper(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_the_file_and_its_folder_are_created(tmp_path: Path) -> None:
    """A ledger in a folder that is not there yet just works, and only its owner may read it."""
    path = tmp_path / "deep" / "down" / "ledger.db"
    ledger = SqliteLedger(path)
    ledger.reserve(request("k", usd(1), MONTH))
    modes = {each.name: oct(each.stat().st_mode & 0o777) for each in path.parent.iterdir()}
    assert modes == dict.fromkeys(("ledger.db", "ledger.db-wal", "ledger.db-shm"), "0o600")
    assert ledger.url == f"sqlite:///{path}"
    ledger.close()
    assert [each.name for each in path.parent.iterdir()] == ["ledger.db"]


def test_what_was_answered_is_there_after_reopening(ledger: SqliteLedger, path: Path) -> None:
    """Another handle sees every operation that was answered, and its answers to repeated keys are the same."""
    other = SqliteLedger(path)
    assert other.head() == ledger.head() == 4
    assert admitted(other.reserve(request("a", usd(10), MONTH))).replayed
    other.close()


def test_every_commit_is_synced(ledger: SqliteLedger) -> None:
    """The file is in write-ahead mode and each commit reaches the disk: an answer once given survives a power cut."""
    connection = ledger._handle.connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_folder_is_not_a_ledger(tmp_path: Path) -> None:
    """Naming a folder says so."""
    with pytest.raises(LedgerUnavailable, match="is a folder; name a file"):
        SqliteLedger(tmp_path)


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    """A path through a file says what is wrong."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(LedgerUnavailable, match="cannot be created"):
        SqliteLedger(tmp_path / "file" / "ledger.db")


def test_another_file_is_not_a_ledger(path: Path) -> None:
    """A file that is no database is left as it is, and the error says what to do."""
    path.write_text("budgets:\n  - scope: org\n" * 100)
    before = path.read_bytes()
    with pytest.raises(LedgerUnavailable, match="is not a ledger; name another file"):
        SqliteLedger(path)
    assert path.read_bytes() == before


def test_a_read_only_file_says_so(ledger: SqliteLedger) -> None:
    """A database that may not be written refuses with the reason, not with a traceback of the driver."""
    ledger._handle.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(LedgerUnavailable, match="cannot be written"):
        ledger.reserve(request("k", usd(1), MONTH))
    assert verify(ledger).ok


def _fill(ledger: SqliteLedger) -> None:
    for number in range(200):
        ledger.record(f"k{number}", "note", {}, {"text": "x" * 1000})


def test_a_full_disk_stores_nothing_of_the_operation(ledger: SqliteLedger) -> None:
    """When the disk is full the operation fails as a whole and says why; the ledger stays whole and can be read."""
    connection = ledger._handle.connection
    connection.execute("PRAGMA max_page_count = 1")  # SQLite then behaves as if the disk ended here
    with pytest.raises(LedgerUnavailable, match="the disk is full"):
        _fill(ledger)
    finding = verify(ledger)
    assert finding.ok
    connection.execute("PRAGMA max_page_count = 1073741823")
    ledger.record("after", "note", {}, {})
    assert ledger.head() == finding.entries + 1


def test_a_failing_step_leaves_no_transaction(ledger: SqliteLedger) -> None:
    """After an operation failed inside its transaction, the next one works."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ledger._write(broken)
    assert ledger.record("k", "note", {}, {}).seq == 5


def test_a_locked_ledger_is_waited_for(ledger: SqliteLedger, path: Path) -> None:
    """Another process's transaction is waited for: "locked" is never an answer about a budget."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.4, lambda: other.execute("COMMIT"))
    release.start()
    started = time.monotonic()
    admitted(ledger.reserve(request("k", usd(1), MONTH)))
    assert time.monotonic() - started > 0.3
    release.join()
    other.close()


def test_a_lock_that_stays_is_unavailability(path: Path) -> None:
    """A lock that does not go away ends in an error of its own kind, after the bounded wait; reading still works."""
    ledger = SqliteLedger(path, busy_seconds=0.2)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable, match=r"is busy: another process has kept it locked for 0\.2 seconds"):
        ledger.reserve(request("k", usd(1), MONTH))
    assert ledger.read([MONTH], "UTC")[0].pending == 0
    other.execute("COMMIT")
    other.close()
    admitted(ledger.reserve(request("k", usd(1), MONTH)))
    ledger.close()


def test_a_newer_schema_is_refused(ledger: SqliteLedger, path: Path) -> None:
    """A ledger that a newer program wrote is not touched."""
    _tamper(path, "INSERT INTO schema_versions (version) VALUES (99)")
    with pytest.raises(LedgerTooNew, match="use a newer budget-gate"):
        SqliteLedger(path)


def test_a_migration_is_all_or_nothing(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that fails halfway leaves the old version whole, and the next try applies it from its start."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    good = (Path(sqlite_schema.MIGRATIONS) / "0001_ledger.sql").read_text()
    (folder / "0001_ledger.sql").write_text(good + "\nCREATE TABLE broken (;\n")
    monkeypatch.setattr(sqlite_schema, "MIGRATIONS", folder)
    with pytest.raises(LedgerUnavailable):
        SqliteLedger(path)
    (folder / "0001_ledger.sql").write_text(good)
    ledger = SqliteLedger(path)
    assert ledger.record("k", "note", {}, {}).seq == 1
    ledger.close()


def test_an_older_ledger_is_upgraded_in_place(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database made by the first schema, with money in every state, opens under the next one with every dollar in place."""
    old = SqliteLedger(path)
    posted = admitted(old.reserve(request("one", usd(30), charge(ORG, "month", line(100))))).reservation
    old.settle("s", posted, actual(usd(25)))
    held = admitted(old.reserve(request("two", usd(20), charge(ORG, "month", line(100))))).reservation
    old.hold("h", held, "cut off")
    entries, counters = list(old.entries()), list(old.counters())
    old.close()
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_ledger.sql").write_text((Path(sqlite_schema.MIGRATIONS) / "0001_ledger.sql").read_text())
    (folder / "0002_note.sql").write_text("ALTER TABLE reservations ADD COLUMN note TEXT NOT NULL DEFAULT '';\n")
    monkeypatch.setattr(sqlite_schema, "MIGRATIONS", folder)
    for module in (sqlite, sqlite_schema):
        monkeypatch.setattr(module, "SCHEMA_VERSION", 2)
    upgraded = SqliteLedger(path)
    assert (list(upgraded.entries()), list(upgraded.counters())) == (entries, counters)
    assert upgraded.settle("late", held, actual(usd(21))).state == "posted"
    assert upgraded.settle("s", posted, actual(usd(25))).replayed
    assert verify(upgraded).ok
    upgraded.close()
    monkeypatch.undo()
    with pytest.raises(LedgerTooNew, match="schema version 2"):
        SqliteLedger(path)


def test_a_released_migration_is_frozen() -> None:
    """Ledgers out there were made by it: a change of the schema is a new file."""
    digest = hashlib.sha256((Path(sqlite_schema.MIGRATIONS) / "0001_ledger.sql").read_bytes()).hexdigest()
    assert digest == "4f655eb10f64c3e29b0a1e00b3c5db5da5e824c66c0dce4bdd311e257343f2b4"


def test_migrations_are_numbered_without_gaps() -> None:
    """The files are 0001, 0002, ... up to the version that the program writes."""
    numbers = sorted(int(file.name[:4]) for file in Path(sqlite_schema.MIGRATIONS).glob("*.sql"))
    assert numbers == [*range(1, SCHEMA_VERSION + 1)]


def test_an_old_sqlite_does_without_strict_tables(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SQLite does not know STRICT, the same tables are made without it."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    ledger = SqliteLedger(path)
    admitted(ledger.reserve(request("k", usd(1), MONTH)))
    assert verify(ledger).ok
    texts = ledger._handle.connection.execute("SELECT group_concat(sql) FROM sqlite_master").fetchone()[0]
    assert "STRICT" not in texts
    ledger.close()


def test_entries_cannot_be_changed_through_sql(ledger: SqliteLedger, path: Path) -> None:
    """Law 10: the database itself refuses to edit or delete an entry."""
    for statement in ("UPDATE entries SET text = 'x'", "DELETE FROM entries", "REPLACE INTO entries VALUES (1, 'x', 'y')"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            _tamper(path, statement)
    assert verify(ledger).ok


NO_TRIGGERS = ("DROP TRIGGER entries_are_not_edited", "DROP TRIGGER entries_are_not_deleted")


@pytest.mark.parametrize(
    ("statements", "fault", "words"),
    [
        (["UPDATE entries SET text = replace(text, '[4,', '[3,') WHERE seq = 2"], Fault(2), "edited"),
        (["DELETE FROM entries WHERE seq = 3"], Fault(3), "missing"),
        (["DELETE FROM entries WHERE seq = 4"], Fault(4), "missing"),
        (
            [
                "UPDATE entries SET seq = 99 WHERE seq = 2",
                "UPDATE entries SET seq = 2 WHERE seq = 3",
                "UPDATE entries SET seq = 3 WHERE seq = 99",
            ],
            Fault(2),
            "not the one that was written there",
        ),
        (["UPDATE head SET seq = 5"], Fault(5), "missing"),
    ],
    ids=["edit", "deletion", "deleted tail", "reordering", "head moved"],
)
def test_tampering_with_the_file_is_found(
    ledger: SqliteLedger, path: Path, statements: list[str], fault: Fault, words: str
) -> None:
    """Law 10: whoever drops the triggers and changes entries is found out, and the first wrong entry is named."""
    _tamper(path, *NO_TRIGGERS, *statements)
    finding = verify(ledger)
    assert (finding.ok, finding.first_bad) == (False, fault)
    assert words in finding.problem


def test_a_changed_counter_is_found(ledger: SqliteLedger, path: Path) -> None:
    """Law 10: a counter lowered in the file is named, with the difference to the nano-dollar."""
    _tamper(path, "UPDATE counters SET posted_nano_usd = posted_nano_usd - 3")
    finding = verify(ledger)
    assert finding.difference_nano_usd == -3
    assert finding.first_bad == Fault(0, ("org", "month", f"{ledger.now():%Y-%m}"))


def test_a_fork_gets_a_connection_of_its_own(path: Path) -> None:
    """A ledger used before and after a fork works in both processes, and both spend from one budget."""
    script = f"""
import os, sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
from fakes.ledger_requests import *
from budget_gate.ledger.interface import SCHEMA_VERSION
from budget_gate.ledger.sqlite import SqliteLedger
ledger = SqliteLedger({str(path)!r})
month = charge(ORG, "month", line(1000))
ledger.reserve(request("before", usd(1), month))
inherited = ledger._handle.connection
child = os.fork()
for number in range(40):
    ledger.reserve(request(f"{{child and 1}}-{{number}}", usd(1), month))
assert (ledger._handle.connection is inherited) == bool(child)
if child:
    assert os.waitpid(child, 0)[1] == 0
ledger.close()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=60)
    ledger = SqliteLedger(path)
    assert ledger.read([MONTH], "UTC")[0].pending == 81
    finding = verify(ledger)
    ledger.close()
    assert finding.ok


def test_a_closed_ledger_says_so(path: Path) -> None:
    """Using a ledger after closing it is an error of ours, not of the driver's."""
    ledger = SqliteLedger(path)
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerUnavailable):
        ledger.now() and ledger.head()


def test_many_processes_may_create_one_ledger(path: Path) -> None:
    """Six processes that find no ledger create it together; none fails, and every note is there once."""
    script = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}]
from budget_gate.ledger.interface import SCHEMA_VERSION
from budget_gate.ledger.sqlite import SqliteLedger
ledger = SqliteLedger({str(path)!r})
ledger.record(sys.argv[1], "note", {{}}, {{}})
ledger.close()
"""
    started = [subprocess.Popen([sys.executable, "-W", "error", "-c", script, str(number)]) for number in range(6)]
    assert [process.wait(timeout=60) for process in started] == [0] * 6
    ledger = SqliteLedger(path)
    finding = verify(ledger)
    ledger.close()
    assert (finding.ok, finding.entries) == (True, 6)


def test_reading_uses_counters_only(ledger: SqliteLedger) -> None:
    """What ``status`` asks is answered from counters, so that it takes as long after a year as on the first day."""
    asked: list[str] = []
    ledger._handle.connection.set_trace_callback(asked.append)
    ledger.read([MONTH], "UTC")
    ledger._handle.connection.set_trace_callback(None)
    assert asked
    assert not [statement for statement in asked if "entries" in statement or "reservations" in statement]


class _SlowTime:
    """Stands in for ``time``: each look at the clock is later by a step, and sleeping calls back."""

    def __init__(self) -> None:
        self.now, self.step_seconds = 100.0, 0.0015
        self.naps: list[float] = []
        self.on_sleep: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        """Return the time, later each time."""
        self.now += self.step_seconds
        return self.now

    def sleep(self, seconds: float) -> None:
        """Sleep no time at all."""
        self.naps.append(seconds)
        self.now += seconds
        self.on_sleep()


def test_whoever_has_had_a_turn_lets_others_in(ledger: SqliteLedger, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that met another one pauses after a turn of some transactions, on a slow disk after each; one alone never does."""
    slow = _SlowTime()
    monkeypatch.setattr(sqlite, "time", slow)

    def naps_of(name: str, records: int) -> list[int]:
        """Return before which of so many records in a row it paused."""
        found = []
        for number in range(records):
            before = len(slow.naps)
            ledger.record(f"{name} {number}", "note", {}, {})
            found += [number] * (len(slow.naps) - before)
        return found

    assert naps_of("alone", 20) == []
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        slow.on_sleep = lambda: other.in_transaction and other.execute("ROLLBACK")
        assert naps_of("met another", 1) == [0]
        slow.on_sleep = lambda: None
    assert naps_of("turns", 20) == [7, 15]
    monkeypatch.setattr(sqlite, "_SLOW_SECONDS", 0.001)  # than which a step is longer,
    monkeypatch.setattr(sqlite, "_SLOW_PAUSE_SECONDS", 0.002)  # and shorter than this
    assert naps_of("slow disk", 5) == [1, 2, 3, 4]
    assert all(0 < nap <= 0.00625 for nap in slow.naps)
    slow.now += 2
    assert naps_of("alone again", 20) == []


def _statements(ledger: SqliteLedger, action: Callable[[], Answer]) -> tuple[Answer, list[str]]:
    """Run an action; return its answer and its statements. A trigger repeats the statement that set it off: that is left out."""
    told: list[str] = []
    ledger._handle.connection.set_trace_callback(told.append)
    answer = action()
    ledger._handle.connection.set_trace_callback(None)
    return answer, [text for text, before in zip(told, ["", *told], strict=False) if text != before]


def test_an_operation_is_a_handful_of_statements(ledger: SqliteLedger) -> None:
    """However many counters there are, they are read with one statement and added to with one; nothing is asked piece by piece."""
    charges = [charge(Scope("user", name), "month", line(10**6)) for name in "abcdefgh"]
    ledger.reserve(request("first", usd(1), *charges))
    taken, reserving = _statements(ledger, lambda: admitted(ledger.reserve(request("second", usd(1), *charges))))
    _, settling = _statements(ledger, lambda: ledger.settle("second", taken.reservation, actual(usd(1))))
    opening = ["BEGIN IMMEDIATE", "SELECT .* JOIN head LEFT JOIN operations "]
    counters = ["SELECT .* JOIN counters ", "UPDATE counters "]
    kept = ["INSERT INTO entries ", "UPDATE head ", "INSERT INTO operations ", "COMMIT"]
    for told, wanted in (
        (reserving, [*opening, *counters, "INSERT INTO reservations ", *kept]),
        (settling, [*opening, "SELECT .* FROM reservations ", *counters, "UPDATE reservations ", *kept]),
    ):
        assert [pattern for text, pattern in zip(told, wanted, strict=True) if not re.match(pattern, text)] == []


def test_a_transaction_sees_what_it_wrote_itself(ledger: SqliteLedger) -> None:
    """What the first statement found out is not believed any more once the same transaction has changed it."""

    def step(books: Books, now: datetime) -> None:
        assert books.operation("reserve", "new") is None
        assert (books.expired(now, 9), books.somebody_waits()) == ([], False)
        placed = place_charges([MONTH], "UTC", now)
        books.put_reservation(OpenReservation("late", "new", "pending", usd(1), {}, placed, now, now))
        assert [each.reservation for each in books.expired(now, 9)] == ["late"]
        books.put_waiter(Waiter("new", 1, now, (QueuePlace(placed.counters[0], "usd"),)))
        assert books.somebody_waits()
        first, second = (books.append(now, "note", CounterValue(), {}) for _ in range(2))
        assert (first.seq, second.seq, second.chain_hash) == (5, 6, chain_hash(first.chain_hash, second.text))

    ledger._write(step)
    assert ledger.head() == 6


def test_a_request_may_have_more_counters_than_a_statement(path: Path) -> None:
    """Two hundred counters, some of them new, are each checked and added to once, in their order."""
    ledger = SqliteLedger(path)
    charges = [charge(Scope("user", f"{number:03}"), "month", line(1000 + number)) for number in range(200)]
    admitted(ledger.reserve(request("some", usd(5), *charges[::3])))
    admitted(ledger.reserve(request("all", usd(7), *charges)))
    states = ledger.read(charges, "UTC")
    assert [(state.limit, state.pending) for state in states] == [(1000 + at, 7 if at % 3 else 12) for at in range(200)]
    assert verify(ledger).ok
    ledger.close()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM reservations WHERE state = 'pending' AND expires_at <= 5 ORDER BY expires_at LIMIT 5",
        "SELECT number FROM reservations WHERE state IN ('pending', 'held') AND number > 0 ORDER BY number LIMIT 5",
        "SELECT * FROM counters WHERE scope = 'a' AND per = 'b' AND label = 'c'",
        "SELECT key FROM waiters WHERE scope = 'a' AND per = 'b' AND label = 'c' AND unit = 'd' AND alive_until > 5",
        "SELECT number, payload FROM deliveries WHERE delivered_at IS NULL AND claimed_until <= 5 ORDER BY number LIMIT 5",
    ],
)
def test_admission_never_scans_a_table(ledger: SqliteLedger, query: str) -> None:
    """Whatever an operation looks up is found by an index: a year of history does not slow it down."""
    plan = [row[3] for row in ledger._handle.connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert all("INDEX" in step or "PRIMARY KEY" in step for step in plan), plan


@pytest.mark.parametrize("query", [sqlite_books._OPENING, sqlite_books._values_query(64), sqlite_books._add_query(64)])
def test_nothing_with_a_history_is_scanned_for_many_at_once(ledger: SqliteLedger, query: str) -> None:
    """Asking for much in one statement still finds each by an index; only what was asked for, and ``head``, is gone through."""
    plan = [row[3] for row in ledger._handle.connection.execute(f"EXPLAIN QUERY PLAN {query.replace('?', '1')}")]
    scanned = [
        step for step in plan if step.startswith("SCAN") and not re.search("CONSTANT ROW|subquery|head|INDEX waiters", step)
    ]
    assert not scanned
    assert [step for step in plan if "operations" in step or "counters" in step]


def test_counters_of_the_calendar_are_found_beside_tasks(ledger: SqliteLedger) -> None:
    """Calendar labels give the counters of every kind of scope but tasks and sessions, by an index; "all" gives those, too."""
    scopes = [ORG, *(Scope(kind, "s") for kind in NAMED_KINDS)]
    charges = [charge(scope, per, line(1000)) for scope in scopes for per in CALENDAR_PERIODS]
    bounds = [charge(Scope(kind, "s"), "lifetime", line(1000)) for kind in BOUND_KINDS]
    admitted(ledger.reserve(request("every kind", usd(10), *charges, *bounds)))
    asked: list[str] = []
    ledger._handle.connection.set_trace_callback(asked.append)
    found = {(row.scope, row.per) for row in ledger.counters(CALENDAR_LABELS)}
    ledger._handle.connection.set_trace_callback(None)
    assert found == {(each.scope.text, each.per) for each in charges}
    assert {row.scope for row in ledger.counters(("al",))} == {each.scope.text for each in bounds}
    queries = [statement for statement in asked if "counters" in statement]
    assert len(queries) == 1 + len(BOUND_KINDS)
    for query in queries:
        (plan,) = (row[3] for row in ledger._handle.connection.execute(f"EXPLAIN QUERY PLAN {query}"))
        assert plan.startswith("SEARCH counters USING INDEX"), plan


def test_opening_does_not_import_much() -> None:
    """The ledger is on the path of every check: it loads no module that takes long."""
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import budget_gate.ledger.sqlite; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    heavy = {"asyncio", "dataclasses", "inspect", "redis", "random", "logging", "http", "importlib.resources"}
    assert not heavy & set(done.stdout.split())
