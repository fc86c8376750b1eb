"""The test-generation agent: from a ticket to a plan and test files, within the task's budget, every link checked.

It decides what to show and what to accept; admission and accounting are the gate's.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from budget_gate.agents.prompt_files import load_prompt
from budget_gate.agents.review_prices import Spent, room_left
from budget_gate.agents.review_report import Ending, why
from budget_gate.agents.review_request import unused_tag
from budget_gate.agents.testgen_answer import PlanAnswer, read_plan
from budget_gate.agents.testgen_checkout import Checkout
from budget_gate.agents.testgen_packing import Packed, packed_within, short_answer
from budget_gate.agents.testgen_repair import correction_request, faults_of, left_out, mended, repair_words
from budget_gate.agents.testgen_report import PlanReport
from budget_gate.agents.testgen_request import MaskedFile, PlanBriefing, masked_file, masked_ticket
from budget_gate.core.errors import ProviderError
from budget_gate.core.packing import Price
from budget_gate.core.reservations import Refused
from budget_gate.core.routing import Facts, Route
from budget_gate.core.tasks import Task
from budget_gate.core.test_plans import PlanOutcome, trace_gaps
from budget_gate.core.tickets import Requirement, Ticket, requirements_of
from budget_gate.gate.interface import GateService, Served, is_bound_only
from budget_gate.providers.interface import Failed

_NAME = re.compile(r"[A-Za-z_$][\w$]{1,80}")


class _Job(NamedTuple):
    """One generation on its way: what it asks, on which route, and how it ends as far as is known."""

    route: Route
    briefing: PlanBriefing
    packed: Packed
    report: PlanReport
    ending: Ending


class _Corrected(NamedTuple):
    """What became of an answer: as it is now, the calls made for that, and in words; and what a failed one may have cost."""

    answer: PlanAnswer
    calls: tuple[Served, ...]
    ending: Ending
    words: str = ""
    failed_nano_usd: int = 0


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
        words = frozenset(_NAME.findall(f"{masked.title}\n{masked.body}"))
        code = [masked_file(each, words) for each in named]
        tests = [masked_file(each, words) for each in beside if each not in named]
        texts = (masked.title, masked.body, *(f"{each.path}\n{each.text}" for each in (*code, *tests)))
        requirements = requirements_of(masked)
        briefing = PlanBriefing(self._prompt, unused_tag(tag, texts), masked, requirements, self._checkout.framework)
        route = self._route(masked, [each.path for each in named], briefing, code)
        room = room_left(self._task.workflow.task, self._gate.budgets(self._task, route.tier), Spent())

        def price_of(files: Packed) -> Price:
            return self._price_of(_route_of(route, files), _first(briefing, files))

        packed = packed_within(room, self._task.workflow.task, price_of, code, tests)
        secrets += sum(each.secrets for each in packed.files)
        report = PlanReport(self._gate, self._task, route)
        ending = Ending(frozenset({"soft"}) if packed.is_narrow else frozenset(), masked_secrets=secrets)
        shown = tuple(each.path for each in packed.files)
        outcome = PlanOutcome(masked, report.run(ending), requirements, shown=shown, unread=packed.unread)
        if dry_run:
            return outcome._replace(run=report.dry_run(packed, secrets))
        cause = room.holds(packed.price, 1)
        if cause is not None:
            return outcome._replace(run=report.run(Ending(frozenset({cause}), masked_secrets=secrets)))
        return self._called(outcome, _Job(_route_of(route, packed), briefing, packed, report, ending))

    def _route(self, ticket: Ticket, paths: Sequence[str], briefing: PlanBriefing, code: Sequence[MaskedFile]) -> Route:
        facts = Facts(paths=tuple(paths), text=f"{ticket.title}\n{ticket.body}", labels=ticket.labels)
        first = self._gate.route(self._task, facts)
        size = self._gate.estimate(first, briefing.request(code, ()))
        return self._gate.route(self._task, facts._replace(input_tokens=size.input_tokens))

    def _price_of(self, route: Route, request: Mapping[str, Any]) -> Price:
        estimate = self._gate.estimate(route, request)
        return Price(estimate.input_tokens + estimate.output_tokens, estimate.nano_usd)

    def _asked(self, route: Route, request: Mapping[str, Any]) -> Served | Refused | Failed:
        try:
            return self._gate.call(self._task, route, request)
        except ProviderError as error:
            return Failed("broken", str(error), 0)

    def _called(self, outcome: PlanOutcome, job: _Job) -> PlanOutcome:
        """Make the call, read its answer, and have it corrected where that is due."""
        result = self._asked(job.route, _first(job.briefing, job.packed))
        if isinstance(result, Refused):
            return outcome._replace(run=job.report.run(job.ending._replace(refused=result), failed_nano_usd=result.cost_nano_usd))
        if isinstance(result, Failed):
            ending = job.ending._replace(failure=_failure(result))
            return outcome._replace(run=job.report.run(ending, failed_nano_usd=result.cost_nano_usd))
        answer = read_plan(result.message, self._checkout, may_overwrite=self._may_overwrite)
        ending = job.ending._replace(failure=answer.failure, is_recorded=result.accounting == "metered")
        corrected = self._corrected(job._replace(ending=ending), outcome.requirements, answer, result)
        answer = corrected.answer
        return outcome._replace(
            run=job.report.run(corrected.ending, corrected.calls, answer, failed_nano_usd=corrected.failed_nano_usd),
            cases=answer.cases,
            files=answer.files,
            rejected=answer.rejected,
            gaps=trace_gaps(outcome.requirements, answer.cases, answer.files) if answer.cases else (),
            repair=corrected.words,
        )

    def _corrected(self, job: _Job, requirements: Sequence[Requirement], answer: PlanAnswer, first: Served) -> _Corrected:
        """Ask once for a correction of what is wrong, within what the first call left of the task."""
        faults = faults_of(answer, requirements)
        if not faults.words:
            return _Corrected(answer, (first,), job.ending)
        bounds = self._task.workflow.task
        spent = Spent(first.usage.total_tokens, first.cost_nano_usd, 1)
        room = room_left(bounds, self._gate.budgets(self._task, job.route.tier), spent)
        request = correction_request(job.briefing, answer, faults, job.packed.code if faults.has_gaps else ())
        if room.holds(self._price_of(job.route, request), 1) is not None:
            request = correction_request(job.briefing, answer, faults, ())
        cause = room.holds(self._price_of(job.route, request), 1)
        result = Failed("rejected", why(cause, bounds), 0) if cause else self._asked(job.route, request)
        if isinstance(result, Served):
            names = {each.name for each in answer.cases}
            again = read_plan(result.message, self._checkout, may_overwrite=self._may_overwrite, known_cases=names)
            after = mended(answer, again, faults, requirements)
            is_recorded = job.ending.is_recorded and result.accounting == "metered"
            words = repair_words(answer, after, requirements)
            return _Corrected(after, (first, result), job.ending._replace(is_recorded=is_recorded), words)
        words = f"no room for a correction {why(cause, bounds)}" if cause else _why_not(result)
        ending = job.ending._replace(failure="; ".join(each for each in (job.ending.failure, words) if each))
        if isinstance(result, Refused) and not is_bound_only(result):
            ending = ending._replace(refused=result)  # only a budget that refused may block; a bound, or a failure, is a note
        return _Corrected(left_out(answer, words), (first,), ending, words, result.cost_nano_usd)


def _route_of(route: Route, packed: Packed) -> Route:
    return short_answer(route) if packed.is_narrow else route


def _first(briefing: PlanBriefing, packed: Packed) -> dict[str, Any]:
    return briefing.request(packed.code, packed.tests, is_narrow=packed.is_narrow)


def _why_not(result: Refused | Failed) -> str:
    return "a budget refused the correction" if isinstance(result, Refused) else f"the correction failed: {_failure(result)}"


def _failure(failed: Failed) -> str:
    return f"the model's service failed ({failed.kind}): {' '.join(failed.text.split())[:300]}"
