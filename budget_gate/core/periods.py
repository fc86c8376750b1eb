"""Calendar periods in the policy's time zone: which hour, day, week, month, quarter or year an instant belongs to.

A period is named by a label of its local calendar (``2026-11``), not by a limit or a start instant: changing a limit, or the
zone, keeps what was already spent in the period. Hours are named in UTC, because a local hour repeats when clocks go back.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal, NamedTuple

Per = Literal["hour", "day", "week", "month", "quarter", "year", "lifetime"]
CALENDAR_PERIODS: tuple[Per, ...] = ("hour", "day", "week", "month", "quarter", "year")

_FOREVER_START = datetime(1970, 1, 1, tzinfo=UTC)
_FOREVER_END = datetime(9999, 1, 1, tzinfo=UTC)


class Window(NamedTuple):
    """One period: its kind, its label, and the half-open range of instants (UTC) that it covers."""

    per: Per
    label: str
    starts_at: datetime
    ends_at: datetime


@lru_cache(maxsize=32)
def zone_named(name: str) -> tzinfo:
    """Return the IANA zone, or raise ``ValueError`` when there is none of that name."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # 5 ms that a policy in UTC does not need

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not an IANA time zone") from None


def window_at(per: Per, zone: str, instant: datetime) -> Window:
    """Return the period of kind ``per`` that holds ``instant`` (an aware datetime) in ``zone``.

    ``lifetime`` is the one period of a task or a session: it starts with the epoch and does not end.
    """
    window = _window_of_minute(per, zone, minute_of(instant))
    # Periods begin at whole minutes wherever clocks keep whole minutes, which they have not always done.
    return window if window.starts_at <= instant < window.ends_at else _computed_window(per, zone, instant)


def minute_of(instant: datetime) -> datetime:
    """Return the beginning of the minute (UTC) that holds ``instant``."""
    return instant.astimezone(UTC).replace(second=0, microsecond=0)


@lru_cache(maxsize=256)
def _window_of_minute(per: Per, zone: str, minute: datetime) -> Window:
    """Remember the periods of a minute: a ledger asks for the same few with every operation, and calendars are slow."""
    return _computed_window(per, zone, minute)


def _computed_window(per: Per, zone: str, instant: datetime) -> Window:
    if per == "lifetime":
        return Window(per, "all", _FOREVER_START, _FOREVER_END)
    if per == "hour":
        return _hour(zone, instant)
    local_day = instant.astimezone(zone_named(zone)).date()
    if instant >= _midnight(zone, local_day + timedelta(days=1)):
        # Clocks went back over midnight (in St. John's from 00:01 to 23:01): the next day has begun, and does not end again.
        local_day += timedelta(days=1)
    first, after, label = _days_of(per, local_day)
    return Window(per, label, _midnight(zone, first), _midnight(zone, after))


def _hour(zone: str, instant: datetime) -> Window:
    """Return the local hour as an UTC range; zones off by half an hour have their hours off by half an hour.

    Hours follow the zone's standard time: on Lord Howe clocks change by half an hour, and its hours would overlap.
    """
    local = instant.astimezone(zone_named(zone))
    local -= local.dst() or timedelta(0)
    into_hour = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    start = instant.astimezone(UTC) - into_hour
    return Window("hour", start.strftime("%Y-%m-%dT%H%MZ"), start, start + timedelta(hours=1))


def _days_of(per: Per, day: date) -> tuple[date, date, str]:
    """Return the first day of the period, the first day after it, and its label."""
    if per == "day":
        return day, day + timedelta(days=1), day.isoformat()
    if per == "week":
        year, week, weekday = day.isocalendar()
        monday = day - timedelta(days=weekday - 1)
        return monday, monday + timedelta(days=7), f"{year}-W{week:02d}"
    if per == "month":
        return day.replace(day=1), _month_after(day.year, day.month), f"{day.year:04d}-{day.month:02d}"
    if per == "quarter":
        quarter = (day.month - 1) // 3
        first = date(day.year, quarter * 3 + 1, 1)
        return first, _month_after(day.year, quarter * 3 + 3), f"{day.year:04d}-Q{quarter + 1}"
    if per == "year":
        return date(day.year, 1, 1), date(day.year + 1, 1, 1), f"{day.year:04d}"
    raise ValueError(f"{per!r} is not a period")


def _month_after(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)


def _midnight(zone: str, day: date) -> datetime:
    """Return the instant at which ``day`` begins; where clocks skip midnight, the moment they skip it."""
    return datetime(day.year, day.month, day.day, tzinfo=zone_named(zone)).astimezone(UTC)
