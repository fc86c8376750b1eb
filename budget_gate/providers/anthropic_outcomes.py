"""How an attempt that brought no answer is accounted for, and whether to try again. Pure; the wire is ``anthropic_wire``.

Void only where the API refused before a token was made, and says so itself; everything in doubt is held.
Statuses and error kinds: https://platform.claude.com/docs/en/api/errors.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Literal, NamedTuple

from budget_gate.core.errors import ProviderError
from budget_gate.core.messages_api import read_json_object

FailureKind = Literal["overloaded", "rate_limited", "deadline", "rejected", "unreachable", "broken"]

TEXT_CHARACTERS_MOST = 300

_OVERLOADED = 529
"""Anthropic's own code; no standard names it."""

_UNCERTAIN_REFUSALS = (408, 499)
"""Codes with which a gateway gives up on an answer that may be under way; only the API's own error body makes them refusals."""

_RETRIED_REFUSALS = (408, 409, 429)
_SPEND_LIMIT = "enforced_spend_limit_reached"
"""A 429 that lasts until the next month (error.details.error_code): trying again cannot help."""


class Outcome(NamedTuple):
    """How to resolve an attempt, what to tell the caller, and whether another attempt may fare better."""

    resolution: Literal["void", "hold"]
    kind: FailureKind
    text: str
    is_worth_retrying: bool = False


def outcome_of(status: int, body: bytes) -> Outcome:
    """Return what an answer other than a plain 200 means. ``body`` is all of it."""
    error = _error_of(body)
    text = _text(f"the API answered {status}", error)
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, _OVERLOADED}:
        is_refusal = error is not None and (status == _OVERLOADED or error.get("type") == "overloaded_error")
        return Outcome("void" if is_refusal else "hold", "overloaded", text, is_worth_retrying=True)
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        is_refusal = error is not None or status not in _UNCERTAIN_REFUSALS
        kind: FailureKind = "rate_limited" if status == HTTPStatus.TOO_MANY_REQUESTS else "rejected"
        may_retry = status in _RETRIED_REFUSALS and not _is_spend_limit(error)
        return Outcome("void" if is_refusal else "hold", kind, text, may_retry)
    return Outcome("hold", "broken", text, is_worth_retrying=status >= HTTPStatus.INTERNAL_SERVER_ERROR)


def retry_after_seconds(headers: Mapping[str, str], now: float) -> float | None:
    """Return how long the server asks to wait, in any of the three forms, or None. ``now`` is the time of day (Unix)."""
    for name, unit_seconds in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit_seconds
        except ValueError:
            continue
        # "nan" and "inf" are floats too; a wait that is no number is no request to wait.
        if 0 <= seconds < float("inf"):
            return seconds
    try:
        return max(parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def clean(text: str) -> str:
    """Return foreign text as one short printable line."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= TEXT_CHARACTERS_MOST else line[: TEXT_CHARACTERS_MOST - 1] + "…"


def _error_of(body: bytes) -> Mapping[str, object] | None:
    """Return the ``error`` object of a complete error body, or None when this is not one."""
    try:
        envelope = read_json_object(body)
    except ProviderError:
        return None
    error = envelope.get("error")
    if envelope.get("type") != "error" or not isinstance(error, dict) or not isinstance(error.get("type"), str):
        return None
    return error


def _is_spend_limit(error: Mapping[str, object] | None) -> bool:
    details = error.get("details") if error else None
    return isinstance(details, dict) and details.get("error_code") == _SPEND_LIMIT


def _text(opening: str, error: Mapping[str, object] | None) -> str:
    return clean(f"{opening}, {error['type']}: {error.get('message', '')}") if error else opening
