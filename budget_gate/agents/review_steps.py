"""The steps of a review: where it was raised to a dearer model, a cheap call picks what deserves it, the cheap one reads the rest.

Triage can only add: security-looking paths, and those the policy names, go to the dearer model whatever it says, and what it does
not pick is reviewed all the same. So an author who talks it round loses the better reviewer, never the review. Its cost is part of
the task: docs/decisions/0017-steps.md.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from budget_gate.agents.prompt_files import load_prompt
from budget_gate.agents.review_prices import room_left
from budget_gate.agents.review_request import Briefing
from budget_gate.agents.review_run import ReviewRun
from budget_gate.agents.triage_request import read_picks, triage_request
from budget_gate.core.diff_pieces import Piece
from budget_gate.core.diff_risk import Risk
from budget_gate.core.errors import ProviderError, UnknownModel
from budget_gate.core.matching import glob_matches
from budget_gate.core.packing import Price, Priced
from budget_gate.core.prompt_caching import is_surely_cacheable
from budget_gate.core.routing import Facts, Route, candidate_tiers
from budget_gate.core.tasks import Task
from budget_gate.gate.interface import GateService, Served

TRIAGE_ANSWER_TOKENS = 512
TRIAGE_SHARE = 4
"""Triage may use a quarter of what is left of a task at most; hunks that do not fit into that are not asked about."""

STEPS_LEAST = 3
"""Triage, one call for what it picked and one for the rest: with fewer steps left there is nothing to divide."""


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
    globs = task.workflow.escalate.when.paths if task.workflow.escalate else ()
    certain = {each.hunk for each in pieces if each.risk is Risk.SECURITY or any(glob_matches(glob, each.path) for glob in globs)}
    open_ones = sorted((each for each in pieces if each.hunk not in certain), key=lambda each: (each.risk, not each.is_untested))
    if len(open_ones) < 2:  # noqa: PLR2004 - one hunk is not worth a question
        return None
    picked = _asked(gate, task, run, cheap, briefing, open_ones)
    if picked is None:
        return None
    dear = tuple(each for each in pieces if each.hunk in certain or each.hunk in picked)
    rest = tuple(each for each in pieces if each.hunk not in certain and each.hunk not in picked)
    hunks, of = len({each.hunk for each in dear}), len({each.hunk for each in pieces})
    return _Split(dear, rest, f"triage left {hunks} of {of} hunks to it, and the rest to {cheap.tier}")


def _asked(
    gate: GateService, task: Task, run: ReviewRun, cheap: Route, briefing: Briefing, pieces: Sequence[Piece]
) -> frozenset[tuple[int, ...]] | None:
    """Make the triage call with as many hunks as it may list; None when it could not be made, or its answer not be used."""
    prompt = load_prompt("triage")
    route = cheap._replace(max_output_tokens=min(TRIAGE_ANSWER_TOKENS, cheap.max_output_tokens))
    room = room_left(task.workflow.task, run.budgets, run.spent)
    if room.steps is not None and room.steps < STEPS_LEAST:
        return None
    share = room._replace(
        tokens=None if room.tokens is None else room.tokens // TRIAGE_SHARE,
        nano_usd=None if room.nano_usd is None else room.nano_usd // TRIAGE_SHARE,
    )

    def fits(count: int) -> bool:
        estimate = gate.estimate(route, triage_request(prompt, briefing.tag, pieces[:count]))
        return share.holds(Price(estimate.input_tokens + estimate.output_tokens, estimate.nano_usd), 1) is None

    count = _most(fits, len(pieces))
    if count < 2:  # noqa: PLR2004 - as above
        return None
    triage = task._replace(prompt_version=f"{prompt.name}/{prompt.version}")
    try:
        result = gate.call(triage, route, triage_request(prompt, briefing.tag, pieces[:count]))
    except ProviderError:  # it could not even start; the review itself will say so, if it cannot either
        return None
    if not isinstance(result, Served):
        return None
    run.account(result)
    return read_picks(result.message, pieces[:count])


def _most(fits: Callable[[int], bool], count: int) -> int:
    """Return the largest number up to ``count`` that fits, found by halving; more never fits where less does not."""
    low, high = 0, count
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
