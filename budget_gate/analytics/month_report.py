"""A month's report as values: totals and budgets from counters, the rest from a ``monthly.Breakdown``. How it reads is ``reports``'.

Without a breakdown (``--totals``) no entry was read, and what only entries know is None rather than zero.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_FLOOR
from typing import NamedTuple

from budget_gate.analytics.anomaly import AnomalyReport
from budget_gate.analytics.monthly import NO_TEAM, Breakdown, MixLine, month_before
from budget_gate.analytics.outlook import BudgetForecast
from budget_gate.core.amounts import ZERO, Amount, CounterValue, Unit
from budget_gate.core.charges import Charge, limit_line
from budget_gate.core.money import EXACT, NANO_PER_USD
from budget_gate.core.periods import Window, window_at
from budget_gate.core.policy import Budget, Limit, Policy, ValueLine
from budget_gate.core.reservations import BudgetState, budget_state
from budget_gate.core.scopes import ORG, Scope, parse_scope

Counters = Mapping[tuple[Scope, str], CounterValue]
"""What a ledger's counters hold, by scope and by the label of a day or a month."""

_NOTHING = CounterValue()
_MONTH = re.compile(r"(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])")


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
        """What a pull request merged in the month cost on average, rounded half up; None without one."""
        if not self.merged or self.merged_cost is None:
            return None
        return (self.merged_cost.nano_usd + self.merged // 2) // self.merged


class DailyUse(NamedTuple):
    """A limit per day over the month: its worst day and what was used on it, and on how many days the stop line was reached."""

    scope: Scope
    unit: Unit
    limit: int
    worst_day: str
    used: int
    days_stopped: int


class MonthReport(NamedTuple):
    """Everything a month's report says. ``whole`` is the organization (or the one ``user``) with its pull requests counted once.

    Only a running month has ``forecasts`` (of the limits per month) and ``anomalies`` (of today, where the policy has a rule).
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
    daily: tuple[DailyUse, ...]
    spenders: tuple[tuple[str, Amount], ...]
    breakdown: Breakdown | None
    value: tuple[ValueLine, ...]
    forecasts: tuple[BudgetForecast, ...] = ()
    anomalies: AnomalyReport | None = None

    @property
    def is_empty(self) -> bool:
        """True if the ledger holds nothing at all of this month."""
        has_notes = self.breakdown is not None and (self.breakdown.pulls or self.breakdown.refusals.calls)
        return self.total == _NOTHING and not has_notes


def build_report(
    policy: Policy, month: str, now: datetime, counters: Counters, breakdown: Breakdown | None, user: str = ""
) -> MonthReport:
    """Return the report of a month (``2026-11``). ``counters`` need those of this month and the one before, and this one's days."""
    scope = Scope("user", user) if user else ORG
    window = month_window(month, policy.timezone)
    spenders = [] if user else [(found.name, used(value)) for found, value in _of_kind(counters, "user", month)]
    return MonthReport(
        organization=policy.organization,
        month=month,
        zone=policy.timezone,
        user=user,
        is_over=now >= window.ends_at,
        total=counters.get((scope, month), _NOTHING),
        whole=_team(policy, counters, breakdown, month, "", scope, everyone=True),
        teams=_teams(policy, counters, breakdown, month, by_entries=bool(user)),
        budgets=_monthly_states(policy, counters, window, user),
        daily=_daily_uses(policy, counters, month, user),
        spenders=tuple(sorted(spenders, key=lambda each: (-each[1].nano_usd, each[0]))),
        breakdown=breakdown,
        value=() if user else policy.value,
    )


def month_window(month: str, zone: str) -> Window:
    """Return the period that a label such as ``2026-11`` names. Raises ``ValueError`` if it is no month."""
    if not _MONTH.fullmatch(month):
        raise ValueError(f"{month[:40]!r} is not a month")
    return window_at("month", zone, datetime(int(month[:4]), int(month[5:]), 15, tzinfo=UTC))


def used(value: CounterValue) -> Amount:
    """Return what is spent or may have been: posted and held."""
    return value.posted.plus(value.held)


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
    spend = used(counters.get((scope, month), _NOTHING))
    before = used(counters.get((scope, month_before(month)), _NOTHING))
    cost_center = next((each.cost_center for each in policy.budgets if each.scope == scope), "")
    team = TeamMonth(name, cost_center, spend, before)
    if breakdown is None:
        return team
    who = None if everyone else name
    mix = breakdown.mix.get(name, ()) if not everyone else _joined(breakdown.mix.values())
    if by_entries:
        team = team._replace(spend=_sum(line.amount for line in mix), spend_before=ZERO)
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


def _limits(policy: Policy, counters: Counters, per: str, user: str) -> Iterable[tuple[Scope, Budget, Limit]]:
    """Yield each limit per ``per`` for each scope it holds for; a budget for every name, for the names that the counters know."""
    own = {budget.scope for budget in policy.budgets}
    names: dict[str, set[Scope]] = {}
    for scope, _ in counters:
        names.setdefault(scope.kind, set()).add(scope)
    for budget in policy.budgets:
        scopes = sorted(names.get(budget.scope.kind, set()) - own) if budget.scope.is_wildcard else [budget.scope]
        for scope in scopes:
            if user and scope != Scope("user", user):
                continue
            for limit in budget.limits:
                if limit.per == per:
                    yield scope, budget, limit


def _monthly_states(policy: Policy, counters: Counters, window: Window, user: str) -> tuple[BudgetState, ...]:
    states = []
    for scope, budget, limit in _limits(policy, counters, "month", user):
        line = limit_line(budget, limit, critical=True)
        value = counters.get((scope, window.label), _NOTHING)
        states.append(budget_state(Charge(scope, "month", (line,)), line, window, value))
    return tuple(states)


def _daily_uses(policy: Policy, counters: Counters, month: str, user: str) -> tuple[DailyUse, ...]:
    days: dict[Scope, list[tuple[str, CounterValue]]] = {}
    for (scope, label), value in counters.items():
        if label.startswith(f"{month}-"):
            days.setdefault(scope, []).append((label, value))
    uses = []
    for scope, budget, limit in _limits(policy, counters, "day", user):
        known = [(used(value).of(limit.unit), day) for day, value in sorted(days.get(scope, []))]
        if known:
            worst, day = max(known, key=lambda each: each[0])
            stop = limit_line(budget, limit, critical=True).stop_line
            stopped = sum(count >= stop for count, _ in known)
            uses.append(DailyUse(scope, limit.unit, limit.amount, day, worst, stopped))
    return tuple(sorted(uses, key=lambda use: -use.used * 10_000 // max(use.limit, 1)))  # the fullest first: long lists are cut


def _of_kind(counters: Counters, kind: str, label: str) -> list[tuple[Scope, CounterValue]]:
    return [(scope, value) for (scope, of), value in counters.items() if scope.kind == kind and of == label]


def counters_of(rows: Iterable[tuple[str, str, str, CounterValue]], month: str) -> dict[tuple[Scope, str], CounterValue]:
    """Return the counters that a report needs out of all of a ledger's (scope text, kind of period, label, value)."""
    months = (month, month_before(month))
    found = {}
    for text, per, label, value in rows:
        if (per == "month" and label in months) or (per == "day" and label.startswith(f"{month}-")):
            found[parse_scope(text), label] = value
    return found


def _sum(amounts: Iterable[Amount]) -> Amount:
    total = ZERO
    for amount in amounts:
        total = total.plus(amount)
    return total
