"""Outcomes of reviews as reports receive them: one of each kind, with the values of a plausible run."""

from datetime import UTC, datetime

from budget_gate.core.pull_requests import Finding, NotReviewed
from budget_gate.core.reservations import BudgetState, Refusal, Refused
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.scopes import ORG, Scope
from budget_gate.core.usage import Usage

USD = 1_000_000_000
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
NEXT_MONTH = datetime(2026, 12, 1, tzinfo=UTC)
REVIEW = Scope("workflow", "ci_cd_review")

DAY_BUDGET = BudgetState(
    REVIEW, "day", "usd", "enforce", 7 * USD, 7 * USD, 2_105_000_000, 40_000_000, 0, "", MIDNIGHT, "vp-engineering@acme.test"
)
TEAM_BUDGET = BudgetState(
    Scope("team", "payments"),
    "month",
    "tokens",
    "advise",
    20_000_000,
    30_000_000,
    17_300_000,
    0,
    25_000,
    "warn",
    NEXT_MONTH,
    "@acme/payments-leads",
)
ORG_BUDGET = BudgetState(ORG, "month", "usd", "enforce", 800 * USD, 800 * USD, 512_330_000_000, 0, 0, "", NEXT_MONTH, "")
BUDGETS = (ORG_BUDGET, TEAM_BUDGET, DAY_BUDGET)

FINDINGS = (
    Finding("src/app/views.py", 88, 88, "LEFT", "low", "style", "The removed guard was the only use of `is_ready`."),
    Finding(
        "src/auth/session.py",
        41,
        44,
        "RIGHT",
        "high",
        "security",
        "The token is compared with `==`; an attacker can measure how far it matches.",
        "if not hmac.compare_digest(token, expected):\n    raise Forbidden",
    ),
    Finding("src/app/models.py", 12, 12, "RIGHT", "medium", "bug", "`total` is None for an empty order | see the caller."),
)

NOTHING_FOUND = ReviewOutcome(
    verdict="pass",
    reason="nothing found",
    findings=(),
    reviewed_files=2,
    reviewed_hunks=3,
    not_reviewed=(),
    cost_nano_usd=4_312_500,
    usage=Usage(1_200, 310, 2_900, 600, 0),
    tier="small",
    model="claude-haiku-4-5",
    route_reason="the usual tier of this workflow",
    provider="anthropic",
    budgets=BUDGETS,
)

WITH_FINDINGS = NOTHING_FOUND._replace(
    reason="3 findings",
    findings=FINDINGS,
    reviewed_files=5,
    reviewed_hunks=9,
    tier="medium",
    model="claude-sonnet-4-6",
    route_reason="escalated: 7 421 input tokens are more than 6 000",
    summary="Adds a session check.\n\nThe comparison of tokens deserves a look.",
    dropped_findings=1,
)

LEFT_OUT = (
    NotReviewed("src/legacy/report.py", "stopped by the budget of workflow/ci_cd_review per day (lines 1-400)", 18_400_000),
    NotReviewed("package-lock.json", "generated", None),
)

DAY_REFUSAL = Refusal(REVIEW, "day", "usd", "spent", 500_000_000, 12_000_000, MIDNIGHT, "vp-engineering@acme.test")
SPENT = DAY_BUDGET._replace(posted=6_900_000_000, held=88_000_000, pending=0, tier="warn")
DAY_REFUSED = Refused((DAY_REFUSAL,), (ORG_BUDGET, SPENT))

PARTIAL = WITH_FINDINGS._replace(
    verdict="pass_with_note",
    reason="stopped by the budget of workflow/ci_cd_review per day; the pull request is not held up; 3 findings in what was reviewed",
    not_reviewed=LEFT_OUT,
    refused=DAY_REFUSED,
    budgets=(ORG_BUDGET, SPENT),
)

REFUSED = NOTHING_FOUND._replace(
    verdict="block",
    reason="stopped by the budget of workflow/ci_cd_review per day",
    reviewed_files=0,
    reviewed_hunks=0,
    cost_nano_usd=0,
    usage=Usage(),
    not_reviewed=LEFT_OUT,
    refused=DAY_REFUSED._replace(
        refused_by=(DAY_REFUSAL, Refusal(ORG, "month", "usd", "held", 500_000_000, 0, NEXT_MONTH, "@acme/finops"))
    ),
    budgets=(ORG_BUDGET, SPENT),
)

FAILURE = NOTHING_FOUND._replace(
    verdict="pass_with_note",
    reason="the review is not complete: overloaded; the pull request is not held up; nothing found in what was reviewed",
    failure="overloaded: the model's API answered 529 four times",
    not_reviewed=(NotReviewed("src/app/models.py", "the model did not answer", 3_000_000),),
)

DRY_RUN = NOTHING_FOUND._replace(
    reason="a dry run: 3 hunks would be sent",
    provider="scripted",
    is_dry_run=True,
    usage=Usage(4_700, 650),
    cost_nano_usd=7_950_000,
)

CHECKED = NOTHING_FOUND._replace(
    reason="there is budget for ci_cd_review (a typical run takes $0.0080)",
    reviewed_files=0,
    reviewed_hunks=0,
    cost_nano_usd=0,
    usage=Usage(),
    provider="none",
)

MANY = WITH_FINDINGS._replace(
    reason="900 findings",
    findings=tuple(
        Finding(f"src/module_{number}.py", number + 1, number + 1, "RIGHT", "low", "bug", f"Finding {number}. " + "word " * 60)
        for number in range(900)
    ),
    not_reviewed=tuple(NotReviewed(f"generated/file_{number}.ts", "generated", None) for number in range(300)),
    dropped_findings=12,
)

EACH: dict[str, ReviewOutcome] = {
    "nothing_found": NOTHING_FOUND,
    "findings": WITH_FINDINGS,
    "partial": PARTIAL,
    "refused": REFUSED,
    "failure": FAILURE,
    "dry_run": DRY_RUN,
    "checked": CHECKED,
    "many_findings": MANY,
}
