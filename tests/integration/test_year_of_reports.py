"""A simulated year: report, metrics and dashboard show the same figures, and every one equals a recount of the raw entries."""

from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from fakes.year import Year

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
    return Lived(year, ledger, running)


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
