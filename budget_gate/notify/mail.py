"""A message as an e-mail: plain text, and the same as HTML. Sends nothing; the library's own rules keep names out of headers."""

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from html import escape

from budget_gate.core.errors import NotifyError
from budget_gate.notify.interface import Message

SUBJECT_CHARACTERS = 200
ADDRESS_CHARACTERS = 254

_ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


def address_of(text: str) -> str:
    """Return ``text`` if it is one plain address; raise ``ValueError`` for anything that could name a second one, or a header."""
    if len(text) > ADDRESS_CHARACTERS or not _ADDRESS.fullmatch(text):
        raise ValueError("not a plain address")
    return text


def mail_of(message: Message, sender: str) -> EmailMessage:
    """Return the e-mail to the message's owner, without a date. Raises ``NotifyError`` when there is nobody to write to.

    Its id is made from the dedup key, so that a message sent twice after a crash is recognized as one.
    """
    try:
        recipient = address_of(message.owner)
    except ValueError:
        raise NotifyError("the budget's owner is not an e-mail address; write `owner: name@example.com` in the policy") from None
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address("budget-gate", addr_spec=sender)
    mail["To"] = recipient
    mail["Subject"] = " ".join(message.title.split())[:SUBJECT_CHARACTERS]
    mail["Message-ID"] = (
        f"<{sha256(f'{message.dedup_key} {message.kind}'.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"
    )
    mail["Auto-Submitted"] = "auto-generated"  # so that nobody's holiday answers it
    mail.set_content(_plain(message), cte="quoted-printable")
    mail.add_alternative(_html(message), subtype="html", cte="quoted-printable")
    return mail


def _plain(message: Message) -> str:
    width = max((len(label) for label, _ in message.fields), default=0)
    rows = [f"{label + ':':{width + 1}} {value}" for label, value in message.fields]
    return "\n".join([message.title, "", *message.lines, "", *rows, "", "-- ", "budget-gate", ""])


def _html(message: Message) -> str:
    paragraphs = "".join(f"<p>{escape(line)}</p>\n" for line in message.lines)
    rows = "".join(f'<tr><th align="left">{escape(label)}</th><td>{escape(value)}</td></tr>\n' for label, value in message.fields)
    style = "font-family:sans-serif;font-size:14px;line-height:1.5"
    return (
        f'<!doctype html>\n<html><body style="{style}">\n<h2 style="font-size:18px">{escape(message.title)}</h2>\n'
        f'{paragraphs}<table cellpadding="4">\n{rows}</table>\n<p>budget-gate</p>\n</body></html>\n'
    )
