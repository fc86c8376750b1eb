"""SQLite: reserves a second against bare transactions of as many upserts, how long one waits among four, and whether history costs.

The yardstick writes ten rows of the size and into the tables that a reserve over six limits does (six counters, a reservation, an
answer, an entry, the head), with the same pragmas, in one bare transaction that reads, checks and hashes nothing. Each line also has the
processor time of one, because a disk that syncs for nothing leaves nothing else to compare. Directional; run it twice, on a quiet machine.
Usage: python benchmarks/sqlite_ledger.py [--history 1000000]
"""

import argparse
import multiprocessing
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

from fakes.ledger_requests import charge, line, request, usd

from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import GENESIS, Entry, chain_hash, entry_text, from_microseconds
from budget_gate.core.charges import Charge
from budget_gate.core.reservations import Admitted
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.ledger.sqlite_books import COUNTER_COLUMNS, RESERVATION_COLUMNS

SECONDS = 2.0
ROUNDS = 5
_COUNTER = (
    f"INSERT INTO counters (scope, per, label, {COUNTER_COLUMNS}) VALUES (?, 'month', '2026-11', {', '.join('?' * 9)})"
    " ON CONFLICT (scope, per, label) DO UPDATE SET pending_nano_usd = pending_nano_usd + 1"
)
_RESERVATION = (
    f"INSERT INTO reservations ({RESERVATION_COLUMNS}) VALUES (?, ?, 'pending', {', '.join('?' * 6)}, ?, ?, ?, ?, NULL)"
)
RATIO_LEAST = 0.60
WAIT_MOST_SECONDS = 0.050
GROWTH_MOST = 1.10


def six_limits() -> list[Charge]:
    """Return six counters with a limit each."""
    scopes = [ORG, Scope("team", "payments"), Scope("project", "acme/shop"), Scope("workflow", "ci"), Scope("user", "ann")]
    return [*(charge(scope, "month", line(10**15)) for scope in scopes), charge(ORG, "day", line(10**15))]


def reserve_times(path: str, name: str, seconds: float) -> list[float]:
    """Reserve for some seconds; return how long each took."""
    ledger, charges, times = SqliteLedger(path), six_limits(), []
    until = time.perf_counter() + seconds
    while (before := time.perf_counter()) < until:
        decision = ledger.reserve(request(f"{name} {before}", usd(1000, 10, 1), *charges))
        assert isinstance(decision, Admitted)
        times.append(time.perf_counter() - before)
    ledger.close()
    return times


def bare_times(path: str, name: str, seconds: float) -> list[float]:
    """Run bare transactions into the same tables for some seconds; return how long each took."""
    SqliteLedger(path).close()
    connection = sqlite3.connect(path, isolation_level=None, timeout=60)
    connection.execute("PRAGMA synchronous = FULL")
    times = []
    until = time.perf_counter() + seconds
    while (before := time.perf_counter()) < until:
        own = f"{name} {before}"
        connection.execute("BEGIN IMMEDIATE")
        for number in range(6):
            connection.execute(_COUNTER, (f"scope {number}", *[1] * 9))
        connection.execute(_RESERVATION, (own, own, *[1] * 6, "{}", "x" * 1500, 1, 1))
        connection.execute("INSERT INTO operations VALUES ('reserve', ?, 'digest', ?)", (own, "x" * 80))
        connection.execute("INSERT INTO entries (text, chain_hash) VALUES (?, ?)", ("x" * 500, "x" * 71))
        connection.execute("UPDATE head SET seq = seq + 1")
        connection.execute("COMMIT")
        times.append(time.perf_counter() - before)
    connection.close()
    return times


Work = Callable[[str, str, float], list[float]]


def together(work: Work, path: str, processes: int) -> list[float]:
    """Run some work in several processes at once; return all times."""
    if processes == 1:
        return work(path, "0", SECONDS)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        found = pool.starmap(work, [(path, str(number), SECONDS) for number in range(processes)])
    return [each for times in found for each in times]


def _cpu(work: Work, folder: Path) -> float:
    """Return the microseconds of processor time that one operation takes."""
    before = time.process_time()
    count = len(work(str(folder / f"{work.__name__}.db"), "cpu", SECONDS))
    return (time.process_time() - before) / count * 1e6


def compare(folder: Path, processes: int) -> None:
    """Measure reserve and yardstick in turns, and print."""
    ratios, waits = [], []
    for turn in range(ROUNDS):
        ours = together(reserve_times, str(folder / f"ours{processes}-{turn}.db"), processes)
        bare = together(bare_times, str(folder / f"bare{processes}-{turn}.db"), processes)
        ratios.append(len(ours) / len(bare))
        waits.append(sorted(ours)[len(ours) * 99 // 100])
    if processes == 1:
        print(
            f"processor time: {_cpu(reserve_times, folder):.0f} us a reserve, {_cpu(bare_times, folder):.0f} us a bare transaction"
        )
    ratio, wait = statistics.median(ratios), statistics.median(waits)
    print(f"{processes} process(es): {ratio:.2f} of the bare transactions a second (at least {RATIO_LEAST:.2f})", end="")
    print(f", p99 of a reserve {wait * 1000:.1f} ms (at most {WAIT_MOST_SECONDS * 1000:.0f} ms among 4), {len(ours)} reserves")


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
    parser.add_argument("--history", type=int, default=1_000_000)
    history = parser.parse_args().history
    with tempfile.TemporaryDirectory() as folder:
        for processes in (1, 4):
            compare(Path(folder), processes)
        growth(Path(folder), history)


if __name__ == "__main__":
    main()
