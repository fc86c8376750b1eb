"""Reports, exports, dashboard and ``ledger verify`` over a ledger of millions of entries: processor time, and the most memory used.

Every figure is the whole command in a process of its own. The ledger is a year that ends now (``long_ledger``); the month is the
last one that is over. Bars: under 300 MB each; time that grows no faster than the data (a ratio of 1.0, and 1.15 for a noisy
machine); a month's totals from counters, in under a second. Needs 1 kB of disk an entry, and an hour for ten million.
Usage: python benchmarks/spending.py [--entries 1000000 10000000] [--folder DIR, which keeps the ledgers for the next time]
"""

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).parents[1])]

from benchmarks.long_ledger import write_long_ledger
from budget_gate.analytics.monthly import month_that_ended

ROOT = Path(__file__).parents[1]
POLICY = ROOT / "examples/acme/budget-gate.yml"
MEMORY_MOST_MB = 300
RATIO_MOST = 1.15
TOTALS_MOST_SECONDS = 1.0


class Cost(NamedTuple):
    """What one command took: processor seconds, seconds on the clock, and megabytes at its peak."""

    cpu_seconds: float
    seconds: float
    peak_mb: int


def commands(month: str, out: Path) -> dict[str, list[str]]:
    """Return what is measured, by name."""
    export = ["export", "--month", month, "--output", str(out)]
    return {
        "month's totals": ["report", "--month", month, "--totals", "--json"],
        "report": ["report", "--month", month, "--json"],
        "dashboard": ["dashboard", "--output", str(out)],
        **{f"export {name}": [*export, "--format", name] for name in ("csv", "jsonl", "parquet", "focus")},
        "chargeback": [*export, "--by", "cost-center"],
        "ledger verify": ["ledger", "verify", "--json"],
    }


def run(arguments: list[str], ledger: Path) -> Cost:
    """Run ``budget-gate`` in a process of its own. Raises ``SystemExit`` if it fails."""
    out = Path(tempfile.gettempdir()) / f"spending-{os.getpid()}.out"
    began = time.perf_counter()
    command = [sys.executable, "-m", "budget_gate", *arguments, "--ledger", f"sqlite:///{ledger}", "--policy", str(POLICY)]
    actions = [(os.POSIX_SPAWN_OPEN, stream, str(out), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for stream in (1, 2)]
    process = os.posix_spawn(sys.executable, command, {**os.environ, "PYTHONPATH": str(ROOT)}, file_actions=actions)
    _, status, used = os.wait4(process, 0)
    text = out.read_text(errors="replace")
    out.unlink()
    if status:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{text[-2000:]}")
    return Cost(_cpu(used), time.perf_counter() - began, used.ru_maxrss // 1024)


def _cpu(used: resource.struct_rusage) -> float:
    return used.ru_utime + used.ru_stime


def measure(ledger: Path, only: str) -> dict[str, Cost]:
    """Run every command whose name contains ``only``, print a line for each, and return what they took."""
    found = {}
    with tempfile.TemporaryDirectory(dir=ledger.parent) as folder:
        out = Path(folder) / "out"
        for name, arguments in commands(month_that_ended(datetime.now(UTC), "UTC"), out).items():
            if only not in name:
                continue
            cost = found[name] = run(arguments, ledger)
            size = f", {out.stat().st_size // 1_000_000} MB written" if out.exists() else ""
            out.unlink(missing_ok=True)
            fits = "" if cost.peak_mb < MEMORY_MOST_MB else f" MISSED: at most {MEMORY_MOST_MB}"
            print(
                f"  {name:<15} {cost.cpu_seconds:8.2f} s of processor, {cost.seconds:8.2f} s, {cost.peak_mb:4} MB{fits}{size}",
                flush=True,
            )
            if name == "month's totals" and cost.cpu_seconds > TOTALS_MOST_SECONDS:
                print(f"  {name:<15} MISSED: at most {TOTALS_MOST_SECONDS} s", flush=True)
    return found


def compare(small: dict[str, Cost], large: dict[str, Cost], growth: float) -> None:
    """Print by how much more than the data each time grew; start-up weighs in the small one, so a ratio may be below one."""
    for name, cost in large.items():
        ratio = cost.cpu_seconds / small[name].cpu_seconds / growth
        print(
            f"  {name:<15} time grew {ratio:.2f} times as much as the data{'' if ratio <= RATIO_MOST else ' MISSED'}", flush=True
        )


def main() -> None:
    """Write what ledgers are missing, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", default="", help="measure only commands whose name contains this")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        before: tuple[int, dict[str, Cost]] | None = None
        for entries in chosen.entries:
            ledger = folder / f"{entries}.db"
            if not ledger.exists():
                # In a process that ends: Linux counts what this one ever held as held by whatever it starts.
                writer = multiprocessing.get_context("spawn").Process(target=write_long_ledger, args=(ledger, entries))
                writer.start()
                writer.join()
                if writer.exitcode:
                    raise SystemExit("the ledger could not be written")
            print(f"{entries:,} entries, {ledger.stat().st_size // 1_000_000:,} MB", flush=True)
            costs = measure(ledger, chosen.only)
            if before is not None:
                compare(before[1], costs, entries / before[0])
            before = entries, costs


if __name__ == "__main__":
    main()
