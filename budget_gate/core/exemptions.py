"""Exemptions: one scope may spend more than its stop line, by an amount, until an instant, because somebody else said so.

Pure rules. Who somebody is, and which teams they are in, is found out elsewhere; notes of the ledger keep what was decided.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from budget_gate.core.audit import from_microseconds
from budget_gate.core.errors import UsageError
from budget_gate.core.money import USD_MAX, usd_short
from budget_gate.core.periods import CALENDAR_PERIODS, Per
from budget_gate.core.policy import Budget, ExemptionRule, Policy
from budget_gate.core.scopes import Scope, parse_scope

REQUESTED, APPROVED, DENIED, REVOKED = "exemption_requested", "exemption_approved", "exemption_denied", "exemption_revoked"
"""Kinds of the notes that tell of exemptions. Each names its exemption in the detail ``name``."""

REASON_CHARACTERS = 500
USER_CHARACTERS = 100
NO_RULE = "the policy allows no exemptions; add `exemptions: {approvers: [...], max_usd: ..., max_days: ...}` to it"


class Request(NamedTuple):
    """Somebody asks to raise the dollar limit of a scope by ``nano_usd`` for ``days`` days from the approval on."""

    name: str
    scope: Scope
    per: Per
    nano_usd: int
    days: int
    requester: str
    reason: str


class Exemption(NamedTuple):
    """A request that was approved: in force from ``approved_at`` until ``until``."""

    request: Request
    approver: str
    approved_at: datetime
    until: datetime

    def is_in_force(self, now: datetime) -> bool:
        """Return True from the approval until the end."""
        return self.approved_at <= now < self.until


class Standing(NamedTuple):
    """A request and, once it was approved, the exemption."""

    request: Request
    exemption: Exemption | None

    def state(self, now: datetime) -> Literal["requested", "in force"]:
        """Say how it stands; what has ended is not among those that stand."""
        return "in force" if self.exemption is not None and self.exemption.is_in_force(now) else "requested"


def standing_from(details: Mapping[str, str]) -> Standing | None:
    """Return what the details of a request's notes say (an approval's over the request's), or None if they were not written so."""
    try:
        request = Request(
            name=details["name"],
            scope=parse_scope(details["scope"]),
            per=CALENDAR_PERIODS[CALENDAR_PERIODS.index(details["per"])],
            nano_usd=int(details["nano_usd"]),
            days=int(details["days"]),
            requester=details["requester"],
            reason=details["reason"],
        )
        if "approver" not in details:
            return Standing(request, None)
        approved_at, until = (from_microseconds(int(details[name])) for name in ("approved_at", "expires_at"))
    except (KeyError, ValueError, OverflowError):
        return None
    return Standing(request, Exemption(request, details["approver"], approved_at, until))


def check_request(policy: Policy, request: Request, budget: Budget | None) -> ExemptionRule:
    """Return the policy's rule; raise ``UsageError`` for a request that nobody could approve. ``budget`` is the scope's own."""
    rule = policy.exemptions
    if rule is None:
        raise UsageError(NO_RULE)
    check_user(request.requester)
    if request.scope.is_wildcard:
        raise UsageError(
            f"an exemption is for one scope; name whom {request.scope.text} is for, such as {request.scope.kind}/NAME"
        )
    if budget is None or not any((limit.unit, limit.per) == ("usd", request.per) for limit in budget.limits):
        limits = ", ".join(sorted({limit.per for limit in budget.limits if limit.unit == "usd"})) if budget else ""
        instead = f"its dollar limits are per {limits}" if limits else "exemptions raise dollar limits, and it has none"
        raise UsageError(f"{request.scope.text} has no dollar limit per {request.per}; {instead}")
    if not 0 < request.nano_usd <= rule.max_nano_usd:
        raise UsageError(
            f"{usd_short(request.nano_usd)} cannot be asked for; write more than 0 and at most {usd_short(rule.max_nano_usd)}"
        )
    if not 1 <= request.days <= rule.max_days:
        raise UsageError(f"{request.days} days cannot be asked for; write 1 to {rule.max_days}")
    if not request.reason.strip() or len(request.reason) > REASON_CHARACTERS:
        raise UsageError(f"say why, in at most {REASON_CHARACTERS} characters, with --reason")
    return rule


def check_user(user: str) -> None:
    """Raise ``UsageError`` unless ``user`` can be somebody's name."""
    if not user.strip() or user.startswith("@") or len(user) > USER_CHARACTERS or not user.isprintable():
        raise UsageError(f"{user[:USER_CHARACTERS]!r} is nobody's name; write the name of one person, such as a GitHub login")


def teams_to_ask(rule: ExemptionRule, user: str) -> tuple[tuple[str, str], ...]:
    """Return the teams (organization, team) one of which ``user`` must be in to approve; none if they are named themselves."""
    if is_named(rule, user):
        return ()
    return tuple((organization, team) for organization, _, team in _teams(rule))


def _teams(rule: ExemptionRule) -> Iterable[tuple[str, str, str]]:
    return (each.removeprefix("@").partition("/") for each in rule.approvers if each.startswith("@"))


def is_named(rule: ExemptionRule, user: str) -> bool:
    """Return True if the policy names this very person. Logins do not differ by case."""
    return user.casefold() in {each.casefold() for each in rule.approvers if not each.startswith("@")}


def check_approver(rule: ExemptionRule, requester: str, approver: str, *, is_in_team: bool) -> None:
    """Raise ``UsageError`` unless ``approver`` may decide on what ``requester`` asked for."""
    check_user(approver)
    if approver.casefold() == requester.casefold():
        raise UsageError("nobody approves their own request; ask another approver")
    if not is_in_team and not is_named(rule, approver):
        raise UsageError(f"{approver} may not decide on exemptions; ask one of {', '.join(rule.approvers)}")


def extra_nano_usd(exemptions: Sequence[Exemption], scope: Scope, per: str) -> int:
    """Return by how much exemptions raise the lines of a scope's dollar limit; never beyond what a ledger can count."""
    found = sum(each.request.nano_usd for each in exemptions if (each.request.scope, each.request.per) == (scope, per))
    return min(found, USD_MAX * 10**9)
