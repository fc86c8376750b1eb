"""``budget-gate ledger reconcile``: the ledger beside Anthropic's own bill."""

import shutil
from datetime import UTC, date, datetime, timedelta

import click

from budget_gate.cli.options import REFUSED, common_options, open_workspace, print_document


@click.command("reconcile", epilog="Example: ANTHROPIC_ADMIN_KEY=sk-ant-admin... budget-gate ledger reconcile --day 2026-11-23")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Day to compare, in UTC as Anthropic counts. [default: yesterday]")
@common_options
def reconcile(policy: str | None, ledger: str | None, day: datetime | None, *, as_json: bool) -> None:
    """Compare a day with Anthropic's usage and cost reports, by model and kind of token. Exit 3 when they differ.

    The reports cover the whole organization: what is only in the bill went past the gate. Fresh reports may lag by some minutes.
    """
    from budget_gate.reports.reconciliation import reconciliation_document, render_reconciliation
    from budget_gate.runs.reconciling import reconcile_day

    workspace = open_workspace(policy, ledger)
    compared: date = day.date() if day else workspace.ledger.now().astimezone(UTC).date() - timedelta(days=1)
    found = reconcile_day(workspace.ledger, workspace.prices, workspace.bill(), compared)
    if as_json:
        print_document(reconciliation_document(found.day, found.lines, found.ours))
    else:
        width = shutil.get_terminal_size((110, 24)).columns
        click.echo(render_reconciliation(found.day, found.lines, found.ours, width))
    if not found.agrees:
        raise click.exceptions.Exit(REFUSED)
