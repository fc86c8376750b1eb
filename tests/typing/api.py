"""The types that users of the package rely on. Checked by mypy, never run."""

from typing import assert_type

from anthropic import Anthropic, AsyncAnthropic

from budget_gate import BudgetRefused, BudgetState, CallReport, Crossing, Gate, Refusal, open_gate
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


def a_gate_gives_the_sdks_own_clients(gate: Gate) -> tuple[Anthropic, AsyncAnthropic]:
    """The drop-in clients are the SDK's classes, so whatever takes one takes ours."""
    return gate.anthropic(max_retries=1), gate.async_anthropic()


def a_refused_client_call_names_its_limits(error: BudgetRefused) -> tuple[Refusal, ...]:
    """At the public edge a refusal is an exception that carries the value."""
    return error.refused.refused_by


def a_call_is_reported(gate: Gate) -> tuple[int, tuple[BudgetState, ...], tuple[Crossing, ...]]:
    """The latest call says what it cost, how its budgets stand and which tiers it crossed."""
    report = gate.last_call
    if report is None:
        return 0, gate.budgets(), ()
    assert_type(report, CallReport)
    return report.cost_nano_usd, report.budgets, report.crossed


def a_batch_is_reported(gate: Gate) -> int:
    """After a batch was created, the report says what it keeps reserved."""
    return 0 if gate.last_call is None else gate.last_call.reserved_nano_usd


def a_gate_is_opened_by_keywords() -> Gate:
    """Everything but policy and ledger is a keyword, and all of it may be left to the environment."""
    open_gate()
    return open_gate("budget-gate.yml", "memory://", workflow="scripts", user="alice", wait_seconds=5)
