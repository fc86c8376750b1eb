"""``budget-gate anomalies``: who spends far more than usual today, and why."""

from datetime import datetime

import click

from budget_gate.cli.options import common_options, open_workspace, print_document


@click.command("anomalies", epilog="Examples: budget-gate anomalies; budget-gate anomalies --day 2026-11-20 --json")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Judge this day as a whole. [default: today, so far]")
@common_options
def anomalies(policy: str | None, ledger: str | None, day: datetime | None, *, as_json: bool) -> None:
    """Say which teams, workflows, users and model tiers spent far more than they usually do, and what the excess consists of.

    The policy's `anomaly` says what far more is; a second measure knows weekdays and growth.
    """
    from budget_gate.reports.anomaly_text import anomalies_document, render_anomalies
    from budget_gate.runs.anomalies import judge_day

    workspace = open_workspace(policy, ledger)
    found = judge_day(workspace.policy, workspace.ledger, day.date() if day else None)
    if as_json:
        print_document(anomalies_document(found))
        return
    click.echo(render_anomalies(found))
