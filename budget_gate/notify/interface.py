"""What an alert is, and what every channel promises: to deliver one message or to raise ``NotifyError``. Channels decide nothing.

A message is plain text. Whatever markup a channel speaks, it makes that text harmless in it itself.
"""

from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from budget_gate.core.errors import NotifyError

Severity = Literal["info", "warning", "error", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "critical")


class Message(NamedTuple):
    """One alert, ready to be shown: title and lines are single lines of plain text, fields are labels and values, none empty.

    ``dedup_key`` names what it is about: the same alert sent twice has the same key, and the message that resolves it too.
    ``owner`` is an e-mail address, or empty where nobody can be written to.

    ``also_keys`` name the same matter in other words: whoever was told under one of them has been told. ``over_at`` is when the matter
    is over by itself, None where somebody has to say so.
    """

    kind: str
    title: str
    lines: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    severity: Severity
    dedup_key: str
    owner: str = ""
    is_resolved: bool = False
    also_keys: tuple[str, ...] = ()
    over_at: datetime | None = None


class Notifier(Protocol):
    """One channel. Nothing about it, not its ``repr`` and not its errors, shows an address with a secret in it, a password or a key."""

    def deliver(self, message: Message) -> None:
        """Deliver a message, waiting no longer than the channel's timeouts. Raises ``NotifyError`` unless it was accepted."""
        ...


class UnusableNotifier:
    """A channel whose address is wrong. Nothing is lost: messages to it fail with what to write instead, and wait in the outbox."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    def deliver(self, message: Message) -> None:  # noqa: ARG002 (no message gets through)
        """Raise ``NotifyError``, always."""
        raise NotifyError(f"{self._problem}; its alerts wait in the outbox")
