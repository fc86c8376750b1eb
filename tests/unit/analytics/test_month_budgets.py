"""Limits of every period in a month's report: the fullest period, how often the line was reached, and a past that does not change."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from fakes.history import SimulatedClock
from fakes.ledger_requests import actual, admitted, charge, request, usd

from budget_gate.analytics.month_budgets import PeriodUse
from budget_gate.analytics.month_periods import label_beginnings, labels_wanted, month_window, periods_of
from budget_gate.core.attribution import Attribution
from budget_gate.core.charges import charges_for
from budget_gate.core.periods import CALENDAR_PERIODS, Per, window_at
from budget_gate.core.policy import Budget, Limit, Policy, Tiers, Workflow
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.runs.report import month_report
from budget_gate.runs.status import budget_states

DOLLAR = 10**9
ZONE = "America/New_York"
NOON = datetime(2026, 10, 5, 16, tzinfo=UTC)
WORKFLOW = Workflow("w", "code_review", "small")
OTHERS: tuple[Per, ...] = ("year", "quarter", "week", "day", "hour")


def _policy(*pers: Per, scope: Scope = ORG, usd: int = 10) -> Policy:
    limits = tuple(Limit("usd", usd * DOLLAR, per) for per in pers)
    budgets = (Budget(scope, limits, Tiers(8_000, 10_000, 15_000), mode="advise", owner="lead@acme.test"),)
    return Policy("acme", ZONE, {"small": "claude-haiku-4-5"}, budgets, {"w": WORKFLOW})


class World:
    """A ledger of one policy, on whose account dollars are spent."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.clock = SimulatedClock(NOON)
        self.ledger = MemoryLedger(clock=self.clock)

    def spend(self, at: datetime, dollars: int, user: str = "alice") -> None:
        """Spend dollars at an instant."""
        self.clock.now = at
        charges = charges_for(self.policy, Attribution("w", user=user), "small", WORKFLOW)
        key = f"{at.isoformat()}{user}"
        taken = admitted(self.ledger.reserve(request(key, usd(dollars * DOLLAR), *charges, zone=ZONE)))
        self.ledger.settle(key, taken.reservation, actual(usd(dollars * DOLLAR)))

    def uses(self, month: str = "2026-10") -> list[tuple[str, str, int, int, int]]:
        """Return what a report has: period and label, dollars used, periods reached, periods there were."""
        return [_told(each) for each in month_report(self.policy, self.ledger, month).other_budgets]


def _told(use: PeriodUse) -> tuple[str, str, int, int, int]:
    return use.fullest.per, use.window.label, use.fullest.used // DOLLAR, use.stopped, use.periods


def test_every_period_has_its_fullest_and_its_hits() -> None:
    """Year, quarter, week, day and hour are told, the longest first, with the days and hours on which the stop line was reached."""
    world = World(_policy(*OTHERS))
    for days, dollars in ((0, 15), (1, 16), (8, 2)):
        world.spend(NOON + timedelta(days=days), dollars)
    world.clock.now = datetime(2026, 12, 1, tzinfo=UTC)
    assert world.uses() == [
        ("year", "2026", 33, 1, 1),
        ("quarter", "2026-Q4", 33, 1, 1),
        ("week", "2026-W41", 31, 1, 5),
        ("day", "2026-10-06", 16, 2, 31),
        ("hour", "2026-10-06T1600Z", 16, 2, 744),
    ]


@pytest.mark.parametrize("per", ["week", "quarter", "year"])
def test_a_month_that_is_over_keeps_its_figures(per: Per) -> None:
    """What a week, a quarter or a year counts after the month's end is no part of the month's report, then or later."""
    world = World(_policy(per))
    world.spend(datetime(2026, 11, 1, 3, 59, tzinfo=UTC), 3)  # the last minute of October in New York
    first = world.uses()
    world.spend(datetime(2026, 11, 1, 4, 0, tzinfo=UTC), 40)
    world.spend(datetime(2026, 12, 30, 12, tzinfo=UTC), 50)
    again = world.uses()
    assert [use[:4] for use in again] == [use[:4] for use in first]
    assert again[0][2] == 3
    assert world.uses("2026-11")[0][2] == 43


