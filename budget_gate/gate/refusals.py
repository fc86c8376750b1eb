"""Refusals that the gate makes or tells itself: calls without a price, and what a refusal says in a log."""

from collections.abc import Sequence

from budget_gate.core.amounts import Amount
from budget_gate.core.charges import Charge
from budget_gate.core.periods import window_at
from budget_gate.core.reservations import BudgetState, Refusal, Refused
from budget_gate.gate.till import Outage, Till


def is_enforced(charges: Sequence[Charge]) -> bool:
    """Return whether any limit can refuse."""
    return any(line.admission_line is not None for charge in charges for line in charge.limits)


def unpriced_refusal(till: Till, charges: Sequence[Charge], zone: str, needed: Amount) -> Refused:
    """Return law 13's refusal of something that needs this much, naming every enforced limit."""
    found = till.read(charges)
    budgets: tuple[BudgetState, ...] = () if isinstance(found, Outage) else found
    left = {(state.scope, state.per, state.unit): state.left or 0 for state in budgets}
    now = till.now()
    refusals = tuple(
        Refusal(
            scope=charge.scope,
            per=charge.per,
            unit=line.unit,
            reason="unpriced",
            needed=needed.of(line.unit),
            left=left.get((charge.scope, charge.per, line.unit), 0),
            resets_at=window_at(charge.per, zone, now).ends_at,
            owner=line.owner,
        )
        for charge in charges
        for line in charge.limits
        if line.admission_line is not None
    )
    return Refused(refusals, budgets)


def refusals_text(refused: Refused) -> str:
    """Return which limits refused, and why, on one line."""
    return ", ".join(f"{each.scope.text} per {each.per} in {each.unit}: {each.reason}" for each in refused.refused_by)
