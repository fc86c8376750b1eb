"""A real SMTP server on loopback, over implicit TLS, STARTTLS or neither, with a login; certificates are made for the occasion."""

import email
import email.policy
import ssl
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self, cast

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

USER = "bot@acme.test"
PASSWORD = "s3cret/pass word"


class MailServer:
    """One server. ``security`` is ``tls``, ``starttls`` or ``none``.

    ``name`` is what its certificate says it is, valid until ``expired_on`` if given.
    """

    def __init__(self, folder: Path, security: str = "tls", name: str = "localhost", expired_on: datetime | None = None) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refuse_with = ""
        authority = trustme.CA()
        self.authority_file = folder / f"authority-{security}.pem"
        authority.cert_pem.write_to_path(str(self.authority_file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name, not_after=expired_on).configure_cert(context)
        self._controller = _Controller(self, security, context)
        self.security = security

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._controller.port)

    def url(self, password: str = "s3cret%2Fpass%20word") -> str:
        """Return the SMTP_URL of this server."""
        scheme = {"tls": "smtps", "starttls": "smtp+starttls", "none": "smtp"}[self.security]
        login = "" if self.security == "none" else f"bot%40acme.test:{password}@"
        return f"{scheme}://{login}localhost:{self.port}"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802 (a hook's name)
        """Take a mail."""
        if self.refuse_with:
            return self.refuse_with
        if self.security != "none" and not session.authenticated:
            return "530 Authentication required"
        assert isinstance(envelope.content, bytes)
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append(cast("EmailMessage", parsed))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


def _login(server: SMTP, session: Any, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)  # so that the server says no itself


class _Controller(Controller):
    def __init__(self, handler: MailServer, security: str, context: ssl.SSLContext) -> None:
        self._security = security
        self._starttls = context
        implicit = {"ssl_context": context} if security == "tls" else {}
        super().__init__(handler, hostname="localhost", port=_free_port(), **implicit)

    def factory(self) -> SMTP:
        """Return the protocol of one connection."""
        if self._security == "none":
            return SMTP(self.handler)
        is_implicit = self._security == "tls"
        return SMTP(
            self.handler,
            authenticator=_login,
            auth_require_tls=not is_implicit,  # aiosmtpd does not count implicit TLS as TLS
            tls_context=None if is_implicit else self._starttls,
            require_starttls=not is_implicit,
        )


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
