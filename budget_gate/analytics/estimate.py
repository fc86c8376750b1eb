"""The estimate: what the policy's own inventory of workflows will cost per month, before anybody has spent anything.

A workflow runs ``per_month`` times, each run makes ``turns`` calls, and every call reads ``input_tokens`` and writes
``output_tokens`` on the workflow's usual tier. The cost of a month is rounded up to whole cents, and the total is the sum of what is
shown, so that the table adds up (docs/decisions/0013-reports.md).
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from budget_gate.core.errors import UsageError
from budget_gate.core.money import EXACT, NANO_PER_USD
from budget_gate.core.policy import Policy, Workflow
from budget_gate.core.prices import PriceBook, call_cost_usd
from budget_gate.core.scopes import ORG
from budget_gate.core.usage import Usage

CENT_NANO_USD = NANO_PER_USD // 100
_CENTS = 2


class WhatIf(NamedTuple):
    """Changes to try: ``tiers`` by workflow, ``pulls`` per month for code reviews, then ``scale`` times as many runs of everything."""

    scale: Decimal = Decimal(1)
    tiers: Mapping[str, str] = {}
    pulls: int | None = None


class WorkflowEstimate(NamedTuple):
    """One workflow's month: how many calls, on which tier and model, their tokens, and their cost (whole cents, rounded up)."""

    name: str
    tier: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost_nano_usd: int


class Estimate(NamedTuple):
    """A month of every workflow with an inventory. ``limit_nano_usd`` is the organization's per month, None where it has none."""

    workflows: tuple[WorkflowEstimate, ...]
    without_inventory: tuple[str, ...]
    limit_nano_usd: int | None

    @property
    def total_nano_usd(self) -> int:
        """The sum of the workflows as shown."""
        return sum(each.cost_nano_usd for each in self.workflows)

    @property
    def headroom_nano_usd(self) -> int | None:
        """What the limit leaves, below zero where the estimate passes it; None without a limit."""
        return None if self.limit_nano_usd is None else self.limit_nano_usd - self.total_nano_usd

    @property
    def utilization_basis_points(self) -> int | None:
        """The total as ten-thousandths of the limit, rounded up as the costs are; None without a limit above zero."""
        return -(-self.total_nano_usd * 10_000 // self.limit_nano_usd) if self.limit_nano_usd else None


def estimate_month(policy: Policy, prices: PriceBook, at: datetime, what_if: WhatIf | None = None) -> Estimate:
    """Return the estimate at the prices of ``at``. Raises ``UsageError`` for a change that names no workflow or tier of the policy."""
    change = _checked(policy, what_if or WhatIf())
    estimates = tuple(
        _workflow_estimate(policy, prices, at, workflow, change)
        for workflow in policy.workflows.values()
        if workflow.estimate is not None
    )
    without = tuple(each.name for each in policy.workflows.values() if each.estimate is None)
    return Estimate(estimates, without, monthly_limit_nano_usd(policy))


def monthly_limit_nano_usd(policy: Policy) -> int | None:
    """Return the organization's tightest limit of dollars per month, or None."""
    limits = [
        limit.amount
        for budget in policy.budgets
        if budget.scope == ORG
        for limit in budget.limits
        if (limit.unit, limit.per) == ("usd", "month")
    ]
    return min(limits, default=None)


def _checked(policy: Policy, change: WhatIf) -> WhatIf:
    for name, tier in change.tiers.items():
        if name not in policy.workflows:
            raise UsageError(f"--model: the policy has no workflow {name!r}; its workflows: {', '.join(policy.workflows)}")
        if tier not in policy.models:
            raise UsageError(f"--model: the policy has no tier {tier!r}; its tiers: {', '.join(policy.models)}")
    return change


def _workflow_estimate(policy: Policy, prices: PriceBook, at: datetime, workflow: Workflow, change: WhatIf) -> WorkflowEstimate:
    inventory = workflow.estimate
    assert inventory is not None, "only workflows with an inventory are estimated"
    runs = inventory.per_month
    if change.pulls is not None and workflow.agent == "code_review":
        runs = change.pulls
    scaled = EXACT.multiply(change.scale, runs * inventory.turns)
    calls = int(scaled.to_integral_value(rounding=ROUND_CEILING, context=EXACT))
    tier = change.tiers.get(workflow.name, workflow.model)
    model = policy.models[tier]
    one_call = Usage(inventory.input_tokens, inventory.output_tokens)
    month_usd = EXACT.multiply(call_cost_usd(one_call, prices.price_of(model, at)), calls)
    return WorkflowEstimate(
        workflow.name,
        tier,
        model,
        calls,
        calls * inventory.input_tokens,
        calls * inventory.output_tokens,
        _up_to_cents(month_usd),
    )


def _up_to_cents(cost_usd: Decimal) -> int:
    """Return dollars as nano-dollars, rounded up to a whole cent."""
    cents = cost_usd.scaleb(_CENTS, context=EXACT).to_integral_value(rounding=ROUND_CEILING, context=EXACT)
    return int(cents) * CENT_NANO_USD
