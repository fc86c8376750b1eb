"""``budget-gate report``: printed, written, and posted to a Slack webhook once, however many runs try."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fakes.command_line import ACME, ROOT, Ended, run
from fakes.history import SimulatedClock, record, spend
from fakes.slack_webhook import SlackWebhook

from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.notify.report_channel import PostResult
from budget_gate.notify.slack_report import SlackReportChannel
from budget_gate.runs.report_posting import Posting, post_once

MONTH = "2026-10"
IN_OCTOBER = datetime(2026, 10, 20, 12, tzinfo=UTC)


class World(NamedTuple):
    """A ledger with an October in it, and a webhook."""

    slack: SlackWebhook
    path: Path

    def run(self, *arguments: str) -> Ended:
        """Run ``budget-gate report``."""
        return run("report", "--policy", ACME, "--ledger", f"sqlite:///{self.path}", *arguments)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world, with SLACK_WEBHOOK_URL set."""
    path = tmp_path / "ledger.db"
    ledger = SqliteLedger(path, clock=SimulatedClock(IN_OCTOBER))
    spend(ledger, "a", 2_000_000_000, team="payments", user="alice", pr="7")
    spend(ledger, "b", 500_000_000, team="payments", user="bob", pr="7")
    record(ledger, "7", "merged", IN_OCTOBER)
    ledger.close()
    for name in ("GITHUB_ACTIONS", "GITHUB_EVENT_PATH"):
        monkeypatch.delenv(name, raising=False)
    with SlackWebhook() as slack:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", slack.url)
        yield World(slack, path)


def test_the_contracts_document(world: World) -> None:
    """The JSON has the month, exact dollars, teams with cost per merged pull request, and the policy's assumptions."""
    document = world.run("--month", MONTH, "--json").document()
    assert (document["month"], document["total_usd"], document["merged_prs"]) == (MONTH, "2.50", 1)
    team = next(each for each in document["teams"] if each["name"] == "payments")
    assert (team["cost_per_merged_pr_usd"], team["waste_usd"], team["cost_center"]) == ("2.50", "0.00", "ENGG-PAYMENTS")
    assert [each["name"] for each in document["value"]["assumptions"]] == ["Engineering", "QA", "PM"]
    assert next(each for each in document["budgets"] if each["scope"] == "org")["posted"] == "2.50"


def test_an_engineers_own_view(world: World) -> None:
    """With --user, only that user's spending is there."""
    document = world.run("--month", MONTH, "--user", "alice", "--json").document()
    assert (document["user"], document["total_usd"], document["cost_per_merged_pr_usd"]) == ("alice", "2.00", "2.00")


@pytest.mark.parametrize(
    ("form", "begins"), [("markdown", "## AI spending"), ("html", "<!doctype html>"), ("slack", "{"), ("json", "{")]
)
def test_every_form_goes_into_a_file(world: World, tmp_path: Path, form: str, begins: str) -> None:
    """--output writes the form that was asked for, and nothing to stdout."""
    target = tmp_path / "out"
    ended = world.run("--month", MONTH, "--format", form, "--output", str(target))
    assert (ended.code, ended.out) == (0, "")
    assert target.read_text().startswith(begins)


def test_a_month_without_anything_says_so(world: World) -> None:
    """A missing month is told plainly, with exit code 0, and totals alone work too."""
    ended = world.run("--month", "2026-02")
    assert ended.code == 0
    assert "The ledger holds nothing of 2026-02" in ended.out
    assert "Totals only" in world.run("--month", MONTH, "--totals").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--month", "2026-13"), "write one such as 2026-11"),
        (("--month", "9999-01"), "has not begun"),
        (("--again",), "--again is for --slack and"),
        (("--slack", "--user", "alice"), "leave out --user"),
        (("--output", "/nowhere/at/all"), "cannot be written"),
    ],
)
def test_wrong_usage_is_one_line(world: World, arguments: tuple[str, ...], words: str) -> None:
    """What cannot be done exits 2 and says what to do instead."""
    ended = world.run(*arguments)
    assert ended.code == 2
    assert words in ended.err


def test_repeated_runs_post_once(world: World) -> None:
    """Three runs post one message, valid for Slack; --again posts it once more."""
    for _ in range(3):
        assert world.run("--month", MONTH, "--slack").code == 0
    assert len(world.slack.messages) == 1
    assert "2026-10: $2.50" in world.slack.messages[0]["text"]
    assert "posted to slack before" in world.run("--month", MONTH, "--slack").err
    world.run("--month", MONTH, "--slack", "--again")
    assert len(world.slack.messages) == 2
    world.run("--month", "2026-09", "--slack")
    assert len(world.slack.messages) == 3


