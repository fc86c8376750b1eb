"""Builds the Messages request of a review: instructions first and always the same, then the author's data between tags.

Reading the answer is ``review_answer``; which pieces go into a request is ``core.packing``.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from budget_gate.agents.prompt_files import Prompt
from budget_gate.core.diff_pieces import Piece
from budget_gate.core.diff_values import DiffLine
from budget_gate.core.pull_requests import SEVERITIES, PullRequest

TOOL_NAME = "report_findings"

TITLE_CHARACTERS_MOST = 200
BODY_CHARACTERS_MOST = 1_000
"""How much of a pull request's own words is shown: enough for its intention, too little to crowd out the diff."""

TAG_CHARACTERS_LEAST = 8

CACHE_MARK: Mapping[str, str] = {"type": "ephemeral"}
"""Asks for five minutes: the calls of a review follow each other (https://platform.claude.com/docs/en/build-with-claude/prompt-caching)."""

_TEXT = {"type": "string"}
_LINE = {"type": "integer", "minimum": 1}
TOOL: Mapping[str, Any] = {
    "name": TOOL_NAME,
    "description": "Report the problems found in the shown part of the change.",
    "input_schema": {
        "type": "object",
        "properties": {
            "findings": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "path": _TEXT,
                        "line": _LINE,
                        "end_line": _LINE,
                        "side": {"type": "string", "enum": ["LEFT", "RIGHT"]},
                        "severity": {"type": "string", "enum": list(SEVERITIES)},
                        "category": _TEXT,
                        "text": _TEXT,
                        "suggestion": _TEXT,
                    },
                    "required": ["path", "line", "side", "severity", "category", "text"],
                },
            },
            "summary": _TEXT,
        },
        "required": ["findings", "summary"],
    },
}
"""The structured answer. The model is made to call this tool; ``review_answer`` checks by hand what it says."""


def _visible() -> dict[int, str]:
    """Map characters that hide, reorder or break lines to something a reader sees (https://trojansource.codes)."""
    table = {code: chr(0x2400 + code) for code in range(32) if code != ord("\t")}
    table[0x7F] = "\u2421"
    hidden = (0x85, 0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
    for code in (*hidden, *range(0xE0000, 0xE0080)):
        table[code] = f"\\u{{{code:x}}}"
    return table


_VISIBLE = _visible()


def shown(text: str) -> str:
    """Return one line of the author's data as the model sees it: no character in it can end the line or hide."""
    return text.removesuffix("\r").translate(_VISIBLE)


def unused_tag(tag: str, texts: Iterable[str]) -> str:
    """Return ``tag``, lengthened until it occurs in none of the texts. Raises ``ValueError`` for one that is easy to guess.

    The caller draws it at random for each review, after the author has written: the data cannot close its own fence.
    """
    if len(tag) < TAG_CHARACTERS_LEAST or not tag.isalnum():
        raise ValueError(f"a tag is at least {TAG_CHARACTERS_LEAST} random letters and digits")
    data = "\n".join(texts)
    while tag in data:
        tag += "x"
    return tag


class Briefing(NamedTuple):
    """What every request of one review shares. ``pull`` is None for a bare diff.

    ``is_cached`` marks the parts that the next request begins with as well, instructions and the author's words, for the model's
    cache. A cached briefing keeps the description in narrow requests: one that differed would be paid for in full.
    """

    prompt: Prompt
    tag: str
    pull: PullRequest | None = None
    is_cached: bool = False

    def request(self, pieces: Iterable[Piece], *, is_narrow: bool = False) -> dict[str, Any]:
        """Return the request for these pieces, without ``model`` and ``max_tokens``. A narrow one leaves out the description."""
        parts = [f"The random word is {self.tag}."]
        if self.pull is not None:
            is_short = is_narrow and not self.is_cached
            parts.append(self._fenced("pull-request", self._about(self.pull, is_narrow=is_short)))
        diff = self._fenced("diff", pieces_text(pieces))
        mark = {"cache_control": CACHE_MARK} if self.is_cached else {}
        texts = ["\n".join(parts), diff] if self.is_cached else ["\n".join((*parts, diff))]
        content: list[dict[str, Any]] = [{"type": "text", "text": text} for text in texts]
        content[0] |= mark
        return {
            "system": [{"type": "text", "text": self.prompt.text, **mark}],
            "tools": [TOOL],
            "tool_choice": {"type": "tool", "name": TOOL_NAME},
            "messages": [{"role": "user", "content": content}],
        }

    def _fenced(self, name: str, data: str) -> str:
        return f"<{name}-{self.tag}>\n{data}\n</{name}-{self.tag}>"

    def _about(self, pull: PullRequest, *, is_narrow: bool) -> str:
        title = shown(pull.title[:TITLE_CHARACTERS_MOST])
        if is_narrow or not pull.body.strip():
            return title
        body = "\n".join(shown(line) for line in pull.body[:BODY_CHARACTERS_MOST].split("\n"))
        return f"{title}\n\n{body}"


def pieces_text(pieces: Iterable[Piece]) -> str:
    """Return the pieces as the model reads them; a file's line is written once for pieces of it that follow each other."""
    texts: list[str] = []
    path = None
    for piece in pieces:
        if piece.path != path:
            texts.append(_file_text(piece))
            path = piece.path
        texts.append(_run_text(piece))
    return "\n".join(texts)


def piece_text(piece: Piece) -> str:
    """Return a piece as it reads when it stands first: what it is priced by."""
    return f"{_file_text(piece)}\n{_run_text(piece)}\n"


def _file_text(piece: Piece) -> str:
    return f"file {shown(piece.path)} ({piece.status})"


def _run_text(piece: Piece) -> str:
    heading = f"@@ {shown(piece.heading)}".rstrip()
    return "\n".join((heading, *(_line_text(line) for line in piece.lines)))


def _line_text(line: DiffLine) -> str:
    text = shown(line.text)
    if line.kind == "removed":
        return f"L{line.old_line} -{text}"
    mark = "+" if line.kind == "added" else " "
    return f"R{line.new_line} {mark}{text}"
