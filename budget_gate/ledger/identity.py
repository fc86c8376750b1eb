"""Ids that a retry finds again: derived from the caller's key, so that even an answer that was lost can be looked up."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from budget_gate.core.amounts import Amount
from budget_gate.core.audit import compact_json
from budget_gate.core.charges import Charge
from budget_gate.core.reservations import Actual, ReserveRequest

if TYPE_CHECKING:
    import hashlib


def reservation_id(key: str) -> str:
    """Return the id of the reservation that the reserve operation ``key`` makes."""
    return "res_" + _sha256(key)


def labels_json(labels: Mapping[str, str]) -> str:
    """Return labels as ``compact_json`` has them; a process asks for the same ones again and again."""
    return _items_json(tuple(labels.items()))


@lru_cache(maxsize=64)
def _items_json(items: tuple[tuple[str, str], ...]) -> str:
    return compact_json(dict(items))


def scopes_json(charges: Sequence[Charge]) -> str:
    """Return what a reserve's digest covers of its charges: which counters, whatever their limits."""
    return compact_json([[charge.scope.text, charge.per] for charge in charges])


def reserve_digest(request: ReserveRequest, scopes: str, labels: str) -> str:
    """Return a digest of what makes two reserve calls the same call, given ``scopes_json`` of its charges and ``labels_json``.

    Limits may change between retries; amounts may not.
    """
    minimum = "null" if request.minimum is None else _listed(request.minimum)
    return _sha256(f"[{_listed(request.amount)},{minimum},{scopes},{labels}]")


def _listed(amount: Amount) -> str:
    return f"[{amount[0]},{amount[1]},{amount[2]}]"


def plan_name(text: str) -> str:
    """Return the name under which the plan of many reservations is stored once."""
    return _sha256(text)


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
    return _hash_function()(text.encode()).hexdigest()[:32]


@cache
def _hash_function() -> "Callable[[bytes], hashlib._Hash]":
    import hashlib  # loads OpenSSL: 3 ms that reading a budget does not need

    return hashlib.sha256
