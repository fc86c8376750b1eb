"""Posting a result on GitHub: check run, comment, inline remarks, summary and outputs, in the order that strands nobody.

The check run comes first, because a required status that is never reported blocks a pull request for good. A token that may not
write (a fork's pull request) is an expected outcome: the summary says so and the run goes on.
"""

from collections.abc import Callable
from typing import NamedTuple

from budget_gate.core.errors import GitHubError, ReadOnlyToken
from budget_gate.core.money import usd_text
from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.github.interface import Annotation, GitHub, InlineComment
from budget_gate.reports.documents import percent_number, tightest_usd

FORK_NOTE = (
    "The token of this run may not write (a pull request from a fork), so the result is only in this summary; "
    "the job status carries the verdict."
)


class RunIdentity(NamedTuple):
    """Which CI run posts: older runs never overwrite newer ones. ``url`` is where people read its log."""

    run_id: int
    number: int
    attempt: int
    url: str


class Posted(NamedTuple):
    """Where the result can be read. ``notes`` say what could not be posted, in words for people."""

    comment_url: str = ""
    check_url: str = ""
    inline_comments: int = 0
    notes: tuple[str, ...] = ()


class Rendered(NamedTuple):
    """What is to be posted, rendered and cleaned by ``reports``. An empty comment posts none."""

    marker: str
    comment: str
    inline: tuple[InlineComment, ...]
    check_title: str
    check_summary: str
    annotations: tuple[Annotation, ...] = ()


def post_result(
    github: GitHub, outcome: ReviewOutcome, rendered: Rendered, identity: RunIdentity, head_sha: str, pull: PullRequest | None
) -> Posted:
    """Post everything that can be posted, each part on its own: one that fails does not take the next one with it."""
    notes: list[str] = []

    def attempt(what: str, post: Callable[[], str]) -> str:
        try:
            return post()
        except ReadOnlyToken:
            if FORK_NOTE not in notes:
                notes.append(FORK_NOTE)
        except GitHubError as error:
            notes.append(f"{what} could not be posted: {error}")
        return ""

    def put_check() -> str:
        return github.put_check(
            head_sha,
            "failure" if outcome.verdict == "block" else "success",
            rendered.check_title,
            rendered.check_summary,
            run_id=identity.run_id,
            run_attempt=identity.attempt,
            details_url=identity.url,
            annotations=rendered.annotations,
        )

    check_url = attempt("the check run", put_check) if head_sha else ""
    if pull is None or not rendered.comment:
        return Posted(check_url=check_url, notes=tuple(notes))
    inline_url = attempt("inline remarks", lambda: str(github.post_findings(pull, rendered.marker, rendered.inline)))
    comment_url = attempt(
        "the comment",
        lambda: github.put_comment(pull.number, rendered.marker, rendered.comment, identity.number, identity.attempt).url,
    )
    return Posted(comment_url, check_url, int(inline_url or 0), tuple(notes))


def output_values(outcome: ReviewOutcome, posted: Posted) -> dict[str, str]:
    """Return the action's outputs (contract, section 5) as text."""
    remaining, used = tightest_usd(outcome.budgets)
    return {
        "verdict": outcome.verdict,
        "reason": outcome.reason,
        "cost-usd": usd_text(outcome.cost_nano_usd),
        "remaining-usd": "" if remaining is None else usd_text(remaining),
        "used-percent": "" if used is None else str(percent_number(used)),
        "model": outcome.model,
        "findings": str(len(outcome.findings)),
        "comment-url": posted.comment_url,
        "check-url": posted.check_url,
    }
