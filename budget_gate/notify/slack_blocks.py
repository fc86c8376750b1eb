"""A message as Slack's Block Kit: plain-text objects for everything foreign, so that no name can be a mention, a link or a format.

Only the labels are mrkdwn, and they are ours. The limits are Slack's: a header of 150 characters, 3 000 in a section, ten fields of
2 000, fifty blocks.
"""

from typing import Any

from budget_gate.notify.interface import Message

HEADER_CHARACTERS = 150
SECTION_CHARACTERS = 3_000
FIELD_CHARACTERS = 2_000
FIELDS_MOST = 10
TEXT_CHARACTERS = 4_000

_SIGNS = {"info": "🔵", "warning": "🟡", "error": "🟠", "critical": "🔴"}
_BREAK = "\u200b"
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", **{mark: f"{_BREAK}{mark}{_BREAK}" for mark in "*_~`@#"}})

Block = dict[str, Any]


def text_of(message: Message) -> str:
    """Return the one line that notifications and old clients show. Slack reads it as mrkdwn, so it is escaped."""
    return _cut(mrkdwn_text(headline(message)), TEXT_CHARACTERS)


def blocks_of(message: Message) -> list[Block]:
    """Return the blocks: headline, a section of text, and sections of fields in two columns, label and value."""
    blocks: list[Block] = [{"type": "header", "text": _plain(headline(message), HEADER_CHARACTERS)}]
    text = "\n".join(message.lines)
    if text:
        blocks.append({"type": "section", "text": _plain(text, SECTION_CHARACTERS)})
    cells = [cell for label, value in message.fields for cell in (_label(label), _plain(value, FIELD_CHARACTERS))]
    blocks += [{"type": "section", "fields": cells[at : at + FIELDS_MOST]} for at in range(0, len(cells), FIELDS_MOST)]
    return blocks


def headline(message: Message) -> str:
    """Return the title behind a sign of how bad it is; a green one says that it is over."""
    return f"{'🟢' if message.is_resolved else _SIGNS[message.severity]} {message.title}"


def mrkdwn_text(text: str) -> str:
    """Return mrkdwn that shows ``text``: nothing of it mentions, links or formats."""
    return text.translate(_ESCAPED)


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": _cut(text, limit), "emoji": False}


def _label(text: str) -> Block:
    return {"type": "mrkdwn", "text": f"*{mrkdwn_text(text)}*", "verbatim": True}


def _cut(text: str, limit: int) -> str:
    """Return at most ``limit`` characters, counted as Slack does (in UTF-16 units), an ellipsis marking the cut."""
    units = text.encode("utf-16-le")
    if len(units) <= limit * 2:
        return text
    return units[: (limit - 1) * 2].decode("utf-16-le", errors="ignore") + "…"
