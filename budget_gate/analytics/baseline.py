"""Baseline: limits proposed from what was spent while nobody was refused, and the past replayed under them.

A day's limit is the 95th percentile of the days on which the scope spent anything, so about one busy day in twenty would have met
it. A month's limit is the mean day times a mean month, and a margin on top: ``MONTH_PERCENT``, or ``MONTH_PERCENT_UNSURE`` where
less than ``SURE_DAYS`` days were seen. Both are rounded up to two digits, because a limit of 83.17 dollars looks like a measurement.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from budget_gate.analytics.daily import Series, counted_scope
from budget_gate.analytics.spending import Spend
from budget_gate.core.money import share_of
from budget_gate.core.scopes import ORG, Scope, parse_scope

MONTH_PERCENT = 130
MONTH_PERCENT_UNSURE = 150
SURE_DAYS = 45
EXAMPLES_MOST = 20
"""Refused runs that a replay names; the others it counts."""

_KINDS = ("org", "team", "project", "workflow")
_EVERY_USER = Scope("user", "*")
_MONTH_DAYS_TIMES_16 = 487
"""A mean month has 30.4375 days: 487 sixteenths."""

_CENT = 10_000_000


class Proposal(NamedTuple):
    """Limits for one scope, and what they are made of, in nano-dollars. ``days`` are those from the first spending on."""

    scope: Scope
    day_nano_usd: int
    month_nano_usd: int
    busy_day_nano_usd: int
    mean_month_nano_usd: int
    month_percent: int
    days: int
    spending_days: int


class RefusedRun(NamedTuple):
    """A past call that would have been refused, and by which limit (``team/payments per day``)."""

    at: datetime
    reservation: str
    labels: Mapping[str, str]
    cost_nano_usd: int
    refused_by: str


class Replay(NamedTuple):
    """What the proposed limits would have done to the past: calls and dollars refused, by which limits, and the first of them."""

    calls: int
    refused_calls: int
    refused_nano_usd: int
    by_limit: Mapping[str, int]
    examples: tuple[RefusedRun, ...]


def propose(days: Mapping[str, Series]) -> tuple[Proposal, ...]:
    """Return a proposal for the organization, each team, project and workflow, and one for every user; widest scope first.

    Scopes that no policy could name get none. Series cover the days observed, zeros included. The one for users is made of all their
    days, and of the busiest user's month.
    """
    scopes = {counted_scope(text): series for text, series in days.items() if any(series.values)}
    found = [_proposal(scope, [series]) for scope, series in scopes.items() if scope.kind in _KINDS and _can_be_written(scope)]
    users = [series for scope, series in scopes.items() if scope.kind == "user"]
    if users:
        found.append(_proposal(_EVERY_USER, users))
    kinds = (*_KINDS, "user")
    return tuple(sorted(found, key=lambda each: (kinds.index(each.scope.kind), each.scope.name)))


def _proposal(scope: Scope, series: Sequence[Series]) -> Proposal:
    spent = sorted(value for each in series for value in each.values if value)
    busy = spent[(len(spent) * 95 + 99) // 100 - 1]
    mean_month = max(sum(each.values) * _MONTH_DAYS_TIMES_16 // (16 * len(each.values)) for each in series)
    days = max(len(each.values) for each in series)
    percent = MONTH_PERCENT if days >= SURE_DAYS else MONTH_PERCENT_UNSURE
    month = rounded_up(mean_month * percent // 100)
    # A day's limit above the month's would say nothing.
    return Proposal(scope, min(rounded_up(busy), month), month, busy, mean_month, percent, days, len(spent))


def _can_be_written(scope: Scope) -> bool:
    """True if a policy can name the scope: a project without an owner it cannot, and a star is every name."""
    try:
        return parse_scope(scope.text) == scope and not scope.is_wildcard
    except ValueError:
        return False


def rounded_up(nano_usd: int) -> int:
    """Return an amount rounded up to two digits, in whole cents."""
    unit = max(int("1" + "0" * max(len(str(nano_usd)) - 2, 0)), _CENT)
    return -(-nano_usd // unit) * unit


def replay(rows: Iterable[Spend], proposals: Iterable[Proposal], stops: Mapping[Scope, int], first: date) -> Replay:
    """Return which of the past calls from ``first`` on the proposals would have refused, in the order in which they were posted.

    ``stops`` are the stop lines of scopes in basis points of their limit (10 000 if absent). A call is measured at what it cost, not
    at its worst case, so a real gate would have refused a little sooner. What is refused spends nothing.
    """
    limits = {each.scope: each for each in proposals}
    used: dict[tuple[Scope, str], int] = {}
    by_limit: dict[str, int] = {}
    examples: list[RefusedRun] = []
    calls = refused = refused_nano_usd = 0
    for row in rows:
        if row.state == "pending" or row.day < first.isoformat():
            continue
        calls += 1
        cost = row.amount.nano_usd
        counters = _counters_of(row, limits)
        over = [
            f"{scope.text} per {'day' if period == row.day else 'month'}"
            for scope, period, limit in counters
            if used.get((scope, period), 0) + cost > share_of(limit, stops.get(_limited_as(scope), 10_000))
        ]
        if over:
            refused, refused_nano_usd = refused + 1, refused_nano_usd + cost
            for name in over:
                by_limit[name] = by_limit.get(name, 0) + 1
            if len(examples) < EXAMPLES_MOST:
                examples.append(RefusedRun(row.at, row.reservation, row.labels, cost, over[0]))
            continue
        for scope, period, _ in counters:
            used[scope, period] = used.get((scope, period), 0) + cost
    return Replay(calls, refused, refused_nano_usd, by_limit, tuple(examples))


def _counters_of(row: Spend, limits: Mapping[Scope, Proposal]) -> list[tuple[Scope, str, int]]:
    """Return what a row would be counted under: scope, period and limit; a user has counters of their own."""
    found = []
    for scope in (ORG, *(Scope(kind, row.label(kind)) for kind in ("team", "project", "workflow", "user") if row.label(kind))):
        proposal = limits.get(_limited_as(scope))
        if proposal is not None:
            found += [(scope, row.day, proposal.day_nano_usd), (scope, row.month, proposal.month_nano_usd)]
    return found


def _limited_as(scope: Scope) -> Scope:
    """Return the scope whose proposal applies: the one for every user, or its own."""
    return _EVERY_USER if scope.kind == "user" else scope
