"""Incidents that alerts have opened at PagerDuty: written down before they are triggered, resolved once when they are over."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from budget_gate.core.errors import NotifyError
from budget_gate.core.policy import Policy
from budget_gate.ledger.interface import Ledger
from budget_gate.notify.interface import Notifier
from budget_gate.reports.alerts import Crossed, dedup_key, parse_payload, resolved_message
from budget_gate.runs.delivery_notes import short_name, written
from budget_gate.runs.standing_notes import Family, read_standing

CHANNEL = "pagerduty"
OPENED = "incident_opened"
RESOLVED = "incident_resolved"
FAMILY = Family(OPENED, (), (RESOLVED,))

CLAIM_SECONDS = 300
"""How long one process may take to resolve an incident before another one tries."""


class Incident(NamedTuple):
    """An incident that stands: its name in notes, and the crossing that opened it."""

    name: str
    crossed: Crossed


def write_opened(ledger: Ledger, policy: Policy, crossed: Crossed, payload: str) -> None:
    """Write down that an incident is about to be triggered. Tiers of one limit and period share it; the first is kept."""
    name = short_name(dedup_key(policy.organization, crossed))
    written(ledger, f"incident/{name}", OPENED, {"name": name, "payload": payload})


def open_incidents(ledger: Ledger) -> tuple[Incident, ...]:
    """Return the incidents that stand, oldest first."""
    standing = read_standing(ledger, FAMILY)
    return tuple(Incident(name, parse_payload(details["payload"])) for name, details in standing.items())


def resolve_ended(policy: Policy, ledger: Ledger, notifier: Notifier, claimant: str, note: Callable[[str], None]) -> int:
    """Resolve every incident whose period is over by the ledger's clock; return how many."""
    now = ledger.now()
    ended = [incident for incident in open_incidents(ledger) if incident.crossed.resets_at <= now]
    return sum(resolve(policy, ledger, notifier, each, "its period ended", claimant, note) for each in ended)


def resolve(
    policy: Policy,
    ledger: Ledger,
    notifier: Notifier,
    incident: Incident,
    reason: str,
    claimant: str,
    note: Callable[[str], None],
) -> bool:
    """Resolve one incident, unless somebody else is about to; a failure is a note, and the next run tries again."""
    bucket = _bucket(ledger.now())
    claim = {"name": incident.name, "claimant": claimant}
    if not written(ledger, f"incident/{incident.name}/claim/{bucket}", "incident_claimed", claim):
        return False
    try:
        notifier.deliver(resolved_message(incident.crossed, policy, reason))
    except NotifyError as error:
        note(f"{CHANNEL}: {error}")
        return False
    return written(ledger, f"incident/{incident.name}/resolved", RESOLVED, {"name": incident.name, "reason": reason})


def _bucket(now: datetime) -> int:
    return int(now.timestamp()) // CLAIM_SECONDS
