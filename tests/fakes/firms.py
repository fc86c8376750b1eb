"""A second simulator of spending, to judge statistics that were chosen on the first (``organization``), with which it shares nothing.

A firm's day is not a mean with noise around it. A team lives in regimes (quiet, steady, crunch, frozen) that last days to weeks; its
costs jump at releases, when a prompt or a model is changed; batches run on fixed days whatever else happens; it rests on its own days
(a weekend, Fridays, a four-day week, never), on public holidays and on leave; single days are lognormal, with heavy tails; some
teams join in the middle of a month, and some leave. Incidents are kept apart, so that what is found can be told from what is not.
"""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

FIRST_DAY = date(2025, 9, 1)
CENT = 10**7

REGIMES: dict[str, tuple[float, float, float]] = {
    "quiet": (0.45, 9.0, 0.25),
    "steady": (1.0, 24.0, 0.45),
    "crunch": (1.8, 8.0, 0.25),
    "frozen": (0.08, 4.0, 0.05),
}
"""By name: how much of a usual day it is, how many days it lasts on the average, and how often it is the next one."""

RESTS: tuple[tuple[int, ...], ...] = ((5, 6), (5, 6), (5, 6), (4, 5), (4, 5, 6), (6,), ())
"""Weekdays on which a team rests, Monday 0; ordinary weekends three times out of seven."""

HOLIDAYS = ((1, 1), (1, 6), (4, 3), (4, 6), (5, 1), (5, 14), (5, 25), (10, 3), (12, 24), (12, 25), (12, 26), (12, 31))
"""Month and day of public holidays."""


class FirmTeam(NamedTuple):
    """One team's days from ``FIRST_DAY`` on, in nano-dollars, and the numbers of the days on which something ran away."""

    name: str
    values: tuple[int, ...]
    incidents: frozenset[int]


def firm(seed: int, *, days: int, teams: int = 3, incident_chance: float = 0.0) -> tuple[FirmTeam, ...]:
    """Return the teams of one firm. Everything follows from the seed; without an incident chance nothing runs away."""
    rng = random.Random(f"firm {seed}")
    return tuple(_team(rng, f"team{number}", days, incident_chance) for number in range(teams))


def _team(rng: random.Random, name: str, days: int, incident_chance: float) -> FirmTeam:
    usual_cents = rng.choice((150.0, 600.0, 2_500.0, 9_000.0))
    rest, works_on_rest = rng.choice(RESTS), rng.choice((0.0, 0.02, 0.15))
    roughness = rng.uniform(0.2, 0.65)
    joins_on = rng.choice((0, 0, 0, rng.randrange(60, 150)))
    leaves_on = rng.choice((days, days, days, days, days, rng.randrange(days // 2, days)))
    regimes, steps = _regimes(rng, days), _releases(rng, days)
    batch_days, batch_cents = _batches(rng, days, usual_cents)
    leave = _leave(rng, days)
    values, incidents = [], set()
    for number in range(days):
        day = FIRST_DAY + timedelta(days=number)
        cents = usual_cents * regimes[number] * steps[number] * rng.lognormvariate(-roughness * roughness / 2, roughness)
        if day.weekday() in rest or (day.month, day.day) in HOLIDAYS or number in leave:
            cents *= works_on_rest
        cents += batch_cents * rng.uniform(0.8, 1.2) if number in batch_days else 0.0
        if not joins_on <= number < leaves_on:
            cents = 0.0
        elif rng.random() < incident_chance:
            cents += usual_cents * steps[number] * rng.uniform(3.0, 12.0)
            incidents.add(number)
        values.append(round(cents) * CENT)
    return FirmTeam(name, tuple(values), frozenset(incidents))


def _regimes(rng: random.Random, days: int) -> Sequence[float]:
    levels: list[float] = []
    names, chances = list(REGIMES), [chance for _, _, chance in REGIMES.values()]
    while len(levels) < days:
        factor, mean_days, _ = REGIMES[rng.choices(names, chances)[0]]
        levels += [factor * rng.uniform(0.8, 1.25)] * max(round(rng.expovariate(1 / mean_days)), 2)
    return levels[:days]


def _releases(rng: random.Random, days: int) -> Sequence[float]:
    """Return the factor of each day: it jumps at a release, up or down, every three to eleven weeks, more often up."""
    factors, factor = [], 1.0
    next_on = rng.randrange(10, 60)
    for number in range(days):
        if number == next_on:
            factor *= rng.choice((0.6, 0.75, 1.15, 1.3, 1.6))
            next_on += rng.randrange(21, 77)
        factors.append(factor)
    return factors


def _batches(rng: random.Random, days: int, usual_cents: float) -> tuple[set[int], float]:
    """Return the days of a batch (a weekday of every week, the 1st and 15th, or none), and what one costs."""
    dates = [FIRST_DAY + timedelta(days=number) for number in range(days)]
    weekday = rng.randrange(7)
    numbers = rng.choice(
        (
            set[int](),
            set[int](),
            {number for number, day in enumerate(dates) if day.weekday() == weekday},
            {number for number, day in enumerate(dates) if day.day in (1, 15)},
        )
    )
    return numbers, usual_cents * rng.uniform(0.5, 2.0)


def _leave(rng: random.Random, days: int) -> set[int]:
    """Return the days on which a whole team is away: a week or two, now and then."""
    away: set[int] = set()
    for start in range(rng.randrange(30, 90), days, 70):
        if rng.random() < 0.5:
            away.update(range(start, start + rng.choice((5, 7, 12))))
    return away
