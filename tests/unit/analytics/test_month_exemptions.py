"""Exemptions of a month: those in force are told from what merely speaks of them, and used is what stood above the line."""

from datetime import UTC, datetime, timedelta

import pytest
from fakes.command_line import ROOT
from fakes.history import SimulatedClock, spend

from budget_gate.config.policy_file import load_policy
from budget_gate.config.price_file import load_prices
from budget_gate.core.exemptions import Request
from budget_gate.core.periods import Per
from budget_gate.core.scopes import Scope
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.runs.exempting import FAMILY, approve, deny, read_exemptions, request_exemption, revoke
from budget_gate.runs.report import month_report
from budget_gate.runs.standing_notes import CHECKPOINT_EVERY

POLICY = load_policy(ROOT / "examples/acme/budget-gate.yml", prices=load_prices())
REVIEW = Scope("workflow", "ci_cd_review")
OCTOBER = datetime(2026, 10, 5, 12, tzinfo=UTC)
DOLLAR = 10**9


class World:
    """A ledger in October, and people who ask for exemptions and decide on them."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(OCTOBER)
        self.ledger = MemoryLedger(clock=self.clock)

    def ask(self, name: str, usd: int = 2, scope: Scope = REVIEW, per: Per = "day", days: int = 2) -> None:
        """Ask for an exemption."""
        request_exemption(self.ledger, POLICY, Request(name, scope, per, usd * DOLLAR, days, "maya", "a release"))

    def approve(self, name: str) -> None:
        """Approve it."""
        approve(self.ledger, POLICY, name, "vp-engineering", lambda *_: False)

    def found(self, month: str = "2026-10", user: str = "") -> list[tuple[str, int]]:
        """Return the report's exemptions: name, and dollars used."""
        self.clock.now = max(self.clock.now, OCTOBER + timedelta(days=70))
        report = month_report(POLICY, self.ledger, month, user=user)
        return [(each.exemption.request.name, each.used_nano_usd // DOLLAR) for each in report.exemptions]


@pytest.fixture
def world() -> World:
    """The world."""
    return World()


def test_only_what_was_in_force_counts(world: World) -> None:
    """Requests, denials and checkpoints are no exemptions: of one asked for, one denied and one approved, the approved one is told."""
    for name in ("waits", "denied", "approved"):
        world.ask(name)
    deny(world.ledger, POLICY, "denied", "vp-engineering", lambda *_: False)
    world.approve("approved")
    for at in range(CHECKPOINT_EVERY):
        spend(world.ledger, f"s{at}", DOLLAR // 1000)
    read_exemptions(world.ledger, world.ledger.now())
    assert any(FAMILY.checkpoint in entry.text for entry in world.ledger.entries())
    assert world.found() == [("approved", 0)]


def test_used_is_what_stood_above_the_line(world: World) -> None:
    """Of five dollars on a limit of seven a day, two are used by a day of nine; the worst day counts, and never more than was given."""
    world.ask("ex", usd=5)
    world.approve("ex")
    spend(world.ledger, "a", 9 * DOLLAR)
    assert world.found() == [("ex", 2)]
    world.clock.now = OCTOBER + timedelta(days=1)
    spend(world.ledger, "b", 40 * DOLLAR)
    assert world.found() == [("ex", 5)]


def test_days_outside_the_exemption_use_nothing_of_it(world: World) -> None:
    """What passed the line before the approval, or after the end, took nothing of the exemption."""
    spend(world.ledger, "before", 9 * DOLLAR)
    world.clock.now = OCTOBER + timedelta(days=1)
    world.ask("ex")
    world.approve("ex")
    world.clock.now = OCTOBER + timedelta(days=4)
    spend(world.ledger, "after", 9 * DOLLAR)
    assert world.found() == [("ex", 0)]


def test_a_revoked_one_ends_there(world: World) -> None:
    """Revoked in October it is none of November's; approved and revoked at once it was never in force."""
    world.clock.now = OCTOBER + timedelta(days=25)
    world.ask("ends", days=7)
    world.approve("ends")
    world.ask("never")
    world.approve("never")
    revoke(world.ledger, POLICY, "never", "maya", lambda *_: False)
    world.clock.now += timedelta(hours=5)
    revoke(world.ledger, POLICY, "ends", "maya", lambda *_: False)
    assert (world.found("2026-10"), world.found("2026-11"), world.found("2026-09")) == ([("ends", 0)], [], [])


def test_one_over_the_turn_of_the_month_is_in_both(world: World) -> None:
    """In force from October into November it is told in both months, each with what that month took."""
    world.clock.now = OCTOBER + timedelta(days=26)
    world.ask("ex", days=3)
    world.approve("ex")
    world.clock.now += timedelta(days=1)
    spend(world.ledger, "november", 8 * DOLLAR)
    assert (world.found("2026-10"), world.found("2026-11")) == ([("ex", 0)], [("ex", 1)])


def test_several_are_used_up_in_their_order(world: World) -> None:
    """Two of two dollars each on one limit, three dollars above the line: the first is used up, the second half."""
    for name in ("first", "second"):
        world.ask(name)
        world.approve(name)
        world.clock.now += timedelta(minutes=1)
    spend(world.ledger, "a", 10 * DOLLAR)
    assert world.found() == [("first", 2), ("second", 1)]


def test_a_months_limit_is_measured_as_the_month_ended(world: World) -> None:
    """A limit per month (525 dollars stop it) counts the month's own; the next month's take nothing."""
    world.ask("ex", usd=50, scope=Scope("team", "payments"), per="month", days=7)
    world.approve("ex")
    spend(world.ledger, "a", 535 * DOLLAR, team="payments")
    world.clock.now = OCTOBER + timedelta(days=31)
    spend(world.ledger, "b", 600 * DOLLAR, team="payments")
    assert world.found() == [("ex", 10)]


def test_a_users_report_has_that_users_exemptions(world: World) -> None:
    """An engineer sees the exemptions made for them and no other's."""
    for name, user in (("mine", "alice"), ("theirs", "bob")):
        world.ask(name, scope=Scope("user", user))
        world.approve(name)
    assert world.found(user="alice") == [("mine", 0)]


def test_notes_that_only_look_like_exemptions_are_passed_over(world: World) -> None:
    """Kinds that merely begin with the word, and details that are none, neither count nor break the report."""
    world.ledger.record("a", "exemption", {}, {"name": "a", "state": "approved"})
    world.ledger.record(
        "b", "exemption_approved", {}, {"name": "b", "approver": "eve", "approved_at": "x", "expires_at": "9" * 40}
    )
    world.ledger.record("c", "exempted", {}, {})
    assert world.found() == []
