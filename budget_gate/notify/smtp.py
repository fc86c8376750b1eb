"""E-mail by SMTP, always encrypted and always with the server's certificate checked; without encryption only to this machine."""

import smtplib
import ssl
from typing import NamedTuple

from budget_gate.core.errors import NotifyError, UsageError
from budget_gate.notify.addresses import is_loopback
from budget_gate.notify.interface import Message
from budget_gate.notify.mail import address_of, mail_of

TIMEOUT_SECONDS = 10
FORMS = "smtps://USER:PASSWORD@HOST:465 or smtp+starttls://USER:PASSWORD@HOST:587 (smtp://localhost:25 only to this machine)"
_PORTS = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}


class Server(NamedTuple):
    """Where mail is handed in. It carries a password, so it is never shown."""

    scheme: str
    host: str
    port: int
    user: str
    password: str


def parse_smtp_url(url: str) -> Server:
    """Return the server that ``url`` names; user and password are percent-decoded. Raises ``UsageError``, repeating none of it."""
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        user, password = unquote(parts.username or "", errors="strict"), unquote(parts.password or "", errors="strict")
    except ValueError:  # an impossible port, or an escape that is no text
        raise UsageError(f"SMTP_URL is not the address of a mail server; write {FORMS}") from None
    is_plain = parts.path in {"", "/"} and not parts.query and not parts.fragment
    if parts.scheme not in _PORTS or not host or not is_plain or (parts.scheme == "smtp" and not is_loopback(host)):
        raise UsageError(f"SMTP_URL is not the address of a mail server; write {FORMS}")
    return Server(parts.scheme, host, port or _PORTS[parts.scheme], user, password)


class SmtpNotifier:
    """One mail server and one sender. Raises ``UsageError`` when either cannot be used."""

    def __init__(self, url: str, sender: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._server = parse_smtp_url(url)
        self._timeout_seconds = timeout_seconds
        try:
            self._sender = address_of(sender)
        except ValueError:
            raise UsageError("SMTP_FROM is not the address alerts come from; write one such as budget-gate@example.com") from None

    def __repr__(self) -> str:
        return f"SmtpNotifier({self._sender!r})"

    def deliver(self, message: Message) -> None:
        """Hand a mail to the server. Raises ``NotifyError`` unless the server took it for its recipient."""
        from email.utils import formatdate

        mail = mail_of(message, self._sender)
        mail["Date"] = formatdate()
        try:
            with self._connected() as connection:
                if self._server.user:
                    connection.login(self._server.user, self._server.password)
                connection.send_message(mail, self._sender, [message.owner])
        except (OSError, smtplib.SMTPException, ValueError, UnicodeError) as error:
            raise _translated(error) from None  # the cause may repeat the password that was refused

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.scheme == "smtps":
            return smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout_seconds, context=_checking_context())
        connection = smtplib.SMTP(server.host, server.port, timeout=self._timeout_seconds)
        if server.scheme == "smtp+starttls":
            try:
                connection.starttls(context=_checking_context())  # raises where the server does not offer it
            except BaseException:
                connection.close()
                raise
        return connection


def _checking_context() -> ssl.SSLContext:
    """Return a context that checks certificate and name against the machine's authorities (or those of ``SSL_CERT_FILE``)."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _translated(error: Exception) -> NotifyError:
    match error:
        case ssl.SSLCertVerificationError():
            text = "the mail server's certificate cannot be trusted; nothing was sent to it"
        case smtplib.SMTPAuthenticationError():
            text = f"the mail server refused the login ({error.smtp_code}); check user and password in SMTP_URL"
        case smtplib.SMTPRecipientsRefused():
            text = "the mail server refused the recipient; check the budget's `owner` in the policy"
        case smtplib.SMTPSenderRefused():
            text = f"the mail server refused the sender ({error.smtp_code}); check SMTP_FROM"
        case smtplib.SMTPNotSupportedError():
            text = "the mail server offers no STARTTLS or no login; check SMTP_URL"
        case smtplib.SMTPResponseException():
            text = f"the mail server answered {error.smtp_code}; the message stays in the outbox"
        case _:
            text = f"the mail server cannot be reached ({type(error).__name__}); the message stays in the outbox"
    return NotifyError(text)
