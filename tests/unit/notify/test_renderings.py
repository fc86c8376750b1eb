"""What people read of an alert, per channel: golden files, limits, and names that cannot act on anything."""

import re

import pytest
from fakes.alert_messages import HOSTILE, hostile_messages, messages, pretty
from fakes.alert_services import ROUTING_KEY, pagerduty_fault, slack_fault
from fakes.golden import assert_golden
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.errors import NotifyError
from budget_gate.notify.interface import SEVERITIES, Message
from budget_gate.notify.mail import address_of, mail_of
from budget_gate.notify.pagerduty import event_of
from budget_gate.notify.slack_blocks import blocks_of, text_of

ACTING = re.compile(r"<[!@#]|<http|@here|@channel|@everyone")
KINDS = tuple(messages())
SENDER = "budget-gate@acme.test"


@pytest.mark.parametrize("kind", KINDS)
def test_every_channel_says_what_was_agreed(kind: str) -> None:
    """Slack's blocks, the mail's text and PagerDuty's event are those of the golden files."""
    message = messages()[kind]
    blocks = {"text": text_of(message), "blocks": blocks_of(message)}
    assert_golden(f"alert_{kind}_slack.json", pretty(blocks))
    assert_golden(f"alert_{kind}_pagerduty.json", pretty(event_of(message, ROUTING_KEY)))
    mail = mail_of(message, SENDER)
    plain, html = mail.iter_parts()
    headers = "".join(f"{name}: {value}\n" for name, value in mail.items() if not name.startswith("Content-"))
    assert_golden(f"alert_{kind}_mail.txt", f"{headers}\n{plain.get_content()}")
    assert message.title in html.get_content()


def test_every_alert_says_what_how_much_who_and_what_now() -> None:
    """Each message has a severity, an owner to write to, and lines for what happened, what is next and what to do."""
    for name, message in messages().items():
        assert message.severity in SEVERITIES
        assert message.owner.endswith("@acme.test"), name
        assert dict(message.fields)["Owner"] == message.owner
        assert len(message.lines) == (2 if message.is_resolved else 3)
        assert all(label and value for label, value in message.fields)


def test_a_stop_and_its_end_share_their_key_and_no_two_limits_do() -> None:
    """PagerDuty resolves what was triggered, and nothing else."""
    known = messages()
    assert known["stop"].dedup_key == known["resolved"].dedup_key == known["warn"].dedup_key
    assert len({known[kind].dedup_key for kind in ("stop", "forecast", "anomaly", "ledger_down")}) == 4


@pytest.mark.parametrize("message", hostile_messages(), ids=lambda message: message.kind)
def test_hostile_names_stay_names(message: Message) -> None:
    """Mentions, markup, line ends, escape sequences and direction marks in names change no message's form."""
    blocks = blocks_of(message)
    assert slack_fault({"text": text_of(message), "blocks": blocks}) == ""
    mrkdwn = [
        text_of(message),
        *(cell["text"] for block in blocks for cell in block.get("fields", []) if cell["type"] == "mrkdwn"),
    ]
    assert not any(ACTING.search(text) for text in mrkdwn)
    assert pagerduty_fault(event_of(message, ROUTING_KEY)) == ""
    for text in (message.title, *message.lines, *(value for _, value in message.fields)):
        assert text.isprintable(), text
    mail = mail_of(message._replace(owner="owner@acme.test"), SENDER)
    assert {name for name, _ in mail.items()} == {
        *("From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type")
    }
    _, html = mail.iter_parts()
    assert "<b>" not in html.get_content()


@given(
    st.text(max_size=400), st.lists(st.tuples(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=3000)), max_size=30)
)
def test_slack_takes_whatever_a_message_holds(title: str, fields: list[tuple[str, str]]) -> None:
    """No text and no number of fields passes Slack's limits, and the fallback line never mentions anybody."""
    message = Message("stop", title, (title,), tuple(fields), "critical", title, "a@b.test")
    if any("\ud800" <= character <= "\udfff" for text in (title, *sum(fields, ())) for character in text):
        return
    assert slack_fault({"text": text_of(message), "blocks": blocks_of(message)}) == ""
    assert not ACTING.search(text_of(message))


@given(
    st.text(max_size=80)
    | st.sampled_from(["a@b.test\r\nBcc: x@y.test", "a@b.test,c@d.test", "<a@b.test>", HOSTILE, "a b@c.test"])
)
def test_an_owner_is_one_address_or_nobody(owner: str) -> None:
    """Whatever the policy says, a mail has at most one recipient and no header that was not ours."""
    message = messages()["stop"]._replace(owner=owner, title=f"x {owner}")
    if not _is_address(owner):
        with pytest.raises(NotifyError, match="is not an e-mail address"):
            mail_of(message, SENDER)
        return
    mail = mail_of(message, SENDER)
    assert mail["To"] == owner
    assert len(mail.get_all("To", [])) == 1
    assert mail["Bcc"] is None


def _is_address(text: str) -> bool:
    try:
        return address_of(text) == text
    except ValueError:
        return False
