"""Forecasts and anomalies as alerts: found in the ledger, told once, to whom the policy routes them."""

import multiprocessing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from contract.delivering import channels, courier
from fakes.alert_services import AlertServices, Behaviour
from fakes.command_line import run
from fakes.history import SimulatedClock, spend

from budget_gate import bootstrap
from budget_gate.core.policy import AlertRoute, AnomalyRule, Budget, Limit, Policy, Workflow
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.notify.slack import SlackNotifier
from budget_gate.runs.deliver import LEASE_SECONDS, NOTICE_KINDS
from budget_gate.runs.notices import find_notices

DOLLAR = 10**9
FIRST = datetime(2026, 10, 1, 12, tzinfo=UTC)
EVENING = datetime(2026, 10, 20, 18, tzinfo=UTC)
SPAWN = multiprocessing.get_context("spawn")
POLICY = Policy(
    "acme",
    "UTC",
    {"small": "claude-haiku-4-5"},
    (
        Budget(ORG, (Limit("usd", 130 * DOLLAR, "month"),), owner="vp@acme.test"),
        Budget(Scope("team", "payments"), (Limit("usd", 9_000 * DOLLAR, "month"),)),
        Budget(Scope("team", "search"), (Limit("usd", 10 * DOLLAR, "month"),), mode="observe"),
        Budget(Scope("team", "late"), (Limit("usd", DOLLAR, "month"),)),
        Budget(Scope("user", "alice"), (Limit("usd", 40 * DOLLAR, "month"),), mode="advise"),
    ),
    {"ci_cd_review": Workflow("ci_cd_review", "code_review", "small")},
    alerts=(AlertRoute(("forecast", "anomaly"), ("slack",)),),
    anomaly=AnomalyRule(Decimal(3), 7, "16:00", DOLLAR),
)
TEXT = """
version: 1
organization: acme
models: {small: claude-haiku-4-5}
budgets: [{scope: org, limits: [{usd: 130, per: month}]}]
alerts: [{when: [forecast, anomaly], to: [slack]}]
anomaly: {ratio: 3, window_days: 7, check_after: "16:00", min_usd: 1}
"""


def _live(ledger: Ledger, clock: SimulatedClock, today: int = 3) -> None:
    """Live nineteen days at some five dollars and a twentieth on which payments spends ``today`` dollars."""
    for day in range(19):
        clock.now = FIRST + timedelta(days=day)
        spend(ledger, f"p{day}", 3 * DOLLAR, team="payments", user="bob", pr="7")
        spend(ledger, f"s{day}", (1 + day % 2) * DOLLAR, team="search", user="alice")
    clock.now = EVENING
    spend(ledger, "late", DOLLAR, team="late")
    spend(ledger, "today", today * DOLLAR, team="payments", user="bob", pr="8")


def lived(today: int = 3) -> tuple[MemoryLedger, SimulatedClock]:
    """Return a ledger that has lived so, at the evening of the twentieth day, and its clock."""
    clock = SimulatedClock(FIRST)
    ledger = MemoryLedger(clock=clock)
    _live(ledger, clock, today)
    return ledger, clock


def _pass(ledger: Ledger, services: AlertServices, name: str, policy: Policy = POLICY) -> int:
    """Look and tell, as one runner does."""
    sender = courier(ledger, channels(services, "slack"), name, policy=policy)
    return sender.send_each_once(find_notices(policy, ledger, sender.notice_kinds()), 60.0)


def _titles(services: AlertServices) -> list[str]:
    return [body["blocks"][0]["text"]["text"].partition(" ")[2] for body in services.slack]


def test_budgets_that_head_past_their_stop_line_are_told() -> None:
    """Enforced and advised budgets are; one that holds, one that is only observed, and one that has stopped already are not."""
    ledger, _ = lived()
    messages = list(find_notices(POLICY, ledger, ["forecast"]))
    assert [message.title.partition(":")[0] for message in messages] == ["org per month", "user/alice per month"]
    assert messages[0].owner == "vp@acme.test"
    assert "2026-10" in messages[0].lines[0]


def test_too_little_data_is_no_forecast() -> None:
    """A budget that a straight line would take past its stop line is not told of while nothing is known of its rhythm."""
    clock = SimulatedClock(FIRST)
    ledger = MemoryLedger(clock=clock)
    spend(ledger, "a", 100 * DOLLAR)
    assert list(find_notices(POLICY, ledger, ["forecast"])) == []


def test_an_unusual_day_is_told_with_its_cause() -> None:
    """One cause is one message under its most specific scope, naming what the excess consists of and who answers for it."""
    ledger, clock = lived(today=30)
    messages = list(find_notices(POLICY, ledger, ["anomaly"]))
    (found,) = messages
    fields = dict(found.fields)
    assert fields["Causes"].startswith("pull request acme/shop#8: $30.00 more (100 %)")
    assert (fields["Scope"], fields["Spent"], fields["Mean before"]) == ("user/bob", "$30.00", "$3.00")
    assert found.owner == "vp@acme.test"
    clock.now = EVENING.replace(hour=15)
    assert list(find_notices(POLICY, ledger, ["anomaly"])) == []


