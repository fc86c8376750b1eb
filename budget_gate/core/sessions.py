"""Sessions: a conversation of several turns, as it is kept between them."""

from typing import Literal, NamedTuple

from budget_gate.core.usage import Usage

NAME_CHARACTERS_MOST = 64
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


class Message(NamedTuple):
    """One thing that was said. ``text`` is foreign text, whoever said it."""

    role: Literal["user", "assistant"]
    text: str


class Session(NamedTuple):
    """One conversation. ``name`` is what people call it, ``identity`` what the ledger does: a name used again is a new session.

    ``messages`` are what the model still sees, in pairs of question and answer; ``summary`` stands for those before them, and
    ``said`` is all of it, for people. ``usage`` and ``cost_nano_usd`` add up over all turns, summaries included.
    """

    name: str
    identity: str
    workflow: str
    messages: tuple[Message, ...] = ()
    summary: str = ""
    said: tuple[Message, ...] = ()
    turns: int = 0
    usage: Usage = Usage()
    cost_nano_usd: int = 0
    is_over: bool = False

    def plus_cost(self, usage: Usage, cost_nano_usd: int) -> "Session":
        """Return the session with a call's use added."""
        return self._replace(usage=self.usage.plus(usage), cost_nano_usd=self.cost_nano_usd + cost_nano_usd)

    def plus_exchange(self, question: str, answer: str, *, shown: str) -> "Session":
        """Return the session with a question, as it was sent and as it is ``shown`` to people, and its answer added."""
        reply = Message("assistant", answer)
        messages = (*self.messages, Message("user", question), reply)
        return self._replace(messages=messages, said=(*self.said, Message("user", shown), reply))


def session_name(name: str) -> str:
    """Return ``name`` if it can name a session (and its file) anywhere. Raises ``ValueError`` saying what to write instead.

    A name is refused rather than mended: two names that were mended alike would share a conversation.
    """
    is_plain = set(name) <= _NAME_CHARACTERS and not name.startswith((".", "-"))
    if not name or not is_plain or len(name) > NAME_CHARACTERS_MOST:
        raise ValueError(
            f"{name[:NAME_CHARACTERS_MOST]!r} cannot name a session; write up to {NAME_CHARACTERS_MOST} "
            "ASCII letters, digits, dots, dashes or underscores, beginning with a letter or digit"
        )
    return name
