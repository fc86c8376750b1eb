"""``budget-gate audit``: who did what, and when, from the ledger's notes."""

import click

from budget_gate.cli.options import common_options, open_workspace, print_document
from budget_gate.reports.exemptions import audit_document, audit_line


@click.command("audit", epilog="Example: budget-gate audit --most 50 --json")
@click.option(
    "--most", type=click.IntRange(1, 100_000), default=1_000, show_default=True, help="Show at most the newest so many."
)
@common_options
def audit(policy: str | None, ledger: str | None, most: int, *, as_json: bool) -> None:
    """Show who asked for, approved, denied and revoked exemptions, which alerts went where, and every other note.

    Spending is not repeated here; `budget-gate ledger verify` says whether anything was changed afterwards.
    """
    from budget_gate.runs.auditing import audit_trail

    workspace = open_workspace(policy, ledger)
    zone = workspace.policy.timezone
    found = audit_trail(workspace.ledger, most)
    if as_json:
        print_document({"events": [audit_document(note, zone) for note in found]})
        return
    for note in found:
        click.echo(audit_line(note, zone))
    if not found:
        click.echo("nothing but spending so far")
