"""Incidents that alerts have opened at PagerDuty: written down before they are triggered, resolved once when they are over.

Over is one whose period or day has ended, whose stop an exemption has lifted, or whose limit the policy has raised.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from budget_gate.core.audit import microseconds
from budget_gate.core.charges import Charge, budget_for, exempted_line, limit_line
from budget_gate.core.errors import NotifyError
from budget_gate.core.exemptions import Exemption, extra_nano_usd
from budget_gate.core.policy import Budget, Limit, Policy
from budget_gate.ledger.interface import Ledger
from budget_gate.notify.interface import Message, Notifier
from budget_gate.reports.alerts import Crossed, dedup_key, parse_payload, resolved_message
from budget_gate.reports.notices_over import Notice, notice_over_message, notice_payload, parse_notice
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
    """An incident that stands: its name in notes, and what opened it, a tier that was crossed or a notice."""

    name: str
    opened_by: Crossed | Notice


def write_opened(ledger: Ledger, policy: Policy, crossed: Crossed, payload: str) -> None:
    """Write down that an incident is about to be triggered. Tiers of one limit and period share it; the first is kept."""
    name = short_name(dedup_key(policy.organization, crossed))
    given_up_at = microseconds(crossed.resets_at + timedelta(days=GIVEN_UP_DAYS))
    written(ledger, f"incident/{name}", OPENED, {"name": name, "payload": payload, "expires_at": str(given_up_at)})


def write_notice_opened(ledger: Ledger, message: Message) -> None:
    """Write down that a notice is about to open an incident; one that is never over by itself is left to people."""
    if message.over_at is not None:
        name, given_up_at = short_name(message.dedup_key), microseconds(message.over_at + timedelta(days=GIVEN_UP_DAYS))
        details = {"name": name, "payload": notice_payload(message), "expires_at": str(given_up_at)}
        written(ledger, f"incident/{name}", OPENED, details)


def open_incidents(ledger: Ledger) -> tuple[Incident, ...]:
    """Return the incidents that stand, oldest first."""
    standing = read_standing(ledger, FAMILY)
    return tuple(Incident(name, _opened_by(details["payload"])) for name, details in standing.items())


def _opened_by(payload: str) -> Crossed | Notice:
    return parse_notice(payload) or parse_payload(payload)


def resolve_over(policy: Policy, ledger: Ledger, notifier: Notifier, claimant: str, note: Callable[[str], None]) -> int:
    """Resolve every incident that is over; return how many."""
    now = ledger.now()
    found = open_incidents(ledger)
    exemptions: tuple[Exemption, ...] = ()
    if found and policy.exemptions is not None:
        standing = read_exemptions(ledger, now)
        exemptions = tuple(each.exemption for each in standing if each.exemption and each.exemption.is_in_force(now))
    over = [(incident, _why_over(policy, ledger, incident.opened_by, exemptions, now)) for incident in found]
    return sum(resolve(policy, ledger, notifier, incident, reason, claimant, note) for incident, reason in over if reason)


def _why_over(policy: Policy, ledger: Ledger, opened_by: Crossed | Notice, exemptions: Sequence[Exemption], now: datetime) -> str:
    """Return why an incident is over, or empty text while it is not."""
    if isinstance(opened_by, Notice):
        return "its time is over" if opened_by.over_at <= now else ""
    if opened_by.resets_at <= now:
        return "its period ended"
    return _why_raised(policy, ledger, opened_by) or _why_exempted(policy, ledger, opened_by, exemptions)


def _why_raised(policy: Policy, ledger: Ledger, crossed: Crossed) -> str:
    """Return that the policy's limit of today leaves what was crossed behind, or empty text.

    What stood at the crossing had reached the old line. So a line above that was raised, and a counter that merely shrank lifts
    nothing. A limit that this policy does not have lifts nothing either: the ledger may serve another repository whose policy has it.
    """
    for budget, limit in _limits_of(policy, crossed):
        line = limit_line(budget, limit, critical=False)
        tier_line = dict(line.tier_lines).get(crossed.tier, 0)
        if tier_line > crossed.used:
            (state,) = ledger.read((Charge(crossed.scope, limit.per, (line,)),), policy.timezone)
            return "the policy has raised its limit" if state.used < tier_line else ""
    return ""


def _limits_of(policy: Policy, crossed: Crossed) -> Iterator[tuple[Budget, Limit]]:
    """Yield the limit that was crossed, as the policy has it today, with its budget; nothing where it has none."""
    budget = budget_for(policy, crossed.scope)
    if budget is not None:
        yield from ((budget, limit) for limit in budget.limits if (limit.unit, limit.per) == (crossed.unit, crossed.per))


def _why_exempted(policy: Policy, ledger: Ledger, crossed: Crossed, exemptions: Sequence[Exemption]) -> str:
    later = [each for each in exemptions if each.approved_at >= crossed.at]
    if crossed.unit != "usd" or not extra_nano_usd(later, crossed.scope, crossed.per):
        return ""
    for budget, limit in _limits_of(policy, crossed):
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
        notifier.deliver(_resolved(incident.opened_by, policy, reason))
    except NotifyError as error:
        note(f"{CHANNEL}: {error}")
        return False
    return written(ledger, f"incident/{incident.name}/resolved", RESOLVED, {"name": incident.name, "reason": reason})


def _resolved(opened_by: Crossed | Notice, policy: Policy, reason: str) -> Message:
    if isinstance(opened_by, Notice):
        return notice_over_message(opened_by)
    return resolved_message(opened_by, policy, reason)


def _bucket(now: datetime) -> int:
    return int(now.timestamp()) // CLAIM_SECONDS
