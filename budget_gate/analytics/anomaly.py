"""Anomalies: days that cost far more than this scope's days do, by two measures, and what the excess consists of.

The policy's rule compares a day with the mean of the days before it; anybody can check it with a pencil. The score compares it with
what the weekday and the growth of the scope make usual, in units of its ordinary scatter, so that Mondays and growth do not trip it.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from statistics import median
from typing import NamedTuple

from budget_gate.analytics.daily import Series, counted_scope
from budget_gate.analytics.rhythm import weekday_factors
from budget_gate.analytics.spending import Spend
from budget_gate.core.money import NANO_PER_USD
from budget_gate.core.policy import AnomalyRule

DEFAULT_RULE = AnomalyRule(Decimal(3), 7, "16:00", NANO_PER_USD)
"""What counts where the policy has no ``anomaly``: three times the mean of a week, from four o'clock and a dollar on."""

SCOPE_KINDS = ("team", "workflow", "user", "model")
CAUSES = ("workflow", "user", "pr", "model")
"""The labels that an excess is looked for in."""

SCORE_LEAST = 4.0
"""Ordinary scatters above the usual from which a day stands out."""

SCORE_HISTORY_DAYS = 21
"""Days that the score needs: three of every weekday."""

_SCORE_DAYS_MOST = 56
_TIMES_USUAL_LEAST = 1.5
_NORMAL = 1.4826
"""What makes a median absolute deviation comparable to a standard deviation."""

_SCATTER_LEAST = 0.05
"""A scope whose days are all alike has a scatter of this share of its level, at the least."""

_BUSY_WEEKDAY = 0.3


class Anomaly(NamedTuple):
    """One scope on one day, in nano-dollars. ``mean`` is that of the window before, ``usual`` what the scope's rhythm leads to.

    ``ratio`` is of today to the mean; ``score`` counts scatters above the usual, None with too little history. ``measures`` names
    what tripped: ``ratio``, ``score`` or both.
    """

    scope: str
    day: date
    today_nano_usd: int
    mean_nano_usd: int
    usual_nano_usd: int | None
    ratio: float
    score: float | None
    measures: tuple[str, ...]

    @property
    def excess_nano_usd(self) -> int:
        """What today cost more than the mean."""
        return self.today_nano_usd - self.mean_nano_usd


class Cause(NamedTuple):
    """One value of a label, and which share of the excess (basis points, at most all of it) it makes up."""

    label: str
    name: str
    excess_nano_usd: int
    share_basis_points: int


class AnomalyReport(NamedTuple):
    """What was found on a day. ``is_judged`` is False while the running day is not far enough on to be judged."""

    day: date
    rule: AnomalyRule
    is_judged: bool
    anomalies: tuple[Anomaly, ...] = ()
    causes: dict[str, tuple[Cause, ...]] = {}  # noqa: RUF012 (never changed)
    shared: dict[tuple[str, str], int] = {}  # noqa: RUF012 (as above)


def may_judge(rule: AnomalyRule, now: time) -> bool:
    """True once the running day is far enough on to be judged."""
    return now >= time.fromisoformat(rule.check_after)


def find_anomalies(days: Mapping[str, Series], rule: AnomalyRule, day: date) -> tuple[Anomaly, ...]:
    """Return the scopes whose ``day`` is out of the ordinary, the largest excess first. Series may go on behind that day."""
    judged = (_judged(scope, series, rule, day) for scope, series in days.items() if counted_scope(scope).kind in SCOPE_KINDS)
    return tuple(sorted((each for each in judged if each is not None), key=lambda each: (-each.excess_nano_usd, each.scope)))


def _judged(scope: str, series: Series, rule: AnomalyRule, day: date) -> Anomaly | None:
    today, history = series.on(day), series.until(day)
    if today < rule.min_nano_usd:
        return None
    window = history.last(rule.window_days).values
    mean = sum(window) // len(window) if window else 0
    usual_and_score = _score(history, day, today)
    usual, score = usual_and_score or (None, None)
    measures = []
    # A scope in its first week has no mean yet: its first busy day would always be many times that.
    if len(window) == rule.window_days and today > rule.ratio * mean:
        measures.append("ratio")
    if usual is not None and score is not None and score >= SCORE_LEAST and today >= _TIMES_USUAL_LEAST * usual:
        measures.append("score")
    ratio = round(today / mean, 2) if mean else 0.0
    return Anomaly(scope, day, today, mean, usual, ratio, score, tuple(measures)) if measures else None


