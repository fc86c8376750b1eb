"""Forecasts and anomalies after a job's result, without cron: told by the first job of an hour, cheap for every other, never a verdict."""

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.alert_services import AlertServices, Behaviour
from fakes.command_line import run
from fakes.history import SimulatedClock, spend
from unit.runs.test_notices import DOLLAR, EVENING, FIRST, TEXT, lived

from budget_gate import bootstrap
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.memory import MemoryLedger

WORKFLOWS = "workflows: {ci_cd_review: {agent: code_review, model: small}}\n"


class Counted:
    """A ledger that writes down which of its methods are called."""

    def __init__(self, inner: Ledger) -> None:
        self.inner = inner
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self.inner, name)


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runner without a token, whose policy routes forecasts and anomalies to Slack; returns the policy's path."""
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "workflow_dispatch",
        "GITHUB_RUN_ID": "7",
        "GITHUB_RUN_NUMBER": "7",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_SHA": "0" * 40,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("SMTP_URL", "SMTP_FROM", "PAGERDUTY_ROUTING_KEY", "SLACK_WEBHOOK_URL", "GITHUB_TOKEN", "GITHUB_EVENT_PATH"):
        monkeypatch.delenv(name, raising=False)
    policy = tmp_path / "policy.yml"
    policy.write_text(TEXT + WORKFLOWS)
    return policy


def check(policy: Path) -> tuple[int, str, str]:
    """Run ``check``, a job that costs nothing of its own."""
    return run("check", "--workflow", "ci_cd_review", "--policy", str(policy))


def use(monkeypatch: pytest.MonkeyPatch, ledger: object, services: AlertServices) -> None:
    """Make the command open this ledger and this webhook."""
    monkeypatch.setattr(bootstrap, "open_ledger", lambda *_: ledger)
    monkeypatch.setenv("SLACK_WEBHOOK_URL", services.slack_url)
    monkeypatch.setenv("BUDGET_GATE_LEDGER", "memory://")


def test_the_first_job_of_an_hour_tells_and_the_others_look_no_further(runner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One job tells forecast and anomaly; the next two of that hour read one note and no counters; the next hour's job looks again."""
    ledger, clock = lived(today=30)
    counted = Counted(ledger)
    with AlertServices() as services:
        use(monkeypatch, counted, services)
        assert check(runner)[0] == 0
        told = len(services.slack)
        head, counted.calls[:] = ledger.head(), []
        for _ in range(2):
            assert check(runner)[0] == 0
        assert ledger.head() == head
        assert counted.calls.count("notes") == 2
        assert "counters" not in counted.calls
        assert "entries" not in counted.calls
        clock.now += timedelta(hours=1)
        spend(ledger, "more", 60 * DOLLAR, team="search", user="alice")
        assert check(runner)[0] == 0
    titles = [body["text"] for body in services.slack]
    assert any("heading for" in title for title in titles[:told])
    assert any("2026-10-20, usually" in title for title in titles[:told])
    assert any("alice" in title for title in titles[told:])
    assert len(set(titles)) == len(titles)


def test_a_look_that_fails_changes_no_verdict(runner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger whose counters cannot be read, and a channel that refuses, are each a line on stderr and exit 0."""
    ledger, clock = lived(today=30)

    class Broken(Counted):
        def counters(self, labels: Sequence[str] = ()) -> object:
            raise RuntimeError("no counters today")

    with AlertServices() as services:
        use(monkeypatch, Broken(ledger), services)
        code, out, err = check(runner)
        assert (code, "no counters today" in err, out.startswith("pass")) == (0, True, True)
        clock.now += timedelta(hours=1)
        use(monkeypatch, ledger, services)
        services.queue("slack", Behaviour("status", 503))
        code, out, err = check(runner)
    assert (code, "503" in err, out.startswith("pass")) == (0, True, True)
    assert services.slack == []


def test_a_job_looks_only_where_it_is_routed(runner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that routes neither forecast nor anomaly to a channel with an address costs a job nothing, not even the note."""
    ledger, _ = lived(today=30)
    runner.write_text(runner.read_text().replace("to: [slack]", "to: [pagerduty]"))
    head = ledger.head()
    with AlertServices() as services:
        use(monkeypatch, ledger, services)
        assert check(runner)[0] == 0
    assert (ledger.head(), services.seen["slack"]) == (head, 0)


def test_a_look_is_bounded_however_long_the_history(runner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 30 000 entries in the window of an anomaly and thousands of old task counters, the job's end takes under four CPU seconds."""
    clock = SimulatedClock(FIRST)
    ledger = MemoryLedger(clock=clock)
    for day in range(20):
        clock.now = FIRST + timedelta(days=day)
        for call in range(750):
            spend(ledger, f"{day}.{call}", DOLLAR // 100, team=f"team{call % 9}", user=f"user{call % 40}", pr=str(call))
    clock.now = EVENING
    spend(ledger, "wild", 300 * DOLLAR, team="team1", user="user1", pr="8")
    with AlertServices() as services:
        use(monkeypatch, ledger, services)
        started = time.process_time()
        assert check(runner)[0] == 0
        used = time.process_time() - started
        assert services.slack
        started = time.process_time()
        assert check(runner)[0] == 0
        not_due = time.process_time() - started
    print(f"due {used:.2f} s, not due {not_due:.3f} s")  # noqa: T201 (pytest -s)
    assert used < 4.0
    assert not_due < 0.5
