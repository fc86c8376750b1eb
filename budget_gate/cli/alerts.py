"""``budget-gate alerts``: deliver what waits in the ledger's outbox. Jobs do it after their result; this is for cron and for hands."""

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.alerting import deliver_all
from budget_gate.cli.options import common_options, open_workspace, print_document
from budget_gate.core.errors import ServiceError
from budget_gate.reports.alert_words import render_alerts_summary


@click.group("alerts")
def alerts() -> None:
    """Deliver alerts to Slack, e-mail and PagerDuty, by the routes of the policy."""


@alerts.command("deliver", epilog="Example: budget-gate alerts deliver --ledger redis://HOST:6379")
@click.option(
    "--seconds", type=click.IntRange(1, 3600), default=60, show_default=True, help="Stop starting deliveries after this long."
)
@common_options
def deliver(policy: str | None, ledger: str | None, seconds: int, *, as_json: bool) -> None:
    """Deliver alerts that wait, and resolve incidents whose period is over. Exit 4 when some could not be delivered.

    Also looks for budgets that are heading past their stop line and for anomalies of today, where the policy routes `forecast`
    and `anomaly`: once for each limit and period, and once for each scope and day.

    Channels come from SLACK_WEBHOOK_URL, SMTP_URL with SMTP_FROM, and PAGERDUTY_ROUTING_KEY. Any number may run at once.
    """
    sent = deliver_all(open_workspace(policy, ledger), float(seconds))
    if as_json:
        document = {name: getattr(sent, name) for name in ("delivered", "left", "resolved", "noticed")}
        print_document({**document, "notes": list(sent.notes)})
    else:
        click.echo(sent.text)
    if sent.left or sent.has_failed:
        raise click.exceptions.Exit(ServiceError.exit_code)


def run_alerts(workspace: Workspace, seconds: float = 60.0) -> int:
    """Deliver as the action does: the result in the job's summary and output, and an exit code of 4 where something was left."""
    runtime = workspace.runtime
    assert runtime is not None, "called only on a runner"
    sent = deliver_all(workspace, seconds)
    click.echo(sent.text)
    runtime.append_summary(render_alerts_summary(sent.text, sent.notes))
    runtime.write_outputs({"reason": sent.text})
    return ServiceError.exit_code if sent.left or sent.has_failed else 0
