"""What every backend refuses before it touches its storage: arguments that no ledger can count or store.

Only arguments are judged here; whether a budget allows something is ``core.admission``.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from budget_gate.core.amounts import Amount
from budget_gate.core.audit import MONEY_KINDS
from budget_gate.core.charges import Charge, LimitLine
from budget_gate.core.errors import UsageError
from budget_gate.core.money import COUNT_MAX
from budget_gate.core.periods import zone_named
from budget_gate.core.reservations import Actual, ReserveRequest
from budget_gate.core.scopes import BOUND_KINDS, NAMED_KINDS, Scope, storable_name

KEY_MOST = 1_000
"""The longest operation key, in characters: a key is a name, not a document."""

TTL_SECONDS_MOST = 30 * 24 * 3600
"""The longest time a reservation may stay pending before it becomes a hold: thirty days."""


def check_request(request: ReserveRequest) -> None:
    """Raise ``UsageError`` unless the request is one that every ledger can admit or refuse."""
    check_asked(request)
    check_charges(request.charges, request.zone)


def check_asked(request: ReserveRequest) -> None:
    """Raise ``UsageError`` unless all but the charges of a request is what every ledger can admit or refuse."""
    check_key(request.key)
    _check_amount(request.amount, "amount")
    if request.minimum is not None:
        _check_amount(request.minimum, "minimum")
        if request.amount.minus(request.minimum).is_negative:
            raise UsageError(f"minimum {tuple(request.minimum)} is more than the amount; ask for at least the minimum")
    if not 1 <= request.ttl_seconds <= TTL_SECONDS_MOST:
        raise UsageError(f"ttl of {request.ttl_seconds} seconds; write 1 to {TTL_SECONDS_MOST}")
    check_labels(request.labels, "labels")


def check_actual(actual: Actual) -> None:
    """Raise ``UsageError`` unless this can be what a call cost."""
    _check_amount(actual.amount, "cost")
    if actual.usage is not None:
        try:
            actual.usage.checked()
        except ValueError as error:
            raise UsageError(str(error)) from None
    check_labels(actual.details, "details")


def check_charges(charges: Sequence[Charge], zone: str) -> None:
    """Raise ``UsageError`` for a scope that cannot be stored, a counter named twice, an uncountable line, an unknown zone."""
    _check_charges(tuple(charges), zone)


@lru_cache(maxsize=64)
def _check_charges(charges: tuple[Charge, ...], zone: str) -> None:
    """Check charges; those that passed are remembered, for a process asks for the same few again and again."""
    try:
        zone_named(zone)
    except ValueError as error:
        raise UsageError(f"{error}; write a name such as Europe/Berlin") from None
    seen = set()
    for charge in charges:
        _check_scope(charge)
        counter = (charge.scope, charge.per)
        if counter in seen:
            raise UsageError(f"{charge.scope.text!r} per {charge.per} is charged twice; put its limits into one charge")
        seen.add(counter)
        for line in charge.limits:
            _check_line(line, charge.scope)


def check_key(key: str) -> None:
    """Raise ``UsageError`` unless ``key`` can name an operation."""
    if not 1 <= len(key) <= KEY_MOST:
        raise UsageError(f"operation key of {len(key)} characters; write 1 to {KEY_MOST}")
    check_text(key, "operation key")


def check_note(kind: str) -> None:
    """Raise ``UsageError`` if notes of this kind are the ledger's own to write."""
    if kind in MONEY_KINDS or not kind:
        raise UsageError(f"entries of kind {kind!r} are written by the ledger itself; name the note otherwise")
    check_text(kind, "kind")


def check_note_fields(key: str, kind: str, labels: Mapping[str, str], details: Mapping[str, str]) -> None:
    """Raise ``UsageError`` unless a note of these fields can be recorded."""
    check_key(key)
    check_note(kind)
    check_labels(labels, "labels")
    check_labels(details, "details")


def check_labels(labels: Mapping[str, str], what: str) -> None:
    """Raise ``UsageError`` unless every name and value is text that can be stored."""
    _check_items(tuple(labels.items()), what)


@lru_cache(maxsize=64)
def _check_items(items: tuple[tuple[str, str], ...], what: str) -> None:
    """Check labels; those that passed are remembered, for a process says who spends again and again."""
    for name, value in items:
        check_text(name, what)
        check_text(value, f"{what}: {name}")


def check_text(text: str, what: str) -> None:
    """Raise ``UsageError`` for text with characters that no ledger can store."""
    try:
        storable_name(text)
    except ValueError as error:
        raise UsageError(f"{what}: {error}; leave it out") from None


def _check_scope(charge: Charge) -> None:
    scope = charge.scope
    check_text(scope.name, "scope")
    is_org = scope.kind == "org" and not scope.name
    # A kind of another spelling could contain the slash that separates it from the name, and so be two scopes at once.
    if not is_org and (scope.kind not in NAMED_KINDS + BOUND_KINDS or not scope.name):
        raise UsageError(f"{scope.text!r} is not a scope; write org, or one of {', '.join(NAMED_KINDS)} and /NAME")


def _check_line(line: LimitLine, scope: Scope) -> None:
    lines = (line.limit, line.admission_line or 0, line.warn_line, line.alert_line, line.stop_line)
    if min(lines) < 0 or max(lines) > COUNT_MAX:
        raise UsageError(f"{scope.text}: a limit of {line.limit} {line.unit} cannot be counted; write 0 to {COUNT_MAX}")
    check_text(line.owner, "owner")


def _check_amount(amount: Amount, what: str) -> None:
    if amount.is_negative or max(amount) > COUNT_MAX:
        raise UsageError(
            f"{what} {tuple(amount)} (nano-dollars, tokens, requests) is out of range; write 0 to {COUNT_MAX} of each"
        )
