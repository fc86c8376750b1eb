"""Law 11: a tier is crossed once per limit and period, and its alert goes into the outbox in the same transaction.

Who is told, and how, is decided elsewhere: a payload only says what happened.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from budget_gate.core.audit import compact_json, microseconds
from budget_gate.core.reservations import BudgetState, Crossing, Refusal
from budget_gate.core.scopes import BOUND_KINDS
from budget_gate.ledger.books import Books
from budget_gate.ledger.placing import PlacedCharges


def cross_lines(
    books: Books,
    placed: PlacedCharges,
    budgets: Sequence[BudgetState],
    labels: Mapping[str, str],
    now: datetime,
    refused_by: Sequence[Refusal] = (),
) -> tuple[Crossing, ...]:
    """Write down and announce every tier that is reached and was not before; return those.

    ``budgets`` are how the limits of the charges stand, in their order. A refusal for good means that the scope has stopped, even if
    a little is left under its line: it crosses ``stop``.
    """
    stopped = {(each.scope, each.per, each.unit) for each in refused_by if each.reason == "spent"}
    if not stopped and not any(each.tier for each in budgets):
        return ()
    crossed = []
    lines = ((line, window) for charge, window in placed for line in charge.limits)
    for (line, window), budget in zip(lines, budgets, strict=True):
        if budget.scope.kind in BOUND_KINDS:  # bounds stop a task; they are nobody's budget
            continue
        is_stopped = (budget.scope, budget.per, budget.unit) in stopped and line.admission_line is not None
        for tier, at in line.tier_lines:
            if budget.used >= at or (is_stopped and tier == "stop"):
                crossing = Crossing(budget.scope, budget.per, window.label, budget.unit, tier)
                if books.cross(crossing, now):
                    books.send(alert_payload(crossing, budget, labels, now))
                    crossed.append(crossing)
    return tuple(crossed)


def alert_payload(crossing: Crossing, budget: BudgetState, labels: Mapping[str, str], now: datetime) -> str:
    """Return the JSON of an alert. Counts are of ``unit``, instants microseconds since 1970 UTC, as in entries."""
    return compact_json(
        {
            "scope": crossing.scope.text,
            "per": crossing.per,
            "label": crossing.label,
            "unit": crossing.unit,
            "tier": crossing.tier,
            "limit": budget.limit,
            "used": budget.used,
            "owner": budget.owner,
            "mode": budget.mode,
            "resets_at": microseconds(budget.resets_at),
            "at": microseconds(now),
            "workflow": labels.get("workflow", ""),
        }
    )
