"""Builders for ledger tests: small requests and charges, with the words of a test instead of nano-dollars and tuples."""

from collections.abc import Mapping, Sequence

from budget_gate.core.amounts import Amount, Unit
from budget_gate.core.charges import Charge, LimitLine
from budget_gate.core.periods import Per
from budget_gate.core.policy import Mode
from budget_gate.core.reservations import Actual, Admitted, Decision, ReserveRequest
from budget_gate.core.scopes import ORG, Scope

CENT = 10_000_000
"""Nano-dollars."""

TEAM = Scope("team", "payments")


def usd(nano_usd: int, tokens: int = 0, requests: int = 0) -> Amount:
    """Return an amount, dollars first."""
    return Amount(nano_usd, tokens, requests)


def line(
    limit: int,
    unit: Unit = "usd",
    *,
    mode: Mode = "enforce",
    warn: int = 80,
    alert: int = 100,
    stop: int = 100,
    keep_back: int = 0,
    owner: str = "owner@acme.test",
) -> LimitLine:
    """Return a limit with its lines; tiers and ``keep_back`` in whole percent."""
    stop_line = limit * stop // 100
    admission_line = stop_line - stop_line * keep_back // 100 if mode == "enforce" else None
    return LimitLine(unit, limit, admission_line, limit * warn // 100, limit * alert // 100, stop_line, mode, owner)


def charge(scope: Scope = ORG, per: Per = "month", *lines: LimitLine) -> Charge:
    """Return a charge."""
    return Charge(scope, per, lines)


def request(
    key: str,
    amount: Amount,
    *charges: Charge,
    minimum: Amount | None = None,
    may_wait: bool = False,
    zone: str = "UTC",
    ttl_seconds: int = 900,
    labels: Mapping[str, str] | None = None,
) -> ReserveRequest:
    """Return a reserve request."""
    known = {"workflow": "ci_cd_review"} if labels is None else labels
    return ReserveRequest(key, amount, charges, zone, known, minimum, ttl_seconds, may_wait)


def actual(amount: Amount, details: Mapping[str, str] | None = None) -> Actual:
    """Return what a call cost."""
    return Actual(amount, None, details or {})


def admitted(decision: Decision) -> Admitted:
    """Return the decision, which the test expects to be an admission."""
    assert isinstance(decision, Admitted), decision
    return decision


def names_of(charges: Sequence[Charge]) -> list[str]:
    """Return ``scope per`` for each charge, for readable assertions."""
    return [f"{each.scope.text} {each.per}" for each in charges]
