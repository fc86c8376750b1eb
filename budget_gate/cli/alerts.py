"""``budget-gate alerts``: deliver what waits in the ledger's outbox. Jobs do it after their result; this is for cron and for hands."""

import click

from budget_gate.cli.alerting import send_ledger_down
from budget_gate.cli.options import common_options, log, open_workspace, print_document
from budget_gate.core.errors import LedgerUnavailable, ServiceError, UsageError


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
    workspace = open_workspace(policy, ledger)
    if not workspace.settings.has_channel:
        raise UsageError("no channel is configured; set SLACK_WEBHOOK_URL, SMTP_URL with SMTP_FROM, or PAGERDUTY_ROUTING_KEY")
    from budget_gate.runs.notices import KINDS, find_notices

    courier = workspace.courier()
    try:
        delivered = courier.deliver(float(seconds))
        resolved = courier.resolve_over()
        kinds = [kind for kind in KINDS if courier.reaches(kind)]
        noticed = courier.send_each_once(find_notices(workspace.policy, workspace.ledger, kinds), float(seconds))
    except LedgerUnavailable as error:
        send_ledger_down(workspace, str(error))
        raise
    for note in courier.notes:
        log(f"budget-gate: {note}")
    if as_json:
        document = {
            "delivered": delivered.done,
            "left": delivered.left,
            "resolved": resolved,
            "noticed": noticed,
            "notes": list(courier.notes),
        }
        print_document(document)
    else:
        click.echo(
            f"{delivered.done} delivered, {delivered.left} left for later, {resolved} incidents resolved, "
            f"{noticed} forecasts and anomalies told"
        )
    if delivered.left or courier.has_failed:
        raise click.exceptions.Exit(ServiceError.exit_code)
