"""A month's report as values: totals and budgets from counters, the rest from a ``monthly.Breakdown``. How it reads is ``reports``'.

Without a breakdown (``--totals``) no entry was read, and what only entries know is None rather than zero.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_FLOOR
from typing import NamedTuple

from budget_gate.analytics.anomaly import AnomalyReport
from budget_gate.analytics.daily import CounterFields, counted_scope, spent_of
from budget_gate.analytics.month_budgets import PeriodUse, monthly_states, period_uses
from budget_gate.analytics.month_exemptions import ExemptionUse, exemption_uses
from budget_gate.analytics.month_periods import (
    NOTHING,
    Counters,
    label_beginnings,
    labels_wanted,
    month_before,
    month_window,
    periods_of,
)
from budget_gate.analytics.monthly import NO_TEAM, Breakdown, MixLine, mean_nano_usd
from budget_gate.analytics.outlook import BudgetForecast
from budget_gate.core.amounts import ZERO, Amount, CounterValue, total_of
from budget_gate.core.money import EXACT, NANO_PER_USD
from budget_gate.core.periods import Window
from budget_gate.core.policy import Policy, ValueLine
from budget_gate.core.reservations import BudgetState
from budget_gate.core.scopes import ORG, Scope


class TeamMonth(NamedTuple):
    """One team's month. Counts of pull requests, ``merged_cost`` and ``waste`` are None where no entries were read."""

    name: str
    cost_center: str
    spend: Amount
    spend_before: Amount
    merged: int | None = None
    merged_before: int | None = None
    merged_cost: Amount | None = None
    waste: Amount | None = None
    mix: tuple[MixLine, ...] = ()

    @property
    def cost_per_merged_nano_usd(self) -> int | None:
        """What a pull request merged in the month cost on average; None without one, and where no entries were read."""
        return None if self.merged is None or self.merged_cost is None else mean_nano_usd(self.merged_cost, self.merged)


class MonthReport(NamedTuple):
    """Everything a month's report says. ``whole`` is the organization (or the one ``user``) with its pull requests counted once.

    ``days`` are what was spent on each day, up to today where the month is running. Only then are there ``forecasts`` (of the limits
    per month) and ``anomalies`` (of today, where the policy has a rule).
    """

    organization: str
    month: str
    zone: str
    user: str
    is_over: bool
    total: CounterValue
    whole: TeamMonth
    teams: tuple[TeamMonth, ...]
    budgets: tuple[BudgetState, ...]
    other_budgets: tuple[PeriodUse, ...]
    spenders: tuple[tuple[str, Amount], ...]
    breakdown: Breakdown | None
    exemptions: tuple[ExemptionUse, ...]
    value: tuple[ValueLine, ...]
    days: tuple[tuple[str, Amount], ...] = ()
    forecasts: tuple[BudgetForecast, ...] = ()
    anomalies: AnomalyReport | None = None

    @property
    def is_empty(self) -> bool:
        """True if the ledger holds nothing at all of this month."""
        has_notes = self.breakdown is not None and (
            self.breakdown.pulls or self.breakdown.refusals.calls or self.breakdown.not_paid_again.runs
        )
        return self.total == NOTHING and not has_notes


def build_report(
    policy: Policy, month: str, now: datetime, counters: Counters, breakdown: Breakdown | None, user: str = ""
) -> MonthReport:
    """Return the report of a month (``2026-11``). ``counters`` need those of this month and the one before, and this one's days."""
    scope = Scope("user", user) if user else ORG
    window = month_window(month, policy.timezone)
    spenders = [] if user else [(found.name, spent_of(value)) for found, value in _of_kind(counters, "user", month)]
    return MonthReport(
        organization=policy.organization,
        month=month,
        zone=policy.timezone,
        user=user,
        is_over=now >= window.ends_at,
        total=counters.get((scope, month), NOTHING),
        whole=_team(policy, counters, breakdown, month, "", scope, everyone=True),
        teams=_teams(policy, counters, breakdown, month, by_entries=bool(user)),
        budgets=monthly_states(policy, counters, window, user),
        other_budgets=period_uses(policy, counters, window, now, user),
        spenders=tuple(sorted(spenders, key=lambda each: (-each[1].nano_usd, each[0]))),
        breakdown=breakdown,
        exemptions=exemption_uses(policy, counters, window, breakdown.exemptions) if breakdown else (),
        value=() if user else policy.value,
        days=tuple(
            (day.label, spent_of(counters.get((scope, day.label), NOTHING)))
            for day in periods_of("day", policy.timezone, window)
            if day.starts_at <= now
        ),
    )


