"""A simulated year: report, metrics and dashboard show the same figures, and every one equals a recount of the raw entries."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from fakes.recount import Recount
from fakes.year import ZONE, Year

from budget_gate.analytics.month_report import MonthReport
from budget_gate.analytics.monthly import ProjectMonth
from budget_gate.core.money import usd_text
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.reports.dashboard import render_dashboard
from budget_gate.reports.monthly import month_document
from budget_gate.runs.dashboard import dashboard_data
from budget_gate.runs.metrics import metric_samples
from budget_gate.runs.report import month_report

PROJECT = "acme/shop"

pytestmark = pytest.mark.xdist_group("year_of_reports")  # the year is lived once, not once in each process


class Seen(NamedTuple):
    """One month in its last second, as the three show it."""

    report: MonthReport
    metrics: dict[str, dict[tuple[str, ...], str]]
    pulls: ProjectMonth
    page: str


class Lived(NamedTuple):
    """The year: its ledger, and each month as it ran."""

    year: Year
    ledger: MemoryLedger
    running: dict[str, Seen]
    recount: Recount

    def report(self, month: str) -> MonthReport:
        """Return the report of a month that is over."""
        return month_report(self.year.policy, self.ledger, month)


MONTHS = [f"2026-{number:02d}" for number in range(1, 13)]


@pytest.fixture(scope="module")
def lived() -> Lived:
    """A year, looked at each month's end."""
    year = Year(20)
    ledger = MemoryLedger(year.clock)
    running = {}
    for month in year.months(ledger):
        metrics: dict[str, dict[tuple[str, ...], str]] = {}
        for each in metric_samples(year.policy, ledger):
            metrics.setdefault(each.family, {})[tuple(value for _, value in each.labels)] = each.value
        data = dashboard_data(year.policy, ledger)
        report = month_report(year.policy, ledger, month)
        running[month] = Seen(report, metrics, data.pulls[PROJECT], render_dashboard(data))
    year.clock.now += timedelta(days=40)
    return Lived(year, ledger, running, Recount(ledger, ZONE))


@pytest.mark.parametrize("month", MONTHS)
def test_report_metrics_and_dashboard_agree(lived: Lived, month: str) -> None:
    """In every month's last second the three show the same merged, wasted and reverted pull requests, costs and waste."""
    report, metrics, pulls, page = lived.running[month]
    document: dict[str, Any] = month_document(report)
    assert not document["is_over"]
    cost = pulls.cost_per_merged_nano_usd
    assert cost is not None
    assert metrics["merged_prs"][PROJECT,] == str(pulls.merged) == str(document["merged_prs"])
    assert metrics["merged_pr_cost_usd"][PROJECT,] == usd_text(cost) == document["cost_per_merged_pr_usd"]
    assert metrics["waste_usd"][PROJECT,] == usd_text(pulls.waste.nano_usd) == document["waste_usd"]
    ended = [each["outcome"] for each in document["pulls"]]
    for ending in ("closed", "reverted"):
        assert metrics["wasted_prs"][PROJECT, ending] == str(ended.count(ending)) == str(getattr(pulls, ending))
    row = f'<td class="number">{pulls.closed}</td><td class="number">{pulls.reverted}</td>'
    assert f'{PROJECT}</th><td class="number">{pulls.merged}</td>' in page
    assert row in page
    spent = sum(Decimal(value) for family in ("spend_usd", "held_usd") for value in metrics[family].values())
    assert spent == Decimal(document["total_usd"])


def test_the_year_has_everything_that_is_counted(lived: Lived) -> None:
    """The year is worth the comparison: pull requests of every end, reverts that were reverted, and outcomes that were recorded late."""
    seen = [each.pulls for each in lived.running.values()]
    assert all(each.merged and each.closed for each in seen)
    assert sum(each.reverted for each in seen) > 5
    assert any(lived.report(month).whole.merged != lived.running[month].report.whole.merged for month in MONTHS)


