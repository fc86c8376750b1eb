"""The interactive assistants: one engine for every prompt. One turn is one task; its session is bounded over all of them.

It decides what is sent and when to shorten the history; admission and accounting are the gate's, words for people
``reports.chat``'s, files ``runs.session_files``'.
"""

from typing import NamedTuple

from budget_gate.agents.assistant_history import History
from budget_gate.agents.assistant_request import Question, answer_text, turn_request
from budget_gate.agents.prompt_files import load_prompt
from budget_gate.core.chat import Turn
from budget_gate.core.errors import ProviderError
from budget_gate.core.money import usd_short
from budget_gate.core.reservations import BudgetState, Refused
from budget_gate.core.routing import Facts, Route
from budget_gate.core.sessions import Session
from budget_gate.core.tasks import Task
from budget_gate.core.usage import Usage
from budget_gate.gate.interface import Estimate, GateService, Served
from budget_gate.providers.interface import Failed, OnText

PROMPTS = ("dev_assistant", "pm_assistant")
"""The prompts there are; a workflow of another name gets the first."""


class Expected(NamedTuple):
    """What a turn would be: its route, and the most that it could use and cost."""

    route: Route
    estimate: Estimate
    budgets: tuple[BudgetState, ...]


class Assistant:
    """Answers the turns of one session under one workflow."""

    def __init__(self, gate: GateService, task: Task, session: Session, *, tag: str) -> None:
        name = task.workflow.name if task.workflow.name in PROMPTS else PROMPTS[0]
        self._gate = gate
        self._prompt = load_prompt(name)
        self._task = task._replace(
            attribution=task.attribution._replace(session=session.identity),
            prompt_version=f"{self._prompt.name}/{self._prompt.version}",
        )
        self._tag = tag
        self.session = session

    def budgets(self) -> tuple[BudgetState, ...]:
        """Return how every limit of this session's calls stands."""
        return self._gate.budgets(self._task, self._task.workflow.model)

    def expect(self, question: Question) -> Expected:
        """Return what a turn would be, and send nothing."""
        task, route = self._next_task(), self._route(question)
        estimate = self._gate.estimate(route, self._request(question))
        return Expected(route, estimate, self._gate.budgets(task, route.tier))

    def turn(self, question: Question, on_text: OnText | None = None) -> Turn:
        """Answer one question; the session is then what it was with the exchange added, or as it was where there is no answer.

        Raises ``LedgerError`` when the ledger cannot be asked; a failing model is part of the turn.
        """
        task, route = self._next_task(), self._route(question)
        history = History(self._gate, task, self._prompt, self._tag)
        kept = history.fitting(self.session, question.message(self._tag), route)
        self.session = kept.session._replace(turns=self.session.turns + 1)
        try:
            result = self._gate.call(task, route, self._request(question), on_text=on_text)
        except ProviderError as error:  # a provider that could not even start; the gate has accounted for the attempt
            result = Failed("broken", str(error), 0)
        turn = Turn(
            model=route.model,
            tier=route.tier,
            route_reason=route.reason,
            provider=self._gate.provider_name,
            notes=kept.notes,
            cost_nano_usd=kept.cost_nano_usd,
            usage=kept.usage,
        )
        return self._ended(turn, result, question, route)

    def _ended(self, turn: Turn, result: Served | Refused | Failed, question: Question, route: Route) -> Turn:
        if isinstance(result, Served):
            return self._answered(turn, result, question)
        if isinstance(result, Refused):
            kinds = {refusal.scope.kind for refusal in result.refused_by}
            # A question too long for one turn says nothing about the session.
            is_over = "session" in kinds and "task" not in kinds
            self.session = self.session.plus_cost(Usage(), result.cost_nano_usd)._replace(is_over=is_over)
            cost_nano_usd = turn.cost_nano_usd + result.cost_nano_usd
            return turn._replace(refused=result, budgets=result.budgets, is_over=is_over, cost_nano_usd=cost_nano_usd)
        budgets = self._gate.budgets(self._task, route.tier)  # what may have been billed is held by now
        self.session = self.session.plus_cost(Usage(), result.cost_nano_usd)
        failure = f"the model's service failed ({result.kind}): {result.text}"
        if result.cost_nano_usd:
            failure += f"; it may have been billed, so {usd_short(result.cost_nano_usd)} stays counted"
        return turn._replace(failure=failure, budgets=budgets, cost_nano_usd=turn.cost_nano_usd + result.cost_nano_usd)

    def _answered(self, turn: Turn, served: Served, question: Question) -> Turn:
        text, notes = answer_text(served.message), turn.notes
        if served.message.get("stop_reason") == "max_tokens":
            notes = (*notes, f"the answer was cut off at {served.usage.output_tokens:,} tokens")
        if served.accounting != "metered":
            notes = (*notes, "the ledger could not record this call")
        told = self.session.plus_exchange(question.message(self._tag), text, shown=question.shown)
        self.session = told.plus_cost(served.usage, served.cost_nano_usd)
        return turn._replace(
            text=text,
            notes=notes,
            cost_nano_usd=turn.cost_nano_usd + served.cost_nano_usd,
            usage=turn.usage.plus(served.usage),
            budgets=served.budgets,
        )

    def _request(self, question: Question) -> dict[str, object]:
        return turn_request(self._prompt, self.session, question.message(self._tag), self._tag)

    def _route(self, question: Question) -> Route:
        """Choose the model by what the user wrote; words in piped material are not the user's, but its size counts."""
        first = self._gate.route(self._task, Facts(text=question.text))
        size = self._gate.estimate(first, self._request(question)).input_tokens
        return self._gate.route(self._task, Facts(text=question.text, input_tokens=size))

    def _next_task(self) -> Task:
        name = f"{self.session.identity}:{self.session.turns + 1}"
        return self._task._replace(attribution=self._task.attribution._replace(task=name))
