"""What agents (and the proxy) ask of the gate. The implementation is ``gate.gate``."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

from budget_gate.core.job_record import UnsettledCost
from budget_gate.core.reservations import BudgetState, Crossing, Refused
from budget_gate.core.routing import Facts, Route
from budget_gate.core.scopes import BOUND_KINDS
from budget_gate.core.tasks import Task
from budget_gate.core.usage import Usage
from budget_gate.gate.alternatives import Alternative
from budget_gate.providers.interface import Failed, OnText

Accounting = Literal["metered", "unsettled", "unmetered"]
"""How well the ledger knows a call: fully; admitted, but its outcome was lost, so it counts as reserved; or not at all."""


class Estimate(NamedTuple):
    """The most that a call can use and cost."""

    input_tokens: int
    output_tokens: int
    nano_usd: int


class Served(NamedTuple):
    """A call that was admitted and answered. ``cost_nano_usd`` counts its failed attempts that were billed or held too.

    ``accounting`` is the worst that befell any attempt; an unmetered one is counted here at what it cost or may have cost.
    ``unsettled`` are the known costs of reservations that the ledger could not be told of.
    """

    message: Mapping[str, Any]
    usage: Usage
    cost_nano_usd: int
    attempts: int
    crossed: tuple[Crossing, ...]
    budgets: tuple[BudgetState, ...]
    accounting: Accounting = "metered"
    unsettled: tuple[UnsettledCost, ...] = ()


def is_bound_only(refused: Refused) -> bool:
    """Return whether only task or session bounds refused: this piece of work is at its end, while every budget has room."""
    return bool(refused.refused_by) and all(refusal.scope.kind in BOUND_KINDS for refusal in refused.refused_by)


class GateService(Protocol):
    """Route, estimate, call. Every call is admitted before it is sent and accounted for afterwards.

    Raises ``BudgetGateError`` and its subclasses only; a refusal by a budget is a value.
    """

    @property
    def provider_name(self) -> str:
        """What people read: ``anthropic`` or ``scripted``."""
        ...

    def route(self, task: Task, facts: Facts) -> Route:
        """Choose the model tier for a task, given how its budgets stand.

        Raises ``LedgerUnavailable`` when the policy says that an outage blocks.
        """
        ...

    def estimate(self, route: Route, body: Mapping[str, Any]) -> Estimate:
        """Return the worst case of a Messages request on a route, at today's price. Takes nothing."""
        ...

    def alternatives(self, route: Route, body: Mapping[str, Any]) -> tuple[Alternative, ...]:
        """Return the worst case of a request on every tier of the policy, with the route's longest answer, cheapest first."""
        ...

    def fallback(self, task: Task, route: Route) -> Route | None:
        """Return another tier that the workflow may use when a route is overloaded, or None. A call on it is admitted anew."""
        ...

    def call(
        self, task: Task, route: Route, body: Mapping[str, Any], *, on_text: OnText | None = None
    ) -> Served | Refused | Failed:
        """Send a Messages request (without ``model`` and ``max_tokens``: the route sets them) through the budgets.

        An answer may be shorter than the route allows when that is all the budget had left. Raises ``LedgerUnavailable`` when
        the policy says that an outage blocks. ``on_text`` is handed the answer's text while it comes.
        """
        ...

    def budgets(self, task: Task, tier: str) -> tuple[BudgetState, ...]:
        """Return how every limit of a task stands now; nothing when the ledger is down and the policy lets work go on."""
        ...
