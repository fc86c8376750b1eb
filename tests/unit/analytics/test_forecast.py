"""The forecast, judged on histories that it was not tuned on, and where it must say that it does not know."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import pytest
from fakes.organization import FIRST_DAY, Organization
from hypothesis import given, settings
from hypothesis import strategies as st

from budget_gate.analytics.daily import Series
from budget_gate.analytics.forecast import DAYS_LEAST, Moment, forecast_end, straight_line
from budget_gate.analytics.rhythm import rhythm_of

HELD_OUT_SEEDS = range(40)
"""The constants of the forecast were chosen on seeds from 1000 on."""


class Judged(NamedTuple):
    """One forecast against what came: relative errors, and whether the interval held."""

    error: float
    straight_error: float
    inside: bool


def judged(seed: int) -> Iterator[Judged]:
    """Yield forecasts of three months, made at four days of each, for every team of one simulated organization."""
    for values in Organization(seed, days=160).daily_nano_usd().values():
        series = Series(FIRST_DAY, tuple(values))
        for month in (3, 4, 5):
            first, after = date(2026, month, 1), date(2026, month + 1, 1)
            total = sum(series.on(first + timedelta(days=place)) for place in range((after - first).days))
            for day in (4, 11, 18, 25):
                moment = Moment(date(2026, month, day), 0.0, first, after)
                spent = sum(series.on(first + timedelta(days=place)) for place in range(day - 1))
                found = forecast_end(series.until(moment.today), spent, moment)
                assert found.low is not None
                assert found.high is not None
                yield Judged(
                    abs(found.expected - total) / total,
                    abs(straight_line(spent, moment) - total) / total,
                    found.low <= total <= found.high,
                )


def test_it_beats_the_straight_line_and_its_interval_holds_four_times_out_of_five() -> None:
    """Over 1 440 held-out forecasts the mean error is at least a quarter smaller, and 75 to 85 % of the months end inside."""
    cases = [case for seed in HELD_OUT_SEEDS for case in judged(seed)]
    assert len(cases) == 1440
    error = sum(case.error for case in cases) / len(cases)
    straight = sum(case.straight_error for case in cases) / len(cases)
    held = sum(case.inside for case in cases) / len(cases)
    print(f"mean error {error:.4f}, straight line {straight:.4f}, interval held {held:.3f}")  # noqa: T201 (pytest -s)
    assert error < 0.75 * straight
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
def test_odd_histories_have_a_rhythm(values: tuple[int, ...]) -> None:
    """Nothing at all, one single day, or the largest counts there are: a rhythm without an error."""
    assert rhythm_of(Series(date(2026, 1, 1), values)).level >= 0
