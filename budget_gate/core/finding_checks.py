"""The last pass over a review's findings: each is held against the hunk it points into, and what was said twice is said once. Pure.

That a finding points at a line which was shown has been checked when the answer was read. Here: the code that it quotes is looked
for, a remark on an unchanged line stands on the new side, a suggestion has to change something and gets the line ends of the lines
it replaces (the last line's own line feed stays where it is), and calls that saw neighbouring parts of one hunk may have found the
same thing.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from budget_gate.core.diff_pieces import Piece
from budget_gate.core.diff_values import DiffLine
from budget_gate.core.pull_requests import SEVERITIES, Finding, Side

QUOTED_CHARACTERS_LEAST = 6
QUOTES_LOOKED_AT = 5
LINES_OFF_MOST = 5
"""A finding that quotes code which stands nearby, in one place only, meant that place: models miscount lines by a few."""

ALIKE_PERCENT = 50
"""Two texts on the same lines say the same when at least so many of their words are shared."""

WORDS_LEAST = 3
"""Shorter texts have too few words to compare."""

_QUOTE = re.compile(r"`([^`\n]{1,200})`")
_WORD = re.compile(r"\w{3,}")


class _Place(NamedTuple):
    """A line as it was shown, and the hunk that it belongs to."""

    line: DiffLine
    hunk: tuple[int, ...]


class ShownCode:
    """The lines that a review showed, by path, side and number."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._places: dict[tuple[str, Side, int], _Place] = {}
        for piece in pieces:
            for line in piece.lines:
                if line.old_line:
                    self._places[piece.path, "LEFT", line.old_line] = _Place(line, piece.hunk)
                if line.new_line:
                    self._places[piece.path, "RIGHT", line.new_line] = _Place(line, piece.hunk)

    def at(self, finding: Finding, line: int) -> _Place | None:
        """Return what stands on a line of a finding's file and side, or None when it was not shown."""
        return self._places.get((finding.path, finding.side, line))

    def texts(self, finding: Finding) -> list[str]:
        """Return the texts of the lines that a finding covers."""
        places = (self.at(finding, line) for line in range(finding.line, finding.end_line + 1))
        return [place.line.text for place in places if place is not None]


def checked(findings: Iterable[Finding], shown: ShownCode) -> tuple[Finding, ...]:
    """Return the findings, most severe first, each held against its hunk, and one left of those that say the same."""
    kept: list[Finding] = []
    by_file: dict[tuple[str, Side], list[Finding]] = {}
    for finding in sorted((_held_against(each, shown) for each in findings), key=_gravest_first):
        others = by_file.setdefault((finding.path, finding.side), [])
        if not any(_say_the_same(finding, other) for other in others):
            others.append(finding)
            kept.append(finding)
    return tuple(kept)


def _gravest_first(finding: Finding) -> tuple[int, Finding]:
    return -SEVERITIES.index(finding.severity), finding


def _held_against(finding: Finding, shown: ShownCode) -> Finding:
    finding = _moved_to_its_quote(_on_the_new_side(finding, shown), shown)
    if not finding.suggestion.strip():
        return finding._replace(suggestion="")
    replaced = shown.texts(finding)
    suggestion = finding.suggestion.replace("\r\n", "\n")
    if suggestion.strip("\n") == "\n".join(text.removesuffix("\r") for text in replaced).strip("\n"):
        return finding._replace(suggestion="")
    if any(text.endswith("\r") for text in replaced):
        suggestion = suggestion.removesuffix("\n").replace("\n", "\r\n") + "\r"
    return finding._replace(suggestion=suggestion)


def _on_the_new_side(finding: Finding, shown: ShownCode) -> Finding:
    """Return a remark on unchanged lines of the old side as one on the same lines of the new side, where they have new numbers."""
    if finding.side == "RIGHT":
        return finding
    first, last = shown.at(finding, finding.line), shown.at(finding, finding.end_line)
    if first is None or last is None or "removed" in (first.line.kind, last.line.kind):
        return finding
    return finding._replace(side="RIGHT", line=first.line.new_line, end_line=last.line.new_line)


def _moved_to_its_quote(finding: Finding, shown: ShownCode) -> Finding:
    """Return a finding on the one line nearby that holds the code it quotes, unless its own lines hold any of that.

    A suggestion was written for the lines that were named, so it is not taken along.
    """
    quotes = [quote.strip() for quote in _QUOTE.findall(finding.text)[:QUOTES_LOOKED_AT]]
    quotes = [quote for quote in quotes if len(quote) >= QUOTED_CHARACTERS_LEAST]
    own = shown.at(finding, finding.line)
    if own is None or any(quote in text for quote in quotes for text in shown.texts(finding)):
        return finding
    near = range(max(finding.line - LINES_OFF_MOST, 1), finding.end_line + LINES_OFF_MOST + 1)
    for quote in quotes:
        places = [(line, shown.at(finding, line)) for line in near]
        holding = [line for line, place in places if place is not None and place.hunk == own.hunk and quote in place.line.text]
        if len(holding) == 1:
            return finding._replace(line=holding[0], end_line=holding[0], suggestion="")
    return finding


def _say_the_same(one: Finding, other: Finding) -> bool:
    if one.line > other.end_line or other.line > one.end_line:
        return False
    if one.line == other.line and one.category.casefold() == other.category.casefold():
        return True
    words, others = (set(_WORD.findall(each.text.casefold())) for each in (one, other))
    fewer = min(len(words), len(others))
    return fewer >= WORDS_LEAST and len(words & others) * 100 >= len(words | others) * ALIKE_PERCENT
