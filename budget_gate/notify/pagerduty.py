"""PagerDuty by Events API v2: one incident per dedup key, triggered, and resolved when it is over."""

import http.client
import json
from typing import Any, NoReturn

from budget_gate.core.errors import NotifyError
from budget_gate.notify.addresses import checked_address, retry_after_seconds
from budget_gate.notify.interface import Message

EVENTS_URL = "https://events.pagerduty.com/v2/enqueue"
TIMEOUT_SECONDS = 10
SUMMARY_CHARACTERS = 1_024
DEDUP_KEY_CHARACTERS = 255
SOURCE = "budget-gate"

_ACCEPTED = 202
_BAD_REQUEST = 400
_TOO_MANY = 429


def event_of(message: Message, routing_key: str) -> dict[str, Any]:
    """Return the event: a trigger with everything the message says, or a resolve, which only names the incident."""
    event = {
        "routing_key": routing_key,
        "event_action": "resolve" if message.is_resolved else "trigger",
        "dedup_key": dedup_key(message.dedup_key),
    }
    if message.is_resolved:
        return event
    details = dict(message.fields)
    return {
        **event,
        "client": "budget-gate",
        "payload": {
            "summary": message.title[:SUMMARY_CHARACTERS],
            "source": SOURCE,
            "severity": message.severity,
            "class": message.kind,
            "custom_details": {**details, "Details": "\n".join(message.lines)},
        },
    }


def dedup_key(key: str) -> str:
    """Return ``key``, or what stands for it when it is longer than PagerDuty takes."""
    if len(key) <= DEDUP_KEY_CHARACTERS:
        return key
    import hashlib

    return f"budget-gate/{hashlib.sha256(key.encode()).hexdigest()}"


class PagerDutyNotifier:
    """One service of PagerDuty, named by its routing key. Raises ``UsageError`` for an address that may not be posted to."""

    def __init__(self, routing_key: str, events_url: str = "", *, timeout_seconds: int = TIMEOUT_SECONDS) -> None:
        self._routing_key = routing_key
        self._url = checked_address(events_url or EVENTS_URL, "PAGERDUTY_EVENTS_URL")
        self._timeout_seconds = timeout_seconds

    def deliver(self, message: Message) -> None:
        """Send a trigger or a resolve. Raises ``NotifyError`` unless PagerDuty accepted it."""
        import urllib.error
        import urllib.request

        body = json.dumps(event_of(message, self._routing_key)).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "budget-gate"}
        request = urllib.request.Request(self._url, body, headers, method="POST")  # noqa: S310 (the address was checked)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_seconds) as answer:  # noqa: S310 (see above)
                status = answer.status
        except urllib.error.HTTPError as error:
            with error:
                _refused(error.code, error.headers.get("Retry-After"))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotifyError(f"PagerDuty cannot be reached ({type(error).__name__}); the message stays in the outbox") from None
        if status != _ACCEPTED:  # a redirect was followed to a page that is not PagerDuty's
            _refused(status, None)


def _refused(status: int, retry_after: str | None) -> NoReturn:
    """Say why an event was not accepted. PagerDuty's own words are left out: they may repeat the key."""
    if status == _TOO_MANY:
        seconds = retry_after_seconds(retry_after)
        raise NotifyError("PagerDuty takes no more events for now; the message stays in the outbox", seconds)
    if status == _BAD_REQUEST:
        raise NotifyError("PagerDuty refused the event; check that PAGERDUTY_ROUTING_KEY is an Events API v2 key") from None
    raise NotifyError(f"PagerDuty answered {status}; the message stays in the outbox and is tried again") from None
