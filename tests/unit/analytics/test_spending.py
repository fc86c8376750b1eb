"""Spending rows: each reservation once, in its own periods, adding up to what the counters hold."""

from datetime import UTC, datetime, timedelta

from fakes.ledger_requests import actual, admitted, charge, line, request, usd

from budget_gate.analytics.spending import Note, SpendingReader, spending
from budget_gate.core.amounts import Amount
from budget_gate.core.scopes import ORG
from budget_gate.ledger.memory import MemoryLedger

CHARGES = (charge(ORG, "day", line(1000)), charge(ORG, "month", line(1000)))


class Clock:
    """A clock that tests set."""

    now = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


def test_every_reservation_is_one_row_in_its_own_month() -> None:
    """What was reserved before midnight and settled after it lies in the old month; voided ones are gone, held ones are there."""
    clock = Clock()
    ledger = MemoryLedger(clock=clock)
    names = [admitted(ledger.reserve(request(key, usd(10), *CHARGES))).reservation for key in ("a", "b", "c", "d")]
    clock.now += timedelta(minutes=2)
    ledger.settle("a", names[0], actual(usd(4)))
    ledger.void("b", names[1], "not sent")
    ledger.hold("c", names[2], "cut")
    rows = list(spending(ledger.entries()))
    assert [(row.state, row.amount, row.day, row.month) for row in rows] == [
        ("posted", usd(4), "2026-11-30", "2026-11"),
        ("held", usd(10), "2026-11-30", "2026-11"),
        ("pending", usd(10), "2026-11-30", "2026-11"),
    ]
    ledger.settle("late", names[1], actual(usd(3)))
    assert sum(row.amount.nano_usd for row in spending(ledger.entries())) == 27
    (state, _) = ledger.read(CHARGES, "UTC")
    assert state.posted == 0
    month = next(row for row in ledger.counters() if row.label == "2026-11")
    assert (month.value.posted, month.value.held) == (Amount(7), Amount(10))


def test_refusals_and_notes_are_told_apart_from_spending() -> None:
    """A refused request and a recorded note come as notes, with their kind, and move no money."""
    ledger = MemoryLedger()
    ledger.reserve(request("a", usd(5000), *CHARGES))
    ledger.record("n", "outcome", {"pr": "7"}, {"merged": "yes"})
    found = list(SpendingReader().follow(ledger.entries()))
    assert [each.kind for each in found if isinstance(each, Note)] == ["refuse", "outcome"]
