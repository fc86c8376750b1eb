"""A year of simulated time: each call is counted in the hour, day, week, month, quarter and year of the wall calendar."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from contract.ledgers import Backend, Store
from fakes.ledger_requests import actual, admitted, charge, line, request, usd

from budget_gate.core.periods import CALENDAR_PERIODS
from budget_gate.core.scopes import ORG
from budget_gate.ledger.verify import verify

ZONE = "Europe/Berlin"
LOCAL = ZoneInfo(ZONE)
CHARGES = tuple(charge(ORG, per, line(10_000)) for per in CALENDAR_PERIODS)
MINUTE = timedelta(minutes=1)

SHORT_DAY, LONG_DAY, LEAP_DAY = (
    datetime(2028, 3, 26, tzinfo=LOCAL),
    datetime(2028, 10, 29, tzinfo=LOCAL),
    datetime(2028, 2, 29, tzinfo=LOCAL),
)


def moments(every_hours: int) -> list[datetime]:
    """Return instants of 2028: now and then, hourly where the clocks change and on the leap day, and around each month's end."""
    first = datetime(2028, 1, 1, tzinfo=LOCAL).astimezone(UTC)
    found = [first + timedelta(hours=hours) + 7 * MINUTE for hours in range(0, 366 * 24, every_hours)]
    for day in (SHORT_DAY, LONG_DAY, LEAP_DAY):
        found += [day.astimezone(UTC) + timedelta(hours=hours) + 11 * MINUTE for hours in range(26)]
    for month in range(2, 13):
        begins = datetime(2028, month, 1, tzinfo=LOCAL).astimezone(UTC)
        found += [begins - MINUTE, begins + MINUTE]
    return sorted(set(found))


def expected_labels(moment: datetime) -> list[tuple[str, str]]:
    """Return the periods of an instant as a wall calendar has them; hours by their UTC beginning, because one repeats."""
    local = moment.astimezone(LOCAL)
    year, week, _ = local.isocalendar()
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return [
        ("hour", f"{hour:%Y-%m-%dT%H%M}Z"),
        ("day", f"{local:%Y-%m-%d}"),
        ("week", f"{year}-W{week:02d}"),
        ("month", f"{local:%Y-%m}"),
        ("quarter", f"{local.year}-Q{(local.month + 2) // 3}"),
        ("year", f"{local.year}"),
    ]


def test_a_year_is_counted_as_the_wall_calendar_has_it(backend: Backend, store: Store) -> None:
    """Law 8: over a leap year with days of 23 and 25 hours, every counter holds the calls of its period, settled a day later."""
    expected: Counter[tuple[str, str]] = Counter()
    chosen = moments(every_hours=37 if backend.is_slow else 13)
    for number, moment in enumerate(chosen[:: 5 if backend.is_slow else 1]):
        store.set_time(moment)
        taken = admitted(store.ledger.reserve(request(f"k{number}", usd(3), *CHARGES, zone=ZONE, ttl_seconds=14 * 86_400)))
        expected.update(expected_labels(moment))
        store.set_time(moment + timedelta(days=1))
        store.ledger.settle(f"k{number}", taken.reservation, actual(usd(2)))
    counted = {(row.per, row.label): row.value.posted.nano_usd for row in store.ledger.counters()}
    assert counted == {period: 2 * calls for period, calls in expected.items()}
    assert verify(store.ledger).ok
