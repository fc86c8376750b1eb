"""The dashboard's numbers: budgets, days and forecasts from the counters; the running month's pull requests from the entries."""

from budget_gate.analytics.daily import days_from_counters, series_of
from budget_gate.core.periods import zone_named
from budget_gate.core.policy import Policy
from budget_gate.ledger.interface import Ledger
from budget_gate.reports.dashboard import DashboardData
from budget_gate.runs.forecasting import forecast_budgets
from budget_gate.runs.month_reading import read_running_month
from budget_gate.runs.status import budget_states


def dashboard_data(policy: Policy, ledger: Ledger) -> DashboardData:
    """Return what the dashboard shows now. Days are complete ones: today is in the budgets, not in the charts."""
    now = ledger.now()
    today = now.astimezone(zone_named(policy.timezone)).date()
    days = days_from_counters(ledger.counters())
    return DashboardData(
        organization=policy.organization,
        zone=policy.timezone,
        now=now,
        until=today,
        budgets=budget_states(policy, ledger, {}),
        forecasts=forecast_budgets(policy, ledger),
        series={scope: series_of(amounts, "usd", today) for scope, amounts in days.items()},
        pulls=read_running_month(policy, ledger).by_project(),
    )
