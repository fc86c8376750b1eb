"""Whether there is room for some amount, judged by reading alone: what ``check`` says before anybody asks for money."""

from collections.abc import Iterable

from budget_gate.core.amounts import Amount
from budget_gate.core.reservations import BudgetState, Refusal, RefusalReason
from budget_gate.core.scopes import BOUND_KINDS


def shortfalls(budgets: Iterable[BudgetState], need: Amount) -> tuple[Refusal, ...]:
    """Return every enforced budget with less than ``need`` left. What is merely pending counts as left: it may come back.

    Task and session bounds are left out: they bound one piece of work and say nothing about the next.
    """
    found = []
    for state in budgets:
        if state.admission_line is None or state.scope.kind in BOUND_KINDS:
            continue
        needed = need.of(state.unit)
        reason: RefusalReason = "spent" if needed > state.admission_line - state.posted else "held"
        if needed > state.admission_line - state.used:
            left = max(state.admission_line - state.used, 0)
            found.append(Refusal(state.scope, state.per, state.unit, reason, needed, left, state.resets_at, state.owner))
    return tuple(found)
