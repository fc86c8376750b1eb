"""A review's outcome as the rows and sentences that comment, check run and job summary show. Cleaning is left to the templates.

Which words a template finds under which name is what this module decides; how they look is the template's business.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from budget_gate.core.money import usd_short
from budget_gate.core.pull_requests import SEVERITIES, Finding, NotReviewed
from budget_gate.core.reservations import BudgetState, Refusal, Refused
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.usage import Usage
from budget_gate.reports.words import (
    REFUSAL_WORDS,
    VERDICT_WORDS,
    amount_text,
    budget_name,
    count_text,
    counted,
    left_of,
    percent_text,
    place_text,
    resets_text,
    tokens_short,
)

NO_PROVIDER = "none"
"""What a check, which asks no model, names as its provider."""

SCRIPTED = "scripted"
_OWNERS_SHOWN = 3


class OutcomeView(NamedTuple):
    """Everything a template shows of an outcome; see the templates for the places."""

    headline: str
    reason: str
    scripted: bool
    dry_run: bool
    asked_model: bool
    summary: str
    failure: str
    findings: list[dict[str, Any]]
    dropped: str
    reviewed: str
    not_reviewed: list[dict[str, str]]
    rest_cost: str
    refusals: list[dict[str, str]]
    is_blocked: bool
    is_stopped: bool
    way_out: str
    effort: str
    owners: list[str]
    costs: dict[str, str]
    budgets: list[dict[str, str]]


def view_of(outcome: ReviewOutcome, zone: str) -> OutcomeView:
    """Return the view of an outcome, times on the clocks of ``zone``."""
    refused_by = outcome.refused.refused_by if outcome.refused else ()
    owners = list(dict.fromkeys(each.owner for each in refused_by if each.owner))
    return OutcomeView(
        headline=headline_of(outcome),
        reason=reason_of(outcome),
        scripted=outcome.provider == SCRIPTED,
        dry_run=outcome.is_dry_run,
        asked_model=outcome.provider != NO_PROVIDER,
        summary=outcome.summary,
        failure=outcome.failure,
        findings=[_finding_row(each) for each in gravest_first(outcome.findings)],
        dropped=_dropped_text(outcome.dropped_findings),
        reviewed=f"{counted(outcome.reviewed_files, 'file')}, {counted(outcome.reviewed_hunks, 'hunk')}",
        effort="Would be reviewed" if outcome.is_dry_run else "Reviewed",
        not_reviewed=[_not_reviewed_row(each) for each in outcome.not_reviewed],
        rest_cost=_rest_cost(outcome.not_reviewed),
        refusals=[_refusal_row(each, outcome.refused, zone) for each in refused_by],
        is_blocked=outcome.verdict == "block",
        is_stopped=outcome.verdict == "pass_with_note",
        way_out=_way_out(refused_by, zone),
        owners=owners[:_OWNERS_SHOWN],
        costs=_costs(outcome),
        budgets=[_budget_row(each, zone) for each in outcome.budgets],
    )


def headline_of(outcome: ReviewOutcome) -> str:
    """Return the verdict in plain words, without anything from outside."""
    if outcome.is_dry_run:
        return "Dry run: nothing was sent to a model, nothing was spent"
    if outcome.is_left_alone:
        return "Left alone: nothing was reviewed, nothing was spent"
    if outcome.provider == NO_PROVIDER:
        return {"pass": "There is budget", "pass_with_note": "Passed without AI work", "block": "Blocked"}[outcome.verdict]
    found = counted(len(outcome.findings), "finding") if outcome.findings else "nothing found"
    if outcome.verdict == "pass":
        return f"Reviewed: {found}"
    if outcome.refused is not None:
        how = "stopped by a budget" if outcome.reviewed_files else "a budget refused the review before it began"
    elif outcome.failure:
        how = "the review is not complete" if outcome.reviewed_files else "the review failed"
    else:
        how = "part of the change was not reviewed"
    parts = [VERDICT_WORDS[outcome.verdict], how] + ([found] if outcome.findings else [])
    return f"{parts[0]}: {', '.join(parts[1:])}"


def reason_of(outcome: ReviewOutcome) -> str:
    """Return the outcome's reason, or nothing where the headline has said it already."""
    return "" if outcome.reason.casefold() in headline_of(outcome).casefold() else outcome.reason


