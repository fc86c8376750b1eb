"""The level of a daily series at its end, by several memories at once, each weighed by how it would have fared in the series' own past.

A team that works in regimes is best told by its last days, one that only scatters by its last months; which one this is, no constant
knows. So each memory is tried on days that are over: level at that day, against what the days behind it came to. What misses less
counts for more, and how far all of them together were off is how far off they may be now.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from budget_gate.analytics.rhythm import Rhythm

HALF_LIVES_DAYS = (3.0, 8.0, 20.0, 60.0)
"""A memory's day counts half as much as one that many days later."""

EXCESS_BELIEVED = 0.5
"""Wild days do not lift the level, but they come again: half of what they were in excess is spread over all days."""

HORIZON_DAYS_MOST = 28
"""What lies further ahead is taken to be as sure as this: three months hold no more trials of it."""

_TRIAL_EVERY_DAYS = 2
_FIRST_TRIAL_DAY = 7
_MISS_SQUARED_BEFORE = 0.15
"""What a memory's squared miss is taken for before it is tried, with the weight of one trial."""

_SHARPNESS = 1.5
"""The power of the squared miss by which a memory loses weight. Chosen, as the others, on simulated years (decision 14)."""

_FLOOR_SHARE = 0.02
"""Share of the mean level that is added before logarithms are taken: nothing at all is a small number, not an infinite miss."""

_REST_SHARES = 0.3
"""A stretch of days that are hardly a third of one usual day says nothing of a level."""


class Level(NamedTuple):
    """``value`` of a usual day at the end of the series; the variance of the logarithm by which trials missed; how many there were.

    Trials overlap: ``trials`` counts those that share no day.
    """

    value: float
    miss_variance: float
    trials: float


def level_of(rhythm: Rhythm, days_ahead: int) -> Level:
    """Return the level of a rhythm with calm values, for a forecast of so many days."""
    count = len(rhythm.calm)
    horizon = max(min(days_ahead, HORIZON_DAYS_MOST, count // 3), 1)
    levels = [_levels(rhythm, half_life) for half_life in HALF_LIVES_DAYS]
    floor = _FLOOR_SHARE * sum(rhythm.calm) / sum(rhythm.shares)
    came = list(_came_to(rhythm, horizon, floor))
    misses = [[actual - math.log(each[day] + floor) for day, actual in came] for each in levels]
    trials = len(came) * _TRIAL_EVERY_DAYS / horizon
    weights = _weights(misses, trials)
    value = math.exp(sum(weight * math.log(each[count] + floor) for weight, each in zip(weights, levels, strict=True))) - floor
    together = [sum(weight * each[place] for weight, each in zip(weights, misses, strict=True)) for place in range(len(came))]
    return Level(max(value, 0.0) * (1 + (rhythm.excess - 1) * EXCESS_BELIEVED), _mean_square(together), trials)


def _levels(rhythm: Rhythm, half_life_days: float) -> list[float]:
    """Return the level of one memory before each day, and behind the last."""
    kept = math.pow(0.5, 1 / half_life_days)
    spent = usual = 0.0
    levels = [0.0]
    for value, share in zip(rhythm.calm, rhythm.shares, strict=True):
        spent, usual = spent * kept + value, usual * kept + share
        levels.append(spent / usual)
    return levels


def _came_to(rhythm: Rhythm, horizon: int, floor: float) -> Iterator[tuple[int, float]]:
    """Yield for each day of a trial, latest first, the logarithm of the level that the ``horizon`` days from it on really had."""
    for day in range(len(rhythm.values) - horizon, _FIRST_TRIAL_DAY - 1, -_TRIAL_EVERY_DAYS):
        usual = sum(rhythm.shares[day : day + horizon])
        if usual > _REST_SHARES:
            yield day, math.log(sum(rhythm.values[day : day + horizon]) / usual + floor)


def _weights(misses: Sequence[Sequence[float]], trials: float) -> list[float]:
    squares = [(_MISS_SQUARED_BEFORE + trials * _mean_square(each)) / (1 + trials) for each in misses]
    weights = [math.pow(square, -_SHARPNESS) for square in squares]
    return [weight / sum(weights) for weight in weights]


def _mean_square(values: Sequence[float]) -> float:
    return sum(value * value for value in values) / len(values) if values else 0.0
