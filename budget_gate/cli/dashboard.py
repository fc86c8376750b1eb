"""``budget-gate dashboard``: one HTML file to look at, to mail, or to publish."""

from pathlib import Path

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import common_options, log, open_workspace, print_document
from budget_gate.core.errors import UsageError

SITE = Path(".budget-gate/site")
"""Where the action puts the page; nothing else is in it, so the folder can be published whole."""


@click.command("dashboard", epilog="Example: budget-gate dashboard --output budget.html")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="HTML file to write, replaced in one step.")
@common_options
def dashboard(policy: str | None, ledger: str | None, output: Path, *, as_json: bool) -> None:
    """Write budgets, trends, model mix and forecasts as one self-contained HTML file that makes no request."""
    workspace = open_workspace(policy, ledger)
    size = write_dashboard(workspace, output)
    if as_json:
        print_document({"output": str(output), "bytes": size})
    log(f"budget-gate: wrote {output}")


def run_dashboard(workspace: Workspace) -> int:
    """Write the dashboard as the action does: a folder that can be published as it is, and its page as ``report-path``."""
    runtime = workspace.runtime
    assert runtime is not None, "called only on a runner"
    SITE.mkdir(parents=True, exist_ok=True)
    write_dashboard(workspace, SITE / "index.html")
    runtime.write_outputs({"report-path": str(SITE / "index.html"), "reason": "the dashboard was written"})
    click.echo("the dashboard was written")
    return 0


def write_dashboard(workspace: Workspace, output: Path) -> int:
    """Write the page, replacing it in one step; return its bytes. Raises ``UsageError`` where it cannot be written."""
    from budget_gate.reports.dashboard import render_dashboard
    from budget_gate.runs.dashboard import dashboard_data

    page = render_dashboard(dashboard_data(workspace.policy, workspace.ledger)).encode()
    partial = output.with_name(f"{output.name}.part")
    try:
        partial.write_bytes(page)
        partial.replace(output)
    except OSError as error:
        raise UsageError(
            f"--output: {output} cannot be written ({error.strerror}); name a file in a folder that exists"
        ) from None
    return len(page)
