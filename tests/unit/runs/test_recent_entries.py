"""The newest entries: all since an instant, or about as many as somebody in a hurry reads."""

from datetime import UTC, datetime, timedelta

from fakes.history import SimulatedClock

from budget_gate.ledger.memory import MemoryLedger
from budget_gate.runs.recent_entries import entries_since

START = datetime(2026, 11, 1, tzinfo=UTC)


def test_no_more_than_asked_for_is_read() -> None:
    """Of 9 000 entries since an instant, `most` of 2 000 gives the newest 2 000; without it all of them, and none much older."""
    clock = SimulatedClock(START)
    ledger = MemoryLedger(clock=clock)
    for number in range(12_000):
        clock.now = START + timedelta(minutes=number)
        ledger.record(f"note{number}", "note", {}, {})
    since = START + timedelta(minutes=3_000)
    every = [entry.seq for entry in entries_since(ledger, since)]
    some = [entry.seq for entry in entries_since(ledger, since, 2_000)]
    assert 9_000 <= len(every) <= 12_000
    assert some == list(range(10_001, 12_001))