def test_each_is_told_once_however_often_and_by_whomever() -> None:
    """Looks of many runners tell each once a day and period; another day's anomaly and another month's forecast are news."""
    ledger, clock = lived(today=30)
    with AlertServices() as services:
        told = [_pass(ledger, services, f"run{number}") for number in range(4)]
        first = _titles(services)
        clock.now += timedelta(days=1)
        spend(ledger, "again", 60 * DOLLAR, team="payments", user="bob", pr="8")
        next_day = _pass(ledger, services, "tomorrow")
        again = _titles(services)[len(first) :]
    assert told == [len(first), 0, 0, 0]
    assert len(set(first)) == len(first)
    assert any(title.startswith("org per month: heading") for title in first)
    assert next_day == len(again) > 0
    assert all("2026-10-21" in title for title in again)


def test_only_what_is_routed_to_a_channel_is_looked_for() -> None:
    """Without a route, or with one to a channel that has no address, nothing is told and nothing is written."""
    ledger, _ = lived(today=30)
    head = ledger.head()
    with AlertServices() as services:
        assert _pass(ledger, services, "a", POLICY._replace(alerts=(AlertRoute(("warn",), ("slack",)),))) == 0
        assert _pass(ledger, services, "b", POLICY._replace(alerts=(AlertRoute(NOTICE_KINDS, ("pagerduty",)),))) == 0
        assert _pass(ledger, services, "c", POLICY._replace(alerts=(AlertRoute(("forecast",), ("slack",)),))) == 2
    assert services.refused == []
    assert ledger.head() > head


def test_a_dead_channel_is_tried_once_a_pass() -> None:
    """The first refusal ends the pass for the channel; the next pass tells everything, once."""
    ledger, _ = lived(today=30)
    with AlertServices() as services:
        services.queue("slack", Behaviour("status", 503))
        assert _pass(ledger, services, "first") == 0
        assert _pass(ledger, services, "second") == len(services.slack) > 2
        assert _pass(ledger, services, "third") == 0
    assert len(set(_titles(services))) == len(services.slack)


class _Dies:
    """A channel whose process is gone before it has sent."""

    def deliver(self, message: object) -> None:
        """Die."""
        raise KeyboardInterrupt


def test_what_a_dead_process_took_comes_back() -> None:
    """A runner that died before it sent holds the others off for the length of a lease, and then the next one tells."""
    ledger, clock = lived()
    with AlertServices() as services:
        with pytest.raises(KeyboardInterrupt):
            courier(ledger, {"slack": _Dies()}, "dies", policy=POLICY).send_each_once(
                find_notices(POLICY, ledger, ["forecast"]), 60.0
            )
        assert _pass(ledger, services, "too early") == 1
        clock.now += timedelta(seconds=LEASE_SECONDS)
        assert _pass(ledger, services, "heir") == 1
        assert _pass(ledger, services, "last") == 0
    assert len(set(_titles(services))) == len(services.slack) == 2


def _look_beside_others(path: Path, slack_url: str, name: str, wait: Callable[[], object]) -> None:
    ledger = SqliteLedger(path, clock=SimulatedClock(EVENING))
    sender = courier(ledger, {"slack": SlackNotifier(slack_url)}, name, policy=POLICY)
    wait()
    sender.send_each_once(find_notices(POLICY, ledger, NOTICE_KINDS), 60.0)
    ledger.close()


def test_runners_at_the_same_moment_tell_each_once(tmp_path: Path) -> None:
    """Three processes looking at one ledger tell each forecast and anomaly once between them."""
    path, clock = tmp_path / "ledger.db", SimulatedClock(FIRST)
    ledger = SqliteLedger(path, clock=clock)
    _live(ledger, clock, today=30)
    expected = sorted(message.title for message in find_notices(POLICY, ledger, NOTICE_KINDS))
    ledger.close()
    with AlertServices() as services:
        barrier = SPAWN.Barrier(3)
        arguments = [(path, services.slack_url, f"runner{number}", barrier.wait) for number in range(3)]
        processes = [SPAWN.Process(target=_look_beside_others, args=each) for each in arguments]
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)
            assert process.exitcode == 0
    assert sorted(_titles(services)) == expected
    assert len(expected) == 3


def test_the_command_looks_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``alerts deliver`` tells forecasts and anomalies, counts them, exits 4 when a channel refused one, and is quiet the next time."""
    ledger, _ = lived(today=30)
    policy = tmp_path / "policy.yml"
    policy.write_text(TEXT)
    monkeypatch.setattr(bootstrap, "open_ledger", lambda *_: ledger)
    for name in ("SMTP_URL", "SMTP_FROM", "PAGERDUTY_ROUTING_KEY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    with AlertServices() as services:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", services.slack_url)
        services.queue("slack", Behaviour("status", 503))
        refused = run("alerts", "deliver", "--policy", str(policy), "--json")
        told = run("alerts", "deliver", "--policy", str(policy), "--json")
        quiet = run("alerts", "deliver", "--policy", str(policy))
    assert (refused.code, refused.document()["noticed"]) == (4, 0)
    assert (told.code, told.document()["noticed"]) == (0, len(services.slack))
    assert any(title.startswith("org per month: heading") for title in _titles(services))
    assert any(title.startswith("user/bob: $30.00 on 2026-10-20") for title in _titles(services))
    assert (quiet.code, "0 forecasts and anomalies told" in quiet.out) == (0, True)
