"""What a command sends after its result is posted: alerts that wait in the outbox, or that the ledger is down. Never a verdict.

Called only on a runner. Where no channel is configured it does nothing and loads nothing.
"""

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import log

SECONDS = 20.0
"""How long a job goes on delivering, at most one slow answer longer: what is left comes with the next job, or with cron."""


def send_alerts(workspace: Workspace, outage: str = "") -> None:
    """Deliver alerts, or tell of an ``outage`` of the ledger (one line of what happened); whatever goes wrong is a line on stderr."""
    if not workspace.settings.has_channel:
        return
    try:
        if outage:
            send_ledger_down(workspace, outage)
        else:
            for note in workspace.courier().deliver(SECONDS).notes:
                log(f"budget-gate: {note}")
    except Exception as error:  # noqa: BLE001 (the verdict is posted; no failure of a channel may change how the job ends)
        log(f"budget-gate: alerts could not be delivered: {error}")


def send_ledger_down(workspace: Workspace, problem: str) -> None:
    """Tell everybody whom the policy routes it to that the ledger cannot be reached."""
    from datetime import UTC, datetime

    from budget_gate.reports.alert_events import LedgerDown, ledger_down_message

    courier = workspace.courier()
    # The one alert that the ledger cannot stamp: its own clock is what cannot be asked.
    courier.send_now(ledger_down_message(LedgerDown(problem, datetime.now(UTC)), workspace.policy))
    for note in courier.notes:
        log(f"budget-gate: {note}")
