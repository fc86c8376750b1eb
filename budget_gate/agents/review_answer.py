"""Reads the model's answer to a review request. An answer is data from outside: every field is checked by hand.

What is malformed, or points at a line that was not shown, is dropped and counted; nothing here raises for its content.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeGuard, cast, get_args

from budget_gate.agents.review_request import TOOL_NAME, shown
from budget_gate.agents.tool_answers import tool_input
from budget_gate.core.diff_pieces import Piece
from budget_gate.core.diff_values import LineRange, side_range
from budget_gate.core.pull_requests import SEVERITIES, Finding, Severity, Side
from budget_gate.core.secrets_masking import MASK

FINDINGS_READ_MOST = 200
"""Per answer; what comes behind is dropped and counted."""

TEXT_CHARACTERS_MOST = 2_000
SUGGESTION_CHARACTERS_MOST = 4_000
CATEGORY_CHARACTERS_MOST = 60
SUMMARY_CHARACTERS_MOST = 600

SIDES: tuple[Side, ...] = get_args(Side)


class Answer(NamedTuple):
    """What an answer says. ``failure`` is one line when something is wrong with it; it may be usable all the same."""

    findings: tuple[Finding, ...]
    dropped: int
    summary: str
    failure: str = ""
    is_usable: bool = True


class ShownLines:
    """Where a finding may point: the lines of one request, by path and side."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._paths: dict[str, str] = {}
        self._ranges: dict[tuple[str, Side], list[LineRange]] = {}
        for piece in sorted(pieces, key=lambda each: each.order):
            self._paths[piece.path] = self._paths[shown(piece.path)] = piece.path
            for side in SIDES:
                self._add(piece, side)

    def _add(self, piece: Piece, side: Side) -> None:
        new = side_range(piece.lines, side)
        if new is None:
            return
        ranges = self._ranges.setdefault((piece.path, side), [])
        if ranges and ranges[-1].last + 1 == new.first:  # two parts of one hunk
            ranges[-1] = LineRange(ranges[-1].first, new.last)
        else:
            ranges.append(new)

    def path(self, named: str) -> str | None:
        """Return the path that an answer means, tolerating diff prefixes, ``./`` and backslashes; None if it was not shown."""
        plain = named.strip()
        slashed = plain.replace("\\", "/")
        for candidate in (plain, slashed, slashed.removeprefix("./"), slashed[2:] if slashed[:2] in {"a/", "b/"} else plain):
            if candidate in self._paths:
                return self._paths[candidate]
        return None

    def range_of(self, path: str, side: Side, line: int) -> LineRange | None:
        """Return the run of shown lines that holds ``line``, or None."""
        return next((each for each in self._ranges.get((path, side), ()) if each.holds(line)), None)


def read_answer(message: Mapping[str, Any], lines: ShownLines) -> Answer:
    """Return what a Messages response says about the shown lines."""
    stop_reason = message.get("stop_reason")
    reported = tool_input(message, TOOL_NAME)
    items = reported.get("findings") if reported is not None else None
    if reported is None or not isinstance(items, list):
        return Answer((), 0, "", _why_unusable(stop_reason), is_usable=False)
    read = [_finding(item, lines) for item in items[:FINDINGS_READ_MOST]]
    findings = tuple(each for each in read if each is not None)
    summary = reported.get("summary")
    failure = (
        "the model's answer was cut off at its longest length; findings may be missing" if stop_reason == "max_tokens" else ""
    )
    return Answer(
        findings,
        len(items) - len(findings),
        summary.strip()[:SUMMARY_CHARACTERS_MOST] if isinstance(summary, str) else "",
        failure,
    )


def _why_unusable(stop_reason: object) -> str:
    if stop_reason == "refusal":
        return "the model declined to review this part"
    if stop_reason == "max_tokens":
        return "the model's answer was cut off before it reported anything"
    return "the model's answer is not of the agreed form"


def _finding(item: object, lines: ShownLines) -> Finding | None:
    """Return the finding an item describes, or None when a field is missing, of the wrong kind, or points nowhere."""
    if not isinstance(item, Mapping):
        return None
    text, category = _text(item, "text", TEXT_CHARACTERS_MOST), _text(item, "category", CATEGORY_CHARACTERS_MOST)
    named_path, severity = _text(item, "path", 4_096), _text(item, "severity", 20)
    side: Side | None = item.get("side")
    line: object = item.get("line")
    suggestion = item.get("suggestion") or ""
    if not (text and category and named_path and severity) or severity.lower() not in SEVERITIES:
        return None
    if side not in SIDES or not _is_line(line) or not isinstance(suggestion, str) or len(suggestion) > SUGGESTION_CHARACTERS_MOST:
        return None
    path = lines.path(named_path)
    run = lines.range_of(path, side, line) if path is not None else None
    if path is None or run is None:
        return None
    end_line: object = item.get("end_line")
    last = min(max(end_line, line), run.last) if _is_line(end_line) else line
    if (_is_line(end_line) and end_line != last) or MASK.search(suggestion):
        # It was written for other lines than those that would be replaced, or would commit a mask in place of a secret.
        suggestion = ""
    return Finding(path, line, last, side, cast("Severity", severity.lower()), category, text, suggestion)


def _text(item: Mapping[str, Any], field: str, characters_most: int) -> str:
    """Return a field's text, or empty text when it is missing, no text, or too long."""
    value = item.get(field)
    return value.strip() if isinstance(value, str) and len(value) <= characters_most else ""


def _is_line(value: object) -> TypeGuard[int]:
    """True for a line number; a boolean is an integer to Python and none here."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
