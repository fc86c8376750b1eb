"""The rhythm of a daily series: what share of a usual day each weekday has, how high the level is, and whether it grows.

Statistics in floats: none of these numbers is money that anybody stores. Series are counts per consecutive day.
"""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from budget_gate.analytics.daily import Series

DAYS_MOST = 84
"""Days that are looked at: twelve weeks; what was longer ago was another organization."""

WEEKDAYS_FROM_DAYS = 14
"""Fewer days than two weeks say nothing about weekdays."""

HALF_LIFE_DAYS = 14.0
"""A day counts half as much as one that many days later, when the level is taken."""

GROWTH_BELIEVED = 0.4
"""Share of a measured growth that is carried on. Chosen on simulated years: past growth is a poor guide to a month's end."""

_FLAT_WEEKS = 0.5
_FACTOR_LEAST = 0.02
_OUTLIER_TIMES = 3.0
_WEEK = 7


class Rhythm(NamedTuple):
    """``factors`` by weekday (Monday first, mean near 1); ``level`` of a usual day at the end of the series; ``growth`` per day.

    ``growth`` is a logarithm, already shrunk by how sure it is, and ``growth_error`` what it may be off by. ``dispersion`` is the
    variance of a day per unit of its mean, ``level_weight`` how many usual days' worth of observation the level rests on.
    """

    factors: tuple[float, ...]
    level: float
    growth: float
    growth_error: float
    dispersion: float
    level_weight: float

    def usual(self, weekday: int, days_ahead: float) -> float:
        """Return what is expected of a day ``days_ahead`` days behind the end of the series."""
        return self.level * self.factors[weekday] * math.exp(self.growth * days_ahead)


def rhythm_of(series: Series) -> Rhythm:
    """Return the rhythm of a series (of at most its last ``DAYS_MOST`` days). An empty one has level 0."""
    recent = series.last(DAYS_MOST)
    raw = [float(value) for value in recent.values]
    if not any(raw):
        return Rhythm((1.0,) * _WEEK, 0.0, 0.0, 0.0, 0.0, 0.0)
    weekdays = [(recent.first + timedelta(days=place)).weekday() for place in range(len(raw))]
    factors = weekday_factors(raw, weekdays)
    calm = _without_outliers(raw, weekdays, factors)
    # A day far out of line must not lift the level, but such days come again: their excess is spread over all days.
    spread = sum(raw) / sum(calm)
    growth, growth_error = _growth(calm, weekdays, factors)
    level, weight = _level(calm, weekdays, factors, growth)
    dispersion = _dispersion(raw, weekdays, factors, level * spread, growth)
    return Rhythm(factors, level * spread, growth, growth_error, dispersion, weight)


def weekday_factors(values: Sequence[float], weekdays: Sequence[int]) -> tuple[float, ...]:
    """Return each weekday's share of a usual day, pulled towards 1 by half a week of flat days.

    A day is measured against the mean of the seven days around it, so growth does not pass for a weekday.
    """
    if len(values) < WEEKDAYS_FROM_DAYS:
        return (1.0,) * _WEEK
    mean = sum(values) / len(values)
    spent, around = [_FLAT_WEEKS * mean] * _WEEK, [_FLAT_WEEKS * mean] * _WEEK
    for place, (value, weekday) in enumerate(zip(values, weekdays, strict=True)):
        start = min(max(place - _WEEK // 2, 0), len(values) - _WEEK)
        level = sum(values[start : start + _WEEK]) / _WEEK
        # One wild day in few weeks would become the rule for its weekday.
        spent[weekday] += min(value, _OUTLIER_TIMES * level)
        around[weekday] += level
    factors = [max(part / whole, _FACTOR_LEAST) if whole else 1.0 for part, whole in zip(spent, around, strict=True)]
    scale = _WEEK / sum(factors)
    return tuple(factor * scale for factor in factors)


def _without_outliers(values: Sequence[float], weekdays: Sequence[int], factors: Sequence[float]) -> list[float]:
    """Return values cut at three times what the two weeks around them make usual."""
    calm = []
    for place, value in enumerate(values):
        near = range(max(place - _WEEK, 0), min(place + _WEEK + 1, len(values)))
        usual = sorted(values[each] / factors[weekdays[each]] for each in near)[len(near) // 2]
        cap = _OUTLIER_TIMES * usual * factors[weekdays[place]]
        calm.append(min(value, cap) if usual else value)
    return calm


def _level(values: Sequence[float], weekdays: Sequence[int], factors: Sequence[float], growth: float) -> tuple[float, float]:
    """Return the level at the end of the series, and how many usual days it rests on; later days count more."""
    spent = usual = squares = 0.0
    for age, (value, weekday) in enumerate(zip(reversed(values), reversed(weekdays), strict=True), start=1):
        weight = math.pow(0.5, age / HALF_LIFE_DAYS)
        expected = factors[weekday] * math.exp(-growth * age)
        spent += weight * value
        usual += weight * expected
        squares += weight * weight * expected
    return spent / usual, usual * usual / squares


def _growth(values: Sequence[float], weekdays: Sequence[int], factors: Sequence[float]) -> tuple[float, float]:
    """Return the growth per day as a logarithm, and its error: a line through the logarithms of whole weeks, recent ones heavier.

    The less a slope stands out from its error, the more of it is taken back: a steep line through three noisy weeks is no trend.
    """
    weeks = []
    for end in range(len(values), _WEEK - 1, -_WEEK):
        days = range(end - _WEEK, end)
        total = sum(values[day] for day in days) / sum(factors[weekdays[day]] for day in days)
        if total > 0:
            weeks.append((-(len(values) - end) - _WEEK / 2, math.log(total), math.pow(0.5, (len(values) - end) / 28)))
    if len(weeks) < 3:  # noqa: PLR2004 (a line through two points says nothing of its error)
        return 0.0, 0.0
    whole = sum(weight for _, _, weight in weeks)
    middle = sum(weight * at for at, _, weight in weeks) / whole
    height = sum(weight * log for _, log, weight in weeks) / whole
    spread = sum(weight * (at - middle) ** 2 for at, _, weight in weeks)
    slope = sum(weight * (at - middle) * (log - height) for at, log, weight in weeks) / spread
    off = sum(weight * (log - height - slope * (at - middle)) ** 2 for at, log, weight in weeks) / whole
    error = math.sqrt(off * len(weeks) / (len(weeks) - 2) * sum(w * w * (at - middle) ** 2 for at, _, w in weeks)) / spread
    trust = slope * slope / (slope * slope + 4 * error * error) if slope else 0.0
    return slope * trust * GROWTH_BELIEVED, error * GROWTH_BELIEVED


def _dispersion(values: Sequence[float], weekdays: Sequence[int], factors: Sequence[float], level: float, growth: float) -> float:
    """Return the variance of a day divided by its mean, as the last eight weeks show it."""
    squares = means = 0.0
    for age, (value, weekday) in enumerate(zip(reversed(values), reversed(weekdays), strict=True), start=1):
        if age > 8 * _WEEK:
            break
        mean = level * factors[weekday] * math.exp(-growth * age)
        squares += (value - mean) ** 2
        means += mean
    return squares / means if means else 0.0
