"""Forecast: what a scope will have spent when its period ends, with an interval that holds four times out of five.

What is spent already is a fact; only the days to come are estimated, from the scope's own rhythm (weekdays, level, growth), and how
sure that is from how it would have fared in the scope's own past. Under
``DAYS_LEAST`` complete days nothing is known of weekdays or trends: the forecast says so, is the straight line, and has no interval.
"""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal, NamedTuple

from budget_gate.analytics.daily import Series
from budget_gate.analytics.levels import Level, level_of
from budget_gate.analytics.rhythm import Rhythm, dispersion, rhythm_of

DAYS_LEAST = 10
"""Complete days with history that a forecast needs."""

INTERVAL_PERCENT = 80

_QUANTILE = 1.2816
"""Of the normal distribution at 90 %: a tenth lies above, a tenth below."""

_WANDER_PER_DAY = 0.007
"""Variance (of the logarithm) that the level gains with every day ahead, where no trial says better. Chosen on simulated years."""

_WANDER_DAYS = 6.0
"""After about that many days a level that has wandered is as likely to come back as to go on."""

_MODEL_TRIALS = 0.5
"""How many trials the model's own variance weighs as much as, beside those in the series' past."""

_MISSES_TIMES = 1.3
"""What is ahead misses by more than the past did: the memories were weighed on that very past. A variance, chosen on simulated years."""

_VARIANCE_MOST = 4.0
"""Beyond this the interval says only that nothing is known."""

_LOWER_MIDDLE = 0.25
"""By how much of the variance the middle of the interval lies below the expected sum: sums of bursts are lopsided."""

_DAMPING_DAYS = 21.0
"""Growth is believed for about that long ahead; nothing grows for ever."""

Method = Literal["rhythm", "too little data"]


class Forecast(NamedTuple):
    """Counts of one unit at the period's end. ``low`` and ``high`` bound the interval; both None when there is too little data."""

    spent: int
    expected: int
    low: int | None
    high: int | None
    history_days: int
    method: Method


class Moment(NamedTuple):
    """Where a forecast is made: the day, how much of it is over (0 to 1), and the period's first day and the one after its last."""

    today: date
    day_share: float
    first: date
    after: date


def forecast_end(series: Series, spent: int, moment: Moment) -> Forecast:
    """Return the forecast of a period. ``series`` are the scope's complete days before today, ``spent`` what the period has used."""
    history = series.until(moment.today)
    if len(history.values) < DAYS_LEAST:
        return Forecast(spent, straight_line(spent, moment), None, None, len(history.values), "too little data")
    rhythm = rhythm_of(history)
    if not rhythm.calm:
        return Forecast(spent, spent, spent, spent, len(history.values), "rhythm")
    level = level_of(rhythm, (moment.after - moment.today).days)
    days = _days_ahead(rhythm, level.value, moment)
    mean = sum(days)
    if mean <= 0:
        return Forecast(spent, spent, spent, spent, len(history.values), "rhythm")
    variance = _log_variance(rhythm, level, days)
    middle = math.log(mean) - _LOWER_MIDDLE * variance
    low, high = (spent + round(math.exp(middle + sign * _QUANTILE * math.sqrt(variance))) for sign in (-1, 1))
    return Forecast(spent, spent + round(mean), low, high, len(history.values), "rhythm")


def straight_line(spent: int, moment: Moment) -> int:
    """Return what the period comes to if the rest of it is like the part that is over: the rule to be better than."""
    elapsed = (moment.today - moment.first).days + moment.day_share
    if elapsed <= 0:
        return spent
    return round(spent * ((moment.after - moment.first).days / elapsed))


def _days_ahead(rhythm: Rhythm, level: float, moment: Moment) -> list[float]:
    """Return what is expected of the rest of today and of each day to the period's end, its growth fading."""
    expected = []
    for ahead in range((moment.after - moment.today).days):
        weekday = (moment.today + timedelta(days=ahead)).weekday()
        fading = _DAMPING_DAYS * (1 - math.exp(-(ahead + 1) / _DAMPING_DAYS))
        left = 1 - moment.day_share if ahead == 0 else 1.0
        expected.append(rhythm.usual(level, weekday, fading) * left)
    return expected


def _log_variance(rhythm: Rhythm, level: Level, days: Sequence[float]) -> float:
    """Return how far off the sum of the days may be, as the variance of its logarithm.

    What trials in the series' own past missed by, and what a model says that expects days to differ and the level to wander; the more
    trials, the less of the model. What the days' own scatter makes of the sum it is never under half of.
    """
    mean = sum(days)
    by_days = dispersion(rhythm, level.value) / mean
    by_wandering = _WANDER_PER_DAY * _WANDER_DAYS * (1 - math.exp(-len(days) / 2 / _WANDER_DAYS))
    measured = level.trials * _MISSES_TIMES * level.miss_variance
    variance = (_MODEL_TRIALS * (by_days + by_wandering) + measured) / (_MODEL_TRIALS + level.trials)
    return min(max(variance, by_days / 2), _VARIANCE_MOST)
