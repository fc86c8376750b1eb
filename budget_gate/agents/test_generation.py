"""The test-generation agent: from a ticket to a plan and test files, within the task's budget, every link checked.

It decides what to show and what to accept; admission and accounting are the gate's.
"""

from collections.abc import Sequence

from budget_gate.agents.prompt_files import load_prompt
from budget_gate.agents.review_prices import Spent, room_left
from budget_gate.agents.review_report import Ending, reason_of, verdict_of, why
from budget_gate.agents.review_request import unused_tag
from budget_gate.agents.testgen_answer import PlanAnswer, read_plan
from budget_gate.agents.testgen_checkout import Checkout
from budget_gate.agents.testgen_packing import Packed, packed_within
from budget_gate.agents.testgen_request import MaskedFile, PlanBriefing, masked_file, masked_ticket
from budget_gate.core.errors import ProviderError
from budget_gate.core.money import usd_short
from budget_gate.core.packing import Cause, Price
from budget_gate.core.reservations import Refused
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.routing import Facts, Route
from budget_gate.core.tasks import Task
from budget_gate.core.test_plans import PlanOutcome, trace_gaps
from budget_gate.core.tickets import Ticket, requirements_of
from budget_gate.core.usage import Usage
from budget_gate.gate.interface import GateService, Served
from budget_gate.providers.interface import Failed


class TestGenerationAgent:
    """Plans and writes tests for one task."""

    __test__ = False
    """Not a test itself, whatever its name makes a test runner think."""

    def __init__(self, gate: GateService, task: Task, checkout: Checkout, *, may_overwrite: bool = False) -> None:
        self._gate, self._checkout, self._may_overwrite = gate, checkout, may_overwrite
        self._prompt = load_prompt("test_generation")
        self._task = task._replace(prompt_version=f"{self._prompt.name}/{self._prompt.version}")

    def plan(self, ticket: Ticket, *, tag: str, dry_run: bool = False) -> PlanOutcome:
        """Return the plan for a ticket; a refusal or a failing model is part of the outcome.

        ``tag`` is at least eight letters and digits drawn at random. Raises ``LedgerError`` when the ledger cannot be asked.
        """
        masked, secrets = masked_ticket(ticket)
        named = self._checkout.named_in(f"{masked.title}\n{masked.body}")
        beside = self._checkout.neighbours(each.path for each in named)
        code = [masked_file(each) for each in named]
        tests = [masked_file(each) for each in beside if each not in named]
        texts = (masked.title, masked.body, *(f"{each.path}\n{each.text}" for each in (*code, *tests)))
        requirements = requirements_of(masked)
        briefing = PlanBriefing(self._prompt, unused_tag(tag, texts), masked, requirements, self._checkout.framework)
        route = self._route(masked, [each.path for each in named], briefing, code)
        room = room_left(self._task.workflow.task, self._gate.budgets(self._task, route.tier), Spent())
        packed = packed_within(room, self._task.workflow.task, lambda files: self._price(briefing, route, files), code, tests)
        secrets += sum(each.secrets for each in packed.files)
        shown = tuple(each.path for each in packed.files)
        outcome = PlanOutcome(masked, self._run(route, Ending(frozenset())), requirements, shown=shown, unread=packed.unread)
        cause = room.holds(packed.price, 1)
        if dry_run:
            return outcome._replace(run=self._dry(route, packed, secrets))
        if cause is not None:
            return outcome._replace(run=self._run(route, Ending(frozenset({cause}), masked_secrets=secrets)))
        return self._called(outcome, route, briefing, packed, secrets)

    def _route(self, ticket: Ticket, paths: Sequence[str], briefing: PlanBriefing, code: Sequence[MaskedFile]) -> Route:
        facts = Facts(paths=tuple(paths), text=f"{ticket.title}\n{ticket.body}", labels=ticket.labels)
        first = self._gate.route(self._task, facts)
        size = self._gate.estimate(first, briefing.request(code, ()))
        return self._gate.route(self._task, facts._replace(input_tokens=size.input_tokens))

    def _price(self, briefing: PlanBriefing, route: Route, files: Packed) -> Price:
        estimate = self._gate.estimate(route, briefing.request(files.code, files.tests, is_narrow=files.is_narrow))
        return Price(estimate.input_tokens + estimate.output_tokens, estimate.nano_usd)

    def _called(self, outcome: PlanOutcome, route: Route, briefing: PlanBriefing, packed: Packed, secrets: int) -> PlanOutcome:
        """Make the call and read its answer."""
        ending = Ending(_causes(packed), masked_secrets=secrets)
        try:
            request = briefing.request(packed.code, packed.tests, is_narrow=packed.is_narrow)
            result = self._gate.call(self._task, route, request)
        except ProviderError as error:
            result = Failed("broken", str(error), 0)
        if isinstance(result, Refused):
            return outcome._replace(run=self._run(route, ending._replace(refused=result)))
        if isinstance(result, Failed):
            said = " ".join(result.text.split())[:300]
            failure = f"the model's service failed ({result.kind}): {said}"
            return outcome._replace(run=self._run(route, ending._replace(failure=failure)))
        answer = read_plan(result.message, self._checkout, may_overwrite=self._may_overwrite)
        ending = ending._replace(failure=answer.failure, is_recorded=result.accounting == "metered")
        return outcome._replace(
            run=self._run(route, ending, result, answer),
            cases=answer.cases,
            files=answer.files,
            rejected=answer.rejected,
            gaps=trace_gaps(outcome.requirements, answer.cases, answer.files) if answer.cases else (),
        )

    def _dry(self, route: Route, packed: Packed, secrets: int) -> ReviewOutcome:
        cost = f"{packed.price.tokens:,} tokens, {usd_short(packed.price.nano_usd)}"
        reason = f"dry run: nothing was sent; 1 call with {len(packed.files)} files would use at most {cost}"
        if packed.is_narrow:
            reason += f", narrowed {why('soft', self._task.workflow.task)}"
        run = self._run(route, Ending(frozenset(), masked_secrets=secrets))
        return run._replace(verdict="pass", reason=reason, is_dry_run=True)

    def _run(self, route: Route, ending: Ending, served: Served | None = None, answer: PlanAnswer | None = None) -> ReviewOutcome:
        """Return the part of the outcome that every agent has: verdict, reason, cost, budgets."""
        workflow, answer = self._task.workflow, answer or PlanAnswer()
        words = reason_of(workflow, ending, 0, 0).replace("the review is", "the plan is").replace("the pull request", "the work")
        made = f"{_counted(len(answer.cases), 'test case')} and {_counted(len(answer.files), 'test file')}"
        budgets = served.budgets if served and served.budgets else self._gate.budgets(self._task, route.tier)
        return ReviewOutcome(
            verdict=verdict_of(workflow, ending),
            reason=words.replace("nothing found in what was reviewed", made).replace("nothing found", made),
            findings=(),
            reviewed_files=len(answer.files),
            reviewed_hunks=len(answer.cases),
            not_reviewed=(),
            cost_nano_usd=served.cost_nano_usd if served else 0,
            usage=served.usage if served else Usage(),
            tier=route.tier,
            model=route.model,
            route_reason=route.reason,
            provider=self._gate.provider_name,
            budgets=budgets,
            summary=answer.summary,
            refused=ending.refused,
            failure=ending.failure,
            masked_secrets=ending.masked_secrets,
        )


def _causes(packed: Packed) -> frozenset[Cause]:
    return frozenset({"soft"}) if packed.is_narrow else frozenset()


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
