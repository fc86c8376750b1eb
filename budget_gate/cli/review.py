"""``budget-gate review``: the code-review agent, on a pull request or on a diff without GitHub."""

import hashlib
import secrets
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import (
    REFUSED,
    attribution_options,
    common_options,
    flags_given,
    log,
    open_workspace,
    print_document,
)
from budget_gate.config.action_inputs import is_pull_number
from budget_gate.core.errors import LedgerError, ServiceError, UsageError
from budget_gate.core.policy import Wish, Workflow
from budget_gate.core.pull_requests import APPROVAL_LABEL, SEVERITIES, PullRequest, Severity
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.tasks import Task
from budget_gate.reports.documents import outcome_document
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
from budget_gate.runs.left_alone import left_alone, why_left_alone
from budget_gate.runs.review import NO_KEY, ReviewJob, fork_outcome, run_review

FORMS = ("text", "json", "sarif")
TAKEN_AS_GIVEN = ("on_exceed", "min_severity", "dry_run", "include_drafts", "include_bots", "approval_label")
DIFF_BYTES_MOST = 64 * 1024 * 1024


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


@click.command(
    "review",
    epilog="Examples: git diff main | budget-gate review --diff -; budget-gate review --pr 7; "
    "budget-gate review --diff change.diff --dry-run",
)
@click.option(
    "--diff", "diff_file", metavar="FILE|-", help="Review this unified diff instead of a pull request; - reads standard input."
)
@click.option("--dry-run", is_flag=True, help="Estimate only: no model is called, nothing is spent.")
@click.option("--min-severity", type=click.Choice(SEVERITIES), help="Overrule the workflow's min_severity.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="text",
    help="What to print; sarif is SARIF 2.1.0, json the same as --json.",
)
@click.option("--include-drafts/--skip-drafts", default=None, help="Review a draft, or leave it alone, whatever the policy says.")
@click.option("--include-bots/--skip-bots", default=None, help="The same for a pull request that a bot opened.")
@click.option(
    "--approval-label",
    metavar="LABEL",
    default=APPROVAL_LABEL,
    show_default=True,
    help="In Actions, the label by which somebody with write access has a pull request from a fork reviewed.",
)
@click.option("--no-reuse", is_flag=True, help="Read everything anew, even what an earlier run has read and nobody changed.")
@click.option(
    "--on-exceed", type=click.Choice(["policy", "comment", "block"]), default="policy", help="Overrule the workflow's on_exceed."
)
@attribution_options()
@common_options
def review(policy: str | None, ledger: str | None, diff_file: str | None, *, as_json: bool, **given: Any) -> None:
    """Review a change within its budget. Exit 3 when a budget blocks it, 4 when the model's service failed and nothing was reviewed."""
    workspace = open_workspace(policy, ledger)
    wishes = ReviewWishes(
        form="json" if as_json else given["form"],
        is_reuse_wanted=not given["no_reuse"],
        **{name: given[name] for name in TAKEN_AS_GIVEN},
    )
    code = review_change(workspace, diff_file, flags_given(given), wishes)
    if code:
        raise click.exceptions.Exit(code)


def review_change(workspace: Workspace, diff_file: str | None, flags: dict[str, str], wishes: ReviewWishes) -> int:
    """Review, print and post; return the exit code. Shared by the command and the action."""
    attribution = workspace.attribution(flags, agent="code_review")
    job = ReviewJob(read_diff(diff_file), None) if diff_file else _pull_job(workspace, attribution.pr)
    attribution = attribution._replace(task=attribution.task or _task_name(workspace, job))
    task = workspace.task(attribution, wishes.on_exceed)
    task = task._replace(workflow=wishes.overrule(task.workflow))
    outcome, is_posted = _result(workspace, job, task, wishes)
    _print(workspace, outcome, task.workflow.name, wishes.form)
    if workspace.runtime is not None and not diff_file:
        from budget_gate.cli.alerting import send_alerts
        from budget_gate.cli.posting import post_outcome

        post_outcome(workspace, outcome, task.workflow.name, job.pull, is_posted=is_posted)
        send_alerts(workspace, outcome.failure if outcome.is_outage else "")
    return exit_code(outcome)


def _result(workspace: Workspace, job: ReviewJob, task: Task, wishes: ReviewWishes) -> tuple[ReviewOutcome, bool]:
    """Return what comes of a review, and whether that may be posted on the pull request."""
    pull, github, label = job.pull, workspace.github, wishes.approval_label
    if pull is None or github is None:
        return _reviewed(workspace, job, task, wishes, FREE), True
    standing = _standing(workspace, pull, wishes)
    if standing.kind == "refused":
        problem = withdraw(github, workspace.runtime.event, label) if workspace.runtime else ""
        return refused_outcome("; ".join(filter(None, (standing.reason, problem)))), False
    is_approved = standing.kind == "approved"
    is_said_by_bot = bool(workspace.runtime and workspace.runtime.event.is_said_by_bot)
    reason = why_left_alone(pull, task.workflow, is_said_by_bot=is_said_by_bot)
    if reason and not is_approved:  # the label is a wish for this very commit
        return left_alone(reason), True
    job = job._replace(diff=github.commit_diff(pull) if is_approved else github.diff(pull.number))
    if is_approved and (problem := claim(github, pull, label)):
        return refused_outcome(problem), False
    outcome = _reviewed(workspace, job, task, wishes, standing)
    if is_approved and (problem := why_not_post(github, pull, label)):
        return unposted_outcome(outcome, problem), False
    return outcome, True


