"""Notices: alerts about what no ledger crosses, found by looking. A forecast past a stop line, and an unusual day.

Found anew at every look; ``runs.deliver`` sees to it that each is sent once. Only what the policy routes is looked for.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, time, timedelta

from budget_gate.analytics.anomaly import Cause
from budget_gate.analytics.anomaly_folding import Folded, fold
from budget_gate.analytics.daily import counted_scope
from budget_gate.analytics.outlook import BudgetForecast
from budget_gate.core.charges import budget_for
from budget_gate.core.periods import window_at, zone_named
from budget_gate.core.policy import Policy
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.interface import Ledger
from budget_gate.notify.interface import Message
from budget_gate.reports.alert_events import AlsoUnusual, AnomalyAlert, ForecastAlert, anomaly_message, forecast_message
from budget_gate.reports.anomaly_text import cause_name
from budget_gate.runs.anomalies import judge_day
from budget_gate.runs.forecasting import forecast_budgets


def find_notices(policy: Policy, ledger: Ledger, kinds: Collection[str], entries_most: int | None = None) -> Iterator[Message]:
    """Yield a message for every limit that is heading past its stop line and every cause of today's anomalies, of these kinds.

    Each names its limit and period, or its scope and day, in its key, so that it is the same message at the next look.
    ``entries_most`` bounds what is read for the causes of anomalies (see ``judge_day``).
    """
    if "forecast" in kinds:
        for each in forecast_budgets(policy, ledger):
            if _is_news(each):
                yield forecast_message(_forecast_alert(each, policy), policy)
    if "anomaly" in kinds:
        judged = judge_day(policy, ledger, entries_most=entries_most)
        for found in fold(judged.anomalies, judged.shared):
            yield anomaly_message(_anomaly_alert(found, judged.causes.get(found.anomaly.scope, ()), policy), policy)


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


def _anomaly_alert(found: Folded, causes: Collection[Cause], policy: Policy) -> AnomalyAlert:
    anomaly = found.anomaly
    noon = datetime.combine(anomaly.day, time(12), zone_named(policy.timezone))
    also = tuple(
        AlsoUnusual(
            counted_scope(each.anomaly.scope),
            each.anomaly.today_nano_usd,
            each.share_basis_points,
            is_wider=each.is_wider,
            is_same=each.anomaly.scope in found.twins,
        )
        for each in found.named
    )
    return AnomalyAlert(
        scope=counted_scope(anomaly.scope),
        day=anomaly.day.isoformat(),
        spent_nano_usd=anomaly.today_nano_usd,
        mean_nano_usd=anomaly.mean_nano_usd,
        causes=tuple((cause_name(each), each.excess_nano_usd, each.share_basis_points) for each in causes),
        owner=_owner(policy, (counted_scope(scope) for scope in (anomaly.scope, *found.twins))),
        ends_at=window_at("day", policy.timezone, noon).ends_at,
        also=also,
    )


def _owner(policy: Policy, scopes: Iterable[Scope]) -> str:
    """Return who answers for a cause: the owner of the first of its scopes whose budget has one, or of the organization's."""
    for scope in (*scopes, ORG):
        budget = budget_for(policy, scope)
        if budget is not None and budget.owner:
            return budget.owner
    return ""
