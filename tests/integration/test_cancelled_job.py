"""A job that is cancelled in the middle of a review, as a runner does it: whatever was open is settled or held by the time it is over.

The step is a real process that runs the action's own script. The runner sends it SIGINT, SIGTERM 7.5 seconds later, and kills what is left
after 2.5 more (docs.github.com, "Workflow cancellation reference"); then the action's last step runs, because it says `if: always()`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from fakes.anthropic_server import AnthropicServer, Behaviour
from fakes.github_ledger import REPOSITORY, GitHubStore
from fakes.github_parties import DIFF, HEAD
from fakes.github_server import Fault
from fakes.ledger_requests import charge, line

from budget_gate.core.scopes import ORG
from budget_gate.ledger.verify import verify

ROOT = Path(__file__).resolve().parents[2]
MONTH = charge(ORG, "month", line(10**12))
RUNNERS_PATIENCE = (7.5, 2.5)
WAIT_SECONDS = 60
REFS = r"/git/refs/heads/budget-gate$"


class Parts(NamedTuple):
    """Nano-dollars on the organization's month."""

    posted: int
    pending: int
    held: int


class Job:
    """One job on a runner: a pull request, a ledger on a branch, a model, and a folder that is gone with the job."""

    def __init__(self, store: GitHubStore, model: AnthropicServer, folder: Path) -> None:
        self.store, self.model, self.folder = store, model, folder
        store.server.state.pulls["7"] = {"head_sha": HEAD, "diff": DIFF, "author": "mona"}
        event = {"action": "opened", "pull_request": {"number": 7, "user": {"login": "mona"}}}
        event["pull_request"]["head"] = {"sha": HEAD, "repo": {"full_name": REPOSITORY}}  # type: ignore[index]
        (folder / "event.json").write_text(json.dumps(event))

    def environment(self) -> dict[str, str]:
        """Return what the action's steps are given."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "BUDGET_GATE_"))}
        return {
            **inherited,
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.store.server.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_TOKEN": "ghs_writes",
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_RUN_ID": "5",
            "GITHUB_RUN_NUMBER": "2",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "RUNNER_TEMP": str(self.folder),
            "ANTHROPIC_API_KEY": self.model.key,
            "ANTHROPIC_BASE_URL": self.model.url,
            "BUDGET_GATE_POLICY": str(ROOT / "examples/acme/budget-gate.yml"),
            "BUDGET_GATE_INPUT_WORKFLOW": "ci_cd_review",
            "BUDGET_GATE_PYTHON": sys.executable,
        }

    def start(self, *, is_deaf: bool = False) -> "subprocess.Popen[bytes]":
        """Start the step as a runner does: bash runs a script that gives way to the action's own. A deaf one ignores both signals."""
        script = self.folder / "step.sh"
        deafness = "trap '' INT TERM\n" if is_deaf else ""
        script.write_text(f"{deafness}exec {ROOT}/action/run.sh\n")
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        with (self.folder / "log").open("wb") as log:
            return subprocess.Popen(
                command, env=self.environment(), cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )

    def finish(self) -> str:
        """Run the action's last step and return what it said."""
        command = ["bash", str(ROOT / "action/finish.sh")]
        done = subprocess.run(
            command, env=self.environment(), cwd=self.folder, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    def parts(self) -> Parts:
        """Return how the organization's month stands."""
        (state,) = self.store.ledger.read([MONTH], "UTC")
        return Parts(state.posted, state.pending, state.held)

    def wait_for(self, is_there: Callable[[], bool], step: "subprocess.Popen[bytes] | None" = None) -> None:
        """Wait until something has happened, while the step, if one is given, goes on."""
        until = time.monotonic() + WAIT_SECONDS
        while not is_there():
            assert step is None or step.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < until, (self.folder / "log").read_text()
            time.sleep(0.01)

    def asked_github(self, verb: str, ending: str, times: int = 1) -> bool:
        """Return whether such a request has arrived so often."""
        return sum(each == verb and path.endswith(ending) for each, path in list(self.store.server.requests)) >= times


def cancel(step: "subprocess.Popen[bytes]", patience: tuple[float, float] = RUNNERS_PATIENCE) -> int:
    """Cancel a step as a runner does, and return how it ended."""
    for number, seconds in zip((signal.SIGINT, signal.SIGTERM), patience, strict=True):
        step.send_signal(number)
        try:
            return step.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    os.killpg(step.pid, signal.SIGKILL)
    return step.wait(WAIT_SECONDS)


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """The job; its servers are stopped at its end."""
    store = GitHubStore()
    with AnthropicServer() as model:
        yield Job(store, model, tmp_path)
    store.close()


def assert_nothing_open(job: Job) -> None:
    """No lease is pending, no journal left, and every dollar accounted for."""
    assert job.parts().pending == 0
    folder = job.folder / "budget-gate-leases"
    assert not folder.exists() or list(folder.iterdir()) == []
    found = verify(job.store.ledger)
    assert found.ok, found


def test_cancelled_while_the_model_answers(job: Job) -> None:
    """The call may have been billed: it is held, the rest of the lease is free, and the step ends of itself at the first signal."""
    job.model.queue(Behaviour("stall", seconds=WAIT_SECONDS))
    step = job.start()
    job.wait_for(job.model.arrived.is_set, step)
    assert job.parts().pending == 500_000_000  # the policy's 0.50 dollars for a task
    assert cancel(step) == 130
    job.finish()
    assert_nothing_open(job)
    posted, _, held = job.parts()
    assert posted == 0
    assert 0 < held < 500_000_000


def test_cancelled_while_the_lease_is_asked_for(job: Job) -> None:
    """Whether GitHub has performed the reservation is not known when the signal comes: the last step finds out."""
    job.store.server.faults.append(Fault("POST", r"/git/refs$", "slow", seconds=2.0))
    step = job.start()
    job.wait_for(lambda: job.asked_github("POST", "/git/refs"), step)
    cancel(step)
    job.wait_for(lambda: bool(job.store.server.state.git.refs))  # what was on its way arrives, though nobody waits for it
    job.finish()
    assert_nothing_open(job)
    assert job.parts() == (0, 0, 0)
    assert job.model.messages == []


def test_cancelled_while_it_settles_and_github_hangs(job: Job) -> None:
    """It cannot end in time, so the second signal ends it; what the call cost was written down, and the last step settles it, once."""
    job.store.server.faults.append(Fault("PATCH", REFS, "slow", seconds=25.0, times=9))
    step = job.start()
    job.wait_for(lambda: job.asked_github("PATCH", "/git/refs/heads/budget-gate"), step)
    started = time.monotonic()
    assert cancel(step) == -signal.SIGTERM
    assert time.monotonic() - started >= RUNNERS_PATIENCE[0]
    job.store.server.faults.clear()
    said = job.finish()
    assert "settled 1 lease that this job left open" in said
    assert_nothing_open(job)
    posted, _, held = job.parts()
    assert posted > 0
    assert held == 0
    job.store.server.requests.clear()
    assert job.finish() == ""
    assert job.store.server.requests == []


def test_a_step_that_hears_no_signal_is_killed(job: Job) -> None:
    """Under a shell that ignores both signals nothing is tidied by the step itself: the last step does it all."""
    job.model.queue(Behaviour("stall", seconds=WAIT_SECONDS))
    step = job.start(is_deaf=True)
    job.wait_for(job.model.arrived.is_set, step)
    assert cancel(step, (0.3, 0.3)) == -signal.SIGKILL
    assert job.parts().pending == 500_000_000
    assert "settled 1 lease that this job left open" in job.finish()
    assert_nothing_open(job)
    assert job.parts().held > 0


def test_cancelled_while_it_posts(job: Job) -> None:
    """The money is settled before anything is posted, or by the last step; either way the cost counts once."""
    job.store.server.faults.append(Fault("POST", r"/check-runs$", "slow", seconds=25.0))
    step = job.start()
    job.wait_for(lambda: job.asked_github("POST", "/check-runs"), step)
    assert cancel(step) in {130, -signal.SIGTERM}
    job.store.server.faults.clear()
    job.finish()
    assert_nothing_open(job)
    posted, _, held = job.parts()
    assert posted > 0
    assert held == 0
