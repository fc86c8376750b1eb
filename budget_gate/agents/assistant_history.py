"""Keeping a conversation's history within its bounds: a summary where one is affordable, else the oldest goes, with a note.

The soft bounds are watched here, on worst cases and before anything is sent; the hard ones are the ledger's, and it refuses.
"""

from typing import NamedTuple

from budget_gate.agents.assistant_request import SUMMARY_TOKENS_MOST, answer_text, summary_request, turn_request
from budget_gate.agents.prompt_files import Prompt, load_prompt
from budget_gate.core.errors import ProviderError
from budget_gate.core.policy import Bounds
from budget_gate.core.routing import Facts, Route
from budget_gate.core.sessions import Session
from budget_gate.core.tasks import Task
from budget_gate.core.usage import Usage
from budget_gate.gate.interface import Estimate, GateService, Served

PAIR = 2
"""A question and its answer."""

PAIRS_KEPT = 1
"""How many exchanges, the latest, are never summed up: people refer to what was just said."""

PAIRS_BETWEEN = 3
"""Past the session's soft bound: how many exchanges gather between one summary, which is a call of its own, and the next."""


class Kept(NamedTuple):
    """The session as the next turn may send it, what was done to it in words, and what that cost."""

    session: Session
    notes: tuple[str, ...] = ()
    cost_nano_usd: int = 0
    usage: Usage = Usage()


class History:
    """Shortens the history of one session before one turn, on that turn's account."""

    def __init__(self, gate: GateService, task: Task, prompt: Prompt, tag: str) -> None:
        self._gate = gate
        self._task = task
        self._prompt = prompt
        self._tag = tag

    def fitting(self, session: Session, question: str, route: Route) -> Kept:
        """Return the session shortened to what the turn's soft bounds leave, where the history is what presses on them."""
        pairs = len(session.messages) // PAIR
        worst = _worst(self._estimate(session, question, route))
        task, whole = self._task.workflow.task, self._task.workflow.session
        presses_task = worst > _soft(task) and pairs > PAIRS_KEPT
        waits_for = PAIRS_BETWEEN if session.summary else PAIRS_KEPT
        presses_session = session.usage.total_tokens + worst > _soft(whole) and pairs > waits_for
        kept = Kept(session)
        if presses_task or presses_session:
            kept = self._summed_up(session, question, route) or self._cut(session, PAIRS_KEPT, question, route)
        if _worst(self._estimate(kept.session, question, route)) > _hard(task) and kept.session.messages:
            rest = self._cut(kept.session, 0, question, route)
            kept = kept._replace(session=rest.session, notes=(*kept.notes, *rest.notes))
        return kept

    def _estimate(self, session: Session, question: str, route: Route) -> Estimate:
        return self._gate.estimate(route, turn_request(self._prompt, session, question, self._tag))

    def _summed_up(self, session: Session, question: str, route: Route) -> Kept | None:
        """Return the session with all but its latest exchanges summed up by the model, or None where that cannot be had."""
        cut = len(session.messages) - PAIRS_KEPT * PAIR
        older, latest = session.messages[:cut], session.messages[cut:]
        prompt = load_prompt("summary")
        task = self._task._replace(prompt_version=f"{prompt.name}/{prompt.version}")
        usual = self._gate.route(task, Facts())
        usual = usual._replace(max_output_tokens=min(usual.max_output_tokens, SUMMARY_TOKENS_MOST))
        body = summary_request(prompt, session.summary, older, self._tag)
        after = self._estimate(session._replace(messages=latest, summary=""), question, route)
        needed = _worst(self._gate.estimate(usual, body)) + SUMMARY_TOKENS_MOST + _worst(after)
        if not self._has_room(session, needed):
            return None
        try:
            result = self._gate.call(task, usual, body)
        except ProviderError:  # the turn itself will meet it too, and say so
            return None
        if not isinstance(result, Served) and not result.cost_nano_usd:
            return None
        summary = answer_text(result.message).strip() if isinstance(result, Served) else ""
        usage = result.usage if isinstance(result, Served) else Usage()
        if not summary:
            cut_short = self._cut(session, PAIRS_KEPT, question, route)
            paid = cut_short.session.plus_cost(usage, result.cost_nano_usd)
            return Kept(paid, cut_short.notes, result.cost_nano_usd, usage)
        shorter = session._replace(messages=latest, summary=summary).plus_cost(usage, result.cost_nano_usd)
        note = f"the {len(older)} oldest messages were summed up, to stay within the bounds"
        return Kept(shorter, (note,), result.cost_nano_usd, usage)

    def _has_room(self, session: Session, needed: int) -> bool:
        """Return whether a summary and the turn after it fit the hard bounds together: else the summary would cost the answer."""
        bounds = self._task.workflow
        has_steps = bounds.task.steps is None or bounds.task.steps > 1
        return has_steps and needed <= _hard(bounds.task) and session.usage.total_tokens + needed <= _hard(bounds.session)

    def _cut(self, session: Session, pairs_kept: int, question: str, route: Route) -> Kept:
        """Return the session without its oldest exchanges: as few go as must, and the latest ``pairs_kept`` stay."""
        most = _soft(self._task.workflow.task) if pairs_kept else _hard(self._task.workflow.task)
        session_left = _soft(self._task.workflow.session) - session.usage.total_tokens if pairs_kept else most
        kept = session
        while len(kept.messages) > pairs_kept * PAIR:
            if _worst(self._estimate(kept, question, route)) <= min(most, session_left):
                break
            kept = kept._replace(messages=kept.messages[PAIR:])
        dropped = len(session.messages) - len(kept.messages)
        return Kept(kept, (f"the {dropped} oldest messages were left out, to stay within the bounds",) if dropped else ())


def _worst(estimate: Estimate) -> int:
    return estimate.input_tokens + estimate.output_tokens


def _soft(bounds: Bounds) -> int:
    """Return where narrowing begins: at the soft bound, or where there is none at the hard one."""
    return _hard(bounds) if bounds.soft_tokens is None else bounds.soft_tokens


def _hard(bounds: Bounds) -> int:
    return 2**62 if bounds.hard_tokens is None else bounds.hard_tokens