@pytest.mark.parametrize("month", MONTHS)
def test_pull_requests_equal_a_recount(lived: Lived, month: str) -> None:
    """Merged, closed and reverted pull requests, what each cost, the mean of the merged ones and the waste are the entries'."""
    ended, recount = lived.recount.ended(month), lived.recount
    document: dict[str, Any] = month_document(lived.report(month))
    assert document["is_over"]
    assert {each["pr"]: each["outcome"] for each in document["pulls"]} == ended
    costs = {pull: recount.cost(pull, month) for pull in ended}
    assert {each["pr"]: each["cost_usd"] for each in document["pulls"]} == {pull: usd_text(cost) for pull, cost in costs.items()}
    merged = [costs[pull] for pull, ending in ended.items() if ending == "merged"]
    assert (document["merged_prs"], document["waste_usd"]) == (len(merged), usd_text(sum(costs.values()) - sum(merged)))
    assert document["cost_per_merged_pr_usd"] == usd_text((2 * sum(merged) + len(merged)) // (2 * len(merged)))


@pytest.mark.parametrize("month", MONTHS)
def test_refused_avoided_and_exempted_equal_a_recount(lived: Lived, month: str) -> None:
    """Refused calls, dollars not paid again, exemptions in force and what of each was used are what the entries say."""
    recount = lived.recount
    document: dict[str, Any] = month_document(lived.report(month))
    refused = [each["asked"][0] for each in recount.notes("refuse", month)]
    assert document["refused"] == {"calls": len(refused), "asked_usd": usd_text(sum(refused))}
    avoided = [each["details"] for each in recount.notes("avoided", month)]
    sums = [sum(int(each[name]) for each in avoided) for name in ("hunks", "nano_usd")]
    assert document["not_paid_again"] == {"runs": len(avoided), "hunks": sums[0], "usd": usd_text(sums[1])}
    used = recount.used(month, _stop_lines(lived))
    assert [each["exemption"] for each in document["exemptions"]] == [each.name for each in recount.granted(month)]
    assert {each["exemption"]: each["used_usd"] for each in document["exemptions"] if each["state"] == "used"} == {
        name: usd_text(nano_usd) for name, nano_usd in used.items()
    }
    assert document["exemptions_used"] == len(used)


@pytest.mark.parametrize("month", MONTHS)
def test_budgets_and_days_equal_a_recount(lived: Lived, month: str) -> None:
    """Every limit of every period has its fullest period, its hits and its dollars as the calls of those days add up to."""
    recount, ends = lived.recount, lived.recount.bounds(month)[1]
    document: dict[str, Any] = month_document(lived.report(month))
    for found in document["other_budgets"]:
        spent = [
            (recount.spent(found["scope"], since, min(until, ends)), -number)
            for number, (since, until) in enumerate(recount.periods(found["per"], month))
        ]
        most, at = max(spent)
        stop = int(Decimal(found["stop"]).scaleb(9))
        assert (Decimal(found["posted"]) + Decimal(found["held"])).scaleb(9) == most
        assert (found["periods"], found["periods_stopped"]) == (len(spent), sum(each >= stop for each, _ in spent))
        assert found["starts_at"] == recount.periods(found["per"], month)[-at][0].astimezone(ZoneInfo(ZONE)).isoformat()
    assert {each["per"] for each in document["other_budgets"] if each["scope"] == "org"} == {"year", "quarter", "week", "day"}
    days = [recount.spent("org", since, until) for since, until in recount.periods("day", month)]
    assert [each["spend_usd"] for each in document["days"]] == [usd_text(nano_usd) for nano_usd in days]
    assert document["total_usd"] == usd_text(sum(days))


def test_the_year_uses_what_it_has(lived: Lived) -> None:
    """The recount is worth something: exemptions are used, not used, revoked and stacked, and stop lines are reached and not."""
    used = [lived.recount.used(month, _stop_lines(lived)) for month in MONTHS]
    granted = [lived.recount.granted(month) for month in MONTHS]
    assert sum(map(len, used)) > 3
    assert sum(map(len, granted)) > sum(map(len, used))
    hits = [each.stopped for month in MONTHS for each in lived.report(month).other_budgets]
    assert 0 < sum(map(bool, hits)) < len(hits)


def _stop_lines(lived: Lived) -> dict[tuple[str, str], int]:
    return {
        (budget.scope.text, limit.per): limit.amount * budget.tiers.stop // 10_000
        for budget in lived.year.policy.budgets
        for limit in budget.limits
    }
