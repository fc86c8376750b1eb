"""The workflows for merged pull requests, the month's report and alerts, as users copy them, run by act from a scratch repository."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fakes.act import REPOSITORY, ROOT, ActRun, copy_checkout, run_act, scratch_repository
from fakes.alert_services import ROUTING_KEY, AlertServices
from fakes.github_server import GitHubServer
from fakes.github_state import State
from fakes.history import SimulatedClock, record, spend
from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd
from fakes.slack_webhook import SlackWebhook

from budget_gate.ledger.sqlite import SqliteLedger

HEAD_SHA = "d" * 40
MERGED_AT = "2026-10-20T12:00:00Z"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean copy of this checkout, as the runner would download it."""
    return copy_checkout(tmp_path_factory.mktemp("action"))


class World(NamedTuple):
    """A repository whose pull request 7 was merged, a ledger that knows its cost, and the two services."""

    github: GitHubServer
    slack: SlackWebhook
    checkout: Path
    repository: Path
    base_sha: str
    folder: Path

    def run(self, event_name: str, event: dict[str, Any], secrets: dict[str, str] | None = None, **environment: str) -> ActRun:
        """Run the repository's workflows for an event, with further secrets and variables of the runner."""
        return run_act(
            repository=self.repository,
            action=self.checkout,
            event_name=event_name,
            event=event,
            home=self.folder / "home",
            environment={"GITHUB_API_URL": self.github.url, **environment},
            secrets={
                "GITHUB_TOKEN": "ghs_writes",
                "BUDGET_GATE_LEDGER": f"sqlite:///{self.folder / 'ledger.db'}",
                "SLACK_WEBHOOK_URL": self.slack.url,
                **(secrets or {}),
            },
        )


@pytest.fixture
def world(checkout: Path, tmp_path: Path) -> Iterator[World]:
    """The world."""
    ledger = SqliteLedger(tmp_path / "ledger.db", clock=SimulatedClock(datetime(2026, 10, 20, tzinfo=UTC)))
    spend(ledger, "a", 1_500_000_000, pr="7", team="payments")
    spend(ledger, "b", 250_000_000, pr="7", team="payments", workflow="qa_test_gen", end="hold")
    ledger.close()
    files = {
        ".github/budget-gate.yml": (ROOT / "examples/acme/budget-gate.yml").read_text(),
        ".github/workflows/merged.yml": (ROOT / "workflows/merged.yml").read_text(),
        ".github/workflows/report.yml": (ROOT / "workflows/monthly-report.yml").read_text(),
    }
    repository, base_sha = scratch_repository(tmp_path / "repository", files)
    state = State(pulls={"7": {"head_sha": HEAD_SHA, "title": "Add a cart", "merged_at": MERGED_AT}})
    with GitHubServer(state) as github, SlackWebhook() as slack:
        yield World(github, slack, checkout, repository, base_sha, tmp_path)


def _closed_event(world: World) -> dict[str, Any]:
    repository = {"full_name": REPOSITORY, "name": "shop", "owner": {"login": "acme"}, "default_branch": "main"}
    pull = {
        "number": 7,
        "title": "Add a cart",
        "merged": True,
        "draft": False,
        "user": {"login": "alice", "type": "User"},
        "labels": [],
        "head": {"sha": HEAD_SHA, "ref": "topic", "repo": {"full_name": REPOSITORY}},
        "base": {"sha": world.base_sha, "ref": "main", "repo": {"full_name": REPOSITORY}},
    }
    return {"action": "closed", "number": 7, "pull_request": pull, "repository": repository, "sender": {"login": "alice"}}


def test_a_merged_pull_request_gets_its_cost_once(world: World) -> None:
    """Running merged.yml twice leaves one comment with the whole cost, and one outcome in the ledger."""
    for _ in range(2):
        run = world.run("pull_request", _closed_event(world))
        assert run.status == 0, run.output
        assert run.outputs()["cost-usd"] == "1.75"
    (comment,) = world.github.state.comments
    assert comment["body"].startswith("<!-- budget-gate-merged -->")
    assert "cost $1.75" in comment["body"]
    ledger = SqliteLedger(world.folder / "ledger.db")
    kinds = [entry.parsed().kind for entry in ledger.entries()]
    ledger.close()
    assert kinds.count("outcome") == 1


def test_the_month_is_reported_and_posted_once(world: World) -> None:
    """Running monthly-report.yml twice posts one message, writes the page it names, and prints no secret."""
    ledger = SqliteLedger(world.folder / "ledger.db")
    record(ledger, "7", "merged", datetime(2026, 10, 20, 12, tzinfo=UTC))
    ledger.close()
    for _ in range(2):
        run = world.run("workflow_dispatch", {"inputs": {"month": "2026-10"}})
        assert run.status == 0, run.output
        assert run.outputs()["report-path"] == ".budget-gate/report-2026-10.html"
        assert "hooksecret" not in run.output
    (message,) = world.slack.messages
    assert message["text"].startswith("AI spending of acme in 2026-10: $1.75")


@pytest.fixture
def scheduled(world: World) -> World:
    """The world, where the only workflow is that of the alerts."""
    folder = world.repository / ".github/workflows"
    for path in folder.iterdir():
        path.unlink()
    (folder / "alerts.yml").write_text((ROOT / "workflows/alerts.yml").read_text())
    return world


def test_scheduled_alerts_reach_every_channel_once(scheduled: World) -> None:
    """Running alerts.yml by schedule twice sends a stop to Slack and PagerDuty once, says so in its output, and prints no secret."""
    ledger = SqliteLedger(scheduled.folder / "ledger.db")
    limit, stop = 350 * 10**9, 525 * 10**9  # the team's own in Acme's policy; a lower one would be resolved as raised
    owned = line(limit, warn=400, alert=400, stop=150)
    taken = admitted(ledger.reserve(request("stop", usd(stop), charge(TEAM, "month", owned))))
    ledger.settle("stop", taken.reservation, actual(usd(stop)))
    ledger.close()
    with AlertServices() as services:
        secrets = {"SLACK_WEBHOOK_URL": services.slack_url, "PAGERDUTY_ROUTING_KEY": ROUTING_KEY}
        runs = [scheduled.run("schedule", {}, secrets, PAGERDUTY_EVENTS_URL=services.events_url) for _ in range(2)]
    assert [run.status for run in runs] == [0, 0], runs[0].output
    assert runs[0].outputs()["reason"].startswith("1 delivered, 0 left for later")
    assert runs[1].outputs()["reason"].startswith("0 delivered, 0 left for later")
    assert (len(services.slack), len(services.pagerduty)) == (1, 1)
    assert not any(ROUTING_KEY in run.output or "secretwebhookpart" in run.output for run in runs)


def test_scheduled_alerts_without_a_channel_fail_in_one_line(scheduled: World) -> None:
    """A schedule that can tell nobody is red and names the variables to set, rather than green and silent."""
    run = scheduled.run("schedule", {}, {"SLACK_WEBHOOK_URL": ""})
    assert run.status != 0
    assert "no channel is configured; set SLACK_WEBHOOK_URL" in run.output
    assert "Traceback" not in run.output
