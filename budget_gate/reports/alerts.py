"""What an alert says: what happened, how much of what limit, who owns it, what happens next, and what to do. Sends nothing.

The input is what a ledger put into its outbox (``ledger.crossing.alert_payload``), or one of the values below for what no ledger
crosses. Every name in it is foreign; it is made visible and harmless here, and each channel escapes for its own markup.
"""

import json
from datetime import datetime
from typing import NamedTuple

from budget_gate.core.amounts import UNITS, Unit
from budget_gate.core.audit import from_microseconds
from budget_gate.core.charges import budget_for, limit_line
from budget_gate.core.policy import TIER_NAMES, Policy
from budget_gate.core.scopes import Scope, parse_scope
from budget_gate.notify.interface import Message, Severity
from budget_gate.reports.alert_words import next_step, what_to_do
from budget_gate.reports.clean_text import clean_for_terminal
from budget_gate.reports.words import amount_text, budget_name, percent_text, resets_text

NAME_CHARACTERS = 120

_SEVERITIES: dict[str, Severity] = {"warn": "warning", "alert": "error", "stop": "critical"}


class Crossed(NamedTuple):
    """One message of the outbox, read: a tier of a limit that was reached. Counts are of ``unit``."""

    scope: Scope
    per: str
    label: str
    unit: Unit
    tier: str
    limit: int
    used: int
    owner: str
    mode: str
    resets_at: datetime
    at: datetime
    workflow: str

    @property
    def incident(self) -> str:
        """Name the limit and the period: what a person is told once about, and what is over when the period is."""
        return json.dumps([self.scope.text, self.per, self.label, self.unit], ensure_ascii=False, separators=(",", ":"))


def parse_payload(payload: str) -> Crossed:
    """Return what a payload says; raises ``ValueError`` if it is none of the ledger's."""
    try:
        fields = json.loads(payload)
        crossed = Crossed(
            scope=parse_scope(fields["scope"]),
            per=str(fields["per"]),
            label=str(fields["label"]),
            unit=UNITS[UNITS.index(fields["unit"])],
            tier=TIER_NAMES[TIER_NAMES.index(fields["tier"])],
            limit=int(fields["limit"]),
            used=int(fields["used"]),
            owner=str(fields["owner"]),
            mode=str(fields["mode"]),
            resets_at=from_microseconds(int(fields["resets_at"])),
            at=from_microseconds(int(fields["at"])),
            workflow=str(fields["workflow"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"not an alert of a ledger ({type(error).__name__})") from None
    return crossed


def crossed_message(crossed: Crossed, policy: Policy) -> Message:
    """Return the alert for a tier that was reached."""
    name, share = _budget(crossed), percent_text(crossed.used, crossed.limit)
    used = f"{amount_text(crossed.unit, crossed.used)} of {amount_text(crossed.unit, crossed.limit)}"
    headlines = {
        "warn": f"{name}: {share} of the limit used",
        "alert": f"{name}: {share} of the limit used",
        "stop": f"{name}: stopped at {share} of the limit" if crossed.mode == "enforce" else f"{name}: past its stop line",
    }
    resets = resets_text(crossed.resets_at, crossed.per, policy.timezone)
    return Message(
        kind=crossed.tier,
        title=headlines[crossed.tier],
        lines=(
            f"{name} ({crossed.label}) has used {used} ({share}).",
            next_step(crossed.tier, crossed.mode, _stop_text(crossed, policy), resets),
            what_to_do(crossed.tier, crossed.mode, can_exempt=policy.exemptions is not None),
        ),
        fields=(*_fields(crossed, used, policy.timezone), ("Resets", resets)),
        severity=_SEVERITIES[crossed.tier] if crossed.mode == "enforce" else "warning",
        dedup_key=dedup_key(policy.organization, crossed),
        owner=mail_address(crossed.owner),
    )


def resolved_message(crossed: Crossed, policy: Policy, reason: str) -> Message:
    """Return the message that closes the incident of a stop: its period is over, or the stop was lifted (``reason``)."""
    name = _budget(crossed)
    return Message(
        kind="resolved",
        title=f"{name}: over",
        lines=(f"The stop of {name} ({crossed.label}) is over: {_clean(reason)}.", "Calls are admitted again; nothing is to do."),
        fields=(("Budget", name), ("Period", crossed.label), ("Owner", _clean(crossed.owner) or "nobody")),
        severity="info",
        dedup_key=dedup_key(policy.organization, crossed),
        owner=mail_address(crossed.owner),
        is_resolved=True,
    )


def dedup_key(organization: str, crossed: Crossed) -> str:
    """Return the key of one limit in one period: a stop and its end share it, and no two limits do."""
    return f"budget-gate {json.dumps(organization, ensure_ascii=False)} {crossed.incident}"


def mail_address(owner: str) -> str:
    """Return the owner if it looks like an e-mail address (the channel judges it strictly), else empty text."""
    name, at, domain = owner.partition("@")
    return owner if name and at and "." in domain and "@" not in domain and "/" not in owner else ""


def _budget(crossed: Crossed) -> str:
    return _clean(budget_name(crossed.scope, crossed.per))


def _fields(crossed: Crossed, used: str, zone: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Budget", _budget(crossed)),
        ("Used", used),
        ("Owner", _clean(crossed.owner) or "nobody"),
        ("Reached by", _clean(crossed.workflow) or "unknown"),
        ("At", resets_text(crossed.at, crossed.per, zone)),
    )


def _stop_text(crossed: Crossed, policy: Policy) -> str:
    """Return where the policy stops this limit today, and earlier for uncritical work; empty when it no longer has the limit."""
    budget = budget_for(policy, crossed.scope)
    for limit in budget.limits if budget else ():
        if budget is not None and (limit.per, limit.unit) == (crossed.per, crossed.unit):
            usual, critical = (limit_line(budget, limit, critical=each) for each in (False, True))
            stop = amount_text(crossed.unit, critical.stop_line)
            if usual.admission_line is None or usual.admission_line == critical.stop_line:
                return stop
            return f"{amount_text(crossed.unit, usual.admission_line)} ({stop} for critical workflows)"
    return ""


def _clean(text: str) -> str:
    return clean_for_terminal(text, NAME_CHARACTERS)
