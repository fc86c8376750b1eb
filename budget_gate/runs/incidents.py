"""Incidents that alerts have opened at PagerDuty: written down before they are triggered, resolved once when they are over."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from budget_gate.core.audit import microseconds
from budget_gate.core.charges import Charge, budget_for, exempted_line, limit_line
from budget_gate.core.errors import NotifyError
from budget_gate.core.exemptions import Exemption, extra_nano_usd
from budget_gate.core.policy import Policy
from budget_gate.ledger.interface import Ledger
from budget_gate.notify.interface import Notifier
from budget_gate.reports.alerts import Crossed, dedup_key, parse_payload, resolved_message
from budget_gate.runs.delivery_notes import short_name, written
from budget_gate.runs.exempting import read_exemptions
from budget_gate.runs.standing_notes import Family, read_standing

CHANNEL = "pagerduty"
OPENED = "incident_opened"
RESOLVED = "incident_resolved"
FAMILY = Family(OPENED, (), (RESOLVED,))

GIVEN_UP_DAYS = 30
"""How long after its period an incident is still looked for, where nobody runs ``alerts deliver``."""

CLAIM_SECONDS = 300
"""How long one process may take to resolve an incident before another one tries."""


class Incident(NamedTuple):
    """An incident that stands: its name in notes, and the crossing that opened it."""

    name: str
    crossed: Crossed


def write_opened(ledger: Ledger, policy: Policy, crossed: Crossed, payload: str) -> None:
    """Write down that an incident is about to be triggered. Tiers of one limit and period share it; the first is kept."""
    name = short_name(dedup_key(policy.organization, crossed))
    given_up_at = microseconds(crossed.resets_at + timedelta(days=GIVEN_UP_DAYS))
    written(ledger, f"incident/{name}", OPENED, {"name": name, "payload": payload, "expires_at": str(given_up_at)})


def open_incidents(ledger: Ledger) -> tuple[Incident, ...]:
    """Return the incidents that stand, oldest first."""
    standing = read_standing(ledger, FAMILY)
    return tuple(Incident(name, parse_payload(details["payload"])) for name, details in standing.items())


def resolve_over(policy: Policy, ledger: Ledger, notifier: Notifier, claimant: str, note: Callable[[str], None]) -> int:
    """Resolve every incident whose period has ended, or whose stop an exemption has lifted; return how many."""
    now = ledger.now()
    found = open_incidents(ledger)
    exemptions: tuple[Exemption, ...] = ()
    if found and policy.exemptions is not None:
        standing = read_exemptions(ledger, now)
        exemptions = tuple(each.exemption for each in standing if each.exemption and each.exemption.is_in_force(now))
    over = [(incident, _why_over(policy, ledger, incident.crossed, exemptions, now)) for incident in found]
    return sum(resolve(policy, ledger, notifier, incident, reason, claimant, note) for incident, reason in over if reason)


def _why_over(policy: Policy, ledger: Ledger, crossed: Crossed, exemptions: Sequence[Exemption], now: datetime) -> str:
    """Return why an incident is over, or empty text while it is not."""
    if crossed.resets_at <= now:
        return "its period ended"
    later = [each for each in exemptions if each.approved_at >= crossed.at]
    if crossed.unit != "usd" or not extra_nano_usd(later, crossed.scope, crossed.per):
        return ""
    budget = budget_for(policy, crossed.scope)
    for limit in budget.limits if budget else ():
        if budget is None or (limit.unit, limit.per) != ("usd", crossed.per):
            continue
        line = exempted_line(limit_line(budget, limit, critical=False), crossed.scope, limit.per, exemptions)
        (state,) = ledger.read((Charge(crossed.scope, limit.per, (line,)),), policy.timezone)
        return "an exemption lifted it" if state.left else ""
    return ""


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
