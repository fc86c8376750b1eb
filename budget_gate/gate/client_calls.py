"""Calls that somebody else's code sends through a drop-in client: metered like an agent's, on the model that the caller names.

Nothing is routed here: whoever writes ``model=`` has chosen. What the wire looks like is the provider's affair.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from budget_gate.core.policy import Policy
from budget_gate.core.reservations import BudgetState, Crossing, Refused
from budget_gate.core.tasks import Task
from budget_gate.gate.attempts import CallAttempt
from budget_gate.gate.gate import Gate
from budget_gate.gate.interface import Accounting
from budget_gate.gate.metering import CallMeter
from budget_gate.gate.primitives import tier_and_model


class CallReport(NamedTuple):
    """What one call of a client has come to so far, its failed attempts included.

    ``cost_nano_usd`` is what was posted and held, ``attempts`` how many were admitted, ``crossed`` the tiers that it crossed,
    ``budgets`` how its limits stood afterwards. A stream is counted when it has been read to its end. ``reserved_nano_usd`` is what
    a message batch keeps reserved until its results are read; reading them is a call of its own, without attempts.
    """

    model: str
    cost_nano_usd: int
    attempts: int
    crossed: tuple[Crossing, ...]
    budgets: tuple[BudgetState, ...]
    accounting: Accounting = "metered"
    refused: Refused | None = None
    reserved_nano_usd: int = 0


class ClientMeter:
    """Implements ``providers.interface.Meter`` for one call. ``model`` in the request is a tier of the policy or a model id."""

    def __init__(self, gate: Gate, policy: Policy, task: Task) -> None:
        self._gate = gate
        self._policy = policy
        self._task = task
        self._meter: CallMeter | None = None
        self._model = ""
        self._admitted = 0
        self._refused: Refused | None = None

    def begin(self, body: Mapping[str, Any]) -> CallAttempt | Refused:
        """Admit one attempt, or say which budgets refuse."""
        tier, self._model = tier_and_model(self._policy, str(body.get("model") or ""))
        if self._meter is None:
            self._meter = self._gate.meter(self._task, tier, self._model)
        decision = self._meter.begin({**body, "model": self._model})
        if isinstance(decision, Refused):
            self._refused = decision
        else:
            self._admitted += 1
        return decision

    def report(self) -> CallReport | None:
        """Return what the call has come to, or None if it has not asked for anything yet."""
        if self._meter is None:
            return None
        tally = self._meter.tally
        return CallReport(
            model=self._model,
            cost_nano_usd=tally.cost_nano_usd,
            attempts=self._admitted,
            crossed=tuple(tally.crossed),
            budgets=tally.budgets,
            accounting=tally.accounting,
            refused=self._refused,
        )
