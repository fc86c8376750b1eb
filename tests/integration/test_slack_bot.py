"""``report --slack-channel``: a bot posts the month once, long lists as its thread, and says in one line why it could not."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from fakes.command_line import ACME, ROOT, Ended, run
from fakes.history import SimulatedClock, spend
from fakes.months import full_month
from fakes.slack_api import CHANNEL, TOKEN, Played, SlackApi, refusal

from budget_gate.config.settings import read_settings
from budget_gate.core.amounts import Amount
from budget_gate.core.errors import UsageError
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.notify.slack_bot import WAITS_MOST, SlackBotChannel
from budget_gate.reports.monthly_slack import BLOCKS_MAX, REPLIES_MAX, ROWS_SHOWN, render_month_slack, render_month_thread
from budget_gate.runs.report_posting import CLAIM_PATIENCE, post_once

MONTH = "2026-10"
FULL = full_month()


class World(NamedTuple):
    """A ledger with an October in it, and Slack."""

    slack: SlackApi
    path: Path

    def run(self, *arguments: str) -> Ended:
        """Run ``budget-gate report`` for October."""
        return run("report", "--policy", ACME, "--ledger", f"sqlite:///{self.path}", "--month", MONTH, *arguments)

    def post(self, *arguments: str) -> Ended:
        """Post it."""
        return self.run("--slack-channel", CHANNEL, *arguments)


@pytest.fixture
def slack() -> Iterator[SlackApi]:
    """Slack alone."""
    with SlackApi() as api:
        yield api


@pytest.fixture
def world(slack: SlackApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world, with a token; fourteen users have spent something, four more than a message lists."""
    ledger = SqliteLedger(tmp_path / "ledger.db", clock=SimulatedClock(datetime(2026, 10, 20, 12, tzinfo=UTC)))
    for at in range(14):
        spend(ledger, f"s{at}", 2_000_000_000, team="payments", user=f"user{at:02d}", pr="7")
    ledger.close()
    for name in ("GITHUB_ACTIONS", "GITHUB_EVENT_PATH", "SLACK_WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_API_URL", slack.url)
    return World(slack, tmp_path / "ledger.db")


def channel(slack: SlackApi, waits: list[float] | None = None) -> SlackBotChannel:
    """Return the channel; how long it waited is noted and not waited for."""
    return SlackBotChannel(TOKEN, CHANNEL, slack.url, sleep=(waits if waits is not None else []).append)


def test_posted_once_with_its_thread(world: World) -> None:
    """Three runs post one message and one thread; what the message had no room for is in the thread; --again posts both again."""
    assert [world.post().code for _ in range(3)] == [0, 0, 0]
    first, *thread = world.slack.messages
    assert "2026-10: $28.00" in first["text"]
    assert "thread_ts" not in first
    assert {each["thread_ts"] for each in thread} == {first["ts"]}
    shown, rest = (str([each["blocks"] for each in messages]) for messages in ([first], thread))
    users = [f"user{at:02d}" for at in range(14)]
    assert [f"{user}: " in shown for user in users] == [True] * ROWS_SHOWN[0] + [False] * 4
    assert [f"{user}: " in rest for user in users] == [False] * ROWS_SHOWN[0] + [True] * 4
    assert "and 4 more in the thread" in shown
    assert f"posted to slack-{CHANNEL} before" in world.post().err
    world.post("--again")
    assert len(world.slack.messages) == 2 * (1 + len(thread))


