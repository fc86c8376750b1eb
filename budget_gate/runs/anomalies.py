"""Anomalies of a day: who is out of the ordinary, from the counters, and why, from the entries of that day and its window."""

from datetime import date, datetime, timedelta

from budget_gate.analytics.anomaly import (
    DEFAULT_RULE,
    AnomalyReport,
    explain,
    find_anomalies,
    may_judge,
)
from budget_gate.analytics.daily import counted_labels, days_from_counters, series_of
from budget_gate.analytics.spending import spending
from budget_gate.core.periods import zone_named
from budget_gate.core.policy import Policy
from budget_gate.ledger.interface import Ledger
from budget_gate.runs.recent_entries import entries_since


def judge_day(policy: Policy, ledger: Ledger, day: date | None = None, entries_most: int | None = None) -> AnomalyReport:
    """Return the anomalies of ``day`` (today if None). A day that is over is judged as a whole.

    With ``entries_most``, causes are looked for among about that many newest entries: who is in a hurry hears of the largest.
    """
    rule = policy.anomaly or DEFAULT_RULE
    zone = zone_named(policy.timezone)
    local = ledger.now().astimezone(zone)
    judged = day or local.date()
    if judged == local.date() and not may_judge(rule, local.time()):
        return AnomalyReport(judged, rule, is_judged=False)
    days = days_from_counters(ledger.counters(counted_labels(judged)))
    series = {scope: series_of(amounts, "usd", judged + timedelta(days=1)) for scope, amounts in days.items()}
    found = find_anomalies(series, rule, judged)
    if not found:
        return AnomalyReport(judged, rule, is_judged=True)
    first = judged - timedelta(days=rule.window_days)
    since = datetime(first.year, first.month, first.day, tzinfo=zone)
    explained = explain(found, spending(entries_since(ledger, since, entries_most)), rule, judged)
    return AnomalyReport(judged, rule, True, found, explained.causes, explained.shared)
