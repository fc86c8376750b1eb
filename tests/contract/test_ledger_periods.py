"""Laws 7, 8 and 9: limits are not in the keys, the period is the reservation's, and the ledger's clock decides."""

from datetime import UTC, datetime, timedelta

import pytest
from contract.ledgers import Store
from fakes.ledger_requests import actual, admitted, charge, line, request, usd

from budget_gate.core.charges import Charge
from budget_gate.core.periods import Per
from budget_gate.core.reservations import Refused
from budget_gate.core.scopes import ORG
from budget_gate.ledger.verify import verify

DAY = charge(ORG, "day", line(100))


def _posted(store: Store, each: Charge, zone: str) -> int:
    (state,) = store.ledger.read([each], zone)
    return state.posted


def test_limits_may_change_at_any_time(store: Store) -> None:
    """Law 7: a raised or lowered limit applies at once to what was already spent in the period."""
    for number, (limit, asked, is_admitted) in enumerate(
        [(100, 60, True), (100, 41, False), (150, 41, True), (50, 1, False), (101, 1, False), (102, 1, True)]
    ):
        decision = store.ledger.reserve(request(f"k{number}", usd(asked), charge(ORG, "month", line(limit))))
        assert isinstance(decision, Refused) is not is_admitted, (limit, asked)


MIDNIGHTS = [
    ("UTC", datetime(2026, 3, 10, 0, 0, tzinfo=UTC)),
    ("Asia/Kolkata", datetime(2026, 3, 10, 18, 30, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 28, 23, 0, tzinfo=UTC)),  # the short day begins: clocks go forward at 02:00
    ("Europe/Berlin", datetime(2026, 3, 29, 22, 0, tzinfo=UTC)),  # and ends
    ("Europe/Berlin", datetime(2026, 10, 25, 23, 0, tzinfo=UTC)),  # the long day ends
    ("America/Santiago", datetime(2026, 9, 6, 4, 0, tzinfo=UTC)),  # clocks skip midnight itself
    ("Pacific/Apia", datetime(2026, 3, 10, 11, 0, tzinfo=UTC)),
]


@pytest.mark.parametrize(("zone", "midnight"), MIDNIGHTS, ids=[f"{zone} {day:%m-%d}" for zone, day in MIDNIGHTS])
def test_midnight_is_the_reservations(store: Store, zone: str, midnight: datetime) -> None:
    """Law 8: what is reserved before local midnight settles before it, DST or not, and the new day starts empty."""
    store.set_time(midnight - timedelta(minutes=2))
    before = admitted(store.ledger.reserve(request("a", usd(100), DAY, zone=zone)))
    assert before.budgets[0].resets_at == midnight
    assert isinstance(store.ledger.reserve(request("b", usd(1), DAY, zone=zone)), Refused)
    store.set_time(midnight + timedelta(minutes=2))
    after = admitted(store.ledger.reserve(request("c", usd(100), DAY, zone=zone)))
    settled = store.ledger.settle("s", before.reservation, actual(usd(99)))
    assert (settled.budgets[0].posted, settled.budgets[0].resets_at) == (99, midnight)
    store.ledger.void("v", after.reservation, "not sent")
    assert _posted(store, DAY, zone) == 0
    assert sorted(row.value.posted.nano_usd for row in store.ledger.counters()) == [0, 99]
    store.set_time(midnight - timedelta(minutes=1))
    assert _posted(store, DAY, zone) == 99
    assert verify(store.ledger).ok


@pytest.mark.parametrize("first_hour", [0, 1])
def test_a_repeated_local_hour_is_two_hours(store: Store, first_hour: int) -> None:
    """Law 8: the hour that clocks repeat in autumn is counted as two, each with its whole limit."""
    hourly = charge(ORG, "hour", line(100))
    store.set_time(datetime(2026, 10, 25, first_hour, 30, tzinfo=UTC))  # 02:30 in Berlin, both times
    admitted(store.ledger.reserve(request("a", usd(100), hourly, zone="Europe/Berlin")))
    store.set_time(datetime(2026, 10, 25, 1 - first_hour, 30, tzinfo=UTC))
    admitted(store.ledger.reserve(request("b", usd(100), hourly, zone="Europe/Berlin")))


@pytest.mark.parametrize("per", ["hour", "day", "week", "month", "quarter", "year"])
def test_every_period_resets(store: Store, per: Per) -> None:
    """Law 8: each kind of period refuses while it lasts and starts anew after it."""
    store.set_time(datetime(2026, 5, 13, 12, 0, tzinfo=UTC))
    each = charge(ORG, per, line(100))
    admitted(store.ledger.reserve(request("a", usd(100), each)))
    refused = store.ledger.reserve(request("b", usd(1), each))
    assert isinstance(refused, Refused)
    store.set_time(refused.refused_by[0].resets_at - timedelta(seconds=30))
    assert isinstance(store.ledger.reserve(request("late", usd(1), each)), Refused)
    store.set_time(refused.refused_by[0].resets_at + timedelta(seconds=1))
    admitted(store.ledger.reserve(request("c", usd(100), each)))


def test_a_lifetime_never_resets(store: Store) -> None:
    """Law 8: the bounds of a task hold however long it lasts."""
    task = charge(ORG._replace(kind="task", name="ci_cd_review/pr-7"), "lifetime", line(100))
    admitted(store.ledger.reserve(request("a", usd(100), task)))
    store.set_time(store.ledger.now() + timedelta(days=4000))
    assert isinstance(store.ledger.reserve(request("b", usd(1), task)), Refused)


def test_changing_the_zone_keeps_what_was_spent(store: Store) -> None:
    """Law 7: moving the policy to another time zone does not forget the spend of the period."""
    store.set_time(datetime(2026, 5, 13, 12, 0, tzinfo=UTC))
    for per in ("day", "week", "month"):
        each = charge(ORG, per, line(100))
        taken = admitted(store.ledger.reserve(request(f"a{per}", usd(60), each, zone="UTC")))
        store.ledger.settle(f"s{per}", taken.reservation, actual(usd(60)))
        assert _posted(store, each, "America/New_York") == 60
        assert isinstance(store.ledger.reserve(request(f"b{per}", usd(41), each, zone="Asia/Tokyo")), Refused)


def test_the_ledgers_clock_stamps_everything(store: Store) -> None:
    """Law 9: deadlines and entries carry the ledger's time, whatever the caller's machine believes."""
    store.set_time(datetime(2031, 7, 1, 12, 0, tzinfo=UTC))
    taken = admitted(store.ledger.reserve(request("a", usd(1), DAY, ttl_seconds=600)))
    assert abs(taken.expires_at - datetime(2031, 7, 1, 12, 10, tzinfo=UTC)) < timedelta(seconds=60)
    (entry,) = store.ledger.entries()
    assert abs(entry.parsed().at - datetime(2031, 7, 1, 12, 0, tzinfo=UTC)) < timedelta(seconds=60)
    shown = store.ledger.show(taken.reservation)
    assert shown.expires_at - shown.created_at == timedelta(seconds=600)
    assert store.ledger.now().utcoffset() == timedelta(0)
