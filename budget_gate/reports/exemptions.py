"""Exemptions and the audit trail, for terminals and scripts. Reasons and names are other people's text."""

from collections.abc import Mapping

from budget_gate.analytics.month_exemptions import ExemptionUse
from budget_gate.core.audit import ParsedEntry
from budget_gate.core.exemptions import Standing
from budget_gate.core.money import usd_short, usd_text
from budget_gate.core.periods import zone_named
from budget_gate.reports.clean_text import clean_for_terminal

WHO = ("requester", "approver", "denier", "revoker", "actor", "claimant")
"""Details that say who did something, the likeliest first."""


def exemption_document(standing: Standing, state: str, zone: str) -> dict[str, object]:
    """Return one exemption as JSON; times with their offset, empty until it is approved."""
    request, exemption = standing.request, standing.exemption
    return {
        "exemption": request.name,
        "state": state,
        "scope": request.scope.text,
        "per": request.per,
        "usd": usd_text(request.nano_usd),
        "days": request.days,
        "requester": request.requester,
        "reason": request.reason,
        "approver": exemption.approver if exemption else "",
        "approved_at": exemption.approved_at.astimezone(zone_named(zone)).isoformat() if exemption else "",
        "until": exemption.until.astimezone(zone_named(zone)).isoformat() if exemption else "",
    }


def exemption_use_document(use: ExemptionUse, zone: str) -> dict[str, object]:
    """Return an exemption as a month's report has it: when it ended, and the most that one period took of it."""
    standing = Standing(use.exemption.request, use.exemption)
    document = exemption_document(standing, "used" if use.used_nano_usd else "not used", zone)
    return document | {"used_usd": usd_text(use.used_nano_usd)}


def exemption_line(standing: Standing, state: str, zone: str) -> str:
    """Return one exemption as a line for a terminal."""
    request, exemption = standing.request, standing.exemption
    raised = f"{clean_for_terminal(request.scope.text, 80)} per {request.per} +{usd_short(request.nano_usd)}"
    asked = f"asked by {clean_for_terminal(request.requester, 60)}: {clean_for_terminal(request.reason, 120)}"
    if exemption is None:
        return f"{request.name}  {state:9}  {raised} for {request.days} d  {asked}"
    until = f"{exemption.until.astimezone(zone_named(zone)):%Y-%m-%d %H:%M}"
    return (
        f"{request.name}  {state:9}  {raised} until {until}  {asked} (approved by {clean_for_terminal(exemption.approver, 60)})"
    )


def audit_document(note: ParsedEntry, zone: str) -> dict[str, object]:
    """Return one note of the ledger as JSON: when, who, what, and everything it says."""
    details = _details(note)
    return {
        "seq": note.seq,
        "at": note.at.astimezone(zone_named(zone)).isoformat(),
        "kind": note.kind,
        "who": _who(details),
        "labels": dict(note.body.get("labels", {})),
        "details": details,
    }


def audit_line(note: ParsedEntry, zone: str) -> str:
    """Return one note as a line for a terminal."""
    details = _details(note)
    who = _who(details)
    rest = "  ".join(
        f"{name}={clean_for_terminal(value, 80)}"
        for name, value in details.items()
        if value and name not in {"payload", "expires_at", "approved_at"} and value != who
    )
    at = f"{note.at.astimezone(zone_named(zone)):%Y-%m-%d %H:%M:%S}"
    return f"{at}  {clean_for_terminal(note.kind, 40):20}  {clean_for_terminal(who, 60) or '-'}  {rest}".rstrip()


def _details(note: ParsedEntry) -> Mapping[str, str]:
    return {str(name): str(value) for name, value in dict(note.body.get("details", {})).items()}


def _who(details: Mapping[str, str]) -> str:
    return next((details[name] for name in WHO if details.get(name)), "")
