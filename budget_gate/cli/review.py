"""``budget-gate review``: the code-review agent, on a pull request or on a diff without GitHub."""

import hashlib
import secrets
import sys
from typing import Any

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
from budget_gate.cli.reviewing import ReviewWishes, result_of
from budget_gate.config.action_inputs import is_pull_number
from budget_gate.core.errors import LedgerError, ServiceError, UsageError
from budget_gate.core.pull_requests import APPROVAL_LABEL, SEVERITIES
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.reports.documents import outcome_document
from budget_gate.runs.review import ReviewJob

FORMS = ("text", "json", "sarif")
TAKEN_AS_GIVEN = ("on_exceed", "min_severity", "dry_run", "include_drafts", "include_bots", "approval_label")
DIFF_BYTES_MOST = 64 * 1024 * 1024


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
    outcome, is_posted = result_of(workspace, job, task, wishes)
    _print(workspace, outcome, task.workflow.name, wishes.form)
    if workspace.runtime is not None and not diff_file:
        from budget_gate.cli.alerting import send_alerts
        from budget_gate.cli.posting import post_outcome

        post_outcome(workspace, outcome, task.workflow.name, job.pull, is_posted=is_posted)
        send_alerts(workspace, outcome.failure if outcome.is_outage else "")
    return exit_code(outcome)


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
