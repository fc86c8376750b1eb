"""Shortfalls: what `check` reads off the budgets before anybody asks for money."""

from datetime import UTC, datetime

from budget_gate.core.amounts import Amount
from budget_gate.core.headroom import shortfalls
from budget_gate.core.reservations import BudgetState
from budget_gate.core.scopes import ORG, Scope


def state(*, posted: int = 0, pending: int = 0, held: int = 0, line: int | None = 100, scope: Scope = ORG) -> BudgetState:
    """Return a dollar limit of 100 nano-dollars."""
    resets_at = datetime(2026, 4, 1, tzinfo=UTC)
    return BudgetState(scope, "month", "usd", "enforce", 100, 100, posted, pending, held, "", resets_at, "owner", line)


def test_room_to_the_last_nano_dollar_is_room() -> None:
    """A need that exactly fills the line is no shortfall; one more is."""
    assert shortfalls([state(posted=40)], Amount(60, 1, 1)) == ()
    (short,) = shortfalls([state(posted=40)], Amount(61, 1, 1))
    assert (short.reason, short.needed, short.left) == ("spent", 61, 60)


def test_held_money_is_named_as_held() -> None:
    """What only held amounts keep out is a shortfall for the reason held."""
    (short,) = shortfalls([state(posted=40, held=50)], Amount(20, 1, 1))
    assert (short.reason, short.left) == ("held", 10)


def test_pending_money_may_come_back() -> None:
    """Pending amounts are no shortfall: a call would wait for them."""
    assert shortfalls([state(pending=100)], Amount(50, 1, 1)) == ()


def test_limits_that_only_watch_and_bounds_of_one_task_never_fall_short() -> None:
    """A limit without an admission line, and the bounds of a task, say nothing about the next run."""
    watched = state(posted=200, line=None)
    bound = state(posted=100, scope=Scope("task", "w/t"))
    assert shortfalls([watched, bound], Amount(1, 1, 1)) == ()
