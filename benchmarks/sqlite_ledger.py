"""SQLite: reserves and settles a second against bare transactions of as many upserts, the wait among four, and whether history costs.

The yardstick of a reserve writes ten rows of the size and into the tables that a reserve over six limits does (six counters, a
reservation, an answer, an entry, the head), with the same pragmas, in one bare transaction that reads, checks and hashes nothing; that
of a settle writes the same ten, but for the reservation, which is there and is updated. It waits for other processes as SQLite does by
itself, and its connection is as long open.

Ours and the yardstick take turns in short rounds, because a shared machine and its disk are slow for seconds at a time: each ratio is
the median over the rounds of one divided by its neighbour. The processor time of one is printed beside it, because a disk that syncs
for nothing leaves nothing else to compare, and one that syncs slowly hides everything else. Directional; on a quiet machine.
Usage: python benchmarks/sqlite_ledger.py [--rounds 50] [--history 1000000]
"""

import argparse
import multiprocessing
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

from fakes.ledger_requests import actual, charge, line, request, usd

from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import GENESIS, Entry, chain_hash, entry_text, from_microseconds
from budget_gate.core.charges import Charge
from budget_gate.core.reservations import Admitted, ReserveRequest
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.admitting import foresee, reserve
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.ledger.sqlite_books import COUNTER_COLUMNS, RESERVATION_COLUMNS

SECONDS = 0.2
"""How long a round lasts."""

LEAST_SECONDS = 0.0001
"""Less than any of the operations takes."""

ROUNDS = 50
RATIO_LEAST = 0.60
WAIT_MOST_SECONDS = 0.050
GROWTH_MOST = 1.10
_COUNTER = (
    f"INSERT INTO counters (scope, per, label, {COUNTER_COLUMNS}) VALUES (?, 'month', '2026-11', {', '.join('?' * 9)})"
    " ON CONFLICT (scope, per, label) DO UPDATE SET pending_nano_usd = pending_nano_usd + 1"
)
_RESERVATION = (
    f"INSERT INTO reservations ({RESERVATION_COLUMNS}) VALUES (?, ?, 'pending', {', '.join('?' * 6)}, ?, ?, ?, ?, NULL)"
)
_POST = (
    "UPDATE reservations SET state = 'posted', cost_nano_usd = 1, cost_tokens = 1, cost_requests = 1, resolved_at = 1"
    " WHERE reservation = ?"
)


def six_limits() -> list[Charge]:
    """Return six counters with a limit each."""
    scopes = [ORG, Scope("team", "payments"), Scope("project", "acme/shop"), Scope("workflow", "ci"), Scope("user", "ann")]
    return [*(charge(scope, "month", line(10**15)) for scope in scopes), charge(ORG, "day", line(10**15))]


class Timed(NamedTuple):
    """How long each operation of a round took, in seconds, and how much of the processor all of them together."""

    seconds: list[float]
    processor_seconds: float


def _timed(step: Callable[[str], None], keys: list[str], start_at: float) -> Timed:
    """Take one step with each key for the length of a round, from an instant that the other processes wait for too."""
    times: list[float] = []
    time.sleep(max(start_at - time.time(), 0))
    processor = time.process_time()
    until = time.perf_counter() + SECONDS
    for key in keys:
        before = time.perf_counter()
        if before > until:
            break
        step(key)
        times.append(time.perf_counter() - before)
    assert len(times) < len(keys), "the keys did not last for the round"
    return Timed(times, time.process_time() - processor)


def reserves(path: str, keys: list[str], start_at: float) -> Timed:
    """Reserve in one round."""
    ledger, charges = SqliteLedger(path), six_limits()

    def step(key: str) -> None:
        assert isinstance(ledger.reserve(request(key, usd(1000, 10, 1), *charges)), Admitted)

    timed = _timed(step, keys, start_at)
    ledger.close()
    return timed


