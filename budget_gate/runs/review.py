"""A review from its diff to its rendered result. Posting is ``runs.posting``; nothing here sends anything but the agent's calls."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from budget_gate.agents.interface import Reviewer
from budget_gate.core.errors import LedgerReadOnly, LedgerUnavailable
from budget_gate.core.policy import Policy
from budget_gate.core.pull_requests import Finding, PullRequest, Severity
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.tasks import Task
from budget_gate.github.interface import Annotation, AnnotationLevel, InlineComment
from budget_gate.reports.check_run import render_annotation, render_check_run
from budget_gate.reports.pr_comment import marker_of, render_finding, render_pr_comment
from budget_gate.runs.check import outage_outcome, read_only_outcome
from budget_gate.runs.posting import Rendered, RunIdentity

NO_KEY = "a pull request from a fork gets no API key, so it was not reviewed"


class ReviewJob(NamedTuple):
    """What is reviewed: a diff, with the pull request it belongs to if there is one."""

    diff: bytes | str
    pull: PullRequest | None
    head_sha: str = ""


def run_review(
    policy: Policy, reviewer: Reviewer, task: Task, job: ReviewJob, *, tag: str, dry_run: bool = False
) -> ReviewOutcome:
    """Review a diff. A ledger that cannot be reached ends in the verdict that the policy's ``on_outage`` says.

    One that may not be written to (the default ledger, in a pull request from a fork) ends in a note.
    """
    try:
        return reviewer.review(job.diff, job.pull, tag=tag, dry_run=dry_run)
    except LedgerUnavailable as error:
        return outage_outcome(policy, task, error)
    except LedgerReadOnly as error:
        return read_only_outcome(policy, task, error)


def fork_outcome(estimate: ReviewOutcome, why: str = NO_KEY) -> ReviewOutcome:
    """Return the verdict for a fork's pull request that was only estimated, and ``why``: a note, so that nobody is stranded."""
    return estimate._replace(verdict="pass_with_note", reason=f"{why}; {estimate.reason}")


def render_result(outcome: ReviewOutcome, workflow: str, identity: RunIdentity, head_sha: str, zone: str) -> Rendered:
    """Render everything that is posted about an outcome; times are shown in the policy's ``zone``."""
    title, summary = render_check_run(outcome, workflow=workflow, zone=zone)
    comment = render_pr_comment(
        outcome,
        workflow=workflow,
        run_url=identity.url,
        run_number=identity.number,
        run_attempt=identity.attempt,
        head_sha=head_sha,
        zone=zone,
    )
    inline = tuple(InlineComment(finding, render_finding(finding)) for finding in outcome.findings)
    notes = annotations_of(outcome.findings)
    if outcome.is_left_alone:
        return Rendered(marker_of(workflow), "", (), title, summary)
    return Rendered(marker_of(workflow), comment, inline, title, summary, notes)


def annotations_of(findings: Sequence[Finding]) -> tuple[Annotation, ...]:
    """Return annotations for the findings on lines of the head commit; the others have no line there."""
    return tuple(
        Annotation(each.path, each.line, each.end_line, _LEVELS[each.severity], *render_annotation(each))
        for each in findings
        if each.side == "RIGHT"
    )


_LEVELS: Mapping[Severity, AnnotationLevel] = {
    "critical": "failure",
    "high": "failure",
    "medium": "warning",
    "low": "notice",
    "info": "notice",
}
