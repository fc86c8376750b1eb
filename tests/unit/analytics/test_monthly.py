"""A month's figures: worked examples, and equality with an independent recount of the raw entries on random histories."""

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes.command_line import ROOT
from fakes.history import SimulatedClock, random_history, record, recount, spend
from fakes.ledger_requests import charge, line, request, usd

from budget_gate.analytics.month_periods import month_before, month_window
from budget_gate.analytics.month_report import MonthReport
from budget_gate.analytics.monthly import change_percent, month_that_ended
from budget_gate.config.policy_file import load_policy
from budget_gate.config.price_file import load_prices
from budget_gate.core.audit import AVOIDED
from budget_gate.core.errors import UsageError
from budget_gate.core.scopes import ORG
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.runs.report import month_report

POLICY = load_policy(ROOT / "examples/acme/budget-gate.yml", prices=load_prices())
OCTOBER = datetime(2026, 10, 5, 12, tzinfo=UTC)
DOLLAR = 10**9


def _ledger(at: datetime = OCTOBER) -> tuple[MemoryLedger, SimulatedClock]:
    clock = SimulatedClock(at)
    return MemoryLedger(clock=clock), clock


def _team(report: MonthReport, name: str) -> Any:
    return next(each for each in report.teams if each.name == name)


def test_the_four_numbers_of_a_team() -> None:
    """Cost per merged pull request, spending against output, budget utilization and model mix, with waste beside them."""
    ledger, clock = _ledger(OCTOBER - timedelta(days=30))
    spend(ledger, "s", 2 * DOLLAR, team="payments", pr="1")
    record(ledger, "1", "merged", clock.now)
    clock.now = OCTOBER
    spend(ledger, "a", 3 * DOLLAR, team="payments", pr="7", user="alice")
    spend(ledger, "b", DOLLAR, team="payments", pr="8", tier="medium", workflow="qa_test_gen", user="bob")
    spend(ledger, "c", DOLLAR, team="payments", pr="9", end="hold", user="alice")
    spend(ledger, "d", DOLLAR, user="dan")
    for number, ending in (("7", "merged"), ("8", "merged"), ("9", "closed")):
        record(ledger, number, ending, clock.now)
    clock.now = OCTOBER + timedelta(days=40)
    report = month_report(POLICY, ledger, "2026-10")
    team = _team(report, "payments")
    assert (team.spend.nano_usd, team.spend_before.nano_usd, team.merged, team.merged_before) == (5 * DOLLAR, 2 * DOLLAR, 2, 1)
    assert (team.cost_per_merged_nano_usd, team.waste.nano_usd, team.cost_center) == (2 * DOLLAR, DOLLAR, "ENGG-PAYMENTS")
    assert [(each.workflow, each.model, each.amount.nano_usd) for each in team.mix] == [
        ("ci_cd_review", "claude-haiku-4-5", 4 * DOLLAR),
        ("qa_test_gen", "claude-sonnet-4-6", DOLLAR),
    ]
    budget = next(each for each in report.budgets if each.scope.text == "team/payments" and each.unit == "usd")
    assert (budget.used, budget.held, budget.limit, budget.used_basis_points) == (5 * DOLLAR, DOLLAR, 350 * DOLLAR, 142)
    assert _team(report, "").spend.nano_usd == DOLLAR
    assert [name for name, _ in report.spenders] == ["alice", "bob", "dan"]
    assert _team(report, "marketing").spend.nano_usd == 0


def test_a_pull_request_costs_what_its_whole_life_cost() -> None:
    """Work of September counts for a pull request merged in October, and is spending of September all the same."""
    ledger, clock = _ledger(OCTOBER - timedelta(days=30))
    spend(ledger, "a", 2 * DOLLAR, team="payments", pr="7")
    clock.now = OCTOBER
    spend(ledger, "b", DOLLAR, team="payments", pr="7")
    record(ledger, "7", "merged", clock.now)
    team = _team(month_report(POLICY, ledger, "2026-10"), "payments")
    assert (team.spend.nano_usd, team.cost_per_merged_nano_usd) == (DOLLAR, 3 * DOLLAR)


def test_a_later_revert_leaves_the_month_before_as_it_was() -> None:
    """Merged in October and reverted in November is output of October and waste of November."""
    ledger, clock = _ledger()
    spend(ledger, "a", DOLLAR, team="payments", pr="7")
    record(ledger, "7", "merged", clock.now)
    clock.now = OCTOBER + timedelta(days=30)
    record(ledger, "7", "reverted", clock.now, by="8")
    october, november = (_team(month_report(POLICY, ledger, month), "payments") for month in ("2026-10", "2026-11"))
    assert (october.merged, october.waste.nano_usd) == (1, 0)
    assert (november.merged, november.waste.nano_usd) == (0, DOLLAR)


