"""What an assistant asks the model: the conversation so far, fenced material from others, and the request for a summary."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from budget_gate.agents.prompt_files import Prompt
from budget_gate.agents.review_request import unused_tag
from budget_gate.core.sessions import Message, Session

SUMMARY_TOKENS_MOST = 500
"""The longest summary, in tokens: a request to write 250 words, with room."""

UNSEEN = "(no text)"
"""Stands for an empty message, which the API would refuse."""


class Question(NamedTuple):
    """What a user wants of one turn; ``context`` is what was piped in beside it."""

    text: str
    context: str = ""

    @property
    def shown(self) -> str:
        """The question as a transcript has it: how much material there was, and not the material itself."""
        return self.text if not self.context.strip() else f"{self.text}\n\n(with {len(self.context):,} characters of material)"

    def message(self, tag: str) -> str:
        """Return the question as the model gets it. Material is fenced: it was not written by who asks."""
        if not self.context.strip():
            return self.text
        fence = unused_tag(tag, (self.text, self.context))
        return f"The random word is {fence}.\n<material-{fence}>\n{self.context}\n</material-{fence}>\n\n{self.text}"


def turn_request(prompt: Prompt, session: Session, question: str, tag: str) -> dict[str, Any]:
    """Return the request of one turn, without ``model`` and ``max_tokens``."""
    messages = [*_summary_messages(session.summary, tag), *session.messages, Message("user", question)]
    return {
        "system": prompt.text,
        "messages": [{"role": message.role, "content": sendable(message.text).strip() or UNSEEN} for message in messages],
    }


def summary_request(prompt: Prompt, summary: str, messages: Sequence[Message], tag: str) -> dict[str, Any]:
    """Return the request to shorten what was said, earlier notes included."""
    said = "\n\n".join(f"{message.role}: {message.text}" for message in messages)
    notes = f"Notes of what came before: {summary}\n\n" if summary else ""
    fence = unused_tag(tag, (notes, said))
    text = f"The random word is {fence}.\n<conversation-{fence}>\n{notes}{said}\n</conversation-{fence}>"
    return {"system": prompt.text, "messages": [{"role": "user", "content": sendable(text)}]}


def sendable(text: str) -> str:
    """Return ``text`` without what no encoding can carry: half characters, from a terminal's odd bytes or a model's odd escapes."""
    return text.encode("utf-8", "replace").decode()


def answer_text(message: Any) -> str:
    """Return the text of a Messages response."""
    blocks = message.get("content") or ()
    return "".join(str(block.get("text") or "") for block in blocks if block.get("type") == "text")


def _summary_messages(summary: str, tag: str) -> list[Message]:
    if not summary:
        return []
    fence = unused_tag(tag, (summary,))
    notes = (
        f"The random word is {fence}.\n<notes-{fence}>\n{summary}\n</notes-{fence}>\nThese are notes of our earlier conversation."
    )
    return [Message("user", notes), Message("assistant", "I have read the notes.")]
