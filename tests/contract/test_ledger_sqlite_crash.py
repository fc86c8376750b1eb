"""SQLite only: a process killed anywhere between reserve and settle leaves a whole ledger and a hold, never a hole."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contract.killed import CHARGES
from contract.ledgers import OffsetClock
from fakes.ledger_requests import actual, admitted, request, usd

from budget_gate.ledger.identity import reservation_id
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.ledger.verify import verify

ROOT = Path(__file__).parents[2]


def _killed_at(path: Path, name: str, statement: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    command = [sys.executable, "-m", "contract.killed", str(path), name, str(statement)]
    assert subprocess.run(command, env=environment, check=False, timeout=60).returncode == -signal.SIGKILL


@pytest.mark.parametrize("statement", [1, 2, 3, 7, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 22, 24, 27, 30, 33, 34, 35, 80])
def test_a_kill_leaves_a_whole_ledger(tmp_path: Path, statement: int) -> None:
    """Laws 3 to 6: after kill -9 at any statement the ledger verifies, the open call becomes a hold, a retry counts once."""
    path = tmp_path / "ledger.db"
    _killed_at(path, "run", statement)
    ledger = SqliteLedger(path)
    assert verify(ledger).ok
    open_ones = list(ledger.open_reservations())
    assert len(open_ones) <= 1
    ledger.close()

    later = SqliteLedger(path, clock=OffsetClock(timedelta(hours=1)))
    assert later.sweep(10) == len(open_ones)
    assert [each.state for each in later.open_reservations()] == ["held"] * len(open_ones)
    # The job is run again with the same keys: what was done stays done, and what was cut off is done now, each once.
    for number in range(5):
        key = f"run-{number}"
        taken = admitted(later.reserve(request(key, usd(10), *CHARGES)))
        assert taken.reservation == reservation_id(key)
        assert later.settle(key, taken.reservation, actual(usd(4))).cost == usd(4)
    finding = verify(later)
    total = sum(row.value.posted.nano_usd for row in later.counters() if row.scope == "org")
    later.close()
    assert finding.ok, finding
    assert total == 20


def test_many_kills_in_a_row(tmp_path: Path) -> None:
    """Law 6: one ledger survives a series of crashes; each leaves at most one open call, and the books add up."""
    path = tmp_path / "ledger.db"
    for number in range(6):
        _killed_at(path, f"run{number}", 40 + 7 * number)
    ledger = SqliteLedger(path, clock=lambda: datetime.now(UTC) + timedelta(hours=1))
    open_ones = len(list(ledger.open_reservations()))
    assert ledger.sweep(100) == open_ones <= 6
    finding = verify(ledger)
    ledger.close()
    assert finding.ok, finding
