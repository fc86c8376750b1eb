"""The steps of a review: where it was raised to a dearer model, a cheap call picks what deserves it, the cheap one reads the rest.

Triage can only add: security-looking paths, and those the policy names, go to the dearer model whatever it says, and what it does
not pick is reviewed all the same. So an author who talks it round loses the better reviewer, never the review. Its cost is part of
the task: docs/decisions/0017-steps.md.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from budget_gate.agents.prompt_files import load_prompt
from budget_gate.agents.review_prices import PriceList, Spent, room_left
from budget_gate.agents.review_request import Briefing
from budget_gate.agents.review_run import ReviewRun
from budget_gate.agents.triage_request import read_picks, triage_request
from budget_gate.core.diff_pieces import Piece
from budget_gate.core.diff_risk import Risk
from budget_gate.core.errors import ProviderError, UnknownModel
from budget_gate.core.matching import glob_matches
from budget_gate.core.packing import Plan, Price, Priced
from budget_gate.core.prompt_caching import is_surely_cacheable
from budget_gate.core.routing import Facts, Route, candidate_tiers
from budget_gate.core.tasks import Task
from budget_gate.gate.interface import GateService, Served

TRIAGE_ANSWER_TOKENS = 512
TRIAGE_SHARE = 4
"""Triage may use a quarter of what is left of a task at most; hunks that do not fit into that are not asked about."""

STEPS_LEAST = 3
"""Triage, one call for what it picked and one for the rest: with fewer steps left there is nothing to divide."""


class TriagePrice(NamedTuple):
    """A triage call that would be made: on which route, and the most it can use."""

    route: Route
    price: Price


class _Question(NamedTuple):
    """A triage call: the hunks that go to the dearer model whatever it says, those it is asked about, and what asking can cost."""

    route: Route
    certain: frozenset[tuple[int, ...]]
    asked: tuple[Piece, ...]
    body: Mapping[str, Any]
    price: Price


class _Split(NamedTuple):
    """What each model reads, and what to say about it."""

    dear: tuple[Piece, ...]
    cheap: tuple[Piece, ...]
    note: str


def review_in_steps(gate: GateService, task: Task, run: ReviewRun, briefing: Briefing, waiting: Sequence[Priced]) -> None:
    """Review what is waiting: in one go, or, where the route was raised and one call is not enough, divided by triage.

    What an earlier run has read on either model is left out first, so that triage is only asked about what is new.
    """
    waiting = run.without_known(waiting)
    planned = run.plan(waiting)
    if len(planned.packs) <= 1 and not planned.left_out:
        run.review(waiting)
        return
    raised, cheap = run.route, _cheaper_route(gate, task, run.route)
    if cheap is not None:
        waiting = run.without_known(waiting, cheap)
    pieces = [each.piece for each in waiting]
    split = _split(gate, task, run, cheap, briefing, pieces) if cheap is not None else None
    run.switch(raised, marked_for_cache(gate, raised, briefing))
    if cheap is None or split is None:
        run.review(run.prices.priced(pieces))
        return
    may_go_on = run.review(run.prices.priced(split.dear))
    run.switch(cheap, marked_for_cache(gate, cheap, briefing))
    rest = run.prices.priced(split.cheap)
    if may_go_on:
        run.review(rest)
    else:
        run.leave_out(run.left_out[-1][0], rest)
    run.switch(raised._replace(reason=f"{raised.reason}; {split.note}"), briefing)


def planned_in_steps(
    gate: GateService, task: Task, run: ReviewRun, briefing: Briefing, waiting: Sequence[Priced]
) -> tuple[Plan, tuple[Price, ...]]:
    """Return the packs that ``review_in_steps`` would send at the dearest, and what steps add to them; nothing is sent.

    At the dearest the better model reads everything. A triage call adds itself and, because the rest is read apart, the fixed part
    of one more call.
    """
    waiting = run.without_known(waiting)
    planned = run.plan(waiting)
    if len(planned.packs) <= 1 and not planned.left_out:
        return planned, ()
    raised, cheap, question = run.route, _cheaper_route(gate, task, run.route), None
    if cheap is not None:
        waiting = run.without_known(waiting, cheap)
        question = _question(gate, task, run, cheap, briefing, [each.piece for each in waiting])
    added: tuple[Price, ...] = ()
    if cheap is not None and question is not None:
        added = question.price, PriceList(gate, cheap, marked_for_cache(gate, cheap, briefing)).call()
    spent = run.spent
    run.spent = Spent(sum(each.tokens for each in added), sum(each.nano_usd for each in added), len(added))
    run.switch(raised, marked_for_cache(gate, raised, briefing))
    planned = run.plan(run.prices.priced(each.piece for each in waiting))
    run.spent = spent
    return planned, added


def triage_price(
    gate: GateService, task: Task, run: ReviewRun, briefing: Briefing, waiting: Sequence[Priced]
) -> TriagePrice | None:
    """Return the route and the bound of the triage call that a review of these pieces would begin with, None where it makes none."""
    planned = run.plan(waiting)
    cheap = _cheaper_route(gate, task, run.route) if len(planned.packs) > 1 or planned.left_out else None
    question = _question(gate, task, run, cheap, briefing, [each.piece for each in waiting]) if cheap is not None else None
    return TriagePrice(question.route, question.price) if question is not None else None


def marked_for_cache(gate: GateService, route: Route, briefing: Briefing) -> Briefing:
    """Return the briefing, marked for the model's cache where what its requests share is surely long enough for it."""
    shared_tokens = gate.estimate(route, briefing.request(())).input_tokens
    return briefing._replace(is_cached=is_surely_cacheable(route.model, shared_tokens))


