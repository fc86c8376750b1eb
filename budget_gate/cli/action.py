"""``budget-gate action``: what ``action.yml`` runs. Turns the action's inputs into one command, and leaves outputs whatever happens."""

import os
import sys
from typing import TYPE_CHECKING

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.alerting import send_alerts
from budget_gate.cli.check import run_check
from budget_gate.cli.options import open_workspace
from budget_gate.config.action_inputs import ActionInputs, read_action_inputs
from budget_gate.core.errors import BudgetGateError, UsageError
from budget_gate.core.pull_requests import SEVERITIES

if TYPE_CHECKING:
    from budget_gate.github.actions_runtime import ActionsRuntime


@click.command("action", hidden=True)
def action() -> None:
    """Run the command that the action's inputs name."""
    inputs = read_action_inputs(os.environ)
    workspace = open_workspace(inputs.policy or None, inputs.ledger or None)
    runtime = workspace.runtime
    if runtime is None:
        raise UsageError("`budget-gate action` runs inside GitHub Actions; use `budget-gate review` or `budget-gate check` here")
    for secret in workspace.settings.secrets:
        # The default ledgers are a plain path and the repository's name; anything else may carry a password.
        if secret and not secret.reveal().startswith(("sqlite:", "github:")):
            runtime.mask(secret.reveal(), sys.stdout)
    try:
        code = _run(workspace, inputs)
    except BudgetGateError as error:
        _leave_word(runtime, str(error))
        raise
    if code:
        raise click.exceptions.Exit(code)


def _run(workspace: Workspace, inputs: ActionInputs) -> int:
    """Run the command. In a merge queue there is nothing new to review: the budget is checked, and the status reported."""
    runtime = workspace.runtime
    assert runtime is not None
    if inputs.command in ("merged", "report", "dashboard", "alerts"):
        return _look_after(workspace, inputs)
    if inputs.command == "check" or runtime.event_name == "merge_group":
        agent = "code_review" if inputs.command == "review" else ""
        return run_check(workspace, inputs.flags(), on_exceed=inputs.on_exceed, agent=agent)
    if inputs.command == "testgen":
        from budget_gate.cli.testgen import PlanWishes, generate_tests

        issue = inputs.issue or str(runtime.event.issue_number or "")
        flags = {name: value for name, value in inputs.flags().items() if name != "pr"}
        wanted = PlanWishes(issue=issue, on_exceed=inputs.on_exceed, dry_run=inputs.dry_run, draft_pr=inputs.draft_pr)
        code = generate_tests(workspace, flags, wanted)
        send_alerts(workspace)
        return code
    from budget_gate.cli.review import ReviewWishes, review_change

    severity = next((each for each in SEVERITIES if each == inputs.min_severity), None)
    wishes = ReviewWishes(
        on_exceed=inputs.on_exceed,
        min_severity=severity,
        dry_run=inputs.dry_run,
        include_drafts=_wish(inputs.drafts),
        include_bots=_wish(inputs.bots),
        approval_label=inputs.approval_label,
    )
    return review_change(workspace, None, inputs.flags(), wishes)


def _look_after(workspace: Workspace, inputs: ActionInputs) -> int:
    """Run a command that spends nothing: it reads the ledger, and tells somebody."""
    if inputs.command == "merged":
        from budget_gate.cli.merged import record_merged

        return record_merged(workspace, inputs.pr)
    if inputs.command == "report":
        from budget_gate.cli.report import run_report

        return run_report(workspace, inputs.month)
    if inputs.command == "dashboard":
        from budget_gate.cli.dashboard import run_dashboard

        return run_dashboard(workspace)
    from budget_gate.cli.alerts import run_alerts

    return run_alerts(workspace)


def _wish(word: str) -> bool | None:
    return None if word == "policy" else word == "review"


def _leave_word(runtime: "ActionsRuntime", text: str) -> None:
    """Say on the run's page why there is no verdict: an annotation and a line of the summary, both as plain text."""
    from budget_gate.github.workflow_commands import annotation
    from budget_gate.reports.clean_text import clean_cell

    click.echo(annotation("error", text, title="budget-gate"))
    runtime.append_summary(f"**budget-gate could not run:** {clean_cell(text)}\n")