def _standing(workspace: Workspace, pull: PullRequest, wishes: ReviewWishes) -> Standing:
    """Return how far this run may go. Whoever runs the command by hand has decided; a dry run spends nothing."""
    if not pull.is_fork or workspace.runtime is None or wishes.dry_run:
        return FREE
    assert workspace.github is not None, "that is where the pull request came from"
    return standing_of(workspace.github, pull, workspace.runtime.event, wishes.approval_label)


def _reviewed(workspace: Workspace, job: ReviewJob, task: Task, wishes: ReviewWishes, standing: Standing) -> ReviewOutcome:
    from budget_gate.agents.code_review import CodeReviewAgent

    # GitHub gives no secrets to a run for a fork's pull request: the estimate is what can be done, and the author waits for nobody.
    is_keyless_fork = bool(job.pull and job.pull.is_fork) and not workspace.settings.anthropic_api_key and not wishes.dry_run
    is_estimate = is_keyless_fork or standing.kind == "estimate"
    dry_run = wishes.dry_run or is_estimate
    provider = workspace.provider(dry_run=dry_run)
    try:
        memory = workspace.ledger if wishes.is_reuse_wanted else None
        reviewer = CodeReviewAgent(workspace.gate(provider), task, ledger=memory)
        outcome = run_review(workspace.policy, reviewer, task, job, tag=secrets.token_hex(8), dry_run=dry_run)
    finally:
        provider.close()
    return fork_outcome(outcome, NO_KEY if is_keyless_fork else standing.reason) if is_estimate else outcome


def exit_code(outcome: ReviewOutcome) -> int:
    """Return the contract's exit code of an outcome."""
    if outcome.verdict == "block":
        return REFUSED if outcome.refused or not outcome.failure else LedgerError.exit_code
    if outcome.failure and not outcome.reviewed_hunks and outcome.model:
        return ServiceError.exit_code
    return 0


def read_diff(diff_file: str) -> bytes:
    """Return a diff from a file or, for ``-``, standard input. Raises ``UsageError`` where it cannot be read or is too large."""
    try:
        with click.open_file(diff_file, "rb") as stream:
            diff: bytes = stream.read(DIFF_BYTES_MOST + 1)
    except OSError as error:
        raise UsageError(
            f"{diff_file}: cannot be read: {error.strerror}; give the path of a unified diff, or - for stdin"
        ) from None
    if len(diff) > DIFF_BYTES_MOST:
        raise UsageError(f"{diff_file}: more than {DIFF_BYTES_MOST // 2**20} MiB; review a smaller diff")
    return diff


def _pull_job(workspace: Workspace, number: str) -> ReviewJob:
    """Return a pull request as a job; its diff is read once it is known whether anybody wants it."""
    if not number:
        raise UsageError("what is to be reviewed? Say --pr N, or --diff FILE (--diff - reads standard input)")
    if not is_pull_number(number):
        raise UsageError(f"--pr: {number[:40]!r} is not a pull request number; write digits only, such as --pr 7")
    if workspace.github is None:
        raise UsageError("--pr needs GITHUB_TOKEN and GITHUB_REPOSITORY; or review a file with --diff FILE")
    pull = workspace.github.pull_request(int(number))
    log(f"budget-gate: reading {pull.repository}#{pull.number} at {pull.head_sha[:12]}")
    return ReviewJob(b"", pull, pull.head_sha)


def _task_name(workspace: Workspace, job: ReviewJob) -> str:
    """Return the name of this run of the agent on this subject: a re-run is another task, with bounds of its own."""
    if job.pull is None:
        diff = job.diff if isinstance(job.diff, bytes) else job.diff.encode()
        return f"diff:{hashlib.sha256(diff).hexdigest()[:16]}:{secrets.token_hex(4)}"
    runtime = workspace.runtime
    run = f"{runtime.run_id}.{runtime.run_attempt}" if runtime else secrets.token_hex(4)
    return f"{job.pull.repository}#{job.pull.number}@{job.pull.head_sha}:{run}"


def _print(workspace: Workspace, outcome: ReviewOutcome, workflow: str, form: str) -> None:
    if form == "json":
        print_document(outcome_document(outcome, workspace.policy.timezone))
        return
    if form == "sarif":
        from budget_gate import __version__
        from budget_gate.reports.sarif import render_sarif

        print_document(render_sarif(outcome, workflow=workflow, version=__version__))
        return
    from budget_gate.reports.terminal import render_outcome

    click.echo(render_outcome(outcome))
    sys.stdout.flush()
