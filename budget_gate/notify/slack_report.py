"""Posts a monthly report to a Slack incoming webhook. The address is the secret: it appears in no result and no error."""

from collections.abc import Mapping, Sequence
from typing import Any

from budget_gate.notify.addresses import checked_address
from budget_gate.notify.report_channel import PostResult
from budget_gate.notify.slack_sending import OK, send_once, word_of


class SlackReportChannel:
    """Implements ``report_channel.ReportChannel``. Raises ``UsageError`` for an address that cannot be one."""

    name = "slack"
    has_threads = False

    def __init__(self, webhook_url: str) -> None:
        self._webhook_url = checked_address(webhook_url, "SLACK_WEBHOOK_URL")

    def __repr__(self) -> str:
        return "SlackReportChannel(***)"

    def post(self, messages: Sequence[Mapping[str, Any]]) -> PostResult:
        """Post the first message, once. Slack's answer decides; without one nobody knows whether it was posted."""
        answer = send_once(self._webhook_url, messages[0], "SLACK_WEBHOOK_URL")
        if isinstance(answer, PostResult):
            return answer
        if answer.status == OK:
            return PostResult("posted")
        return PostResult(
            "refused", f"Slack answered {answer.status} ({word_of(answer.body) or 'no reason'}); check SLACK_WEBHOOK_URL"
        )
