"""Routing: which model tier a call gets, and why. Pure: the facts and the state of the budgets come in, a route comes out."""

from collections.abc import Iterable
from typing import NamedTuple

from budget_gate.core.errors import UsageError
from budget_gate.core.matching import first_word_found, glob_matches
from budget_gate.core.policy import Condition, Policy, Workflow
from budget_gate.core.reservations import BudgetState
from budget_gate.core.scopes import BOUND_KINDS


class Facts(NamedTuple):
    """What routing may look at. ``text`` is searched for keywords, ``paths`` matched against globs; all of it is data."""

    input_tokens: int = 0
    paths: tuple[str, ...] = ()
    text: str = ""
    labels: tuple[str, ...] = ()


class Route(NamedTuple):
    """The tier and model chosen, the longest answer allowed on it, and the reason in words for people."""

    tier: str
    model: str
    max_output_tokens: int
    reason: str


DEFAULT_OUTPUT_TOKENS = 1024
"""The answer length of a tier for which the workflow names none."""

SIMPLE_LABEL = "simple"
"""The label that sends a subject to the workflow's ``simple`` tier."""


def choose_route(policy: Policy, workflow: Workflow, facts: Facts, budgets: Iterable[BudgetState]) -> Route:
    """Return the route: ``simple`` label, then escalation, then degradation, which wins because it protects the budget.

    Escalation never lowers the tier and degradation never raises it; tiers rank as the policy lists them under ``models:``,
    cheapest first. Raises ``UsageError`` for a tier the policy does not have.
    """
    tier, reason = workflow.model, "the usual tier of this workflow"
    if workflow.simple and _has_label((SIMPLE_LABEL,), facts.labels):
        tier, reason = workflow.simple, f"labelled `{SIMPLE_LABEL}`"
    if workflow.escalate and _rank(policy, workflow.escalate.to) > _rank(policy, tier):
        cause = _cause(workflow.escalate.when, facts)
        if cause:
            tier, reason = workflow.escalate.to, f"raised to {workflow.escalate.to}: {cause}"
    if workflow.degrade and _rank(policy, workflow.degrade.to) < _rank(policy, tier):
        pressed = _pressed(budgets, tier, workflow.degrade.when_used_over)
        if pressed:
            tier = workflow.degrade.to
            share = _percent(workflow.degrade.when_used_over)
            reason = f"lowered to {tier} to spare the budget: {_usage_text(pressed)} (over {share})"
    _rank(policy, tier)
    return Route(tier, policy.models[tier], output_tokens_on(workflow, tier), reason)


def output_tokens_on(workflow: Workflow, tier: str) -> int:
    """Return the longest answer that a workflow allows on a tier."""
    return workflow.output_tokens.get(tier, DEFAULT_OUTPUT_TOKENS)


def fallback_route(policy: Policy, workflow: Workflow, route: Route) -> Route | None:
    """Return where to go when a route's model is overloaded: another tier that the workflow names, on another model, or None.

    The nearest cheaper tier comes first, because the budget admits it whenever it admitted the first; only where there is none, the
    nearest dearer one, which the budget has yet to admit.
    """
    rank = _rank(policy, route.tier)
    others = [tier for tier in candidate_tiers(workflow) if policy.models[tier] != route.model]
    cheaper = [tier for tier in others if _rank(policy, tier) < rank]
    dearer = [tier for tier in others if _rank(policy, tier) > rank]
    if cheaper:
        tier = max(cheaper, key=lambda each: _rank(policy, each))
    elif dearer:
        tier = min(dearer, key=lambda each: _rank(policy, each))
    else:
        return None
    reason = f"{route.reason}; {route.tier} was overloaded, so {tier} took over"
    return Route(tier, policy.models[tier], output_tokens_on(workflow, tier), reason)


def candidate_tiers(workflow: Workflow) -> tuple[str, ...]:
    """Return every tier that ``choose_route`` may choose for a workflow, each once: whose budgets it needs to know."""
    tiers = [workflow.model, workflow.simple]
    tiers += [workflow.escalate.to] if workflow.escalate else []
    tiers += [workflow.degrade.to] if workflow.degrade else []
    return tuple(dict.fromkeys(tier for tier in tiers if tier))


def _rank(policy: Policy, tier: str) -> int:
    """Return a tier's place in the policy's order, the cheapest first."""
    tiers = list(policy.models)
    if tier not in tiers:
        raise UsageError(f"tier {tier!r} is not one of the policy's models; write one of {', '.join(tiers)}")
    return tiers.index(tier)


def _cause(when: Condition, facts: Facts) -> str:
    """Return which part of the condition holds, in words, or empty text. Quotes the policy, never the pull request."""
    if when.input_tokens_over is not None and facts.input_tokens > when.input_tokens_over:
        return f"about {facts.input_tokens:,} input tokens (over {when.input_tokens_over:,})"
    for glob in when.paths:
        if any(glob_matches(glob, path) for path in facts.paths):
            return f"touches files matching `{glob}`"
    word = first_word_found(when.keywords, facts.text)
    if word is not None:
        return f"mentions `{word}`"
    label = _has_label(when.labels, facts.labels)
    return f"labelled `{label}`" if label else ""


def _has_label(wanted: Iterable[str], labels: Iterable[str]) -> str:
    """Return the first wanted label that is there, or empty text. GitHub's labels are the same in any letter case."""
    present = {label.casefold() for label in labels}
    return next((label for label in wanted if label.casefold() in present), "")


def _pressed(budgets: Iterable[BudgetState], tier: str, when_used_over: int) -> BudgetState | None:
    """Return the fullest enforced budget that is used past the share, the first among equals; None if there is none.

    Task and session bounds are nobody's budget, and the budget of another model tier is not one of this call's.
    """
    fullest = None
    for state in budgets:
        counts = state.mode == "enforce" and state.scope.kind not in BOUND_KINDS
        if not counts or (state.scope.kind == "model" and state.scope.name != tier):
            continue
        is_past = state.used * 10_000 > state.limit * when_used_over or not state.limit
        if is_past and (fullest is None or state.used_basis_points > fullest.used_basis_points):
            fullest = state
    return fullest


def _usage_text(state: BudgetState) -> str:
    return f"{state.scope.text} has used {_percent(state.used_basis_points)} of its {state.unit} per {state.per}"


def _percent(basis_points: int) -> str:
    """Return a share as people read it, rounded down to a tenth of a percent."""
    whole, tenth = divmod(basis_points // 10, 10)
    return f"{whole}.{tenth}%" if tenth else f"{whole}%"
