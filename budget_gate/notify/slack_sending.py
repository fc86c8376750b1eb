"""One request of a report to Slack, sent once: its answer, or what is known without one. Used by the webhook and by the bot."""

from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, NamedTuple

from budget_gate.core.errors import UsageError
from budget_gate.notify.report_channel import PostResult
from budget_gate.notify.slack import quiet_client

TIMEOUT_SECONDS = 15
OK = 200

WORD_CHARACTERS = 60


class SlackAnswer(NamedTuple):
    """What Slack answered; names of headers in small letters."""

    status: int
    body: str
    headers: Mapping[str, str]


def send_once(
    url: str, body: Mapping[str, Any], variable: str, headers: Mapping[str, str] | None = None
) -> SlackAnswer | PostResult:
    """Post a body as JSON. Without an answer, say whether it certainly was not posted; ``variable`` is what to check then.

    Raises ``UsageError`` where the library is not installed.
    """
    from socket import gaierror
    from ssl import SSLCertVerificationError
    from urllib.error import URLError

    try:
        client = quiet_client(url, TIMEOUT_SECONDS)
    except ImportError:
        raise UsageError("Slack needs an extra: pip install 'budget-gate-ci[slack]'") from None
    try:
        answer = client.send_dict(dict(body), dict(headers or {}))
    except URLError as error:
        if isinstance(error.reason, ConnectionRefusedError | gaierror | SSLCertVerificationError):
            return PostResult("refused", f"Slack cannot be reached; check {variable} and the network")
        return PostResult("unknown", "the connection to Slack failed while the report was being sent")
    except (
        OSError,
        HTTPException,
        ValueError,
    ):  # a timeout, a connection cut while the answer was read, or an answer that is no text
        return PostResult("unknown", "Slack did not answer in time, or not in full")
    return SlackAnswer(
        answer.status_code, answer.body or "", {name.lower(): value for name, value in dict(answer.headers).items()}
    )


def word_of(text: str) -> str:
    """Return the word of an answer, such as ``not_in_channel``; nothing of it can be an address, a token or a command."""
    return "".join(each for each in text[:WORD_CHARACTERS] if each.isalnum() or each in "_ ")