def _cheaper_route(gate: GateService, task: Task, route: Route) -> Route | None:
    """Return the cheapest route among the workflow's tiers, or None when the review was not raised or none is cheaper."""
    workflow = task.workflow
    if workflow.escalate is None or route.tier != workflow.escalate.to:
        return None
    best, least = None, _sample_nano_usd(gate, route)
    for tier in candidate_tiers(workflow):
        alone = task._replace(workflow=workflow._replace(model=tier, simple="", escalate=None, degrade=None))
        try:
            candidate = gate.route(alone, Facts())
            nano_usd = _sample_nano_usd(gate, candidate)
        except UnknownModel:
            continue
        if nano_usd < least:
            best, least = candidate, nano_usd
    return best


def _sample_nano_usd(gate: GateService, route: Route) -> int:
    """Return the price of the same request on any route: what they are compared by."""
    sample = {"messages": [{"role": "user", "content": "x" * 4_000}]}
    return gate.estimate(route._replace(max_output_tokens=TRIAGE_ANSWER_TOKENS), sample).nano_usd


def _split(
    gate: GateService, task: Task, run: ReviewRun, cheap: Route, briefing: Briefing, pieces: Sequence[Piece]
) -> _Split | None:
    """Ask triage and divide the pieces; None when there is nothing to ask, no room to ask it in, or no usable answer."""
    question = _question(gate, task, run, cheap, briefing, pieces)
    picked = _asked(gate, task, run, question) if question is not None else None
    if question is None or picked is None:
        return None
    wanted = question.certain | picked
    dear = tuple(each for each in pieces if each.hunk in wanted)
    rest = tuple(each for each in pieces if each.hunk not in wanted)
    hunks, of = len({each.hunk for each in dear}), len({each.hunk for each in pieces})
    return _Split(dear, rest, f"triage left {hunks} of {of} hunks to it, and the rest to {cheap.tier}")


def _question(
    gate: GateService, task: Task, run: ReviewRun, cheap: Route, briefing: Briefing, pieces: Sequence[Piece]
) -> _Question | None:
    """Return the triage call with as many hunks as it may list; None when it is not worth making, or has no room."""
    globs = task.workflow.escalate.when.paths if task.workflow.escalate else ()
    is_certain = {
        each.hunk for each in pieces if each.risk is Risk.SECURITY or any(glob_matches(glob, each.path) for glob in globs)
    }
    open_ones = sorted(
        (each for each in pieces if each.hunk not in is_certain), key=lambda each: (each.risk, not each.is_untested)
    )
    route = cheap._replace(max_output_tokens=min(TRIAGE_ANSWER_TOKENS, cheap.max_output_tokens))
    room = room_left(task.workflow.task, run.budgets, run.spent)
    if room.steps is not None and room.steps < STEPS_LEAST:
        return None
    share = room._replace(
        tokens=None if room.tokens is None else room.tokens // TRIAGE_SHARE,
        nano_usd=None if room.nano_usd is None else room.nano_usd // TRIAGE_SHARE,
    )
    prompt = load_prompt("triage")

    def price(count: int) -> Price:
        estimate = gate.estimate(route, triage_request(prompt, briefing.tag, open_ones[:count]))
        return Price(estimate.input_tokens + estimate.output_tokens, estimate.nano_usd)

    count = _most(lambda count: share.holds(price(count), 1) is None, len(open_ones))
    if count < 2:  # noqa: PLR2004 - one hunk is not worth a question
        return None
    asked = tuple(open_ones[:count])
    return _Question(route, frozenset(is_certain), asked, triage_request(prompt, briefing.tag, asked), price(count))


def _asked(gate: GateService, task: Task, run: ReviewRun, question: _Question) -> frozenset[tuple[int, ...]] | None:
    """Make the triage call; None when it could not be made, or its answer not be used."""
    prompt = load_prompt("triage")
    triage = task._replace(prompt_version=f"{prompt.name}/{prompt.version}")
    try:
        result = gate.call(triage, question.route, question.body)
    except ProviderError:  # it could not even start; the review itself will say so, if it cannot either
        return None
    if not isinstance(result, Served):
        run.account_unanswered(result)
        return None
    run.account(result)
    return read_picks(result.message, question.asked)


def _most(fits: Callable[[int], bool], count: int) -> int:
    """Return the largest number up to ``count`` that fits, found by halving; more never fits where less does not."""
    low, high = 0, count
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
