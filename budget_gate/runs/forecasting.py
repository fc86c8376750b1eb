"""Forecasts for the budgets of a policy, from one reading of the counters; and the gate that ``check --forecast`` puts up."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime

from budget_gate.analytics.daily import counted_labels, counted_scope, days_from_counters, series_of, spent_of
from budget_gate.analytics.forecast import Moment, forecast_end
from budget_gate.analytics.outlook import BudgetForecast
from budget_gate.core.amounts import Amount
from budget_gate.core.charges import budget_for, limit_line
from budget_gate.core.money import usd_short
from budget_gate.core.periods import Per, Window, window_at, zone_named
from budget_gate.core.policy import Budget, Policy
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.scopes import Scope
from budget_gate.core.tasks import Task
from budget_gate.ledger.interface import CounterRow, Ledger

FORECAST_PERIODS: tuple[Per, ...] = ("week", "month", "quarter", "year")
"""What has days to forecast. The method is judged on months; longer periods have wider intervals than it says."""


def forecast_budgets(policy: Policy, ledger: Ledger, only: Collection[Scope] | None = None) -> tuple[BudgetForecast, ...]:
    """Return a forecast for every limit that has days, in the policy's order; of ``only`` these scopes if given.

    Spent is what the limit's own counter holds, as in ``status``: a limit of a new kind of period starts at nothing.
    A budget for every name of a kind (``user/*``) is forecast for each name that has spent in its running period.
    """
    now, zone = ledger.now(), policy.timezone
    today = now.astimezone(zone_named(zone)).date()
    rows = list(ledger.counters(counted_labels(today)))
    days = days_from_counters(rows)
    spent = {(row.scope, row.per, row.label): spent_of(row.value) for row in rows}
    found = []
    for scope, budget in _budgeted_scopes(policy, rows):
        if only is not None and scope not in only:
            continue
        for limit in budget.limits:
            if limit.per not in FORECAST_PERIODS:
                continue
            window = window_at(limit.per, zone, now)
            used = spent.get((scope.text, limit.per, window.label), Amount()).of(limit.unit)
            if budget.scope.is_wildcard and not used:
                continue
            history = series_of(days.get(scope.text, {}), limit.unit, today)
            forecast = forecast_end(history, used, _moment(window, now, zone))
            found.append(BudgetForecast(scope, limit.per, limit_line(budget, limit, critical=True), forecast, window.ends_at))
    return tuple(found)


def _budgeted_scopes(policy: Policy, rows: Iterable[CounterRow]) -> Iterator[tuple[Scope, Budget]]:
    """Yield every scope with a budget, wildcards as the names that the ledger knows."""
    known = dict.fromkeys(row.scope for row in rows if row.per == "day")
    for budget in policy.budgets:
        if not budget.scope.is_wildcard:
            yield budget.scope, budget
            continue
        for text in sorted(known):
            if text.startswith(f"{budget.scope.kind}/"):
                scope = counted_scope(text)
                if budget_for(policy, scope) is budget:
                    yield scope, budget


def _moment(window: Window, now: datetime, zone: str) -> Moment:
    """Return the moment of a forecast on the calendar of ``zone``; days of 23 and 25 hours have shares, too."""
    local = zone_named(zone)
    today = window_at("day", zone, now)
    share = (now - today.starts_at) / (today.ends_at - today.starts_at)
    first, after = (edge.astimezone(local).date() for edge in (window.starts_at, window.ends_at))
    return Moment(date.fromisoformat(today.label), share, first, after)


def gate_by_forecast(policy: Policy, ledger: Ledger, task: Task, outcome: ReviewOutcome) -> ReviewOutcome:
    """Return ``outcome``, or what becomes of it when an enforced budget of the task is heading past its stop line.

    A forecast blocks only a check that passed, and only with enough data; otherwise the reason says what is not known.
    """
    scopes = task.attribution.budget_scopes(task.workflow.model)
    enforced = [each for each in forecast_budgets(policy, ledger, scopes) if each.limit.admission_line is not None]
    passing = [each for each in enforced if each.outlook == "passes"]
    if outcome.verdict != "pass":
        return outcome
    if not passing:
        unknown = sum(each.outlook == "unknown" for each in enforced)
        note = f"; forecast: {unknown} of {len(enforced)} budgets have too little data" if unknown else "; forecast: all hold"
        return outcome._replace(reason=outcome.reason + note)
    reason = f"forecast: {'; '.join(_passing_text(each) for each in passing)}"
    return outcome._replace(verdict="block" if task.workflow.on_exceed == "block" else "pass_with_note", reason=reason)


def _passing_text(each: BudgetForecast) -> str:
    def count(value: int) -> str:
        return usd_short(value) if each.limit.unit == "usd" else f"{value:,} {each.limit.unit}"

    line = count(each.limit.stop_line)
    return f"{each.scope.text} per {each.per} is heading for {count(each.forecast.expected)}, past its stop line of {line}"
