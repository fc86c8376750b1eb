"""How long a month's report takes, and how much memory, as the ledger grows. Directional; run it twice.

Totals read counters: a SQLite ledger is given a year of day and month counters, and as many task counters as reservations. The
breakdown reads entries: they are made on the fly, so that what is measured is the reader and not a disk.
Usage: python benchmarks/monthly_report.py [--reservations 100000 500000]
"""

import argparse
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

from fakes.command_line import ROOT

from budget_gate.analytics.monthly import MonthReader
from budget_gate.config.policy_file import load_policy
from budget_gate.config.price_file import load_prices
from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import Entry, entry_text
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.runs.report import month_report

START = datetime(2026, 1, 1, tzinfo=UTC)
USERS, TEAMS = 60, 8
MONTH = "2026-06"


def entries(reservations: int) -> Iterator[Entry]:
    """Yield a year of reservations, each settled before the next, on a pull request for every ten of them."""
    step = timedelta(days=365) / reservations
    amount = CounterValue(pending=Amount(1_000_000, 900, 1))
    spent = CounterValue(posted=Amount(900_000, 800, 1), pending=Amount(-1_000_000, -900, -1))
    for at in range(reservations):
        now = START + step * at
        labels = {
            "workflow": "ci_cd_review",
            "team": f"team{at % TEAMS}",
            "user": f"user{at % USERS}",
            "project": "acme/shop",
            "pr": str(at // 10 + 1),
            "model": "claude-haiku-4-5",
        }
        day = f"{now:%Y-%m-%d}"
        counters = [["org", "day", day], ["org", "month", day[:7]]]
        body = {"reservation": f"r{at}", "key": f"k{at}", "labels": labels, "counters": counters}
        yield Entry(2 * at + 1, entry_text(2 * at + 1, now, "reserve", amount, body), "")
        posted = {"reservation": f"r{at}", "key": f"k{at}", "labels": labels, "usage": {"input_tokens": 800}, "details": {}}
        yield Entry(2 * at + 2, entry_text(2 * at + 2, now, "post", spent, posted), "")


def fill_counters(path: Path, tasks: int) -> int:
    """Write a year of counters and return how many there are."""
    SqliteLedger(path).close()
    days = [(START + timedelta(days=at)).date().isoformat() for at in range(365)]
    scopes = ["org", *(f"team/team{at}" for at in range(TEAMS)), *(f"user/user{at}" for at in range(USERS))]
    rows = [(scope, "day", day) for scope in scopes for day in days]
    rows += [(scope, "month", f"2026-{month:02d}") for scope in scopes for month in range(1, 13)]
    rows += [(f"task/ci_cd_review/{at}", "lifetime", "all") for at in range(tasks)]
    names = "posted_nano_usd, posted_tokens, posted_requests, pending_nano_usd, pending_tokens, pending_requests"
    zeros = "1000000, 900, 1, 0, 0, 0, 0, 0, 0"
    connection = sqlite3.connect(path)
    connection.executemany(
        f"INSERT INTO counters (scope, per, label, {names}, held_nano_usd, held_tokens, held_requests) VALUES (?, ?, ?, {zeros})",
        rows,
    )
    connection.commit()
    connection.close()
    return len(rows)


def main() -> None:
    """Measure each size and print a line for it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reservations", type=int, nargs="+", default=[100_000, 500_000])
    policy = load_policy(ROOT / "examples/acme/budget-gate.yml", prices=load_prices())
    for reservations in parser.parse_args().reservations:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ledger.db"
            counters = fill_counters(path, reservations)
            ledger = SqliteLedger(path)
            began = time.perf_counter()
            month_report(policy, ledger, MONTH, totals_only=True)
            totals = time.perf_counter() - began
            ledger.close()
        made = time.perf_counter()
        for _ in entries(reservations):
            pass
        began = time.perf_counter()
        MonthReader(MONTH, "UTC").read(entries(reservations))
        reading = time.perf_counter() - began - (began - made)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{2 * reservations:>9,} entries, {counters:>9,} counters: totals {totals:.2f} s, "
            f"breakdown {reading:.1f} s ({reading / reservations * 500_000:.1f} s per million entries), peak {peak} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