def started(world: World, *more: str) -> subprocess.Popen[str]:
    """Start a process that posts October."""
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
    return subprocess.Popen(
        [*command, "--slack-channel", CHANNEL, *more], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def over(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a process; return its exit code and what it said."""
    _, said = process.communicate(timeout=120)
    return process.returncode, said


def posted(world: World) -> int:
    """Return how many times the report is in the channel."""
    return len([each for each in world.slack.messages if "thread_ts" not in each])


def test_parallel_and_repeated_processes_post_once(world: World) -> None:
    """Four processes at the same moment, then two more one after the other, post one message, and none of them fails."""
    at_once = [started(world, "--totals") for _ in range(4)]
    assert [over(each)[0] for each in at_once] == [0, 0, 0, 0]
    for _ in range(2):
        code, said = over(started(world))
        assert code == 0
        assert f"was posted to slack-{CHANNEL} before" in said
    assert posted(world) == 1


def test_a_process_that_comes_while_another_posts_leaves_it_to_that_one(world: World) -> None:
    """While one process waits for Slack's answer, a second one says so and ends well; the first then ends well too."""
    world.slack.gate.clear()
    first = started(world)
    while not world.slack.requests and first.poll() is None:
        time.sleep(0.01)
    second, said = over(started(world))
    world.slack.gate.set()
    assert "another run is posting the report" in said
    assert (over(first)[0], second, posted(world)) == (0, 0, 1)


def test_a_process_killed_while_posting_is_named_by_later_ones(world: World) -> None:
    """Killed between sending and Slack's answer, the report may be there: a late run fails and says to look; --again posts it."""
    world.slack.gate.clear()
    killed = started(world)
    while not world.slack.requests and killed.poll() is None:
        time.sleep(0.01)
    killed.kill()
    assert over(killed)[0] < 0
    world.slack.gate.set()
    assert "another run is posting" in world.post().err
    ledger = SqliteLedger(world.path, clock=SimulatedClock(datetime.now(UTC) + CLAIM_PATIENCE + timedelta(minutes=1)))
    late = post_once(ledger, MONTH, channel(world.slack), render_month_thread(FULL), claimant="late")
    ledger.close()
    assert late.state == "unconfirmed"
    assert "look into the channel" in late.text
    while not posted(world):  # Slack had read the killed one's request, and takes it now
        time.sleep(0.01)
    assert world.post("--again").code == 0
    assert posted(world) == 2


def test_a_late_run_posts_a_month_of_long_ago_and_says_so_where_it_is_empty(world: World) -> None:
    """A month is posted whenever somebody asks first; one of which the ledger holds nothing says that, and is posted once too."""
    for _ in range(2):
        ended = run(
            "report", "--policy", ACME, "--ledger", f"sqlite:///{world.path}", "--month", "2026-02", "--slack-channel", CHANNEL
        )
        assert ended.code == 0
    (message,) = world.slack.messages
    assert "The ledger holds nothing of 2026-02" in message["blocks"][1]["text"]["text"]
    assert world.post().code == 0
    assert posted(world) == 2


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("not_in_channel", "/invite"),
        ("invalid_auth", "install the app again"),
        ("missing_scope", "chat:write"),
        ("is_archived", "another one"),
        ("something_new", "look the word up"),
    ],
)
def test_a_refusal_is_one_clear_line(world: World, word: str, advice: str) -> None:
    """What Slack refuses exits 4 with its word and what to do, never with the token; the next run posts."""
    world.slack.played.append(refusal(word))
    ended = world.post()
    assert (ended.code, len(world.slack.messages)) == (4, 0)
    assert word in ended.err
    assert advice in ended.err
    assert TOKEN not in ended.err + ended.out
    assert world.post().code == 0
    assert world.slack.messages


def test_a_wrong_token_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that Slack does not know is refused by Slack; one that is none is not even sent."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-other")
    assert "invalid_auth" in world.post().err
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxp-secretperson")
    ended = world.post()
    assert (ended.code, world.slack.requests) == (2, 1)
    assert "xoxb-" in ended.err
    assert "secretperson" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--slack-channel", "#budget"), "is no channel's ID"),
        (("--slack-channel", CHANNEL, "--user", "alice"), "leave out --user"),
    ],
)
def test_wrong_usage_is_one_line(world: World, arguments: tuple[str, ...], words: str) -> None:
    """What cannot be done exits 2, and nothing was sent."""
    ended = world.run(*arguments)
    assert (ended.code, world.slack.requests) == (2, 0)
    assert words in ended.err