def _way_out(refused_by: Sequence[Refusal], zone: str) -> str:
    """Return when asking again can help, to follow the words "re-run this job"; empty where only a smaller task would."""
    if any(each.reason == "unpriced" for each in refused_by):
        return "once the model has a price under `prices:` in the policy"
    lasting = [each for each in refused_by if each.reason != "pending"]
    if refused_by and not lasting:
        return "in a few minutes, once the running jobs that the budget is promised to have finished"
    calendar = [each for each in lasting if each.per != "lifetime"]
    if not calendar or len(calendar) < len(lasting):
        return ""
    latest = max(calendar, key=lambda each: each.resets_at)
    return f"after {resets_text(latest.resets_at, latest.per, zone)}, when the budget resets"


def gravest_first(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings by severity, then by place: what is cut off at the end of a long list matters least."""
    return sorted(findings, key=lambda each: (-SEVERITIES.index(each.severity), each.path, each.line))


def _finding_row(finding: Finding) -> dict[str, Any]:
    return {
        "severity": finding.severity,
        "place": place_text(finding),
        "category": finding.category,
        "text": finding.text,
        "suggestion": finding.suggestion,
    }


def _dropped_text(count: int) -> str:
    if not count:
        return ""
    pointed = "1 remark pointed" if count == 1 else f"{count:,} remarks pointed"
    return f"{pointed} at lines that the diff does not have; left out."


def _not_reviewed_row(part: NotReviewed) -> dict[str, str]:
    cost = part.estimated_nano_usd
    return {"path": part.path, "reason": part.reason, "cost": "nothing" if cost is None else usd_short(cost)}


def _rest_cost(parts: Sequence[NotReviewed]) -> str:
    """Return what reviewing everything that was set aside would cost at most, or nothing where nothing can be reviewed."""
    costs = [part.estimated_nano_usd for part in parts if part.estimated_nano_usd is not None]
    return usd_short(sum(costs)) if costs else ""


def _refusal_row(refusal: Refusal, refused: Refused | None, zone: str) -> dict[str, str]:
    place = (refusal.scope, refusal.per, refusal.unit)
    states = [each for each in (refused.budgets if refused else ()) if (each.scope, each.per, each.unit) == place]
    used = [f"{count_text(each.unit, each.used)} of {amount_text(each.unit, each.limit)}" for each in states]
    return {
        "budget": budget_name(refusal.scope, refusal.per),
        "why": REFUSAL_WORDS[refusal.reason],
        "used": used[0] if used else "",
        "asked": amount_text(refusal.unit, refusal.needed),
        "left": amount_text(refusal.unit, refusal.left),
        "resets": resets_text(refusal.resets_at, refusal.per, zone),
        "owner": refusal.owner,
    }


def _costs(outcome: ReviewOutcome) -> dict[str, str]:
    return {
        "model": outcome.model,
        "tier": outcome.tier,
        "why": outcome.route_reason,
        "provider": outcome.provider,
        "tokens": tokens_text(outcome.usage),
        "cost": usd_short(outcome.cost_nano_usd),
    }


def tokens_text(usage: Usage) -> str:
    """Return tokens by kind, and which share of the prompt came from the cache."""
    kinds = [
        (usage.input_tokens, "plain"),
        (usage.cache_read_tokens, "from the cache"),
        (usage.cache_write_5m_tokens, "into the cache for 5 min"),
        (usage.cache_write_1h_tokens, "into the cache for 1 h"),
    ]
    detail = ", ".join(f"{tokens_short(count)} {word}" for count, word in kinds if count)
    share = percent_text(usage.cache_read_tokens, usage.prompt_tokens)
    prompt = f"{tokens_short(usage.prompt_tokens)} in" + (f" ({detail}; {share} cached)" if detail else "")
    searches = f", web searches: {usage.web_searches}" if usage.web_searches else ""
    return f"{prompt}, {tokens_short(usage.output_tokens)} out{searches}"


def _budget_row(state: BudgetState, zone: str) -> dict[str, str]:
    left = amount_text(state.unit, left_of(state))
    return {
        "budget": budget_name(state.scope, state.per),
        "used": f"{count_text(state.unit, state.used)} of {amount_text(state.unit, state.limit)}",
        "left": left if state.mode == "enforce" else f"{left} (only watched)",
        "tier": state.tier,
        "resets": resets_text(state.resets_at, state.per, zone),
    }
