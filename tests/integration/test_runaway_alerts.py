"""A runaway loop from its first call to the day's end: one page for one cause, in the words of whoever can stop it, and resolved."""

from datetime import timedelta
from decimal import Decimal

import pytest
from contract.delivering import channels, courier
from fakes.alert_services import AlertServices, Behaviour
from fakes.runaway import LOOP_DAY, Runaway

from budget_gate.core.policy import AlertRoute, AnomalyRule, Budget, Limit, Policy, Workflow
from budget_gate.core.scopes import ORG, Scope
from budget_gate.runs.anomalies import judge_day
from budget_gate.runs.notices import find_notices

DOLLAR = 10**9
POLICY = Policy(
    "acme",
    "UTC",
    {"small": "claude-haiku-4-5"},
    (
        Budget(ORG, (Limit("usd", 9_000 * DOLLAR, "month"),), owner="vp@acme.test"),
        Budget(Scope("team", "payments"), (Limit("usd", 9_000 * DOLLAR, "month"),), owner="payments-lead@acme.test"),
    ),
    {"ci_cd_review": Workflow("ci_cd_review", "code_review", "small")},
    alerts=(AlertRoute(("anomaly",), ("pagerduty",)),),
    anomaly=AnomalyRule(Decimal(3), 7, "10:00", DOLLAR),
)
HOUR = timedelta(hours=1)
BOT = {"team": "payments", "user": "release-bot", "workflow": "ci_cd_review", "pr": "99"}


def _deliver(lives: Runaway, services: AlertServices, hours: range) -> None:
    """Let cron look at each full hour of the day of the loop (24 is midnight)."""
    for hour in hours:
        lives.advance(LOOP_DAY + hour * HOUR)
        sender = courier(lives.ledger, channels(services), f"cron{hour}", policy=POLICY)
        sender.deliver(60.0)
        sender.resolve_over()
        sender.send_each_once(find_notices(POLICY, lives.ledger, sender.notice_kinds()), 60.0)


def _pages(services: AlertServices) -> list[str]:
    return [event["payload"]["summary"].partition(":")[0] for event in services.pagerduty if event["event_action"] == "trigger"]


@pytest.mark.parametrize("seed", range(3))
def test_a_loop_pages_once_and_is_resolved(seed: int) -> None:
    """Several scopes stand out for one loop: PagerDuty is triggered once, under the bot and with the others' shares, and resolved."""
    lives = Runaway(seed)
    lives.loop(LOOP_DAY + 8 * HOUR, LOOP_DAY + 20 * HOUR, 300, **BOT)
    with AlertServices() as services:
        _deliver(lives, services, range(9, 24))
        assert len(judge_day(POLICY, lives.ledger).anomalies) >= 3
        assert len(services.open_incidents) == 1
        _deliver(lives, services, range(24, 27))
        assert services.open_incidents == set()
    assert _pages(services) == ["user/release-bot"]
    assert [event["event_action"] for event in services.pagerduty] == ["trigger", "resolve"]
    details = services.pagerduty[0]["payload"]["custom_details"]
    assert "team/payments: " in details["Also unusual"]
    assert "workflow/ci_cd_review: " in details["Also unusual"]
    assert details["Owner"] == "payments-lead@acme.test"


@pytest.mark.parametrize("seed", range(3))
def test_two_loops_are_two_pages(seed: int) -> None:
    """A second loop in another team, through the same workflow and hours later, is not taken for the first."""
    lives = Runaway(seed)
    lives.loop(LOOP_DAY + 8 * HOUR, LOOP_DAY + 14 * HOUR, 300, **BOT)
    lives.loop(LOOP_DAY + 13 * HOUR, LOOP_DAY + 22 * HOUR, 300, team="search", user="dan", workflow="ci_cd_review")
    with AlertServices() as services:
        _deliver(lives, services, range(9, 27))
        assert services.open_incidents == set()
    assert sorted(_pages(services)) == ["user/dan", "user/release-bot"]


def test_a_loop_that_grows_into_its_team_is_told_once() -> None:
    """A bot without a history of its own is no anomaly, so its team is told first; nothing that trips later pages for the same loop."""
    lives = Runaway(3)
    lives.loop(LOOP_DAY + 8 * HOUR, LOOP_DAY + 20 * HOUR, 200, **{**BOT, "user": "new-bot"})
    with AlertServices() as services:
        _deliver(lives, services, range(9, 27))
    assert _pages(services) == ["team/payments"]


def test_a_page_that_could_not_be_resolved_is_tried_again() -> None:
    """PagerDuty being away at midnight leaves the incident for the next hour."""
    lives = Runaway(1)
    lives.loop(LOOP_DAY + 8 * HOUR, LOOP_DAY + 20 * HOUR, 300, **BOT)
    with AlertServices() as services:
        _deliver(lives, services, range(9, 24))
        services.queue("pagerduty", Behaviour("status", 503))
        _deliver(lives, services, range(24, 25))
        assert len(services.open_incidents) == 1
        _deliver(lives, services, range(25, 26))
        assert services.open_incidents == set()
