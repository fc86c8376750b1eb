"""``budget-gate metrics``: the ledger as OpenMetrics text, for Prometheus."""

from pathlib import Path

import click

from budget_gate.cli.options import common_options, open_workspace, print_document
from budget_gate.core.errors import UsageError


@click.command(
    "metrics", epilog="Example: budget-gate metrics --format prometheus --output /var/lib/node_exporter/budget_gate.prom"
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["openmetrics", "prometheus"]),
    default="openmetrics",
    show_default=True,
    help="prometheus is the older text, which node exporter's textfile collector and promtool read.",
)
@click.option("--output", type=click.Path(path_type=Path), help="File to write, replaced in one step. [default: stdout]")
@common_options
def metrics(policy: str | None, ledger: str | None, format_: str, output: Path | None, *, as_json: bool) -> None:
    """Print spend, limits, reservations, refusals, tokens and cost per merged pull request as OpenMetrics text.

    Import docs/grafana/dashboard.json into Grafana, and docs/grafana/rules.yml into Prometheus.
    """
    from budget_gate.reports.metrics import TEXT_FORMATS, render_metrics
    from budget_gate.runs.metrics import metric_samples

    workspace = open_workspace(policy, ledger)
    samples = list(metric_samples(workspace.policy, workspace.ledger))
    text = render_metrics(samples, next(known for known in TEXT_FORMATS if known == format_))
    if as_json:
        print_document({"metrics": [{"name": each.family, "labels": dict(each.labels), "value": each.value} for each in samples]})
    if output is not None:
        _replace(output, text)
    elif not as_json:
        click.echo(text, nl=False)


def _replace(path: Path, text: str) -> None:
    """Write a file that its reader never sees half of."""
    partial = path.with_name(f"{path.name}.part")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"--output: {path} cannot be written ({error.strerror}); name a file in a folder that exists") from None