def bare_reserves(path: str, keys: list[str], start_at: float) -> Timed:
    """Write what a reserve writes, in bare transactions."""
    connection = _bare_connection(path)

    def step(key: str) -> None:
        connection.execute("BEGIN IMMEDIATE")
        _write_counters(connection)
        connection.execute(_RESERVATION, (key, key, *[1] * 6, "{}", "x" * 1100, 1, 1))
        _write_rest(connection, "reserve", key, "x" * 400)

    timed = _timed(step, keys, start_at)
    connection.close()
    return timed


def settles(path: str, keys: list[str], start_at: float) -> Timed:
    """Settle in one round what was reserved before it."""
    ledger = SqliteLedger(path)

    def step(reservation: str) -> None:
        assert ledger.settle(reservation, reservation, actual(usd(900, 9, 1))).state == "posted"

    timed = _timed(step, keys, start_at)
    ledger.close()
    return timed


def bare_settles(path: str, keys: list[str], start_at: float) -> Timed:
    """Write what a settle writes, in bare transactions."""
    connection = _bare_connection(path)

    def step(reservation: str) -> None:
        connection.execute("BEGIN IMMEDIATE")
        _write_counters(connection)
        connection.execute(_POST, (reservation,))
        _write_rest(connection, "settle", reservation, "x" * 300)

    timed = _timed(step, keys, start_at)
    connection.close()
    return timed


def _new_keys(path: str, name: str) -> list[str]:
    """Return more keys than a round can use."""
    SqliteLedger(path).close()
    return [f"{name} {number:06}" for number in range(int(SECONDS / LEAST_SECONDS))]


class _Preparing(SqliteLedger):
    """A ledger that makes many reservations in one transaction, for it is not they that are measured."""

    def reserve_all(self, requests: Sequence[ReserveRequest]) -> list[str]:
        """Make reservations; return their ids."""
        foreseen = [foresee(each, self.now()) for each in requests]
        made = self._write(lambda books, now: [reserve(books, each, now) for each in foreseen])
        return [each.reservation for each in made if isinstance(each, Admitted)]


def _reserved(path: str, name: str) -> list[str]:
    """Return more reservations than a round can settle."""
    ledger, charges = _Preparing(path), six_limits()
    made = ledger.reserve_all([request(key, usd(1000, 10, 1), *charges) for key in _new_keys(path, name)])
    ledger.close()
    return made


def _bare_connection(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=60)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _write_counters(connection: sqlite3.Connection) -> None:
    for number in range(6):
        connection.execute(_COUNTER, (f"scope {number}", *[1] * 9))


def _write_rest(connection: sqlite3.Connection, kind: str, key: str, text: str) -> None:
    connection.execute("INSERT INTO operations VALUES (?, ?, 'digest', ?)", (kind, key, "x" * 80))
    connection.execute("INSERT INTO entries (text, chain_hash) VALUES (?, ?)", (text, "x" * 71))
    connection.execute("UPDATE head SET seq = seq + 1")
    connection.execute("COMMIT")


Work = Callable[[str, list[str], float], Timed]
Prepare = Callable[[str, str], list[str]]


