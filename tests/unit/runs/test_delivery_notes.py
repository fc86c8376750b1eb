"""The schedule of attempts, and notes that say how far a message has come."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fakes.history import SimulatedClock

from budget_gate.ledger.interface import Delivery
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.runs.delivery_notes import claimed_look, is_due, short_name, was_sent, write_sent


def test_attempts_are_due_ever_less_often() -> None:
    """The first, second and fourth claim, then every eighth."""
    assert [attempt for attempt in range(1, 33) if is_due(attempt)] == [1, 2, 4, 8, 16, 24, 32]


def test_what_was_sent_stays_sent_and_what_was_given_up_stays_so() -> None:
    """A later attempt learns what an earlier one sent; an attempt that was closed cannot claim to have sent after all."""
    ledger = MemoryLedger()
    first, second, fourth = (Delivery("1", "{}", attempt) for attempt in (1, 2, 4))
    assert not was_sent(ledger, first, "slack")
    assert write_sent(ledger, first, "slack")
    assert was_sent(ledger, second, "slack")
    assert not was_sent(ledger, second, "email")
    assert not write_sent(ledger, first, "email")
    assert write_sent(ledger, second, "email")
    assert was_sent(ledger, fourth, "email")


def test_names_in_keys_are_short_and_distinct() -> None:
    """Any text has a name that fits into a key."""
    assert len(short_name("x" * 10_000)) == 32
    assert short_name("a") != short_name("b")


class _BothLookedAtOnce:
    """A ledger as two runners see it that looked in the same instant: neither sees the other's note."""

    def __init__(self, inner: MemoryLedger) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def notes(self, keys: Sequence[str]) -> tuple[None, ...]:
        """See nothing."""
        return tuple(None for _ in keys)


def test_of_two_that_look_at_once_one_has_the_hour() -> None:
    """The look of an hour is claimed once, also by runners that both found it unclaimed; the next hour is another one's."""
    clock = SimulatedClock(datetime(2026, 11, 24, 16, 5, tzinfo=UTC))
    ledger = _BothLookedAtOnce(MemoryLedger(clock=clock))
    assert [claimed_look(ledger, name) for name in ("a", "b")] == [True, False]  # type: ignore[arg-type]
    clock.now += timedelta(hours=1)
    assert claimed_look(ledger, "b")  # type: ignore[arg-type]
