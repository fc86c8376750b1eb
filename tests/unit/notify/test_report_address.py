"""Where a month's report may be posted: the same addresses as an alert."""

import pytest

from budget_gate.core.errors import UsageError
from budget_gate.notify.slack_report import SlackReportChannel

CLEAR = ["http://127.0.0.1:80@evil.test/x", "http://localhost:1@evil.test/", "http://slack.test/x", "ftp://x/", ""]


@pytest.mark.parametrize("address", CLEAR)
def test_an_address_in_the_clear_on_another_machine_is_refused(address: str) -> None:
    """What only begins like this machine's address is another's; the error names the variable and repeats nothing of the secret."""
    with pytest.raises(UsageError, match="SLACK_WEBHOOK_URL") as refused:
        SlackReportChannel(address)
    assert "evil" not in str(refused.value)


def test_plain_http_to_this_machine_and_https_are_taken() -> None:
    """A test's server and Slack's own addresses can be posted to, and neither is shown."""
    for address in ("http://127.0.0.1:8080/hook", "https://hooks.slack.com/services/T/B/secret"):
        assert repr(SlackReportChannel(address)) == "SlackReportChannel(***)"