def _score(history: Series, day: date, today: int) -> tuple[int, float] | None:
    """Return what was usual for the day, and by how many scatters it was passed; None with too little history.

    Roots are compared, because the scatter of a day grows with the root of its size: quiet Sundays and busy Mondays then scatter alike.
    """
    recent = history.last(_SCORE_DAYS_MOST)
    if len(recent.values) < SCORE_HISTORY_DAYS:
        return None
    values = [float(value) for value in recent.values]
    weekdays = [(recent.first + timedelta(days=place)).weekday() for place in range(len(values))]
    factors = weekday_factors(values, weekdays)
    start, slope = _median_line(values, weekdays, factors)

    def root_usual(place: int, weekday: int) -> float:
        return math.sqrt(max(start + slope * place, 0.0) * factors[weekday])

    off = [
        math.sqrt(value) - root_usual(place, weekday) for place, (value, weekday) in enumerate(zip(values, weekdays, strict=True))
    ]
    middle = median(off)
    level = root_usual(len(values), day.weekday())
    scatter = max(_NORMAL * median(abs(each - middle) for each in off), _SCATTER_LEAST * level, 1.0)
    usual = level + middle
    return round(max(usual, 0.0) ** 2), round((math.sqrt(today) - usual) / scatter, 2)


def _median_line(values: list[float], weekdays: list[int], factors: tuple[float, ...]) -> tuple[float, float]:
    """Return start and slope of the line that half of the busy days lie above (Theil and Sen): no wild day can tilt it."""
    points = [
        (place, value / factors[weekday])
        for place, (value, weekday) in enumerate(zip(values, weekdays, strict=True))
        if factors[weekday] >= _BUSY_WEEKDAY
    ]
    slopes = [
        (later - sooner) / (at - before) for number, (before, sooner) in enumerate(points) for at, later in points[number + 1 :]
    ]
    slope = median(slopes) if slopes else 0.0
    return (median(value - slope * at for at, value in points) if points else 0.0), slope


class Explained(NamedTuple):
    """Where the excesses of a day come from.

    ``causes`` holds for each anomalous scope the value of every label that explains most of its excess, largest first; ``shared``
    for two scopes, in both orders, how many nano-dollars of excess were spent under both.
    """

    causes: dict[str, tuple[Cause, ...]]
    shared: dict[tuple[str, str], int]


def explain(anomalies: Iterable[Anomaly], rows: Iterable[Spend], rule: AnomalyRule, day: date) -> Explained:
    """Return what the excesses consist of, and what they have in common.

    ``rows`` cover the window and the day; they are read once. Memory grows with the names that occur in the anomalous scopes.
    """
    wanted = {each.scope: each for each in anomalies}
    first, today = (day - timedelta(days=rule.window_days)).isoformat(), day.isoformat()
    sums: dict[str, dict[tuple[str, str], int]] = {scope: {} for scope in wanted}
    shared: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.state == "pending" or not first <= row.day <= today:
            continue
        # A name is worth what it spent today, less what it spends on a day of the window; counted in window-days to stay whole.
        worth = row.amount.nano_usd * (rule.window_days if row.day == today else -1)
        scopes = wanted.keys() & set(_scopes_of(row))
        for scope in scopes:
            _add_names(sums[scope], scope, row, worth)
            for other in scopes - {scope}:
                shared[scope, other] = shared.get((scope, other), 0) + worth
    causes = {scope: _largest(sums[scope], each.excess_nano_usd, rule.window_days) for scope, each in wanted.items()}
    return Explained(causes, {pair: worth // rule.window_days for pair, worth in shared.items()})


def _add_names(names: dict[tuple[str, str], int], scope: str, row: Spend, worth: int) -> None:
    for label in CAUSES:
        name = _name_of(row, label)
        if name and not scope.startswith(f"{label}/"):
            names[label, name] = names.get((label, name), 0) + worth


def _scopes_of(row: Spend) -> list[str]:
    labels = {"team": "team", "workflow": "workflow", "user": "user", "model": "tier"}
    return [f"{kind}/{row.label(label)}" for kind, label in labels.items() if row.label(label)]


def _name_of(row: Spend, label: str) -> str:
    """Return a label's value; a pull request with its project, because every project has a number 7."""
    name = row.label(label)
    return f"{row.label('project')}#{name}" if name and label == "pr" and row.label("project") else name


def _largest(sums: Mapping[tuple[str, str], int], excess: int, window_days: int) -> tuple[Cause, ...]:
    """Return the largest value of each label."""
    best: dict[str, Cause] = {}
    for (label, name), worth in sums.items():
        share = min(worth * 10_000 // (excess * window_days), 10_000) if excess > 0 else 0
        cause = Cause(label, name, worth // window_days, share)
        if share > 0 and (label not in best or cause.excess_nano_usd > best[label].excess_nano_usd):
            best[label] = cause
    return tuple(sorted(best.values(), key=lambda cause: (-cause.excess_nano_usd, CAUSES.index(cause.label))))
