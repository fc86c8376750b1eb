"""``budget-gate check``: is there budget for this workflow now? Runs on every push, so it imports little."""

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
from budget_gate.core.errors import LedgerUnavailable
from budget_gate.runs.check import check_budget, outage_outcome


@click.command("check", epilog="Examples: budget-gate check --workflow ci_cd_review; budget-gate check --team payments --json")
@click.option(
    "--on-exceed", type=click.Choice(["policy", "comment", "block"]), default="policy", help="Overrule the workflow's on_exceed."
)
@click.option("--forecast", is_flag=True, help="Also fail when a budget is heading past its stop line: a gate for deployments.")
@attribution_options()
@common_options
def check(policy: str | None, ledger: str | None, on_exceed: str, *, forecast: bool, as_json: bool, **given: str | None) -> None:
    """Say whether there is budget for a workflow now; in GitHub Actions, post the check run too. Exit 3 when it blocks."""
    workspace = open_workspace(policy, ledger)
    code = run_check(workspace, flags_given(given), on_exceed=on_exceed, forecast=forecast, as_json=as_json)
    if code:
        raise click.exceptions.Exit(code)


def run_check(
    workspace: Workspace,
    flags: dict[str, str],
    *,
    on_exceed: str = "policy",
    agent: str = "",
    forecast: bool = False,
    as_json: bool = False,
) -> int:
    """Check, print and post; return the exit code. Shared by the command and the action."""
    attribution = workspace.attribution(flags, agent=agent)
    task = workspace.task(attribution, on_exceed)
    outage = None
    try:
        outcome = check_budget(workspace.policy, workspace.prices, workspace.ledger, task, workspace.exemptions)
        if forecast:
            from budget_gate.runs.forecasting import gate_by_forecast

            outcome = gate_by_forecast(workspace.policy, workspace.ledger, task, outcome)
    except LedgerUnavailable as error:
        outage = error
        outcome = outage_outcome(workspace.policy, task, error)
    if as_json:
        from budget_gate.reports.documents import outcome_document

        print_document(outcome_document(outcome, workspace.policy.timezone))
    else:
        click.echo(f"{outcome.verdict}: {outcome.reason}")
    if workspace.runtime is not None:
        from budget_gate.cli.alerting import send_alerts
        from budget_gate.cli.posting import post_outcome

        post_outcome(workspace, outcome, task.workflow.name)
        send_alerts(workspace, outcome.failure if outcome.is_outage else "")
    if outcome.verdict != "block":
        return 0
    if outage is not None:
        log(f"budget-gate: {outage}")
        return LedgerUnavailable.exit_code
    return REFUSED
