"""``budget-gate forecast``: where every budget is heading, from the counters."""

import shutil

import click

from budget_gate.cli.options import common_options, open_workspace, print_document
from budget_gate.runs.forecasting import forecast_budgets


@click.command("forecast", epilog="Examples: budget-gate forecast; budget-gate forecast --json; budget-gate check --forecast")
@common_options
def forecast(policy: str | None, ledger: str | None, *, as_json: bool) -> None:
    """Forecast what every budget will have spent when its week, month, quarter or year ends.

    The interval holds four times out of five. With fewer than ten days of history there is none, and the forecast is the straight line.
    """
    from budget_gate.reports.forecast_table import forecast_document, render_forecasts

    workspace = open_workspace(policy, ledger)
    found = forecast_budgets(workspace.policy, workspace.ledger)
    if as_json:
        print_document({"forecasts": [forecast_document(each, workspace.policy.timezone) for each in found]})
        return
    click.echo(render_forecasts(found, shutil.get_terminal_size((110, 24)).columns))