def value_nano_usd(line: ValueLine) -> int:
    """Return what an assumption makes the month's work worth."""
    usd = EXACT.multiply(line.hours_saved_per_month, line.usd_per_hour)
    return int(EXACT.multiply(usd, NANO_PER_USD).to_integral_value(rounding=ROUND_FLOOR, context=EXACT))


def _teams(
    policy: Policy, counters: Counters, breakdown: Breakdown | None, month: str, *, by_entries: bool
) -> tuple[TeamMonth, ...]:
    """Return every team of the policy, the counters or the entries; of one user only those that the user worked for."""
    found = set(breakdown.mix) if breakdown else set()
    if not by_entries:
        found |= {budget.scope.name for budget in policy.budgets if budget.scope.kind == "team" and not budget.scope.is_wildcard}
        found |= {scope.name for scope, label in counters if scope.kind == "team" and label in (month, month_before(month))}
        found |= {team for pull in breakdown.pulls for team in pull.by_team} if breakdown else set()
    teams = [
        _team(policy, counters, breakdown, month, name, Scope("team", name), by_entries=by_entries)
        for name in sorted(found - {NO_TEAM})
    ]
    if by_entries:
        teams += [_team(policy, counters, breakdown, month, NO_TEAM, ORG, by_entries=True)] if NO_TEAM in found else []
        return tuple(teams)
    rest = _team(policy, counters, breakdown, month, NO_TEAM, ORG)
    for team in teams:
        rest = rest._replace(spend=rest.spend.minus(team.spend), spend_before=rest.spend_before.minus(team.spend_before))
    has_rest = any(rest.spend) or any(rest.spend_before) or rest.merged or (rest.waste and any(rest.waste))
    return (*teams, rest) if has_rest else tuple(teams)


def _team(
    policy: Policy,
    counters: Counters,
    breakdown: Breakdown | None,
    month: str,
    name: str,
    scope: Scope,
    *,
    everyone: bool = False,
    by_entries: bool = False,
) -> TeamMonth:
    spend = spent_of(counters.get((scope, month), NOTHING))
    before = spent_of(counters.get((scope, month_before(month)), NOTHING))
    cost_center = next((each.cost_center for each in policy.budgets if each.scope == scope), "")
    team = TeamMonth(name, cost_center, spend, before)
    if breakdown is None:
        return team
    who = None if everyone else name
    mix = breakdown.mix.get(name, ()) if not everyone else _joined(breakdown.mix.values())
    if by_entries:
        team = team._replace(spend=total_of(line.amount for line in mix), spend_before=ZERO)
    return team._replace(
        merged=len(breakdown.merged(who)),
        merged_before=breakdown.merged_before if everyone else breakdown.merged_before_by_team.get(name, 0),
        merged_cost=breakdown.merged_cost(who),
        waste=breakdown.waste(who),
        mix=mix,
    )


def _joined(mixes: Iterable[tuple[MixLine, ...]]) -> tuple[MixLine, ...]:
    found: dict[tuple[str, str], Amount] = {}
    for line in (each for mix in mixes for each in mix):
        key = (line.workflow, line.model)
        found[key] = found.get(key, ZERO).plus(line.amount)
    lines = [MixLine(workflow, model, amount) for (workflow, model), amount in found.items()]
    return tuple(sorted(lines, key=lambda line: (-line.amount.nano_usd, line.workflow, line.model)))


def _of_kind(counters: Counters, kind: str, label: str) -> list[tuple[Scope, CounterValue]]:
    return [(scope, value) for (scope, of), value in counters.items() if scope.kind == kind and of == label]


def counter_labels(policy: Policy, month: Window) -> tuple[str, ...]:
    """Return beginnings of the labels of every counter that the report of a month needs."""
    return label_beginnings(_labels(policy, month), month)


def counters_of(policy: Policy, month: Window, rows: Iterable[CounterFields]) -> Counters:
    """Return the counters that a report needs out of a ledger's."""
    labels = _labels(policy, month)
    return {(counted_scope(text), label): value for text, _, label, value in rows if label in labels}


def _labels(policy: Policy, month: Window) -> frozenset[str]:
    pers = frozenset(limit.per for budget in policy.budgets for limit in budget.limits)
    return labels_wanted(pers, policy.timezone, month)
