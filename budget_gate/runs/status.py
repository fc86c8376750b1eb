"""The state of every budget that the policy names, read from the counters."""

from collections.abc import Mapping, Sequence

from budget_gate.core.charges import Charge, LimitLine, exempted_line, limit_line
from budget_gate.core.exemptions import Exemption
from budget_gate.core.periods import Per
from budget_gate.core.policy import Policy
from budget_gate.core.reservations import BudgetState
from budget_gate.core.scopes import Scope
from budget_gate.ledger.interface import Ledger


def budget_states(
    policy: Policy, ledger: Ledger, names: Mapping[str, str], exemptions: Sequence[Exemption] = ()
) -> tuple[BudgetState, ...]:
    """Return how each limit stands, in the policy's order.

    ``names`` gives a name by scope kind (``{"user": "alice"}``): a budget for every name of that kind is shown for it, and left out
    where no name is given. Lines are those of critical work: the whole limit, nothing kept back, raised by
    the ``exemptions`` in force.
    """
    lines: dict[tuple[Scope, Per], list[LimitLine]] = {}
    for budget in policy.budgets:
        scope = budget.scope
        if scope.is_wildcard:
            if scope.kind not in names:
                continue
            scope = scope._replace(name=names[scope.kind])
            if any(other.scope == scope for other in policy.budgets):
                continue
        for limit in budget.limits:
            lines.setdefault((scope, limit.per), []).append(
                exempted_line(limit_line(budget, limit, critical=True), scope, limit.per, exemptions)
            )
    charges = [Charge(scope, per, tuple(limits)) for (scope, per), limits in lines.items()]
    return ledger.read(charges, policy.timezone)
