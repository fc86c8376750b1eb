"""The workflows for merged pull requests, the month's report and alerts, as users copy them, run by act from a scratch repository."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from fakes.act import REPOSITORY, ROOT, ActRun, copy_checkout, run_act, scratch_repository
from fakes.alert_services import ROUTING_KEY, AlertServices
from fakes.github_server import GitHubServer
from fakes.github_state import State
from fakes.history import SimulatedClock, record, spend
from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd
from fakes.slack_api import CHANNEL, TOKEN, SlackApi
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
    slack_api: SlackApi
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
            environment={"GITHUB_API_URL": self.github.url, "SLACK_API_URL": self.slack_api.url, **environment},
            secrets={
                "GITHUB_TOKEN": "ghs_writes",
                "BUDGET_GATE_LEDGER": f"sqlite:///{self.folder / 'ledger.db'}",
                "SLACK_WEBHOOK_URL": self.slack.url,
                **(secrets or {}),
            },
            variables={"SLACK_CHANNEL": CHANNEL} if "SLACK_BOT_TOKEN" in (secrets or {}) else {},
        )


def _without_pages(text: str) -> str:
    """Return dashboard.yml as a push starts it, without what only GitHub has: the Pages site, and the actions that publish to it.

    A last step prints what would be uploaded.
    """
    workflow = yaml.safe_load(text)
    workflow["on"] = {"push": None}
    del workflow[True], workflow["jobs"]["deploy"]
    build = workflow["jobs"]["build"]
    build["steps"] = [step for step in build["steps"] if "pages" not in step.get("uses", "pages")]
    build["steps"].append(
        {"run": "echo files: $(ls -A .budget-gate/site); grep -o 'AI budget of acme' .budget-gate/site/index.html"}
    )
    return yaml.safe_dump(workflow)


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
        ".github/workflows/dashboard.yml": _without_pages((ROOT / "workflows/dashboard.yml").read_text()),
    }
    repository, base_sha = scratch_repository(tmp_path / "repository", files)
    state = State(pulls={"7": {"head_sha": HEAD_SHA, "title": "Add a cart", "merged_at": MERGED_AT}})
    with GitHubServer(state) as github, SlackWebhook() as slack, SlackApi() as slack_api:
        yield World(github, slack, slack_api, checkout, repository, base_sha, tmp_path)


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
    assert comment["body"].startswith("<!-- budget-gate:merged -->")
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


def test_a_bot_posts_the_month_once(world: World) -> None:
    """With a bot's token and a channel, running monthly-report.yml twice posts into that channel once, and prints no secret."""
    for _ in range(2):
        run = world.run(
            "workflow_dispatch", {"inputs": {"month": "2026-10"}}, {"SLACK_BOT_TOKEN": TOKEN, "SLACK_WEBHOOK_URL": ""}
        )
        assert run.status == 0, run.output
        assert TOKEN not in run.output
    (message,) = world.slack_api.messages
    assert (message["channel"], world.slack.messages) == (CHANNEL, [])
    assert message["text"].startswith("AI spending of acme in 2026-10: $1.75")


def test_the_dashboard_is_a_folder_to_publish(world: World) -> None:
    """The build job of dashboard.yml leaves a folder with the page in it and nothing else, and names the page."""
    run = world.run("push", {"ref": "refs/heads/main", "after": world.base_sha, "repository": {"full_name": REPOSITORY}})
    assert run.status == 0, run.output
    assert run.outputs()["report-path"] == ".budget-gate/site/index.html"
    assert "| files: index.html\n" in run.output
    assert "| AI budget of acme\n" in run.output


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
    owned = line(100, warn=400, alert=400)
    taken = admitted(ledger.reserve(request("stop", usd(100), charge(TEAM, "month", owned))))
    ledger.settle("stop", taken.reservation, actual(usd(100)))
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
