"""The part of a test generation's outcome that every agent has: verdict, reason, cost and budgets."""

from collections.abc import Sequence

from budget_gate.agents.review_report import Ending, reason_of, verdict_of, why
from budget_gate.agents.testgen_answer import PlanAnswer
from budget_gate.agents.testgen_packing import Packed
from budget_gate.core.money import usd_short
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.routing import Route
from budget_gate.core.tasks import Task
from budget_gate.core.usage import Usage
from budget_gate.gate.interface import GateService, Served

_EMPTY = PlanAnswer()


class PlanReport:
    """Reports the runs of one task on one route."""

    def __init__(self, gate: GateService, task: Task, route: Route) -> None:
        self._gate, self._task, self._route = gate, task, route

    def run(
        self, ending: Ending, calls: Sequence[Served] = (), answer: PlanAnswer = _EMPTY, *, failed_nano_usd: int = 0
    ) -> ReviewOutcome:
        """Return the outcome of some calls and what came of them; ``failed_nano_usd`` is what one without an answer may have cost."""
        workflow, route = self._task.workflow, self._route
        words = reason_of(workflow, ending, 0, 0).replace("the review is", "the plan is").replace("the pull request", "the work")
        made = f"{counted(len(answer.cases), 'test case')} and {counted(len(answer.files), 'test file')}"
        usage = Usage()
        for each in calls:
            usage = usage.plus(each.usage)
        return ReviewOutcome(
            verdict=verdict_of(workflow, ending),
            reason=words.replace("nothing found in what was reviewed", made).replace("nothing found", made),
            findings=(),
            reviewed_files=len(answer.files),
            reviewed_hunks=len(answer.cases),
            not_reviewed=(),
            cost_nano_usd=sum(each.cost_nano_usd for each in calls) + failed_nano_usd,
            usage=usage,
            tier=route.tier,
            model=route.model,
            route_reason=route.reason,
            provider=self._gate.provider_name,
            budgets=(calls[-1].budgets if calls else ()) or self._gate.budgets(self._task, route.tier),
            summary=answer.summary,
            refused=ending.refused,
            failure=ending.failure,
            masked_secrets=ending.masked_secrets,
        )

    def dry_run(self, packed: Packed, secrets: int) -> ReviewOutcome:
        """Return the outcome of a run that asks nothing: what it would use at most."""
        cost = f"{packed.price.tokens:,} tokens, {usd_short(packed.price.nano_usd)}"
        reason = f"dry run: nothing was sent; 1 call with {len(packed.files)} files would use at most {cost}"
        if packed.is_narrow:
            reason += f", narrowed {why('soft', self._task.workflow.task)}"
        run = self.run(Ending(frozenset(), masked_secrets=secrets))
        return run._replace(verdict="pass", reason=reason, is_dry_run=True)


def counted(count: int, word: str) -> str:
    """Return a count with its word, in the plural where it is not one."""
    return f"{count} {word}{'' if count == 1 else 's'}"
