"""How far one review goes: in full, as an estimate, or not at all; and whether what comes of it is posted. ``review`` is the command."""

import secrets
from collections.abc import Callable, Mapping
from typing import NamedTuple

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import log
from budget_gate.core.policy import Wish, Workflow
from budget_gate.core.pull_requests import APPROVAL_LABEL, Finding, PullRequest, Severity
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.tasks import Task
from budget_gate.reports.pr_comment import marker_of
from budget_gate.runs.dismissals import Dismissals
from budget_gate.runs.fork_review import (
    FREE,
    Standing,
    claim,
    refused_outcome,
    standing_of,
    unposted_outcome,
    why_not_post,
    withdraw,
)
from budget_gate.runs.left_alone import SAID_BY_BOT, left_alone, why_left_alone
from budget_gate.runs.review import NO_KEY, ReviewJob, fork_outcome, run_review


class ReviewWishes(NamedTuple):
    """How a review is wanted: what the flags say beyond the policy, with the defaults of the command. None is as the policy says."""

    on_exceed: str = "policy"
    min_severity: Severity | None = None
    form: str = "text"
    dry_run: bool = False
    include_drafts: bool | None = None
    include_bots: bool | None = None
    is_reuse_wanted: bool = True
    approval_label: str = APPROVAL_LABEL

    def overrule(self, workflow: Workflow) -> Workflow:
        """Return the workflow with what was said about it here."""
        return workflow._replace(
            min_severity=self.min_severity or workflow.min_severity,
            drafts=workflow.drafts if self.include_drafts is None else _WISHES[self.include_drafts],
            bots=workflow.bots if self.include_bots is None else _WISHES[self.include_bots],
        )


_WISHES: Mapping[bool, Wish] = {True: "review", False: "skip"}


class Result(NamedTuple):
    """What came of a review, and whether that may be posted on the pull request."""

    outcome: ReviewOutcome
    is_posted: bool = True


def result_of(workspace: Workspace, job: ReviewJob, task: Task, wishes: ReviewWishes) -> Result:
    """Review as far as the event, the policy and, for a fork, a maintainer allow. The diff of a pull request is read here."""
    pull, github = job.pull, workspace.github
    if pull is None or github is None:
        return Result(_reviewed(workspace, job, task, wishes))
    if workspace.runtime is not None and workspace.runtime.event.is_said_by_bot:
        # Anybody can write our mark into a comment, so such a run must not turn a check green.
        return Result(left_alone(SAID_BY_BOT), is_posted=False)
    standing = _standing(workspace, pull, wishes)
    if standing.kind == "refused":
        problem = withdraw(github, workspace.runtime.event, wishes.approval_label) if workspace.runtime else ""
        return Result(refused_outcome("; ".join(filter(None, (standing.reason, problem)))), is_posted=False)
    if standing.kind == "approved":  # a wish for this very commit, so a draft is not left alone
        return _approved(workspace, job, task, wishes)
    reason = why_left_alone(pull, task.workflow)
    if reason:
        return Result(left_alone(reason))
    return Result(_reviewed(workspace, job._replace(diff=github.diff(pull.number)), task, wishes, standing))


def _approved(workspace: Workspace, job: ReviewJob, task: Task, wishes: ReviewWishes) -> Result:
    """Review the approved commit of a fork, unless something was pushed meanwhile."""
    pull, github, label = job.pull, workspace.github, wishes.approval_label
    assert pull is not None, "it was approved"
    assert github is not None, "that is where it was approved"
    job = job._replace(diff=github.commit_diff(pull))
    problem = claim(github, pull, label)
    if problem:
        return Result(refused_outcome(problem), is_posted=False)
    outcome = _reviewed(workspace, job, task, wishes)
    problem = why_not_post(github, pull, label)
    return Result(unposted_outcome(outcome, problem), is_posted=False) if problem else Result(outcome)


def _standing(workspace: Workspace, pull: PullRequest, wishes: ReviewWishes) -> Standing:
    """Return how far this run may go. Whoever runs the command by hand has decided; a dry run spends nothing."""
    if not pull.is_fork or workspace.runtime is None or wishes.dry_run:
        return FREE
    assert workspace.github is not None, "that is where the pull request came from"
    return standing_of(workspace.github, pull, workspace.runtime.event, wishes.approval_label)


def _reviewed(workspace: Workspace, job: ReviewJob, task: Task, wishes: ReviewWishes, standing: Standing = FREE) -> ReviewOutcome:
    from budget_gate.agents.code_review import CodeReviewAgent

    # GitHub gives no secrets to a run for a fork's pull request: the estimate is what can be done, and the author waits for nobody.
    is_keyless_fork = bool(job.pull and job.pull.is_fork) and not workspace.settings.anthropic_api_key and not wishes.dry_run
    is_estimate = is_keyless_fork or standing.kind == "estimate"
    dry_run = wishes.dry_run or is_estimate
    provider = workspace.provider(dry_run=dry_run)
    try:
        memory = workspace.ledger if wishes.is_reuse_wanted else None
        reviewer = CodeReviewAgent(workspace.gate(provider), task, ledger=memory, is_dismissed=_dismissals(workspace, job, task))
        outcome = run_review(workspace.policy, reviewer, task, job, tag=secrets.token_hex(8), dry_run=dry_run)
    finally:
        provider.close()
    return fork_outcome(outcome, NO_KEY if is_keyless_fork else standing.reason) if is_estimate else outcome


def _dismissals(workspace: Workspace, job: ReviewJob, task: Task) -> Callable[[Finding], bool]:
    """Return what tells findings that were dismissed on this pull request; of a mere diff none were."""
    if job.pull is None or workspace.github is None:
        return lambda _: False
    return Dismissals(workspace.github, job.pull, marker_of(task.workflow.name), lambda text: log(f"budget-gate: {text}"))
