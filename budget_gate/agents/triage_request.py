"""The triage call: which hunks deserve the dearer model. Builds the request and reads the answer; when to ask is ``review_steps``.

The hunks are the author's data, as in a review: between tags, each line made harmless. The answer can only pick hunks that were
listed; everything else in it is passed over.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from budget_gate.agents.prompt_files import Prompt
from budget_gate.agents.review_request import shown
from budget_gate.agents.tool_answers import tool_input
from budget_gate.core.diff_pieces import Piece

TRIAGE_TOOL_NAME = "pick_hunks"

LINES_SHOWN = 6
LINE_CHARACTERS_SHOWN = 120
HEADING_CHARACTERS_SHOWN = 80
PATH_CHARACTERS_SHOWN = 200

_TOOL: Mapping[str, Any] = {
    "name": TRIAGE_TOOL_NAME,
    "description": "Pick the hunks that the better reviewer should read.",
    "input_schema": {
        "type": "object",
        "properties": {
            "picks": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"hunk": {"type": "integer", "minimum": 1}, "why": {"type": "string"}},
                    "required": ["hunk", "why"],
                },
            },
        },
        "required": ["picks"],
    },
}


def triage_request(prompt: Prompt, tag: str, pieces: Iterable[Piece]) -> dict[str, Any]:
    """Return the request that lists the pieces, numbered from 1, without ``model`` and ``max_tokens``."""
    listed = "\n".join(_listed(number, piece) for number, piece in enumerate(pieces, start=1))
    text = f"The random word is {tag}.\n<hunks-{tag}>\n{listed}\n</hunks-{tag}>"
    return {
        "system": [{"type": "text", "text": prompt.text}],
        "tools": [_TOOL],
        "tool_choice": {"type": "tool", "name": TRIAGE_TOOL_NAME},
        "messages": [{"role": "user", "content": [{"type": "text", "text": text}]}],
    }


def _listed(number: int, piece: Piece) -> str:
    changed = [line for line in piece.lines if line.kind != "context"]
    marks = {"added": "+", "removed": "-"}
    rows = [f"{marks[line.kind]}{shown(line.text[:LINE_CHARACTERS_SHOWN])}" for line in changed[:LINES_SHOWN]]
    if len(changed) > LINES_SHOWN:
        rows.append(f"({len(changed) - LINES_SHOWN} more changed lines)")
    heading = shown(piece.heading[:HEADING_CHARACTERS_SHOWN])
    head = f"hunk {number}: {shown(piece.path[:PATH_CHARACTERS_SHOWN])} ({piece.status}) {heading}"
    return "\n".join((head.rstrip(), *rows))


def read_picks(message: Mapping[str, Any], pieces: Sequence[Piece]) -> frozenset[tuple[int, ...]] | None:
    """Return the hunks that an answer picks of those listed, or None when it is not of the agreed form. Never raises."""
    given = tool_input(message, TRIAGE_TOOL_NAME)
    picks = given.get("picks") if given is not None else None
    if not isinstance(picks, list):
        return None
    numbers = [each.get("hunk") for each in picks if isinstance(each, Mapping)]
    listed = range(1, len(pieces) + 1)
    wanted = [number for number in numbers if isinstance(number, int) and not isinstance(number, bool)]
    return frozenset(pieces[number - 1].hunk for number in wanted if number in listed)
