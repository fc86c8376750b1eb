"""How every limit of the policy stood in a month: those per month, and those of any other period that has a part in it.

All of it is read from counters, as they stood when the month ended (``month_periods.at_months_end``).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from budget_gate.analytics.month_periods import NOTHING, Counters, at_months_end, periods_of
from budget_gate.core.charges import Charge, limit_line
from budget_gate.core.periods import Per, Window
from budget_gate.core.policy import Budget, Limit, Policy
from budget_gate.core.reservations import BudgetState, budget_state
from budget_gate.core.scopes import Scope

OTHER_PERIODS: tuple[Per, ...] = ("year", "quarter", "week", "day", "hour")
"""The periods of limits that are not per month, in the order in which a report has them."""


class PeriodUse(NamedTuple):
    """A limit that is not per month: its fullest period in the month, and in how many of its periods the stop line was reached.

    ``periods`` are those with a part in the month that had begun. A period that reaches beyond the month is seen as it stood then.
    """

    fullest: BudgetState
    window: Window
    periods: int
    stopped: int


def monthly_states(policy: Policy, counters: Counters, month: Window, user: str) -> tuple[BudgetState, ...]:
    """Return how each limit per month stood; with ``user``, of that user's own budgets."""
    states = []
    for scope, budget, limit in _limits(policy, counters, "month", month, user):
        line = limit_line(budget, limit, critical=True)
        value = counters.get((scope, month.label), NOTHING)
        states.append(budget_state(Charge(scope, "month", (line,)), line, month, value))
    return tuple(states)


def period_uses(policy: Policy, counters: Counters, month: Window, now: datetime, user: str) -> tuple[PeriodUse, ...]:
    """Return how each other limit stood: the longest periods first, of each kind the fullest first, because long lists are cut."""
    found = []
    for per in OTHER_PERIODS:
        periods = [period for period in periods_of(per, policy.timezone, month) if period.starts_at <= now]
        limits = _limits(policy, counters, per, month, user)
        uses = [_period_use(policy, counters, month, periods, *each) for each in limits]
        found += sorted(uses, key=lambda use: -use.fullest.used_basis_points)
    return tuple(found)


def _period_use(
    policy: Policy, counters: Counters, month: Window, periods: list[Window], scope: Scope, budget: Budget, limit: Limit
) -> PeriodUse:
    line = limit_line(budget, limit, critical=True)
    charge = Charge(scope, limit.per, (line,))
    states = [
        budget_state(charge, line, period, at_months_end(counters, scope, period, policy.timezone, month)) for period in periods
    ]
    at = max(range(len(states)), key=lambda place: states[place].used)
    return PeriodUse(states[at], periods[at], len(states), sum(state.used >= state.stop for state in states))


def _limits(policy: Policy, counters: Counters, per: Per, month: Window, user: str) -> Iterator[tuple[Scope, Budget, Limit]]:
    """Yield each limit per ``per`` for each scope it holds for; a budget for every name, for the names that were counted then."""
    own = {budget.scope for budget in policy.budgets}
    labels = {period.label for period in periods_of(per, policy.timezone, month)}
    names: dict[str, set[Scope]] = {}
    for scope, label in counters:
        if label in labels:
            names.setdefault(scope.kind, set()).add(scope)
    for budget in policy.budgets:
        scopes = sorted(names.get(budget.scope.kind, set()) - own) if budget.scope.is_wildcard else [budget.scope]
        for scope in scopes:
            if user and scope != Scope("user", user):
                continue
            for limit in budget.limits:
                if limit.per == per:
                    yield scope, budget, limit
