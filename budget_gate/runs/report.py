"""A month's report from the ledger: counters for every total, one pass over the entries for what counters do not know.

A running month also says where it is heading and who is out of the ordinary today; a month that is over has neither.
"""

from budget_gate.analytics.month_periods import month_window
from budget_gate.analytics.month_report import MonthReport, build_report, counter_labels, counters_of
from budget_gate.analytics.monthly import month_that_ended
from budget_gate.core.errors import UsageError
from budget_gate.core.policy import Policy
from budget_gate.core.scopes import Scope
from budget_gate.ledger.interface import Ledger
from budget_gate.runs.month_reading import read_month


def month_report(policy: Policy, ledger: Ledger, month: str = "", *, user: str = "", totals_only: bool = False) -> MonthReport:
    """Return the report of ``month`` (empty: the last one that is over in the policy's zone, by the ledger's clock).

    ``totals_only`` reads counters and no entries. Raises ``UsageError`` for what is no month, and for one that has not begun.
    """
    now, zone = ledger.now(), policy.timezone
    month = month or month_that_ended(now, zone)
    try:
        window = month_window(month, zone)
    except ValueError as error:
        raise UsageError(f"--month: {error}; write one such as 2026-11") from None
    if window.starts_at > now:
        raise UsageError(f"--month: {month} has not begun; write {month_that_ended(now, zone)} or another month that has")
    counters = counters_of(policy, window, ledger.counters(counter_labels(policy, window)))
    breakdown = None if totals_only else read_month(policy, ledger, month, user=user)
    report = build_report(policy, month, now, counters, breakdown, user)
    return report if report.is_over else _with_today(report, policy, ledger, totals_only=totals_only)


def _with_today(report: MonthReport, policy: Policy, ledger: Ledger, *, totals_only: bool) -> MonthReport:
    """Return the report of the running month with what is expected of its end and, unless only totals are read, today's anomalies.

    Causes of anomalies are in entries. The report of one user has only that user's budgets, and no anomalies.
    """
    from budget_gate.runs.anomalies import judge_day  # a month that is over goes without the statistics
    from budget_gate.runs.forecasting import forecast_budgets

    user = report.user
    if policy.anomaly is not None and not user and not totals_only:
        report = report._replace(anomalies=judge_day(policy, ledger))
    found = forecast_budgets(policy, ledger, {Scope("user", user)} if user else None)
    return report._replace(forecasts=tuple(each for each in found if each.per == "month"))
