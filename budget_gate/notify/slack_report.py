"""Posts a monthly report to a Slack incoming webhook. The address is the secret: it appears in no result and no error."""

from collections.abc import Mapping
from typing import Any

from budget_gate.core.errors import UsageError
from budget_gate.notify.addresses import checked_address
from budget_gate.notify.report_channel import PostResult
from budget_gate.notify.slack import quiet_client

TIMEOUT_SECONDS = 15


class SlackReportChannel:
    """Implements ``report_channel.ReportChannel``. Raises ``UsageError`` for an address that cannot be one."""

    name = "slack"

    def __init__(self, webhook_url: str) -> None:
        self._webhook_url = checked_address(webhook_url, "SLACK_WEBHOOK_URL")

    def __repr__(self) -> str:
        return "SlackReportChannel(***)"

    def post(self, message: Mapping[str, Any]) -> PostResult:
        """Post once. Slack's answer decides; without one nobody knows whether it was posted."""
        try:
            client = quiet_client(self._webhook_url, TIMEOUT_SECONDS)
        except ImportError:
            raise UsageError("Slack needs an extra: pip install 'budget-gate-ci[slack]'") from None
        from socket import gaierror
        from urllib.error import URLError

        try:
            response = client.send_dict(dict(message))
        except URLError as error:
            if isinstance(error.reason, ConnectionRefusedError | gaierror):
                return PostResult("refused", "Slack cannot be reached; check SLACK_WEBHOOK_URL and the network")
            return PostResult("unknown", "the connection to Slack failed while the report was being sent")
        except OSError:  # a timeout, or a connection cut while the answer was read
            return PostResult("unknown", "Slack did not answer in time")
        if response.status_code == 200:  # noqa: PLR2004 - the one answer of a webhook that took the message
            return PostResult("posted")
        word = "".join(each for each in response.body[:60] if each.isalnum() or each in "_ ")
        return PostResult("refused", f"Slack answered {response.status_code} ({word or 'no reason'}); check SLACK_WEBHOOK_URL")
