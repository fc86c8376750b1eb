"""E-mail against a real SMTP server on loopback: TLS both ways, certificates checked, passwords kept, failures in one line."""

import traceback
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes.alert_messages import HOSTILE, messages
from fakes.mail_server import MailServer

from budget_gate.core.errors import NotifyError, UsageError
from budget_gate.notify.smtp import SmtpNotifier, parse_smtp_url

EXPIRED = datetime(2020, 1, 1, tzinfo=UTC)
SENDER = "budget-gate@acme.test"


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
def test_a_mail_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str) -> None:
    """Over implicit TLS, STARTTLS with a login, and plainly to this machine, one mail reaches the owner, text and HTML."""
    with MailServer(tmp_path, security) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority_file))
        SmtpNotifier(server.url(), SENDER).deliver(messages()["stop"])
    (mail,) = server.mails
    assert server.recipients == [["payments-lead@acme.test"]]
    assert mail["Subject"] == messages()["stop"].title
    assert mail["Date"]
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert "$525.00 of $350.00" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("fault", ["unknown authority", "another name", "out of date"])
def test_a_wrong_certificate_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str, fault: str) -> None:
    """No unknown authority's, no other host's and no expired certificate gets the mail or the password."""
    name, expired_on = "elsewhere.test" if fault == "another name" else "localhost", EXPIRED if fault == "out of date" else None
    with MailServer(tmp_path, security, name, expired_on) as server:
        if fault != "unknown authority":
            monkeypatch.setenv("SSL_CERT_FILE", str(server.authority_file))
        with pytest.raises(NotifyError, match="certificate cannot be trusted"):
            SmtpNotifier(server.url(), SENDER).deliver(messages()["stop"])
    assert server.mails == []


def test_a_server_without_starttls_gets_nothing(tmp_path: Path) -> None:
    """Where STARTTLS is asked for and not offered, nothing is sent in the clear."""
    with MailServer(tmp_path, "none") as server:
        notifier = SmtpNotifier(f"smtp+starttls://bot:pw@localhost:{server.port}", SENDER)
        with pytest.raises(NotifyError, match="STARTTLS"):
            notifier.deliver(messages()["stop"])
    assert server.mails == []


def test_a_refused_login_shows_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong password is an error that names SMTP_URL; repr, text and traceback hold no password."""
    with MailServer(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority_file))
        notifier = SmtpNotifier(server.url("wr0ngpw"), SENDER)
        with pytest.raises(NotifyError) as caught:
            notifier.deliver(messages()["stop"])
    shown = "".join(traceback.format_exception(caught.value)) + repr(notifier)
    assert "SMTP_URL" in shown
    assert "wr0ngpw" not in shown
    assert "s3cret" not in shown


def test_what_the_server_refuses_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused message is a NotifyError with the server's code and none of its words."""
    with MailServer(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority_file))
        server.refuse_with = "554 spam from bot@acme.test"
        with pytest.raises(NotifyError, match="answered 554; the message stays"):
            SmtpNotifier(server.url(), SENDER).deliver(messages()["stop"])


def test_nobody_listening_is_a_notify_error() -> None:
    """A server that is not there is an ordinary failure."""
    with pytest.raises(NotifyError, match="cannot be reached"):
        SmtpNotifier("smtp://localhost:1", SENDER).deliver(messages()["stop"])


def test_hostile_names_reach_one_recipient_only(tmp_path: Path) -> None:
    """Line ends and a lone dot in names neither end the mail early, nor add a header or a recipient."""
    message = messages()["stop"]._replace(title=HOSTILE, lines=(HOSTILE, ".", HOSTILE), fields=(("Budget", HOSTILE),))
    with MailServer(tmp_path, "none") as server:
        SmtpNotifier(server.url(), SENDER).deliver(message)
    (mail,) = server.mails
    assert server.recipients == [["payments-lead@acme.test"]]
    assert mail["Bcc"] is None
    assert mail.get_body(("plain",)).get_content().rstrip().endswith("budget-gate")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "url",
    [
        "smtp://mail.acme.test:25",
        "smtps://",
        "https://bot:pw@mail.acme.test",
        "smtps://bot:pw@h:0x1",
        "smtps://bot:pw@h/x?y",
        "pw",
    ],
)
def test_a_wrong_url_is_not_repeated(url: str) -> None:
    """What is wrong with SMTP_URL is said without any of it; plain SMTP to another machine is refused."""
    with pytest.raises(UsageError) as caught:
        parse_smtp_url(url)
    assert "write smtps://" in str(caught.value)
    assert "bot" not in str(caught.value)


def test_a_url_is_decoded_and_has_default_ports() -> None:
    """User and password are percent-decoded; ports default by scheme."""
    assert parse_smtp_url("smtps://a%40b.test:p%2Fw@mail.test")[1:] == ("mail.test", 465, "a@b.test", "p/w")
    assert parse_smtp_url("smtp+starttls://mail.test").port == 587


def test_a_sender_is_needed() -> None:
    """Without a usable SMTP_FROM the one line names it."""
    for sender in ("", "budget-gate", "a@b.test\r\nBcc: x@y.test"):
        with pytest.raises(UsageError, match="SMTP_FROM"):
            SmtpNotifier("smtps://mail.acme.test", sender)
