"""The rhythm of a daily series: what share of a usual day each weekday has, which days were wild, and whether it grows.

How high it is at its end is for ``levels`` to say.

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

GROWTH_BELIEVED = 0.4
"""Share of a measured growth that is carried on. Chosen on simulated years: past growth is a poor guide to a month's end."""

_FLAT_WEEKS = 0.5
_FACTOR_LEAST = 0.02
_OUTLIER_TIMES = 3.0
_WEEK = 7


class Rhythm(NamedTuple):
    """A series taken apart: what each day was, as it was (``values``) and with wild days cut (``calm``), and what it is made of.

    ``factors`` are by weekday (Monday first, mean near 1), ``shares`` the factor of each day. ``excess`` is how much larger the values
    are than the calm ones, all together. ``growth`` is a logarithm per day, already shrunk by how sure it is.
    """

    factors: tuple[float, ...]
    values: tuple[float, ...]
    calm: tuple[float, ...]
    shares: tuple[float, ...]
    excess: float
    growth: float

    def usual(self, level: float, weekday: int, days_ahead: float) -> float:
        """Return what is expected of a day ``days_ahead`` days behind the end of the series, at a level."""
        return level * self.factors[weekday] * math.exp(self.growth * days_ahead)


def rhythm_of(series: Series) -> Rhythm:
    """Return the rhythm of a series (of at most its last ``DAYS_MOST`` days). One without spending has no calm values."""
    recent = series.last(DAYS_MOST)
    raw = [float(value) for value in recent.values]
    if not any(raw):
        return Rhythm((1.0,) * _WEEK, (), (), (), 1.0, 0.0)
    weekdays = [(recent.first + timedelta(days=place)).weekday() for place in range(len(raw))]
    factors = weekday_factors(raw, weekdays)
    calm = _without_outliers(raw, weekdays, factors)
    shares = tuple(factors[weekday] for weekday in weekdays)
    growth = _growth(calm, weekdays, factors)
    return Rhythm(factors, tuple(raw), tuple(calm), shares, sum(raw) / sum(calm), growth)


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


def _growth(values: Sequence[float], weekdays: Sequence[int], factors: Sequence[float]) -> float:
    """Return the growth per day as a logarithm: a line through the logarithms of whole weeks, recent ones heavier.

    The less a slope stands out from its error, the more of it is taken back: a steep line through three noisy weeks is no trend.
    """
    weeks = []
    for end in range(len(values), _WEEK - 1, -_WEEK):
        days = range(end - _WEEK, end)
        total = sum(values[day] for day in days) / sum(factors[weekdays[day]] for day in days)
        if total > 0:
            weeks.append((-(len(values) - end) - _WEEK / 2, math.log(total), math.pow(0.5, (len(values) - end) / 28)))
    if len(weeks) < 3:  # noqa: PLR2004 (a line through two points says nothing of its error)
        return 0.0
    whole = sum(weight for _, _, weight in weeks)
    middle = sum(weight * at for at, _, weight in weeks) / whole
    height = sum(weight * log for _, log, weight in weeks) / whole
    spread = sum(weight * (at - middle) ** 2 for at, _, weight in weeks)
    slope = sum(weight * (at - middle) * (log - height) for at, log, weight in weeks) / spread
    off = sum(weight * (log - height - slope * (at - middle)) ** 2 for at, log, weight in weeks) / whole
    error = math.sqrt(off * len(weeks) / (len(weeks) - 2) * sum(w * w * (at - middle) ** 2 for at, _, w in weeks)) / spread
    trust = slope * slope / (slope * slope + 4 * error * error) if slope else 0.0
    return slope * trust * GROWTH_BELIEVED


def dispersion(rhythm: Rhythm, level: float) -> float:
    """Return the variance of a day divided by its mean, as the last eight weeks show it around a level."""
    squares = means = 0.0
    days = zip(reversed(rhythm.values), reversed(rhythm.shares), strict=True)
    for age, (value, share) in enumerate(days, start=1):
        if age > 8 * _WEEK:
            break
        mean = level * share * math.exp(-rhythm.growth * age)
        squares += (value - mean) ** 2
        means += mean
    return squares / means if means else 0.0
