"""Slack by incoming webhook. The address is the secret: it is held here, handed to the library, and shown nowhere."""

from typing import TYPE_CHECKING

from budget_gate.core.errors import NotifyError
from budget_gate.notify.addresses import checked_address, retry_after_seconds
from budget_gate.notify.interface import Message
from budget_gate.notify.slack_blocks import blocks_of, text_of

if TYPE_CHECKING:
    from slack_sdk.webhook import WebhookClient

TIMEOUT_SECONDS = 10

_OK = 200
_TOO_MANY = 429
_HINTS = {
    "invalid_token": "make a new webhook and set SLACK_WEBHOOK_URL to it",
    "no_service": "the webhook was removed; make a new one and set SLACK_WEBHOOK_URL to it",
    "no_team": "the workspace is gone; set SLACK_WEBHOOK_URL to a webhook of another one",
    "channel_is_archived": "unarchive the channel, or make a webhook for another one",
    "channel_not_found": "make a webhook for a channel that exists",
    "action_prohibited": "an administrator has restricted the channel; make a webhook for another one",
    "posting_to_general_channel_denied": "make a webhook for another channel",
}
"""Slack's own words for what retrying does not cure, and what does."""


def quiet_client(url: str, timeout_seconds: int) -> "WebhookClient":
    """Return the library's client of a webhook, one that neither tells a log the address nor sends anything twice.

    Raises ``ImportError`` where the library is not installed.
    """
    import logging

    from slack_sdk.webhook import WebhookClient

    # A logger of its own, outside the tree: at DEBUG the library would log the address to whoever listens.
    silent = logging.Logger("budget-gate-slack", level=logging.CRITICAL + 1)  # noqa: LOG001 (it must not be found)
    return WebhookClient(url, timeout=timeout_seconds, logger=silent, retry_handlers=[])


class SlackNotifier:
    """One webhook. Raises ``UsageError`` for an address that may not be posted to."""

    def __init__(self, webhook_url: str, *, timeout_seconds: int = TIMEOUT_SECONDS) -> None:
        self._url = checked_address(webhook_url, "SLACK_WEBHOOK_URL")
        self._timeout_seconds = timeout_seconds

    def deliver(self, message: Message) -> None:
        """Post a message. Raises ``NotifyError`` unless Slack answered ``ok``."""
        status, body, headers = self._posted(message)
        if status == _OK and body.strip() == "ok":
            return
        if status == _TOO_MANY:
            seconds = retry_after_seconds(headers.get("retry-after"))
            raise NotifyError(f"Slack asks to wait {seconds:g} seconds; the message stays in the outbox", seconds)
        word = body.strip()[:60]
        hint = _HINTS.get(word, "the message stays in the outbox and is tried again")
        # An answer that is not one of Slack's words may be anybody's: a proxy's page, or one that repeats the address.
        raise NotifyError(f"Slack answered {status}{f' {word}' if word in _HINTS else ''}; {hint}")

    def _posted(self, message: Message) -> tuple[int, str, dict[str, str]]:
        try:
            client = quiet_client(self._url, self._timeout_seconds)
        except ImportError:
            raise NotifyError("Slack needs the package slack-sdk; install budget-gate-ci[slack]") from None
        try:
            answer = client.send(text=text_of(message), blocks=blocks_of(message), unfurl_links=False, unfurl_media=False)
        except Exception as error:  # noqa: BLE001 (urllib, ssl, http.client and the library raise each in its own way)
            raise NotifyError(f"Slack cannot be reached ({type(error).__name__}); the message stays in the outbox") from None
        return answer.status_code, answer.body or "", {name.lower(): value for name, value in dict(answer.headers).items()}
