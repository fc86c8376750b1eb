"""The outcome of a review as values: what agents produce and reports render."""

from typing import NamedTuple

from budget_gate.core.job_record import UnsettledCost
from budget_gate.core.pull_requests import Finding, NotReviewed, Verdict
from budget_gate.core.reservations import BudgetState, Refused
from budget_gate.core.usage import Usage


class ReviewOutcome(NamedTuple):
    """Everything a comment, a check run or ``--json`` says about one review.

    ``refused`` names the budgets that stopped it, if any did; ``failure`` says in one line what broke, if anything did (the
    review is then partial or empty, never silently so). ``is_outage`` says that what broke was the ledger. ``dropped_findings``
    pointed at lines that the diff does not have. ``unsettled`` are costs that the ledger could not be told of; the check run carries
    them for whoever sweeps later. ``reused_hunks`` were read by an earlier run, whose results stand; reading them again would have cost
    about ``avoided_nano_usd``. ``masked_secrets`` were taken out before anything was sent. ``is_left_alone``: nobody asked for a review.
    """

    verdict: Verdict
    reason: str
    findings: tuple[Finding, ...]
    reviewed_files: int
    reviewed_hunks: int
    not_reviewed: tuple[NotReviewed, ...]
    cost_nano_usd: int
    usage: Usage
    tier: str
    model: str
    route_reason: str
    provider: str
    budgets: tuple[BudgetState, ...]
    dropped_findings: int = 0
    summary: str = ""
    refused: Refused | None = None
    failure: str = ""
    is_dry_run: bool = False
    unsettled: tuple[UnsettledCost, ...] = ()
    reused_hunks: int = 0
    avoided_nano_usd: int = 0
    masked_secrets: int = 0
    is_left_alone: bool = False
    is_outage: bool = False


def without_review(
    verdict: Verdict,
    reason: str,
    *,
    tier: str = "",
    model: str = "",
    route_reason: str = "no model was needed",
    provider: str = "none",
    budgets: tuple[BudgetState, ...] = (),
) -> ReviewOutcome:
    """Return an outcome for which nothing was read, found or paid."""
    return ReviewOutcome(
        verdict=verdict,
        reason=reason,
        findings=(),
        reviewed_files=0,
        reviewed_hunks=0,
        not_reviewed=(),
        cost_nano_usd=0,
        usage=Usage(),
        tier=tier,
        model=model,
        route_reason=route_reason,
        provider=provider,
        budgets=budgets,
    )
