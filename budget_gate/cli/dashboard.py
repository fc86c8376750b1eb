"""``budget-gate dashboard``: one HTML file to look at, to mail, or to publish."""

from pathlib import Path

import click

from budget_gate.cli.options import common_options, log, open_workspace, print_document
from budget_gate.core.errors import UsageError


@click.command("dashboard", epilog="Example: budget-gate dashboard --output budget.html")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="HTML file to write, replaced in one step.")
@common_options
def dashboard(policy: str | None, ledger: str | None, output: Path, *, as_json: bool) -> None:
    """Write budgets, trends, model mix and forecasts as one self-contained HTML file that makes no request."""
    from budget_gate.reports.dashboard import render_dashboard
    from budget_gate.runs.dashboard import dashboard_data

    workspace = open_workspace(policy, ledger)
    page = render_dashboard(dashboard_data(workspace.policy, workspace.ledger))
    partial = output.with_name(f"{output.name}.part")
    try:
        partial.write_text(page, encoding="utf-8")
        partial.replace(output)
    except OSError as error:
        raise UsageError(
            f"--output: {output} cannot be written ({error.strerror}); name a file in a folder that exists"
        ) from None
    if as_json:
        print_document({"output": str(output), "bytes": len(page.encode())})
    log(f"budget-gate: wrote {output}")
