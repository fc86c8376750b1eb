"""Exemptions as notes of the ledger: asked for, approved, denied, revoked, and read back. The rules are ``core.exemptions``."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from budget_gate.core.audit import from_microseconds, microseconds
from budget_gate.core.charges import budget_for
from budget_gate.core.errors import LedgerUnavailable, UsageError
from budget_gate.core.exemptions import (
    APPROVED,
    DENIED,
    NO_RULE,
    REQUESTED,
    REVOKED,
    Exemption,
    Request,
    Standing,
    check_approver,
    check_request,
    check_user,
    standing_from,
    teams_to_ask,
)
from budget_gate.core.policy import ExemptionRule, Policy
from budget_gate.ledger.interface import Ledger
from budget_gate.runs.delivery_notes import written
from budget_gate.runs.standing_notes import Family, read_standing

FAMILY = Family(REQUESTED, (APPROVED,), (DENIED, REVOKED))

OPEN_DAYS = 30
"""How long a request waits for an answer before it is forgotten."""

DAYS_MOST = 366
"""The longest exemption, whatever the policy allows: what began before it cannot be in force any more."""

REMEMBERED_DAYS = OPEN_DAYS + DAYS_MOST

READ_AGAIN_SECONDS = 30.0
"""How old a reader's knowledge may be: so long a new exemption, or a revoked one, may go unnoticed by a running job."""

InTeam = Callable[[str, str, str], bool]
"""Whether (organization, team, user) holds; raises ``UsageError`` where that cannot be found out."""


def request_exemption(ledger: Ledger, policy: Policy, request: Request) -> None:
    """Write down a request. Raises ``UsageError`` for one that nobody could approve."""
    check_request(policy, request, budget_for(policy, request.scope))
    details = {
        "name": request.name,
        "scope": request.scope.text,
        "per": request.per,
        "nano_usd": str(request.nano_usd),
        "days": str(request.days),
        "requester": request.requester,
        "reason": request.reason,
        "expires_at": str(microseconds(ledger.now() + timedelta(days=OPEN_DAYS))),
    }
    if not written(ledger, f"exemption/{request.name}", REQUESTED, details):
        raise UsageError(f"there is an exemption {request.name} already; ask under another name")


def approve(ledger: Ledger, policy: Policy, name: str, approver: str, in_team: InTeam) -> Exemption:
    """Approve a request from now on, by the ledger's clock. Raises ``UsageError`` when that may not be, or was decided before."""
    rule = _rule(policy)
    standing = _found(ledger, name)
    _check_decider(rule, standing, approver, in_team)
    if standing.exemption is not None:
        raise UsageError(f"{name} was approved by {standing.exemption.approver} before")
    # The policy may have changed since it was asked for; what it allows now is what counts.
    check_request(policy, standing.request, budget_for(policy, standing.request.scope))
    now = ledger.now()
    until = now + timedelta(days=standing.request.days)
    instants = {"approved_at": str(microseconds(now)), "expires_at": str(microseconds(until))}
    if not written(ledger, _decision_key(name), APPROVED, {"name": name, "approver": approver, **instants}):
        raise UsageError(f"{name} was decided by somebody else just now; see `budget-gate exempt list`")
    return Exemption(standing.request, approver, now, until)


def deny(ledger: Ledger, policy: Policy, name: str, denier: str, in_team: InTeam) -> None:
    """Deny a request that nobody has decided. Raises ``UsageError``."""
    standing = _found(ledger, name)
    _check_decider(_rule(policy), standing, denier, in_team)
    if standing.exemption is not None or not written(ledger, _decision_key(name), DENIED, {"name": name, "denier": denier}):
        raise UsageError(f"{name} was decided before; end it with `budget-gate exempt revoke {name}`")


def revoke(ledger: Ledger, policy: Policy, name: str, revoker: str, in_team: InTeam) -> None:
    """End an exemption, or take a request back: its requester may, and whoever may approve. Raises ``UsageError``."""
    standing = _found(ledger, name)
    check_user(revoker)
    if revoker.casefold() != standing.request.requester.casefold():
        _check_decider(_rule(policy), standing, revoker, in_team)
    if not written(ledger, f"exemption/{name}/revoked", REVOKED, {"name": name, "revoker": revoker}):
        raise UsageError(f"{name} was revoked just now by somebody else")


def read_exemptions(ledger: Ledger, now: datetime) -> tuple[Standing, ...]:
    """Return requests that wait and exemptions in force at ``now``, oldest first."""
    standing = read_standing(ledger, FAMILY, since=now - timedelta(days=REMEMBERED_DAYS))
    found = [standing_from(details) for details in standing.values() if _lasts(details, now)]
    return tuple(each for each in found if each is not None)


class ExemptionReader:
    """Says which exemptions are in force, reading the ledger at most every ``READ_AGAIN_SECONDS``.

    A ledger that cannot be reached is no news here: what was known stays known, and the reserve that follows meets the outage.
    """

    def __init__(self, open_ledger: Callable[[], Ledger], monotonic: Callable[[], float]) -> None:
        self._open_ledger = open_ledger
        self._monotonic = monotonic
        self._known: tuple[Exemption, ...] = ()
        self._read_at: float | None = None
        self._ledger_now: datetime | None = None

    def __call__(self) -> tuple[Exemption, ...]:
        """Return the exemptions in force now, as the ledger's clock was and has run on since."""
        at = self._monotonic()
        if self._read_at is None or at - self._read_at >= READ_AGAIN_SECONDS:
            self._read_at = at
            self._read()
        if self._ledger_now is None:
            return ()
        now = self._ledger_now + timedelta(seconds=at - self._read_at)
        return tuple(each for each in self._known if each.is_in_force(now))

    def _read(self) -> None:
        try:
            ledger = self._open_ledger()
            self._ledger_now = ledger.now()
            standing = read_exemptions(ledger, self._ledger_now)
        except LedgerUnavailable:
            return
        self._known = tuple(each.exemption for each in standing if each.exemption is not None)


def _rule(policy: Policy) -> ExemptionRule:
    if policy.exemptions is None:
        raise UsageError(NO_RULE)
    return policy.exemptions


def _found(ledger: Ledger, name: str) -> Standing:
    for standing in read_exemptions(ledger, ledger.now()):
        if standing.request.name == name:
            return standing
    raise UsageError(f"no exemption {name[:60]!r} waits or is in force; see `budget-gate exempt list`")


def _check_decider(rule: ExemptionRule, standing: Standing, decider: str, in_team: InTeam) -> None:
    check_user(decider)
    is_own = decider.casefold() == standing.request.requester.casefold()
    teams = () if is_own else teams_to_ask(rule, decider)
    is_in_team = any(in_team(organization, team, decider) for organization, team in teams)
    check_approver(rule, standing.request.requester, decider, is_in_team=is_in_team)


def _decision_key(name: str) -> str:
    return f"exemption/{name}/decision"


def _lasts(details: Mapping[str, str], now: datetime) -> bool:
    text = details.get("expires_at", "")
    return text.isdecimal() and from_microseconds(int(text)) > now
