"""``budget-gate status``: how every budget stands, from the counters."""

import shutil

import click

from budget_gate.cli.options import (
    attribution_options,
    colour_wanted,
    common_options,
    flags_given,
    open_workspace,
    print_document,
)
from budget_gate.reports.documents import budget_documents


@click.command("status", epilog="Examples: budget-gate status; budget-gate status --user alice --json")
@attribution_options()
@common_options
def status(policy: str | None, ledger: str | None, *, as_json: bool, **given: str | None) -> None:
    """Show how every budget of the policy stands now.

    A budget for every name of a kind (user/*) is shown for the name that the flag gives.
    """
    from budget_gate.runs.status import budget_states

    workspace = open_workspace(policy, ledger)
    budgets = budget_states(workspace.policy, workspace.ledger, flags_given(given), workspace.exemptions())
    if as_json:
        print_document({"budgets": budget_documents(budgets, workspace.policy.timezone)})
        return
    from budget_gate.reports.tables import render_budget_table

    width = shutil.get_terminal_size((110, 24)).columns
    now, zone = workspace.ledger.now(), workspace.policy.timezone
    click.echo(render_budget_table(budgets, colour=colour_wanted(), width=width, now=now, zone=zone))
    click.echo(f"ledger: {workspace.ledger.url}")
