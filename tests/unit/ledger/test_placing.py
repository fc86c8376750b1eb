"""Charges in their periods: always those of the ledger's clock, whatever was remembered, and the same again when read back."""

from datetime import UTC, datetime, timedelta

import pytest
from fakes.ledger_requests import TEAM, charge, line

from budget_gate.core.periods import window_at
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.placing import parsed_charges, place_charges

CHARGES = (
    charge(ORG, "month", line(1000)),
    charge(TEAM, "day", line(10), line(5, "requests")),
    charge(Scope("task", "a/1"), "lifetime"),
)
MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def test_each_charge_is_counted_in_the_period_of_the_instant() -> None:
    """A day ends at midnight however often its minute was asked for: the last moment is in it, the next one is not."""
    for instant, labels in (
        (MIDNIGHT - MOMENT, ["2026-11", "2026-11-30", "all"]),
        (MIDNIGHT, ["2026-12", "2026-12-01", "all"]),
    ) * 2:
        placed = place_charges(CHARGES, "UTC", instant)
        assert [each.window.label for each in placed] == labels
        assert [each.charge for each in placed] == [*CHARGES]
        assert [counter.scope for counter in placed.counters] == ["org", "team/payments", "task/a/1"]


def test_a_period_that_begins_within_a_minute_begins_there() -> None:
    """Liberia's clocks were 44 minutes and 30 seconds behind until 1972: a day began half a minute after 00:44 UTC."""
    begins = datetime(1971, 5, 5, 0, 44, 30, tzinfo=UTC)
    for _ in range(2):
        for instant, label in ((begins - MOMENT, "1971-05-04"), (begins, "1971-05-05"), (begins + MOMENT, "1971-05-05")):
            assert window_at("day", "Africa/Monrovia", instant).label == label
            assert place_charges([charge(ORG, "day")], "Africa/Monrovia", instant).counters[0].label == label


def test_the_zone_and_the_limits_of_each_request_are_its_own() -> None:
    """Neither another zone nor another limit is answered from what was remembered of the same minute."""
    tokyo = place_charges(CHARGES, "Asia/Tokyo", MIDNIGHT - MOMENT)
    assert [each.window.label for each in tokyo] == ["2026-12", "2026-12-01", "all"]
    raised = (charge(ORG, "month", line(2000)),)
    assert place_charges(raised, "UTC", MIDNIGHT)[0].charge == raised[0]
    assert place_charges(CHARGES[:1], "UTC", MIDNIGHT)[0].charge == CHARGES[0]


@pytest.mark.parametrize("charges", [CHARGES, ()])
def test_charges_are_read_back_as_they_were(charges: tuple[object, ...]) -> None:
    """A stored reservation settles in the periods and with the limits it was made with."""
    placed = place_charges(CHARGES[: len(charges)], "Europe/Berlin", MIDNIGHT)
    again = parsed_charges(placed.text)
    assert again == placed
    assert again.counters == placed.counters
    assert again.text == placed.text