def test_without_a_token_it_says_what_to_set(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """--slack-channel without SLACK_BOT_TOKEN exits 2."""
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    assert "SLACK_BOT_TOKEN" in world.post().err


@pytest.mark.parametrize(
    "url", ["https://evil.test/api", "https://slack.com.evil.test", "https://evil.test/slack.com", "http://slack.com/api"]
)
def test_the_token_goes_to_slack_only(url: str) -> None:
    """Any other host, and plain http, are refused before a request is made."""
    with pytest.raises(UsageError, match="SLACK_API_URL"):
        SlackBotChannel(TOKEN, CHANNEL, url)
    assert TOKEN not in repr(SlackBotChannel(TOKEN, CHANNEL))
    assert "bottoken" not in repr(read_settings({"SLACK_BOT_TOKEN": TOKEN}))


def test_slack_asks_to_wait_and_is_waited_for(slack: SlackApi) -> None:
    """A 429 with Retry-After was no post: after the wait the same message is sent again, and it is there once."""
    waits: list[float] = []
    slack.played += [Played(429, "", (("Retry-After", "7"),))] * 2
    assert channel(slack, waits).post(render_month_thread(FULL)[:1]).state == "posted"
    assert (waits, len(slack.messages)) == ([7.0, 7.0], 1)


@pytest.mark.parametrize(("seconds", "tried"), [("7", WAITS_MOST), ("3000", 1)])
def test_slack_asks_to_wait_too_long(slack: SlackApi, seconds: str, tried: int) -> None:
    """After three waits, and at once where the wait is long, the run gives up and says so; nothing was posted."""
    slack.played += [Played(429, "", (("Retry-After", seconds),))] * 9
    result = channel(slack).post(render_month_thread(FULL))
    assert (result.state, slack.requests, slack.messages) == ("refused", tried, [])
    assert f"wait {seconds} seconds" in result.reason


@pytest.mark.parametrize(
    "played",
    [
        Played(hangs_up=True, posts_all_the_same=True),
        Played(500, "oops", posts_all_the_same=True),
        Played(200, "<html>", posts_all_the_same=True),
        Played(200, "[]", posts_all_the_same=True),
        Played(200, '{"ok": false, "error": "internal_error"}', posts_all_the_same=True),
    ],
)
def test_an_answer_that_does_not_say_is_left_to_people(world: World, played: Played) -> None:
    """Where the message may be there, no run posts it again by itself."""
    world.slack.played.append(played)
    ended = world.post()
    assert ended.code == 4
    assert "--again" in ended.err
    world.post()
    assert len(world.slack.messages) == 1


def test_a_thread_that_broke_off_is_a_posted_report(slack: SlackApi) -> None:
    """If a message of the thread is refused, the report was posted, and the line says what of the thread is missing."""
    people = tuple((f"user{at}", Amount(10**9)) for at in range(2_000))
    messages = render_month_thread(FULL._replace(spenders=people))
    assert len(messages) > 3
    slack.played += [Played(200, '{"ok": true, "ts": "1"}'), refusal("restricted_action")]
    result = channel(slack).post(messages)
    assert (result.state, slack.requests) == ("posted", 2)
    assert result.reason.startswith(f"of its thread 0 of {len(messages) - 1} messages: Slack refused")


@pytest.mark.parametrize("name", ["user", "&" * 60, "<" * 200])
@pytest.mark.parametrize("count", [11, 400, 40_000])
def test_a_long_report_is_a_thread_within_slacks_limits(slack: SlackApi, name: str, count: int) -> None:
    """However many rows there are, every message is one that Slack takes, none ends in a heading, and the thread has an end."""
    report = FULL._replace(spenders=tuple((f"{at}-{name}", Amount(10**9)) for at in range(count)))
    messages = render_month_thread(report)
    assert channel(slack).post(messages).state == "posted"
    assert len(slack.messages) == len(messages) <= REPLIES_MAX + 1
    assert all(len(each["blocks"]) <= BLOCKS_MAX and each["blocks"][-1]["type"] == "section" for each in messages)
    posted = str([each["blocks"] for each in messages])
    assert f"{count - 1}-" in posted or "There is more" in posted


@pytest.mark.parametrize("name", ["payments", "&" * 60])
def test_no_row_is_lost_between_message_and_thread(name: str) -> None:
    """Where long names leave room for fewer rows, the others are in the thread: each user and team is told once, under a heading."""
    people = tuple((f"u{at:03d}-{name}", Amount(10**9)) for at in range(110))
    teams = tuple(FULL.teams[0]._replace(name=f"t{at:03d}-{name}", mix=()) for at in range(110))
    messages = render_month_thread(FULL._replace(spenders=people, teams=teams))
    assert all(each["blocks"][-1]["type"] == "section" for each in messages)
    told = str([each["blocks"] for each in messages])
    assert [told.count(f"{kind}{at:03d}-") for kind in "ut" for at in range(110)] == [1] * 220


def test_a_short_report_is_one_message() -> None:
    """Without lists that are too long there is no thread, and the message is the webhook's."""
    short = FULL._replace(other_budgets=(), spenders=())
    assert render_month_thread(short) == (render_month_slack(short),)
