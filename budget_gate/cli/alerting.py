"""What a command sends after its result is posted: alerts that wait in the outbox, or that the ledger is down. Never a verdict.

Called only on a runner. Where no channel is configured it does nothing and loads nothing.
"""

import time
from typing import TYPE_CHECKING, NamedTuple

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import log
from budget_gate.core.errors import LedgerUnavailable, UsageError

if TYPE_CHECKING:
    from budget_gate.runs.deliver import Courier

SECONDS = 20.0
"""How long a job goes on delivering, at most one slow answer longer: what is left comes with the next job, or with cron."""

ENTRIES_MOST = 20_000
"""The newest entries in which a job looks for the causes of anomalies: about a second of work. `alerts deliver` reads the whole window."""

NO_CHANNEL = "no channel is configured; set SLACK_WEBHOOK_URL, SMTP_URL with SMTP_FROM, or PAGERDUTY_ROUTING_KEY"


class Sent(NamedTuple):
    """What `alerts deliver` did, in messages; ``noticed`` are forecasts and anomalies. ``has_failed``: a channel refused something."""

    delivered: int
    left: int
    resolved: int
    noticed: int
    notes: tuple[str, ...]
    has_failed: bool

    @property
    def text(self) -> str:
        """All of it in one line."""
        return (
            f"{self.delivered} delivered, {self.left} left for later, {self.resolved} incidents resolved, "
            f"{self.noticed} forecasts and anomalies told"
        )


def send_alerts(workspace: Workspace, outage: str = "") -> None:
    """Deliver alerts, or tell of an ``outage`` of the ledger (one line of what happened); whatever goes wrong is a line on stderr.

    The first job of an hour also looks for forecasts and anomalies, so that nobody needs cron to hear of them.
    """
    if not workspace.settings.has_channel:
        return
    try:
        if outage:
            send_ledger_down(workspace, outage)
            return
        courier, until = workspace.courier(), time.monotonic() + SECONDS
        courier.deliver(SECONDS)
        _look_if_due(workspace, courier, until)
        _say(courier)
    except Exception as error:  # noqa: BLE001 (the verdict is posted; no failure of a channel may change how the job ends)
        log(f"budget-gate: alerts could not be delivered: {error}")


def deliver_all(workspace: Workspace, seconds: float) -> Sent:
    """Deliver what waits, resolve incidents that are over, and tell forecasts and anomalies, due or not.

    Raises ``UsageError`` where no channel is configured, and ``LedgerUnavailable`` after everybody was told of that.
    """
    if not workspace.settings.has_channel:
        raise UsageError(NO_CHANNEL)
    from budget_gate.runs.notices import find_notices

    courier = workspace.courier()
    try:
        delivered = courier.deliver(seconds)
        resolved = courier.resolve_over()
        found = find_notices(workspace.policy, workspace.ledger, courier.notice_kinds())
        noticed = courier.send_each_once(found, seconds)
    except LedgerUnavailable as error:
        send_ledger_down(workspace, str(error))
        raise
    _say(courier)
    return Sent(delivered.done, delivered.left, resolved, noticed, courier.notes, courier.has_failed)


def send_ledger_down(workspace: Workspace, problem: str) -> None:
    """Tell everybody whom the policy routes it to that the ledger cannot be reached."""
    from datetime import UTC, datetime

    from budget_gate.reports.alert_events import LedgerDown, ledger_down_message

    courier = workspace.courier()
    # The one alert that the ledger cannot stamp: its own clock is what cannot be asked.
    courier.send_now(ledger_down_message(LedgerDown(problem, datetime.now(UTC)), workspace.policy))
    _say(courier)


def _look_if_due(workspace: Workspace, courier: "Courier", until: float) -> None:
    """Look for notices and for incidents that are over, if nobody has in this hour and there is time left."""
    kinds = courier.notice_kinds()
    if not (kinds or courier.has_incidents) or time.monotonic() >= until or not courier.claims_look():
        return
    from budget_gate.runs.notices import find_notices  # the statistics: most jobs do without

    courier.resolve_over()
    courier.send_each_once(find_notices(workspace.policy, workspace.ledger, kinds, ENTRIES_MOST), until - time.monotonic())


def _say(courier: "Courier") -> None:
    for note in courier.notes:
        log(f"budget-gate: {note}")
