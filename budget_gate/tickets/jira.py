"""Tickets from Jira Cloud over REST v3, with the standard library: one request for one ticket.

Read only. A redirect is never followed, because the token would go with it. The API:
https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-issueidorkey-get
"""

import json
import re
import time
from base64 import b64encode
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from budget_gate.core.errors import TicketError, UsageError
from budget_gate.core.tickets import Ticket
from budget_gate.tickets.adf import adf_text

TIMEOUT_SECONDS = 15.0
TRIES = 3
WAIT_SECONDS_MOST = 20.0
ANSWER_BYTES_MOST = 8 * 1024 * 1024

_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,30}-[1-9][0-9]{0,9}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TRANSIENT = (429, 500, 502, 503, 504)


class _Reply(NamedTuple):
    status: int
    retry_after: str
    content: bytes


class Jira:
    """Implements ``interface.TicketSource``. ``sleep`` exists for tests."""

    def __init__(self, base_url: str, email: str, token: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Raises ``UsageError`` where one of the three cannot be right."""
        self._base = _checked(base_url)
        if not email or not token:
            raise UsageError(
                "Jira needs JIRA_EMAIL and JIRA_API_TOKEN; make a token under id.atlassian.com, Security, API tokens"
            )
        self._authorization = "Basic " + b64encode(f"{email}:{token}".encode()).decode()
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"Jira({self._base.hostname})"

    def ticket(self, key: str) -> Ticket:
        """Return one ticket; its description as plain text."""
        if not _KEY.fullmatch(key):
            raise UsageError(f"{key[:40]!r} is not a Jira key; write one such as SHOP-7")
        data = self._get(f"/rest/api/3/issue/{key}?fields=summary,description,labels")
        fields = data.get("fields") if isinstance(data, dict) else None
        if not isinstance(fields, dict) or not isinstance(fields.get("summary"), str):
            raise TicketError(f"Jira's answer about {key} is not a ticket; check JIRA_BASE_URL")
        labels = fields.get("labels")
        named = tuple(each for each in labels if isinstance(each, str)) if isinstance(labels, list) else ()
        return Ticket(key, fields["summary"], adf_text(fields.get("description")), named)

    def _get(self, path: str) -> object:
        """Read, again where that may help: after a rate limit as long as Jira asks (within bounds), after a failure a moment."""
        waited = 0.0
        for number in range(1, TRIES + 1):
            reply = self._once(path)
            if reply is not None and reply.status not in _TRANSIENT:
                return self._read(path, reply)
            asked = reply.retry_after if reply else ""
            pause = float(asked) if asked.isdecimal() else 0.5 * 2**number
            if number == TRIES or waited + pause > WAIT_SECONDS_MOST:
                break
            waited += pause
            self._sleep(pause)
        problem = f"answers {reply.status}" if reply else "cannot be reached"
        raise TicketError(f"Jira at {self._base.hostname} {problem}; check JIRA_BASE_URL, or try again later")

    def _once(self, path: str) -> _Reply | None:
        """Send one request; None where there is no answer. No exception of the library leaves here."""
        host, port = self._base.hostname or "", self._base.port
        kind = HTTPSConnection if self._base.scheme == "https" else HTTPConnection
        connection = kind(host, port, timeout=TIMEOUT_SECONDS)
        try:
            headers = {"Authorization": self._authorization, "Accept": "application/json", "User-Agent": "budget-gate"}
            connection.request("GET", self._base.path.rstrip("/") + path, headers=headers)
            answer = connection.getresponse()
            return _Reply(answer.status, answer.headers.get("Retry-After", ""), answer.read(ANSWER_BYTES_MOST + 1))
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()

    def _read(self, path: str, reply: _Reply) -> object:
        host = self._base.hostname
        if reply.status in (401, 403):
            raise TicketError(f"Jira at {host} did not accept the token ({reply.status}); check JIRA_EMAIL and JIRA_API_TOKEN")
        if reply.status == 404:  # noqa: PLR2004 - not found
            key = path.partition("?")[0].rpartition("/")[2]
            raise TicketError(f"Jira at {host} has no {key}, or the account may not see it; check the key")
        if reply.status != 200 or len(reply.content) > ANSWER_BYTES_MOST:  # noqa: PLR2004 - the one good answer
            raise TicketError(f"Jira at {host} answered {reply.status} with something that is not a ticket; check JIRA_BASE_URL")
        try:
            data: object = json.loads(reply.content)
        except (ValueError, RecursionError):
            raise TicketError(f"Jira at {host} answered with something that is not JSON; check JIRA_BASE_URL") from None
        return data


def _checked(base_url: str) -> SplitResult:
    """Return the address, which must be encrypted unless it is this machine's own. The error does not repeat what may be a secret."""
    try:
        parts = urlsplit(base_url)
        is_usable = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_usable, parts = False, urlsplit("")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not (is_usable and is_safe) or parts.username or parts.query or parts.fragment:
        raise UsageError("JIRA_BASE_URL is not the address of a Jira; write https://YOUR-SITE.atlassian.net")
    return parts
