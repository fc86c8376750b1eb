"""A job on a runner that spends from the default ledger by lease, is killed, and is settled by the action's last step."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.batch_crash import BATCH, books, read_results
from fakes.gate_setup import SimulatedTime
from fakes.github_ledger import REPOSITORY, GitHubStore
from fakes.ledger_requests import charge, line

from budget_gate.core.scopes import ORG
from budget_gate.gate.batch_notes import reservation_of
from budget_gate.ledger.verify import verify

ROOT = Path(__file__).resolve().parents[2]
MONTH = charge(ORG, "month", line(10**9))
JOB = """
import os, signal, sys
from fakes.ledger_requests import actual, charge, line, request, usd
from budget_gate.bootstrap import Workspace
from budget_gate.config.settings import read_settings
from budget_gate.core.scopes import ORG

workspace = Workspace(read_settings(os.environ), os.environ)
ledger = workspace.task_ledger
for key, cost in (("a", 300), ("b", 400)):
    taken = ledger.reserve(request(key, usd(1000, 10, 1), charge(ORG, "month", line(10**9)), labels={"workflow": "ci_cd_review"}))
    ledger.settle(key, taken.reservation, actual(usd(cost, 5, 1)))
ledger.reserve(request("c", usd(1000, 10, 1), charge(ORG, "month", line(10**9)), labels={"workflow": "ci_cd_review"}))
if sys.argv[1] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
workspace.close()
"""

BATCH_JOB = """
import os
from fakes.batch_crash import BATCH, REQUESTS
from budget_gate.bootstrap import Workspace
from budget_gate.config.settings import read_settings

workspace = Workspace(read_settings(os.environ), os.environ)
task = workspace.task(workspace.attribution({"workflow": "ci_cd_review"}))
attempt = workspace.batch_books(0).meter(task, "anthropic").begin({"requests": REQUESTS})
attempt.accept(BATCH)
workspace.close()
"""


@pytest.fixture
def store() -> Iterator[GitHubStore]:
    """A repository on a server of its own."""
    opened = GitHubStore()
    yield opened
    opened.close()


def _environment(store: GitHubStore, folder: Path) -> dict[str, str]:
    """Return what a job's steps are given on a runner."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": store.server.url,
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_TOKEN": "ghs_writes",
        "RUNNER_TEMP": str(folder),
        "BUDGET_GATE_POLICY": str(ROOT / "examples/acme/budget-gate.yml"),
        "BUDGET_GATE_LEDGER": "",
        "BUDGET_GATE_PYTHON": sys.executable,
    }


def _finish(store: GitHubStore, folder: Path) -> subprocess.CompletedProcess[str]:
    script = str(ROOT / "action/finish.sh")
    return subprocess.run(
        ["bash", script], env=_environment(store, folder), cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def _run(store: GitHubStore, folder: Path, how: str) -> int:
    command = [sys.executable, "-c", JOB, how]
    return subprocess.run(command, env=_environment(store, folder), cwd=folder, check=False, timeout=60).returncode


def _parts(store: GitHubStore) -> tuple[int, int, int]:
    (state,) = store.ledger.read([MONTH], "UTC")
    return state.posted, state.pending, state.held


def test_the_last_step_settles_a_killed_job(store: GitHubStore, tmp_path: Path) -> None:
    """After kill -9 the whole task is pending; the last step posts the calls that ended, holds the open one, and says so, once."""
    assert _run(store, tmp_path, "killed") == -signal.SIGKILL
    posted, pending, held = _parts(store)
    assert (posted, held) == (0, 0)
    assert pending == 500_000_000  # the policy's 0.50 dollars for a task
    first = _finish(store, tmp_path)
    assert (first.returncode, first.stdout) == (0, "")
    assert "settled 1 lease that this job left open" in first.stderr
    assert _parts(store) == (700, 0, 1000)
    store.server.requests.clear()
    second = _finish(store, tmp_path)
    assert (second.returncode, second.stderr) == (0, "")
    assert store.server.requests == []
    assert verify(store.ledger).ok


def test_a_job_that_ends_settles_for_itself(store: GitHubStore, tmp_path: Path) -> None:
    """Closing the workspace settles the lease; nothing is left for the last step, which then starts no program."""
    assert _run(store, tmp_path, "ends") == 0
    assert _parts(store) == (700, 0, 1000)
    assert list((tmp_path / "budget-gate-leases").iterdir()) == []
    assert _finish(store, tmp_path).returncode == 0
    assert verify(store.ledger).ok


def test_a_batch_outlives_the_job_that_made_it(store: GitHubStore, tmp_path: Path) -> None:
    """A batch is reserved on the branch itself, beside any lease: when its job has ended, its id still finds the reservation."""
    command = [sys.executable, "-c", BATCH_JOB]
    assert subprocess.run(command, env=_environment(store, tmp_path), cwd=tmp_path, check=False, timeout=60).returncode == 0
    found = reservation_of(store.ledger, BATCH)
    assert found is not None
    assert (found.state, found.granted.requests) == ("pending", 3)
    assert _parts(store) == (0, found.granted.nano_usd, 0)
    assert _finish(store, tmp_path).returncode == 0
    read_results(books(store.ledger, SimulatedTime()))
    assert store.ledger.show(found.reservation).state == "posted"
    assert _parts(store)[1:] == (0, 0)