@pytest.mark.parametrize("day", [5, 17, 31])
def test_a_running_month_says_what_status_says(day: int) -> None:
    """The running period of each limit has the same numbers in the report as in ``status``."""
    world = World(_policy("week", "quarter", "year"))
    for back in (200, 100, 40, 10, 2, 0):
        world.spend(datetime(2026, 10, day, 16, tzinfo=UTC) - timedelta(days=back), 1 + back)
    now = {state.per: state.used for state in budget_states(world.policy, world.ledger, {})}
    report = month_report(world.policy, world.ledger, "2026-10")
    for use in report.other_budgets:
        if use.window == window_at(use.window.per, ZONE, world.clock.now):
            assert use.fullest.used == now[use.fullest.per]
        else:
            assert (use.fullest.per, use.fullest.used >= now["week"]) == ("week", True)


def test_a_limit_of_later_on_was_not_counted_before() -> None:
    """A quarter's limit that came in November holds nothing of October, and never less than nothing."""
    world = World(_policy())
    world.spend(NOON, 20)
    world.policy = _policy("quarter")
    world.spend(NOON + timedelta(days=40), 5)
    assert [use[2] for use in world.uses("2026-10") + world.uses("2026-11")] == [0, 5]


def test_a_budget_for_every_user_names_those_who_used_it() -> None:
    """``user/*`` has a line for each user who was counted in the month, the fullest first; a named scope has one in any case."""
    world = World(_policy("day", scope=Scope("user", "*")))
    world.spend(NOON, 2, "bob")
    world.spend(NOON, 4, "alice")
    world.spend(NOON + timedelta(days=40), 4, "eve")
    report = month_report(world.policy, world.ledger, "2026-10")
    assert [use.fullest.scope.name for use in report.other_budgets] == ["alice", "bob"]
    named = World(_policy("day", scope=Scope("user", "zoe")))
    assert named.uses("2026-09") == [("day", "2026-09-01", 0, 0, 30)]


@pytest.mark.parametrize("month", ["2026-02", "2026-03", "2026-11", "2026-12", "2024-02"])
@pytest.mark.parametrize("zone", ["UTC", ZONE, "Asia/Kathmandu", "Australia/Lord_Howe"])
def test_the_labels_asked_for_hold_every_period(month: str, zone: str) -> None:
    """Each instant of the month lies in exactly one period of each kind, and that period's counter is asked for."""
    window = month_window(month, zone)
    labels = labels_wanted(frozenset(CALENDAR_PERIODS), zone, window)
    beginnings = label_beginnings(labels, window)
    for per in CALENDAR_PERIODS:
        periods = periods_of(per, zone, window)
        assert all(before.ends_at == after.starts_at for before, after in pairwise(periods))
        assert periods[0].starts_at <= window.starts_at < window.ends_at <= periods[-1].ends_at
        assert _are_asked_for([period.label for period in periods], labels, beginnings)
        instant = window.starts_at
        while instant < window.ends_at:
            assert window_at(per, zone, instant) in periods
            instant += timedelta(hours=31)


def _are_asked_for(wanted: Sequence[str], labels: frozenset[str], beginnings: tuple[str, ...]) -> bool:
    return set(wanted) <= labels and all(label.startswith(beginnings) for label in wanted)


def test_a_call_under_no_limit_is_in_no_other_budget() -> None:
    """A ledger with calls of another scope alone leaves the limit at nothing."""
    world = World(_policy("week", scope=Scope("team", "payments")))
    admitted(world.ledger.reserve(request("k", usd(DOLLAR), charge(ORG, "week"))))
    assert world.uses() == [("week", "2026-W40", 0, 0, 2)]
