"""The two HTTP channels against strict servers on loopback: what they deliver, how they fail, and what they never show."""

import logging
import traceback

import pytest
from fakes.alert_messages import messages
from fakes.alert_services import ROUTING_KEY, WEBHOOK_PATH, AlertServices, Behaviour

from budget_gate.core.errors import NotifyError, UsageError
from budget_gate.notify.addresses import checked_address, retry_after_seconds
from budget_gate.notify.interface import Notifier
from budget_gate.notify.pagerduty import PagerDutyNotifier
from budget_gate.notify.slack import SlackNotifier

SECRETS = (WEBHOOK_PATH, "secretwebhookpart", ROUTING_KEY)


def _notifiers(services: AlertServices, timeout_seconds: int = 5) -> dict[str, Notifier]:
    return {
        "slack": SlackNotifier(services.slack_url, timeout_seconds=timeout_seconds),
        "pagerduty": PagerDutyNotifier(ROUTING_KEY, services.events_url, timeout_seconds=timeout_seconds),
    }


def test_every_kind_of_message_is_accepted() -> None:
    """Both services take every message; an incident is open until it is resolved under the same key."""
    known = messages()
    with AlertServices() as services:
        for message in known.values():
            for notifier in _notifiers(services).values():
                notifier.deliver(message)
        assert services.refused == []
        assert len(services.slack) == len(services.pagerduty) == len(known)
        assert known["stop"].dedup_key not in services.open_incidents


@pytest.mark.parametrize("channel", ["slack", "pagerduty"])
def test_a_service_that_asks_to_wait_is_quoted(channel: str) -> None:
    """Retry-After of a 429 is in the error, for whoever decides when to try again."""
    with AlertServices() as services:
        services.queue(channel, Behaviour("status", 429, {"Retry-After": "7"}))
        with pytest.raises(NotifyError) as caught:
            _notifiers(services)[channel].deliver(messages()["stop"])
    assert caught.value.retry_after_seconds == 7


@pytest.mark.parametrize("channel", ["slack", "pagerduty"])
@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour("status", 500, body=f"error at {WEBHOOK_PATH}"),
        Behaviour("status", 400, body=f"bad {ROUTING_KEY}"),
        Behaviour("status", 200, body="<html>sign in</html>"),
        Behaviour("status", 302, {"Location": "http://127.0.0.1:9/"}),
        Behaviour("status", 307, {"Location": "http://127.0.0.1:9/"}),
        Behaviour("reset"),
    ],
    ids=lambda behaviour: f"{behaviour.kind}-{behaviour.status}",
)
def test_a_failure_is_a_notify_error_without_a_secret(channel: str, behaviour: Behaviour) -> None:
    """Whatever a service answers, or does not, ends in NotifyError; nothing that is printed of it shows address or key."""
    with AlertServices() as services:
        notifier = _notifiers(services)[channel]
        services.queue(channel, behaviour)
        try:
            notifier.deliver(messages()["stop"])
        except NotifyError as error:
            shown = "".join(traceback.format_exception(error)) + repr(notifier) + repr(error)
        else:
            raise AssertionError("it was not delivered, and nobody said so")
    assert not any(secret in shown for secret in SECRETS)


@pytest.mark.parametrize("channel", ["slack", "pagerduty"])
def test_a_silent_service_ends_with_the_timeout(channel: str) -> None:
    """A service that says nothing holds a job up no longer than the timeout."""
    with AlertServices() as services:
        services.queue(channel, Behaviour("stall", seconds=1.5))
        with pytest.raises(NotifyError, match="cannot be reached"):
            _notifiers(services, timeout_seconds=1)[channel].deliver(messages()["stop"])


def test_a_webhook_that_was_removed_says_what_to_do() -> None:
    """Slack's own words are turned into what cures them."""
    with AlertServices() as services:
        wrong = SlackNotifier(services.slack_url.replace("T000", "T999"))
        with pytest.raises(NotifyError, match="make a new one and set SLACK_WEBHOOK_URL"):
            wrong.deliver(messages()["warn"])
        with pytest.raises(NotifyError, match="PAGERDUTY_ROUTING_KEY"):
            PagerDutyNotifier("0" * 32, services.events_url).deliver(messages()["warn"])


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Even with every logger at DEBUG, the webhook's address is in no log."""
    caplog.set_level(logging.DEBUG)
    with AlertServices() as services:
        services.queue("slack", Behaviour("status", 200, body="ok"), Behaviour("reset"))
        notifier = _notifiers(services)["slack"]
        notifier.deliver(messages()["warn"])
        with pytest.raises(NotifyError):
            notifier.deliver(messages()["warn"])
    assert "secretwebhookpart" not in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.slack.com/services/secret",
        "http://127.0.0.1.evil.test/secret",
        "ftp://hooks.slack.com/secret",
        "hooks.slack.com/secret",
        "https://hooks.slack.com:99999/secret",
        "https://hooks.slack.com/se cret",
        "https:///secret",
        "",
    ],
)
def test_only_https_or_this_machine(address: str) -> None:
    """Plain http leaves no machine; a wrong address is named by its variable and not repeated."""
    with pytest.raises(UsageError) as caught:
        checked_address(address, "SLACK_WEBHOOK_URL")
    assert "SLACK_WEBHOOK_URL" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_addresses_that_are_taken() -> None:
    """Https anywhere, http to loopback in both families and by name."""
    for address in ("https://hooks.slack.com/x", "http://127.0.0.1:1/x", "http://[::1]:1/x", "http://localhost/x"):
        assert checked_address(address, "X") == address


def test_retry_after_is_read_strictly() -> None:
    """Only whole seconds count, at most an hour; dates and nonsense are no wait."""
    assert [retry_after_seconds(text) for text in ("30", " 5 ", "99999", None, "soon", "-1", "1e9", "9" * 30)] == [
        *(30, 5, 3600),
        *(0, 0, 0, 0, 0),
    ]
