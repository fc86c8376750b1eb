"""A longer ledger costs more time, in proportion, and no more memory. ``benchmarks/spending.py`` measures the same for millions."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.long_ledger import write_long_ledger
from benchmarks.spending import Cost, commands, run
from budget_gate.analytics.monthly import month_that_ended
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.ledger.verify import verify

pytestmark = pytest.mark.xdist_group("long_ledgers")  # one process writes them once

SHORT, LONG = 15_000, 60_000
MEASURED = ("month's totals", "report", "export focus", "ledger verify")


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """A short ledger and a long one of the same organization."""
    folder = tmp_path_factory.mktemp("long")
    for entries in (SHORT, LONG):
        write_long_ledger(folder / f"{entries}.db", entries)
    return {entries: folder / f"{entries}.db" for entries in (SHORT, LONG)}


def costs(ledger: Path, tmp_path: Path) -> dict[str, Cost]:
    """Return what each command takes."""
    wanted = commands(month_that_ended(datetime.now(UTC), "UTC"), tmp_path / "out")
    return {name: run(wanted[name], ledger) for name in MEASURED}


def test_memory_is_bounded_and_time_grows_as_the_data_do(ledgers: dict[int, Path], tmp_path: Path) -> None:
    """Forty-five thousand entries more are 50 MB of text: no command may keep a sixth of that. Totals do not even take longer."""
    short, long = (costs(ledgers[entries], tmp_path) for entries in (SHORT, LONG))
    for name in MEASURED:
        assert long[name].peak_mb - short[name].peak_mb < 8, name
        assert long[name].cpu_seconds < 1.3 * LONG / SHORT * short[name].cpu_seconds, name
    assert long["month's totals"].cpu_seconds < 1.5 * short["month's totals"].cpu_seconds


def test_the_written_ledger_is_a_real_one(ledgers: dict[int, Path]) -> None:
    """Chain and counters are right, so the benchmark reads what a ledger would have; and a wrong counter of a task is found in it."""
    path = ledgers[SHORT]
    ledger = SqliteLedger(path)
    assert verify(ledger).ok
    scope = "task/dev_assistant/5"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE counters SET posted_nano_usd = posted_nano_usd + 1 WHERE scope = ?", (scope,))
    found = verify(ledger)
    connection.execute("UPDATE counters SET posted_nano_usd = posted_nano_usd - 1 WHERE scope = ?", (scope,))
    connection.close()
    assert found.first_bad is not None
    assert found.first_bad.counter == (scope, "lifetime", "all")
    assert found.difference_nano_usd == 1
    ledger.close()
