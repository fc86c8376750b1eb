"""The forecast, judged on histories that it was not tuned on, and where it must say that it does not know."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

import pytest
from fakes.firms import FIRST_DAY as FIRM_BEGINS
from fakes.firms import firm
from fakes.organization import FIRST_DAY, Organization
from hypothesis import given, settings
from hypothesis import strategies as st

from budget_gate.analytics.daily import Series
from budget_gate.analytics.forecast import DAYS_LEAST, Moment, forecast_end, straight_line
from budget_gate.analytics.levels import level_of
from budget_gate.analytics.rhythm import rhythm_of

HELD_OUT_SEEDS = range(100, 140)
"""The constants of the forecast were chosen on organizations with seeds from 1000 on, and on firms from 2000 on."""


class Judged(NamedTuple):
    """One forecast against what came: relative errors, and whether the interval held."""

    error: float
    straight_error: float
    inside: bool


def organizations() -> Iterator[tuple[Series, int, int]]:
    """Yield the days of every team of the first simulator, and year and month of what is forecast."""
    for seed in HELD_OUT_SEEDS:
        for values in Organization(seed, days=160).daily_nano_usd().values():
            yield from ((Series(FIRST_DAY, tuple(values)), 2026, month) for month in (3, 4, 5))


def firms() -> Iterator[tuple[Series, int, int]]:
    """Yield the same of the second simulator, from the day on which a team joined."""
    for seed in HELD_OUT_SEEDS:
        for team in firm(seed, days=273):
            begins = next((number for number, value in enumerate(team.values) if value), len(team.values))
            series = Series(FIRM_BEGINS + timedelta(days=begins), team.values[begins:])
            yield from ((series, 2026, month) for month in range(1, 6))


def judged(histories: Iterable[tuple[Series, int, int]]) -> list[Judged]:
    """Return forecasts of months, made at four days of each, against what they came to; without those that say they do not know."""
    found = []
    for series, year, month in histories:
        first, after = date(year, month, 1), date(year, month + 1, 1)
        total = sum(series.on(first + timedelta(days=place)) for place in range((after - first).days))
        for day in (4, 11, 18, 25):
            moment = Moment(date(year, month, day), 0.0, first, after)
            spent = sum(series.on(first + timedelta(days=place)) for place in range(day - 1))
            forecast = forecast_end(series.until(moment.today), spent, moment)
            if forecast.low is not None and forecast.high is not None and total:
                straight_error = abs(straight_line(spent, moment) - total) / total
                error = abs(forecast.expected - total) / total
                found.append(Judged(error, straight_error, forecast.low <= total <= forecast.high))
    return found


@pytest.mark.parametrize(
    ("histories", "cases_least", "times"), [(organizations, 1440, 0.75), (firms, 2000, 0.85)], ids=["organizations", "firms"]
)
def test_it_beats_the_straight_line_and_its_interval_holds_four_times_out_of_five(
    histories: Callable[[], Iterable[tuple[Series, int, int]]], cases_least: int, times: float
) -> None:
    """Over held-out months of two simulators that share nothing the error is smaller, and 75 to 85 % of the months end inside."""
    cases = judged(histories())
    assert len(cases) >= cases_least
    error = sum(case.error for case in cases) / len(cases)
    straight = sum(case.straight_error for case in cases) / len(cases)
    held = sum(case.inside for case in cases) / len(cases)
    print(f"{len(cases)} cases, mean error {error:.4f}, straight line {straight:.4f}, interval held {held:.3f}")  # noqa: T201 (pytest -s)
    assert error < times * straight
    assert 0.75 <= held <= 0.85


def test_too_little_data_says_so_and_has_no_interval() -> None:
    """With nine complete days there is the straight line, no interval, and the reason; with ten there is one."""
    today = date(2026, 11, 11)
    moment = Moment(today, 0.0, date(2026, 11, 1), date(2026, 12, 1))
    few = Series(today - timedelta(days=DAYS_LEAST - 1), (10,) * (DAYS_LEAST - 1))
    found = forecast_end(few, 90, moment)
    assert (found.method, found.expected, found.low, found.history_days) == ("too little data", 270, None, DAYS_LEAST - 1)
    enough = forecast_end(Series(today - timedelta(days=DAYS_LEAST), (10,) * DAYS_LEAST), 100, moment)
    assert (enough.method, enough.expected) == ("rhythm", 300)


def test_weekends_are_expected_to_be_weekends() -> None:
    """From a Friday with only the weekend left, a team that rests at weekends is expected to spend next to nothing more."""
    monday = date(2026, 8, 3)
    series = Series(monday, (100, 100, 100, 100, 100, 0, 0) * 12)
    saturday = date(2026, 10, 31) - timedelta(days=7)
    found = forecast_end(series.until(saturday), 1600, Moment(saturday, 0.0, date(2026, 10, 1), date(2026, 10, 26)))
    assert 1600 <= found.expected <= 1625
    assert rhythm_of(series).factors[5] < 0.15


def test_a_part_of_today_is_not_counted_twice() -> None:
    """At the end of the last day the forecast is what was spent."""
    series = Series(date(2026, 9, 1), (50,) * 60)
    last = date(2026, 10, 31)
    found = forecast_end(series.until(last), 1550, Moment(last, 1.0, date(2026, 10, 1), date(2026, 11, 1)))
    assert (found.low, found.expected, found.high) == (1550, 1550, 1550)


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.integers(0, 2**53), max_size=100),
    spent=st.integers(0, 2**53),
    day=st.integers(1, 30),
    share=st.floats(0, 1),
)
def test_any_history_gives_an_ordered_forecast(values: list[int], spent: int, day: int, share: float) -> None:
    """Whatever was spent, the interval is in order, and nothing already spent is taken back."""
    moment = Moment(date(2026, 11, day), share, date(2026, 11, 1), date(2026, 12, 1))
    series = Series(moment.today - timedelta(days=len(values)), tuple(values))
    found = forecast_end(series, spent, moment)
    assert found.expected >= spent
    if found.low is not None and found.high is not None:
        assert spent <= found.low <= found.high


@pytest.mark.parametrize("values", [(), (0,) * 40, (1,), (0,) * 39 + (7,), (2**53,) * 90])
def test_odd_histories_have_a_level(values: tuple[int, ...]) -> None:
    """Nothing at all, one single day, or the largest counts there are: a level and a variance without an error."""
    rhythm = rhythm_of(Series(date(2026, 1, 1), values))
    assert bool(rhythm.calm) is any(values)
    if rhythm.calm:
        level = level_of(rhythm, 30)
        assert level.value >= 0
        assert level.miss_variance >= 0


def test_a_level_that_moves_is_told_by_its_last_days_and_one_that_scatters_by_its_months() -> None:
    """A step is followed by two fifths in a week and four fifths in four; of days that only scatter the level is their mean."""

    def after_step(days: int) -> float:
        return level_of(rhythm_of(Series(date(2026, 1, 1), (100,) * 42 + (300,) * days)), 14).value

    assert 180 < after_step(7) < after_step(28) < 300
    assert after_step(28) > 260
    scattering = tuple((40, 160, 70, 130)[number * 7 % 13 % 4] for number in range(84))
    mean = sum(scattering) / 84
    assert abs(level_of(rhythm_of(Series(date(2026, 1, 1), scattering)), 14).value / mean - 1) < 0.06


def test_the_interval_is_as_wide_as_the_past_was_wrong() -> None:
    """Of a team whose level jumps every other week the interval is several times as wide as of one that never does."""
    moment = Moment(date(2026, 3, 10), 0.0, date(2026, 3, 1), date(2026, 4, 1))
    first = moment.today - timedelta(days=84)
    steady = tuple(100 + number * 7 % 11 for number in range(84))
    jumping = tuple(value * (1 if number // 14 % 2 else 3) for number, value in enumerate(steady))
    widths = []
    for values in (steady, jumping):
        found = forecast_end(Series(first, values), 900, moment)
        assert found.low is not None
        assert found.high is not None
        widths.append((found.high - found.low) / found.expected)
    assert widths[1] > 3 * widths[0]
