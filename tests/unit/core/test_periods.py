"""Periods: in every zone they cover all of time, each instant once, and each under a name of its own."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from budget_gate.core.periods import CALENDAR_PERIODS, Per, window_at, zone_named

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # skipped midnight until 2018
    "Africa/Cairo",  # skips midnight today
    "America/Havana",  # has midnight twice
    "America/St_Johns",  # until 2011 went back over midnight, from 00:01 to 23:01; half past the hour
    "Asia/Kolkata",  # half past the hour
    "Asia/Kathmandu",  # a quarter to the hour
    "Australia/Lord_Howe",  # clocks change by half an hour
    "Pacific/Apia",  # left out 2011-12-30
    "Pacific/Kiritimati",  # the first to see a day
    "Pacific/Niue",  # the last
)
MOMENT = timedelta(microseconds=1)

pers = st.sampled_from(CALENDAR_PERIODS)
zones = st.sampled_from(ZONES)
instants = st.datetimes(datetime(2000, 1, 2), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(pers, zones, instants)
@example("day", "America/St_Johns", datetime(2006, 10, 29, 2, 45, tzinfo=UTC))
@example("hour", "Australia/Lord_Howe", datetime(2026, 10, 3, 15, 40, tzinfo=UTC))
@example("hour", "Australia/Lord_Howe", datetime(2026, 4, 4, 15, 10, tzinfo=UTC))
@example("day", "Pacific/Apia", datetime(2011, 12, 30, 9, 59, tzinfo=UTC))
@example("day", "Africa/Cairo", datetime(2026, 4, 23, 21, 59, tzinfo=UTC))
@example("day", "America/Havana", datetime(2026, 11, 1, 4, 30, tzinfo=UTC))
def test_windows_tile_time(per: Per, zone: str, instant: datetime) -> None:
    """A window holds the instant it was asked for; the next begins where it ends; every instant in it gives the same window."""
    window = window_at(per, zone, instant)
    assert window.starts_at <= instant < window.ends_at
    assert window_at(per, zone, window.starts_at) == window
    assert window_at(per, zone, window.ends_at - MOMENT) == window
    assert window_at(per, zone, window.ends_at).starts_at == window.ends_at
    assert window_at(per, zone, window.starts_at - MOMENT).ends_at == window.starts_at


@given(pers, zones, instants, instants)
def test_a_label_names_one_window(per: Per, zone: str, one: datetime, other: datetime) -> None:
    """Two instants have the same label only if they lie in the same window, and the label does not depend on the spelling."""
    first, second = window_at(per, zone, one), window_at(per, zone, other)
    assert (first.label == second.label) == (first == second)
    assert window_at(per, zone, one.astimezone(ZoneInfo("Asia/Tokyo"))) == first


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("year", [2006, 2011, 2018, 2024, 2026])
def test_every_day_of_a_year(zone: str, year: int) -> None:
    """Walking from day to day through a year meets each label once, in order, and ends where the year does."""
    instant = window_at("year", zone, datetime(year, 6, 1, tzinfo=UTC)).starts_at
    labels = []
    while (window := window_at("day", zone, instant)).label.startswith(str(year)):
        labels.append(window.label)
        instant = window.ends_at
    days = [date(year, 1, 1) + timedelta(days=count) for count in range(366 if year % 4 == 0 else 365)]
    missing = {"2011-12-30"} if zone == "Pacific/Apia" else set()
    assert labels == [day.isoformat() for day in days if day.isoformat() not in missing]


@pytest.mark.parametrize(
    ("per", "zone", "instant", "label", "hours"),
    [
        ("day", "Europe/Berlin", datetime(2026, 3, 29, 12, tzinfo=UTC), "2026-03-29", 23),
        ("day", "Europe/Berlin", datetime(2026, 10, 25, 12, tzinfo=UTC), "2026-10-25", 25),
        ("day", "America/Sao_Paulo", datetime(2018, 11, 4, 12, tzinfo=UTC), "2018-11-04", 23),
        ("day", "Australia/Lord_Howe", datetime(2026, 10, 3, 20, tzinfo=UTC), "2026-10-04", 23.5),
        ("day", "America/New_York", datetime(2027, 1, 1, 4, 59, tzinfo=UTC), "2026-12-31", 24),
        ("day", "UTC", datetime(2028, 2, 29, tzinfo=UTC), "2028-02-29", 24),
        ("week", "UTC", datetime(2027, 1, 3, tzinfo=UTC), "2026-W53", 168),
        ("week", "UTC", datetime(2024, 12, 30, tzinfo=UTC), "2025-W01", 168),
        ("week", "Europe/Berlin", datetime(2026, 3, 29, 12, tzinfo=UTC), "2026-W13", 167),
        ("month", "UTC", datetime(2028, 2, 29, 23, tzinfo=UTC), "2028-02", 29 * 24),
        ("month", "Europe/Berlin", datetime(2026, 10, 31, 23, tzinfo=UTC), "2026-11", 30 * 24),
        ("quarter", "UTC", datetime(2026, 12, 31, 23, tzinfo=UTC), "2026-Q4", 92 * 24),
        ("year", "UTC", datetime(2028, 1, 1, tzinfo=UTC), "2028", 366 * 24),
        ("hour", "Asia/Kolkata", datetime(2026, 5, 5, 12, 29, tzinfo=UTC), "2026-05-05T1130Z", 1),
        ("hour", "UTC", datetime(2026, 5, 5, 12, 29, tzinfo=UTC), "2026-05-05T1200Z", 1),
    ],
)
def test_known_windows(per: Per, zone: str, instant: datetime, label: str, hours: float) -> None:
    """Short and long days, leap years, ISO weeks over a year's end and zones off the hour have their length and name."""
    window = window_at(per, zone, instant)
    assert (window.label, window.ends_at - window.starts_at) == (label, timedelta(hours=hours))


def test_a_repeated_hour_is_two_hours() -> None:
    """When clocks go back, the hour that is lived twice is two windows: an hourly budget is per hour lived."""
    first = window_at("hour", "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    second = window_at("hour", "Europe/Berlin", datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert first.label != second.label
    assert first.ends_at == second.starts_at


@given(zones, instants, instants)
def test_a_lifetime_never_resets(zone: str, one: datetime, other: datetime) -> None:
    """Tasks and sessions have one period, whenever and wherever it is asked for."""
    assert window_at("lifetime", zone, one) == window_at("lifetime", "UTC", other)
    assert window_at("lifetime", zone, one).starts_at < one < window_at("lifetime", zone, one).ends_at


@pytest.mark.parametrize("name", ["", "Mars/Base", "../../etc/passwd", "/etc/localtime", "UTC\0"])
def test_a_name_that_is_no_zone_is_refused(name: str) -> None:
    """Whatever is not an IANA zone is a ``ValueError`` that says so."""
    with pytest.raises(ValueError, match="not an IANA time zone"):
        zone_named(name)
