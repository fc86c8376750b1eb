"""A gate for agents' tests: it bounds by bytes, keeps one task's counter, refuses past it, and answers from a function."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from budget_gate.core.attribution import Attribution
from budget_gate.core.policy import Bounds, Workflow
from budget_gate.core.reservations import BudgetState, Refusal, Refused
from budget_gate.core.routing import Facts, Route
from budget_gate.core.scopes import Scope
from budget_gate.core.tasks import Task
from budget_gate.core.usage import Usage
from budget_gate.gate.alternatives import Alternative
from budget_gate.gate.interface import Accounting, Estimate, Served
from budget_gate.providers.interface import Failed

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
TASK = Scope("task", "ci_cd_review/pr-1@abc")
NANO_USD_PER_TOKEN = 1_000
ACME_BOUNDS = Bounds(soft_tokens=6_000, hard_tokens=12_000, nano_usd=500_000_000, steps=5)

Reply = Callable[[Mapping[str, Any]], Mapping[str, Any] | Failed]


def review_task(bounds: Bounds = ACME_BOUNDS, **fields: Any) -> Task:
    """Return a review task under the given bounds; other fields are the workflow's."""
    workflow = Workflow(name="ci_cd_review", agent="code_review", model="small", task=bounds, **fields)
    return Task(Attribution("ci_cd_review", task="pr-1@abc"), workflow)


def text_bound(body: Mapping[str, Any]) -> int:
    """Return the bytes of a request's JSON: more tokens than that, no text has."""
    return len(json.dumps(body, ensure_ascii=False).encode())


def reported(*findings: Mapping[str, Any], summary: str = "", stop_reason: str = "tool_use") -> dict[str, Any]:
    """Return a Messages response that calls the report tool."""
    tool = {"findings": list(findings), "summary": summary}
    block = {"type": "tool_use", "id": "toolu_1", "name": "report_findings", "input": tool}
    return {"content": [block], "stop_reason": stop_reason}


def nothing_found(_body: Mapping[str, Any]) -> dict[str, Any]:
    """Answer that there is nothing to report."""
    return reported()


class TaskGate:
    """Implements ``GateService`` for one task, with the counter of a ledger and none of its persistence."""

    def __init__(
        self,
        task: Task,
        reply: Reply = nothing_found,
        *,
        used_tokens: int = 0,
        bytes_per_token: int = 3,
        refuse_after: int | None = None,
        output_tokens: int = 1_024,
    ) -> None:
        self.task, self.reply = task, reply
        self.bodies: list[Mapping[str, Any]] = []
        self.facts: list[Facts] = []
        self.prompt_versions: set[str] = set()
        self.accounting: Accounting = "metered"
        self.reserved: list[Estimate] = []
        self.fallback_to: Route | None = None
        self.used_tokens, self.steps, self.nano_usd = used_tokens, 0, 0
        self._bytes_per_token, self._refuse_after, self._output_tokens = bytes_per_token, refuse_after, output_tokens

    @property
    def provider_name(self) -> str:
        """Return the name people read."""
        return "scripted"

    def route(self, task: Task, facts: Facts) -> Route:
        """Note the facts; there is one route."""
        self.facts.append(facts)
        return Route("small", "claude-haiku-4-5", self._output_tokens, "the workflow's model")

    def estimate(self, route: Route, body: Mapping[str, Any]) -> Estimate:
        """Bound a request by its bytes."""
        assert "model" not in body
        assert "max_tokens" not in body
        tokens = text_bound(body)
        return Estimate(tokens, route.max_output_tokens, (tokens + 5 * route.max_output_tokens) * NANO_USD_PER_TOKEN)

    def alternatives(self, route: Route, body: Mapping[str, Any]) -> tuple[Alternative, ...]:
        """Price the one route."""
        estimate = self.estimate(route, body)
        return (Alternative("small", "claude-haiku-4-5", *estimate),)

    def fallback(self, task: Task, route: Route) -> Route | None:
        """There is one route, unless a test says otherwise."""
        return self.fallback_to

    def call(self, task: Task, route: Route, body: Mapping[str, Any], *, on_text: object = None) -> Served | Refused | Failed:
        """Refuse past the task's bounds, else answer and count."""
        estimate = self.estimate(route, body)
        needed = estimate.input_tokens + estimate.output_tokens
        hard, steps = task.workflow.task.hard_tokens, task.workflow.task.steps
        is_over = hard is not None and self.used_tokens + needed > hard
        is_over = is_over or (steps is not None and self.steps >= steps)
        if is_over or len(self.bodies) == self._refuse_after:
            refusal = Refusal(Scope("workflow", "ci_cd_review"), "day", "usd", "spent", estimate.nano_usd, 0, FOREVER)
            return Refused((refusal,), self.budgets(task, route.tier))
        self.bodies.append(body)
        self.prompt_versions.add(task.prompt_version)
        self.reserved.append(estimate)
        answer = self.reply(body)
        if isinstance(answer, Failed):
            return answer
        usage = Usage(input_tokens=estimate.input_tokens // self._bytes_per_token, output_tokens=100)
        cost_nano_usd = (usage.input_tokens + 5 * usage.output_tokens) * NANO_USD_PER_TOKEN
        self.used_tokens, self.steps = self.used_tokens + usage.total_tokens, self.steps + 1
        self.nano_usd += cost_nano_usd
        return Served(answer, usage, cost_nano_usd, 1, (), self.budgets(task, route.tier), self.accounting)

    def budgets(self, task: Task, tier: str) -> tuple[BudgetState, ...]:
        """Return the task's counter of tokens, if the task is named."""
        hard = task.workflow.task.hard_tokens
        if hard is None or not task.attribution.task:
            return ()
        used = self.used_tokens
        return (BudgetState(TASK, "lifetime", "tokens", "enforce", hard, hard, used, 0, 0, "", FOREVER, ""),)
