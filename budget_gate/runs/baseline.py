"""The baseline of a ledger: proposed budgets from the counters, and a replay of the entries under them."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from budget_gate.analytics.baseline import Proposal, Replay, propose, replay
from budget_gate.analytics.daily import days_from_counters, series_of
from budget_gate.analytics.spending import spending
from budget_gate.core.periods import CALENDAR_LABELS, zone_named
from budget_gate.core.policy import Budget, Limit, Policy
from budget_gate.ledger.interface import Ledger
from budget_gate.runs.recent_entries import entries_since


class Baseline(NamedTuple):
    """What was observed from ``first`` up to, and without, ``after``, and what follows. ``budgets`` is the whole proposed list."""

    first: date
    after: date
    proposals: tuple[Proposal, ...]
    budgets: tuple[Budget, ...]
    replay: Replay


def observe(policy: Policy, ledger: Ledger, days: int) -> Baseline:
    """Return the baseline of the last ``days`` complete days. Without spending in them there are no proposals."""
    zone = zone_named(policy.timezone)
    after = ledger.now().astimezone(zone).date()
    first = after - timedelta(days=days)
    series = {}
    for scope, amounts in days_from_counters(ledger.counters(CALENDAR_LABELS)).items():
        whole = series_of(amounts, "usd", after)
        series[scope] = whole.last(days)
    proposals = propose(series)
    budgets = proposed_budgets(policy, proposals)
    stops = {budget.scope: budget.tiers.stop for budget in budgets}
    rows = spending(entries_since(ledger, datetime(first.year, first.month, first.day, tzinfo=zone)))
    past = (row for row in rows if row.day < after.isoformat())
    return Baseline(first, after, proposals, budgets, replay(past, proposals, stops, first))


def proposed_budgets(policy: Policy, proposals: tuple[Proposal, ...]) -> tuple[Budget, ...]:
    """Return the policy's budgets with the proposed dollars per day and month in place of theirs, and the scopes it lacks behind.

    Everything else of a budget stays: its other limits, its mode, its owner.
    """
    proposed = {each.scope: each for each in proposals}
    known = tuple(
        _merged(budget, proposed.pop(budget.scope)) if budget.scope in proposed else budget for budget in policy.budgets
    )
    return known + tuple(_merged(Budget(scope, ()), each) for scope, each in proposed.items())


def _merged(budget: Budget, proposal: Proposal) -> Budget:
    kept = tuple(limit for limit in budget.limits if limit.unit != "usd" or limit.per not in {"day", "month"})
    limits = (Limit("usd", proposal.day_nano_usd, "day"), Limit("usd", proposal.month_nano_usd, "month"))
    return budget._replace(limits=limits + kept)
