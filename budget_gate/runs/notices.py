"""Notices: alerts about what no ledger crosses, found by looking. A forecast past a stop line, and an unusual day.

Found anew at every look; ``runs.deliver`` sees to it that each is sent once. Only what the policy routes is looked for.
"""

from collections.abc import Collection, Iterator
from datetime import timedelta

from budget_gate.analytics.anomaly import Anomaly, Cause
from budget_gate.analytics.daily import counted_scope
from budget_gate.analytics.outlook import BudgetForecast
from budget_gate.core.charges import budget_for
from budget_gate.core.periods import window_at
from budget_gate.core.policy import Policy
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.interface import Ledger
from budget_gate.notify.interface import Message
from budget_gate.reports.alert_events import AnomalyAlert, ForecastAlert, anomaly_message, forecast_message
from budget_gate.reports.anomaly_text import cause_name
from budget_gate.runs.anomalies import judge_day
from budget_gate.runs.forecasting import forecast_budgets


def find_notices(policy: Policy, ledger: Ledger, kinds: Collection[str], entries_most: int | None = None) -> Iterator[Message]:
    """Yield a message for every limit that is heading past its stop line and every anomaly of today, of these kinds.

    Each names its limit and period, or its scope and day, in its key, so that it is the same message at the next look.
    ``entries_most`` bounds what is read for the causes of anomalies (see ``judge_day``).
    """
    if "forecast" in kinds:
        for each in forecast_budgets(policy, ledger):
            if _is_news(each):
                yield forecast_message(_forecast_alert(each, policy), policy)
    if "anomaly" in kinds:
        judged = judge_day(policy, ledger, entries_most=entries_most)
        for found in judged.anomalies:
            yield anomaly_message(_anomaly_alert(found, judged.causes.get(found.scope, ()), policy), policy)


def _is_news(each: BudgetForecast) -> bool:
    """True for a limit that will pass its stop line and has not reached it: of one that has, the stop tier's alert has told."""
    return each.limit.mode != "observe" and each.outlook == "passes" and each.forecast.spent < each.limit.stop_line


def _forecast_alert(each: BudgetForecast, policy: Policy) -> ForecastAlert:
    forecast = each.forecast
    assert forecast.low is not None, "an outlook is only known with an interval"
    assert forecast.high is not None, "an interval has two ends"
    window = window_at(each.per, policy.timezone, each.ends_at - timedelta(microseconds=1))
    return ForecastAlert(
        scope=each.scope,
        per=each.per,
        label=window.label,
        unit=each.limit.unit,
        limit=each.limit.limit,
        used=forecast.spent,
        expected=forecast.expected,
        low=forecast.low,
        high=forecast.high,
        owner=each.limit.owner,
        resets_at=each.ends_at,
    )


def _anomaly_alert(found: Anomaly, causes: Collection[Cause], policy: Policy) -> AnomalyAlert:
    scope = counted_scope(found.scope)
    return AnomalyAlert(
        scope=scope,
        day=found.day.isoformat(),
        spent_nano_usd=found.today_nano_usd,
        mean_nano_usd=found.mean_nano_usd,
        causes=tuple((cause_name(each), each.excess_nano_usd, each.share_basis_points) for each in causes),
        owner=_owner(policy, scope),
    )


def _owner(policy: Policy, scope: Scope) -> str:
    """Return who answers for a scope: the owner of its budget, or of the organization's."""
    for budget in (budget_for(policy, scope), budget_for(policy, ORG)):
        if budget is not None and budget.owner:
            return budget.owner
    return ""
