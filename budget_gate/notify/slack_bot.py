"""Posts a monthly report into a Slack channel as a bot: ``chat.postMessage``, what does not fit into one message as its thread.

Errors and rates: https://docs.slack.dev/reference/methods/chat.postMessage. The token is sent to slack.com and nowhere else.
"""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from budget_gate.core.errors import UsageError
from budget_gate.notify.addresses import checked_address, is_loopback, retry_after_seconds
from budget_gate.notify.report_channel import PostResult
from budget_gate.notify.slack_sending import OK, SlackAnswer, send_once, word_of

API_URL = "https://slack.com/api"
HOSTS = ("slack.com", "slack-gov.com")
"""Slack's own hosts, its one for governments among them. Tests use this machine."""

WAIT_SECONDS_MOST = 30.0
"""The longest wait that Slack may ask for; a run that would wait longer fails, and a later one posts."""

WAITS_MOST = 3
BETWEEN_SECONDS = 1.0
"""Slack takes about one message a second for a channel."""

_TOO_MANY = 429
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{6,20}")
_TOKENS = ("xoxb-", "xoxe.xoxb-")
_NEW_TOKEN = "install the app again and set SLACK_BOT_TOKEN to its bot token"  # noqa: S105 (an advice)
_HINTS = {
    "not_in_channel": "invite the app into the channel (/invite @APP), or give it the scope chat:write.public",
    "channel_not_found": "copy the ID from the channel's details; into a private channel the app must be invited first",
    "is_archived": "unarchive the channel, or name another one with --slack-channel",
    "invalid_auth": _NEW_TOKEN,
    "not_authed": _NEW_TOKEN,
    "token_revoked": _NEW_TOKEN,
    "token_expired": _NEW_TOKEN,
    "account_inactive": _NEW_TOKEN,
    "not_allowed_token_type": "SLACK_BOT_TOKEN must be a bot token; it begins with xoxb-",
    "missing_scope": "give the app the scope chat:write and install it again",
    "no_permission": "give the app the scope chat:write and install it again",
    "restricted_action": "the workspace restricts who may post there; ask an administrator, or name another channel",
    "restricted_action_read_only_channel": "the channel takes no messages; name another one with --slack-channel",
    "ekm_access_denied": "an administrator has suspended posting; ask them",
    "team_access_not_granted": "install the app in the workspace of the channel",
}
"""Slack's own words for what retrying does not cure, and what does."""

_MAY_BE_POSTED = ("fatal_error", "internal_error", "request_timeout", "service_unavailable")
"""Words with which Slack says that some of it may have happened."""


class _Sent(NamedTuple):
    result: PostResult
    ts: str = ""


class SlackBotChannel:
    """Implements ``report_channel.ReportChannel``. Raises ``UsageError`` for a token, a channel or an address that cannot be one."""

    has_threads = True

    def __init__(self, token: str, channel: str, api_url: str = "", *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._token = _checked_token(token)
        self._channel = _checked_channel(channel)
        self._url = f"{_checked_api_url(api_url or API_URL)}/chat.postMessage"
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"SlackBotChannel(***, {self._channel})"

    @property
    def name(self) -> str:
        """``slack-`` and the channel's ID: each channel is posted to once."""
        return f"slack-{self._channel}"

    def post(self, messages: Sequence[Mapping[str, Any]]) -> PostResult:
        """Post the first message, and the others as its thread. Only the first decides whether the report was posted."""
        first = self._send(messages[0])
        if first.result.state != "posted":
            return first.result
        for at, message in enumerate(messages[1:], 1):
            self._sleep(BETWEEN_SECONDS)
            sent = self._send({**message, "thread_ts": first.ts})
            if sent.result.state != "posted":
                return PostResult("posted", f"of its thread {at - 1} of {len(messages) - 1} messages: {sent.result.reason}")
        return PostResult("posted")

    def _send(self, message: Mapping[str, Any]) -> _Sent:
        """Send one message; while Slack asks to wait it was not posted, so waiting and sending again posts it once."""
        body = {**message, "channel": self._channel, "unfurl_links": False, "unfurl_media": False}
        headers = {"Authorization": f"Bearer {self._token}"}
        for _ in range(WAITS_MOST):
            answer = send_once(self._url, body, "SLACK_BOT_TOKEN", headers)
            if isinstance(answer, PostResult):
                return _Sent(answer)
            if answer.status != _TOO_MANY:
                return _judged(answer)
            seconds = retry_after_seconds(answer.headers.get("retry-after")) or BETWEEN_SECONDS
            if seconds > WAIT_SECONDS_MOST:
                break
            self._sleep(seconds)
        return _Sent(PostResult("refused", f"Slack takes no more messages for now (wait {seconds:g} seconds); run it again then"))


def _judged(answer: SlackAnswer) -> _Sent:
    """Return what an answer means. Slack says no with status 200 and a word; any other answer may come from anywhere."""
    try:
        document = json.loads(answer.body)
    except ValueError:
        document = None
    if answer.status != OK or not isinstance(document, dict):
        return _Sent(PostResult("unknown", f"Slack answered {answer.status} and did not say whether it posted the report"))
    if document.get("ok") is True and document.get("ts"):  # without its time nothing can be posted below it
        return _Sent(PostResult("posted"), str(document["ts"]))
    word = word_of(str(document.get("error", "")))
    if word in _MAY_BE_POSTED:
        return _Sent(PostResult("unknown", f"Slack failed ({word}) and did not say whether it posted the report"))
    hint = _HINTS.get(word, "look the word up at https://docs.slack.dev/reference/methods/chat.postMessage")
    return _Sent(PostResult("refused", f"Slack refused the report ({word or 'no reason'}); {hint}"))


def _checked_token(token: str) -> str:
    if token.startswith(_TOKENS) and token.isascii() and token.isprintable() and " " not in token:
        return token
    raise UsageError(
        "SLACK_BOT_TOKEN is no bot token; copy the one that begins with xoxb- from the app's page OAuth & Permissions"
    )


def _checked_channel(channel: str) -> str:
    if _CHANNEL.fullmatch(channel):
        return channel
    raise UsageError(
        f"--slack-channel: {channel[:40]!r} is no channel's ID; copy it from the channel's details, it looks like C0123456789"
    )


def _checked_api_url(url: str) -> str:
    """Return where the token may go: Slack, or this machine."""
    checked = checked_address(url, "SLACK_API_URL").rstrip("/")
    host = urlsplit(checked).hostname or ""
    if host in HOSTS or is_loopback(host):
        return checked
    raise UsageError(f"SLACK_API_URL is not Slack's; leave it out, or write {API_URL}")
