"""``budget-gate review``: the code-review agent, on a pull request or on a diff without GitHub."""

import hashlib
import secrets
import sys

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
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.reports.documents import outcome_document
from budget_gate.runs.review import ReviewJob, run_review

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
@click.option(
    "--on-exceed", type=click.Choice(["policy", "comment", "block"]), default="policy", help="Overrule the workflow's on_exceed."
)
@attribution_options()
@common_options
def review(
    policy: str | None,
    ledger: str | None,
    diff_file: str | None,
    on_exceed: str,
    *,
    dry_run: bool,
    as_json: bool,
    **given: str | None,
) -> None:
    """Review a change within its budget. Exit 3 when a budget blocks it, 4 when the model's service failed and nothing was reviewed."""
    workspace = open_workspace(policy, ledger)
    code = review_change(workspace, diff_file, flags_given(given), on_exceed=on_exceed, dry_run=dry_run, as_json=as_json)
    if code:
        raise click.exceptions.Exit(code)


def review_change(
    workspace: Workspace,
    diff_file: str | None,
    flags: dict[str, str],
    *,
    on_exceed: str = "policy",
    dry_run: bool = False,
    as_json: bool = False,
) -> int:
    """Review, print and post; return the exit code. Shared by the command and the action."""
    from budget_gate.agents.code_review import CodeReviewAgent

    attribution = workspace.attribution(flags, agent="code_review")
    job = _diff_job(diff_file) if diff_file else _pull_job(workspace, attribution.pr)
    attribution = attribution._replace(task=attribution.task or _task_name(workspace, job))
    task = workspace.task(attribution, on_exceed)
    provider = workspace.provider(dry_run=dry_run)
    try:
        reviewer = CodeReviewAgent(workspace.gate(provider), task)
        outcome = run_review(workspace.policy, reviewer, task, job, tag=secrets.token_hex(8), dry_run=dry_run)
    finally:
        provider.close()
    _print(workspace, outcome, as_json=as_json)
    if workspace.runtime is not None and not diff_file:
        from budget_gate.cli.alerting import send_alerts
        from budget_gate.cli.posting import post_outcome

        post_outcome(workspace, outcome, task.workflow.name, job.pull)
        send_alerts(workspace, outcome.failure if outcome.is_outage else "")
    return exit_code(outcome)


def exit_code(outcome: ReviewOutcome) -> int:
    """Return the contract's exit code of an outcome."""
    if outcome.verdict == "block":
        return REFUSED if outcome.refused or not outcome.failure else LedgerError.exit_code
    if outcome.failure and not outcome.reviewed_hunks and outcome.model:
        return ServiceError.exit_code
    return 0


def _diff_job(diff_file: str) -> ReviewJob:
    try:
        with click.open_file(diff_file, "rb") as stream:
            diff: bytes = stream.read(DIFF_BYTES_MOST + 1)
    except OSError as error:
        raise UsageError(
            f"{diff_file}: cannot be read: {error.strerror}; give the path of a unified diff, or - for stdin"
        ) from None
    if len(diff) > DIFF_BYTES_MOST:
        raise UsageError(f"{diff_file}: more than {DIFF_BYTES_MOST // 2**20} MiB; review a smaller diff")
    return ReviewJob(diff, None)


def _pull_job(workspace: Workspace, number: str) -> ReviewJob:
    if not number:
        raise UsageError("what is to be reviewed? Say --pr N, or --diff FILE (--diff - reads standard input)")
    if not is_pull_number(number):
        raise UsageError(f"--pr: {number[:40]!r} is not a pull request number; write digits only, such as --pr 7")
    if workspace.github is None:
        raise UsageError("--pr needs GITHUB_TOKEN and GITHUB_REPOSITORY; or review a file with --diff FILE")
    pull = workspace.github.pull_request(int(number))
    log(f"budget-gate: reading {pull.repository}#{pull.number} at {pull.head_sha[:12]}")
    return ReviewJob(workspace.github.diff(pull.number), pull, pull.head_sha)


def _task_name(workspace: Workspace, job: ReviewJob) -> str:
    """Return the name of this run of the agent on this subject: a re-run is another task, with bounds of its own."""
    if job.pull is None:
        diff = job.diff if isinstance(job.diff, bytes) else job.diff.encode()
        return f"diff:{hashlib.sha256(diff).hexdigest()[:16]}:{secrets.token_hex(4)}"
    runtime = workspace.runtime
    run = f"{runtime.run_id}.{runtime.run_attempt}" if runtime else secrets.token_hex(4)
    return f"{job.pull.repository}#{job.pull.number}@{job.pull.head_sha}:{run}"


def _print(workspace: Workspace, outcome: ReviewOutcome, *, as_json: bool) -> None:
    if as_json:
        print_document(outcome_document(outcome, workspace.policy.timezone))
        return
    from budget_gate.reports.terminal import render_outcome

    click.echo(render_outcome(outcome))
    sys.stdout.flush()
