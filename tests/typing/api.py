"""The types that users of the package rely on. Checked by mypy, never run."""

from budget_gate.core.reservations import Admitted, Refused, Waiting
from budget_gate.core.tasks import Task
from budget_gate.gate.interface import GateService, Served
from budget_gate.ledger.interface import Ledger
from budget_gate.providers.interface import Failed


def decisions_are_values(ledger: Ledger, decision: Admitted | Waiting | Refused) -> str:
    """A decision is one of three values, and a match over them is complete."""
    match decision:
        case Admitted(reservation=reservation):
            return reservation
        case Waiting(retry_seconds=seconds):
            return f"{seconds}"
        case Refused(refused_by=refusals):
            return refusals[0].scope.text


def calls_end_in_values(result: Served | Refused | Failed) -> int:
    """A call through the gate is served, refused or failed; none of them is an exception."""
    if isinstance(result, Served):
        return result.cost_nano_usd
    return len(result.refused_by) if isinstance(result, Refused) else result.attempts


def gate_takes_a_task(gate: GateService, task: Task) -> tuple[object, ...]:
    """Budgets are read for a task and a tier."""
    return gate.budgets(task, "small")