def test_a_pull_request_of_two_teams_is_one_of_each_and_one_in_all() -> None:
    """Each team counts it with its own share; the organization counts it once, whole."""
    ledger, clock = _ledger()
    spend(ledger, "a", DOLLAR, team="payments", pr="7")
    spend(ledger, "b", 2 * DOLLAR, team="marketing", pr="7")
    record(ledger, "7", "merged", clock.now)
    report = month_report(POLICY, ledger, "2026-10")
    assert [(each.name, each.merged, each.cost_per_merged_nano_usd) for each in report.teams] == [
        ("marketing", 1, 2 * DOLLAR),
        ("payments", 1, DOLLAR),
    ]
    assert (report.whole.merged, report.whole.cost_per_merged_nano_usd) == (1, 3 * DOLLAR)


def test_one_users_view() -> None:
    """A user sees only that user's spending, by team and model, and the pull requests it went to."""
    ledger, clock = _ledger()
    spend(ledger, "a", DOLLAR, team="payments", pr="7", user="alice")
    spend(ledger, "b", 5 * DOLLAR, team="payments", pr="7", user="bob")
    spend(ledger, "c", 5 * DOLLAR, team="payments", pr="8", user="bob")
    for number in ("7", "8"):
        record(ledger, number, "merged", clock.now)
    report = month_report(POLICY, ledger, "2026-10", user="alice")
    assert (report.whole.spend.nano_usd, report.whole.merged, report.whole.cost_per_merged_nano_usd) == (DOLLAR, 1, DOLLAR)
    assert [(each.name, each.spend.nano_usd) for each in report.teams] == [("payments", DOLLAR)]
    assert report.spenders == ()
    assert [(use.fullest.scope.text, use.fullest.used) for use in report.other_budgets] == [("user/alice", DOLLAR)]


def test_daily_limits_show_their_worst_day() -> None:
    """A limit per day is told by its worst day and by how many days it was reached."""
    ledger, clock = _ledger()
    for day, nano_usd in enumerate((7 * DOLLAR, DOLLAR, 9 * DOLLAR)):
        clock.now = OCTOBER + timedelta(days=day)
        spend(ledger, str(day), nano_usd)
    report = month_report(POLICY, ledger, "2026-10")
    use = next(each for each in report.other_budgets if each.fullest.scope.text == "workflow/ci_cd_review")
    assert (use.window.label, use.fullest.used, use.fullest.tier) == ("2026-10-07", 9 * DOLLAR, "stop")
    assert (use.stopped, use.periods) == (2, 7)


def test_refused_calls_are_avoided_dollars_of_their_month() -> None:
    """What budgets refused in the month is counted with the most that it would have cost."""
    ledger, clock = _ledger()
    ledger.reserve(request("a", usd(5000), charge(ORG, "month", line(1000))))
    clock.now = OCTOBER + timedelta(days=30)
    ledger.reserve(request("b", usd(7000), charge(ORG, "month", line(1000))))
    breakdown = month_report(POLICY, ledger, "2026-10").breakdown
    assert breakdown is not None
    assert (breakdown.refusals.calls, breakdown.refusals.asked.nano_usd) == (1, 5000)


def test_what_was_not_paid_again_is_summed() -> None:
    """Dollars and hunks that earlier runs spared are added up for the month, for one user too; a detail that is no count is none."""
    ledger, clock = _ledger()
    texts = [("alice", "250000000", "2"), ("bob", "1000000000", "1"), ("bob", "-5", "x"), ("bob", "9" * 40, "1")]
    for at, (user, nano_usd, hunks) in enumerate(texts):
        ledger.record(f"avoided/{at}", AVOIDED, {"user": user}, {"nano_usd": nano_usd, "hunks": hunks})
    ledger.record("other", "reviewed", {"user": "bob"}, {"nano_usd": "7", "hunks": "7"})
    clock.now = OCTOBER + timedelta(days=30)
    ledger.record("later", AVOIDED, {"user": "bob"}, {"nano_usd": "7", "hunks": "7"})
    found = [month_report(POLICY, ledger, "2026-10", user=user).breakdown for user in ("", "alice")]
    assert [each.not_paid_again for each in found if each] == [(4, 4, 1_250_000_000), (1, 2, 250_000_000)]


def test_a_scope_that_no_policy_can_name_is_reported() -> None:
    """A project without an owner was counted; the report has its dollars."""
    ledger, _ = _ledger()
    spend(ledger, "a", DOLLAR, project="shop", pr="7")
    assert month_report(POLICY, ledger, "2026-10").whole.spend.nano_usd == DOLLAR