class Rounds(NamedTuple):
    """What the rounds of one kind came to."""

    counts: list[int]
    seconds: list[float]
    processor_seconds: list[float]

    def add(self, found: Sequence[Timed]) -> None:
        """Add a round."""
        self.counts.append(sum(len(each.seconds) for each in found))
        self.seconds.extend(second for each in found for second in each.seconds)
        self.processor_seconds.append(sum(each.processor_seconds for each in found))

    @property
    def processor_us(self) -> float:
        """The processor time of one operation, in microseconds."""
        return sum(self.processor_seconds) / sum(self.counts) * 1e6

    def shown(self) -> str:
        """Return the waits and the processor time in words."""
        waits = sorted(self.seconds)
        median, late = (waits[len(waits) * share // 100] * 1e3 for share in (50, 99))
        return (
            f"median {median:.2f} ms, p99 {late:.1f} ms, longest {waits[-1] * 1e3:.0f} ms, processor {self.processor_us:.0f} us"
        )


def compare(folder: Path, prepare: Prepare, ours: Work, bare: Work, processes: int, rounds: int) -> None:
    """Measure an operation and its yardstick in turns, and print."""
    found = (Rounds([], [], []), Rounds([], [], []))
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for turn in range(rounds):
            for work, kind in zip((ours, bare), found, strict=True):
                path = str(folder / f"{work.__name__}{processes}.db")
                keys = [prepare(path, f"{turn} {number}") for number in range(processes)]
                start_at = time.time() + 0.05
                jobs = [(path, each, start_at) for each in keys]
                kind.add(pool.starmap(work, jobs, chunksize=1))
    ratio = statistics.median(one / other for one, other in zip(found[0].counts, found[1].counts, strict=True))
    processor = found[1].processor_us / found[0].processor_us
    print(
        f"{ours.__name__}, {processes} process(es): {ratio:.2f} of the bare transactions a second (at least {RATIO_LEAST:.2f}),",
        end="",
    )
    print(f" {processor:.2f} by processor time")
    print(f"  ours: {found[0].shown()}" + (f" (p99 at most {WAIT_MOST_SECONDS * 1e3:.0f} ms)" if processes > 1 else ""))
    print(f"  bare: {found[1].shown()}", flush=True)


def generate(path: Path, entries: int) -> None:
    """Write a ledger with a long history straight into its tables: as many reserve entries, with their reservations and answers."""
    SqliteLedger(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    newest = Entry(0, "", GENESIS)
    delta = CounterValue(pending=Amount(1, 1, 1))
    for seq in range(1, entries + 1):
        body = {"reservation": f"res_{seq}", "key": f"old {seq}", "labels": {}, "counters": [["org", "month", "2020-01"]]}
        text = entry_text(seq, from_microseconds(seq), "reserve", delta, body)
        newest = Entry(seq, text, chain_hash(newest.chain_hash, text))
        connection.execute("INSERT INTO entries VALUES (?, ?, ?)", newest)
        row = (seq, f"res_{seq}", f"old {seq}", "posted", 1, 1, 1, 1, 1, 1, "{}", "[]", seq, seq + 1, seq + 1)
        connection.execute("INSERT INTO reservations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute("INSERT INTO operations VALUES ('reserve', ?, '', '')", (f"old {seq}",))
    connection.execute("UPDATE head SET seq = ?, chain_hash = ?", (newest.seq, newest.chain_hash))
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def growth(folder: Path, history: int) -> None:
    """Measure reserve and status in turns on a short and a long history, and print."""
    ledgers = {}
    for name, entries in (("short", 1000), ("long", history)):
        generate(folder / f"{name}.db", entries)
        ledgers[name] = SqliteLedger(folder / f"{name}.db")
    charges = six_limits()
    times: dict[tuple[str, str], list[float]] = {}
    for turn in range(1500):
        for name, ledger in ledgers.items():
            before = time.perf_counter()
            ledger.reserve(request(f"new {turn}", usd(1000, 10, 1), *charges))
            between = time.perf_counter()
            ledger.read(charges, "UTC")
            times.setdefault((name, "reserve"), []).append(between - before)
            times.setdefault((name, "status"), []).append(time.perf_counter() - between)
    for what in ("reserve", "status"):
        short, long = statistics.median(times["short", what]), statistics.median(times["long", what])
        print(f"{what}: {short * 1e6:.0f} us at 1000 entries, {long * 1e6:.0f} us at {history}", end="")
        print(f", ratio {long / short:.2f} (at most {GROWTH_MOST:.2f})")
    for ledger in ledgers.values():
        ledger.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--history", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for processes in (1, 4):
            compare(Path(folder), _new_keys, reserves, bare_reserves, processes, given.rounds)
            compare(Path(folder), _reserved, settles, bare_settles, processes, given.rounds)
        if given.history:
            growth(Path(folder), given.history)


if __name__ == "__main__":
    main()
