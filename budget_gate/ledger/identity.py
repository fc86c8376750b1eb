"""Ids that a retry finds again: derived from the caller's key, so that even an answer that was lost can be looked up."""

from collections.abc import Mapping

from budget_gate.core.audit import compact_json
from budget_gate.core.reservations import Actual, ReserveRequest


def reservation_id(key: str) -> str:
    """Return the id of the reservation that the reserve operation ``key`` makes."""
    return "res_" + _sha256(key)


def reserve_digest(request: ReserveRequest) -> str:
    """Return a digest of what makes two reserve calls the same call. Limits may change between retries; amounts may not."""
    scopes = [[charge.scope.text, charge.per] for charge in request.charges]
    return _digest([request.amount, request.minimum, scopes, dict(request.labels)])


def settle_digest(reservation: str, actual: Actual) -> str:
    """Return a digest of what makes two settle calls the same call."""
    return _digest([reservation, actual.amount, actual.usage, dict(actual.details)])


def resolve_digest(reservation: str, kind: str) -> str:
    """Return a digest of what makes two void, or two hold, calls the same call; a reason may be worded anew."""
    return _digest([reservation, kind])


def note_digest(kind: str, labels: Mapping[str, str], details: Mapping[str, str]) -> str:
    """Return a digest of what makes two notes the same note."""
    return _digest([kind, dict(labels), dict(details)])


def _digest(parts: object) -> str:
    return _sha256(compact_json(parts))


def _sha256(text: str) -> str:
    import hashlib  # loads OpenSSL: 3 ms that reading a budget does not need

    return hashlib.sha256(text.encode()).hexdigest()[:32]