def test_parallel_runs_post_once(world: World) -> None:
    """Four processes at the same moment post one message, and none of them fails."""
    command = [
        sys.executable,
        "-m",
        "budget_gate",
        "report",
        "--policy",
        ACME,
        "--ledger",
        f"sqlite:///{world.path}",
        "--month",
        MONTH,
    ]
    started = [subprocess.Popen([*command, "--slack", "--totals"], cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [each.wait(timeout=60) for each in started] == [0, 0, 0, 0]
    assert len(world.slack.messages) == 1


def test_a_refusal_by_slack_fails_and_is_tried_again(world: World) -> None:
    """Slack's refusal exits 4 without the address in the line; the next run posts."""
    world.slack.answers.append(404)
    ended = world.run("--month", MONTH, "--slack")
    assert ended.code == 4
    assert "Slack answered 404" in ended.err
    assert "hooksecret" not in ended.err + ended.out
    assert world.run("--month", MONTH, "--slack").code == 0
    assert len(world.slack.messages) == 1


def test_a_webhook_that_cannot_be_reached_was_not_posted_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is certainly no post: the next run is free to try."""
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "http://127.0.0.1:1/services/hooksecret")
    ended = world.run("--month", MONTH, "--slack")
    assert (ended.code, "hooksecret" in ended.err) == (4, False)
    monkeypatch.setenv("SLACK_WEBHOOK_URL", world.slack.url)
    assert world.run("--month", MONTH, "--slack").code == 0
    assert len(world.slack.messages) == 1


def test_a_lost_answer_is_left_to_people(world: World) -> None:
    """If Slack hangs up without an answer nobody knows; the run says so, and no later run posts by itself."""
    world.slack.answers.append("drop")
    ended = world.run("--month", MONTH, "--slack")
    assert ended.code == 4
    assert "--again" in ended.err
    world.run("--month", MONTH, "--slack")
    assert world.slack.messages == []
    assert world.run("--month", MONTH, "--slack", "--again").code == 0
    assert len(world.slack.messages) == 1


def test_without_a_webhook_it_says_what_to_set(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """--slack without SLACK_WEBHOOK_URL exits 2; an address that is none is refused without being shown."""
    monkeypatch.delenv("SLACK_WEBHOOK_URL")
    assert "SLACK_WEBHOOK_URL" in world.run("--month", MONTH, "--slack").err
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "ftp://hooksecret")
    ended = world.run("--month", MONTH, "--slack")
    assert (ended.code, "hooksecret" in ended.err) == (2, False)
    assert "hooksecret" not in repr(SlackReportChannel("https://hooks.slack.test/hooksecret"))


class _Channel:
    """A channel that plays one ending, a crash among them."""

    name = "slack"
    has_threads = False

    def __init__(self, ending: PostResult | None = None) -> None:
        self.ending = ending
        self.posts = 0

    def post(self, messages: Sequence[Mapping[str, Any]]) -> PostResult:
        """Post, or die."""
        self.posts += 1
        if self.ending is None:
            raise KeyboardInterrupt
        return self.ending


def _post(ledger: Ledger, channel: _Channel, claimant: str, *, again: bool = False) -> Posting:
    return post_once(ledger, MONTH, channel, ({"text": "x"},), claimant=claimant, again=again)


def test_a_crash_between_claim_and_post_is_reported() -> None:
    """A run that died while posting holds the others off for ten minutes, then is named; --again ends it."""
    clock = SimulatedClock(datetime(2026, 11, 1, tzinfo=UTC))
    ledger = MemoryLedger(clock=clock)
    with pytest.raises(KeyboardInterrupt):
        _post(ledger, _Channel(), "77.1 (aa)")
    channel = _Channel(PostResult("posted"))
    assert _post(ledger, channel, "b").state == "elsewhere"
    clock.now += timedelta(minutes=11)
    found = _post(ledger, channel, "c")
    assert (found.state, channel.posts) == ("unconfirmed", 0)
    assert "77.1 (aa)" in found.text
    assert _post(ledger, channel, "d", again=True).state == "posted"
    assert (_post(ledger, channel, "e").state, channel.posts) == ("already", 1)


def test_notes_of_other_months_and_channels_do_not_count() -> None:
    """A claim is for one month and one channel, and other notes of the ledger are none."""
    ledger = MemoryLedger()
    ledger.record("x", "outcome", {"month": MONTH, "channel": "slack"}, {"state": '"report"'})
    channel = _Channel(PostResult("posted"))
    assert post_once(ledger, "2026-09", channel, ({},), claimant="a").state == "posted"
    assert _post(ledger, channel, "b").state == "posted"
    assert json.loads(list(ledger.entries())[-1].text)["body"]["details"] == {"state": "posted"}