def test_totals_alone_read_no_entry() -> None:
    """With totals only, entries are not asked for, and what they would say is unknown rather than zero."""
    ledger, _ = _ledger()
    spend(ledger, "a", DOLLAR, team="payments", pr="7")

    def entries(after: int = 0) -> Any:
        raise AssertionError(f"entries were read after {after}")

    ledger.entries = entries  # type: ignore[method-assign]
    report = month_report(POLICY, ledger, "2026-10", totals_only=True)
    assert (report.whole.spend.nano_usd, report.whole.merged, report.breakdown) == (DOLLAR, None, None)


def test_a_month_that_has_not_begun_is_refused_and_an_empty_one_says_so() -> None:
    """A future month is wrong usage; a month without anything in the ledger is empty."""
    ledger, _ = _ledger()
    with pytest.raises(UsageError, match="2026-11 has not begun; write 2026-09"):
        month_report(POLICY, ledger, "2026-11")
    assert month_report(POLICY, ledger, "2026-08").is_empty
    assert month_report(POLICY, ledger).month == "2026-09"


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "26-10", "2026-10-01", "october", "\uff12026-10", "1969-12"])
def test_what_is_no_month_is_refused(month: str) -> None:
    """Anything but four digits, a hyphen and a month is wrong usage."""
    with pytest.raises(ValueError, match="not a month"):
        month_window(month, "UTC")


def test_the_month_that_ended_follows_the_zone() -> None:
    """At midnight UTC October is over in Berlin, and still running in New York."""
    midnight = datetime(2026, 11, 1, 0, 30, tzinfo=UTC)
    assert month_that_ended(midnight, "Europe/Berlin") == "2026-10"
    assert month_that_ended(midnight, "America/New_York") == "2026-09"
    assert (month_before("2026-01"), change_percent(3, 2), change_percent(1, 0)) == ("2025-12", 50, None)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("month", ["2026-09", "2026-10", "2026-11"])
def test_figures_equal_a_recount_of_the_raw_entries(seed: int, month: str) -> None:
    """On random histories every total, team, user, mix line, merged count, cost and waste equals a recount of the raw entries."""
    ledger = random_history(seed)
    report = month_report(POLICY, ledger, month)
    raws = list(recount(ledger))
    now = [raw for raw in raws if raw.month == month]
    assert report.whole.spend.nano_usd == sum(raw.posted + raw.held for raw in now)
    by_team, by_user, by_mix, by_pull = (
        Counter[str](),
        Counter[str](),
        Counter[tuple[str, ...]](),
        defaultdict[str, Counter[str]](Counter),
    )
    for raw in raws:
        cost, team = raw.posted + raw.held, raw.labels.get("team", "")
        if raw.month == month:
            by_team[team] += cost
            by_user[raw.labels["user"]] += cost
            by_mix[team, raw.labels["workflow"], raw.labels["model"]] += cost
        if raw.month <= month and cost:
            by_pull[raw.labels.get("pr", "")][team] += cost
    assert {each.name: each.spend.nano_usd for each in report.teams} | by_team == dict(by_team) | {
        each.name: 0 for each in report.teams if not by_team[each.name]
    }
    assert {name: amount.nano_usd for name, amount in report.spenders if amount.nano_usd} == +by_user
    found = {(team.name, each.workflow, each.model): each.amount.nano_usd for team in report.teams for each in team.mix}
    assert found == +by_mix
    merged, wasted = _endings(ledger, month)
    assert report.whole.merged == len(merged)
    for team in report.teams:
        mine = [number for number in merged if team.name in (by_pull[number] or {"": 0})]
        assert team.merged == len(mine)
        assert team.waste.nano_usd == sum(by_pull[number][team.name] for number in wasted)
        if mine:
            cost = sum(by_pull[number][team.name] for number in mine)
            assert team.cost_per_merged_nano_usd == (2 * cost + len(mine)) // (2 * len(mine))


def _endings(ledger: MemoryLedger, month: str) -> tuple[list[str], list[str]]:
    """Return what was merged, and what was wasted, in a month, from the text of the notes (no revert here is reverted)."""
    notes = [json.loads(entry.text) for entry in ledger.entries()]
    known: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for note in notes:
        if note["kind"] == "outcome" and note["body"]["details"]["at"][:7] <= month:
            known[note["body"]["labels"]["pr"]][note["body"]["details"]["outcome"]].append(note["body"]["details"]["at"][:7])
    merged, wasted = [], []
    for number, ends in known.items():
        if ends["reverted"]:
            wasted += [number] if min(ends["reverted"]) == month else []
        elif ends["merged"]:
            merged += [number] if ends["merged"][0] == month else []
        elif max(ends["closed"]) == month:
            wasted.append(number)
    return merged, wasted
