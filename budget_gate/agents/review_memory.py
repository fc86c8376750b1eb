"""What a review remembers, so that nobody pays twice for reading the same lines: results by content, kept as notes in the ledger.

A result is kept per piece under a digest of everything that shaped it but the line numbers, which move with every push: the
subject, the workflow, the model, the prompt's version, and the piece's path and lines. See docs/decisions/0015-agents.md.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from budget_gate.agents.review_answer import FINDINGS_READ_MOST, SIDES
from budget_gate.core.audit import AVOIDED, Entry, compact_json
from budget_gate.core.diff_pieces import Piece
from budget_gate.core.diff_values import LineRange, side_range
from budget_gate.core.errors import LedgerUnavailable
from budget_gate.core.pull_requests import SEVERITIES, Finding, Side
from budget_gate.core.routing import Route
from budget_gate.core.tasks import Task
from budget_gate.ledger.interface import Ledger, NewNote

REVIEWED = "reviewed"
"""Kind of the notes that hold the result of reading a piece."""

FINDINGS_BYTES_MOST = 4_096
"""The largest result that is kept; a longer one is read again."""

ASKED_MOST = 200
"""Notes asked for in one look at the ledger."""


class Remembered(NamedTuple):
    """What an earlier run found in a piece, placed on today's lines, and what reading it had cost."""

    findings: tuple[Finding, ...]
    nano_usd: int


class ReviewMemory:
    """Recalls and keeps results of one task. A ledger that cannot be asked has nothing to recall: the gate decides about outages."""

    def __init__(self, ledger: Ledger, task: Task) -> None:
        self._ledger, self._task = ledger, task
        self._new: list[NewNote] = []

    def recall(self, pieces: Sequence[Piece], route: Route) -> dict[tuple[int, ...], Remembered]:
        """Return what is known of these pieces on this route's model, by their order."""
        found: dict[tuple[int, ...], Remembered] = {}
        for first in range(0, len(pieces), ASKED_MOST):
            asked = pieces[first : first + ASKED_MOST]
            try:
                notes = self._ledger.notes([self._key(piece, route) for piece in asked])
            except LedgerUnavailable:
                return found
            for piece, note in zip(asked, notes, strict=True):
                remembered = _read(note, piece) if note is not None else None
                if remembered is not None:
                    found[piece.order] = remembered
        return found

    def keep(self, piece: Piece, route: Route, findings: Sequence[Finding], nano_usd: int) -> None:
        """Keep the result of a piece, once written; what is too large, or was kept before, is left as it is."""
        text = _written(piece, findings)
        if text is None or len(text.encode("utf-8", "replace")) > FINDINGS_BYTES_MOST:
            return
        details = {"findings": text, "nano_usd": str(nano_usd)}
        self._new.append(NewNote(self._key(piece, route), REVIEWED, self._labels(route), details))

    def record_avoided(self, pieces: Sequence[Piece], route: Route, nano_usd: int) -> None:
        """Keep what this run did not have to pay, once for a task and these pieces."""
        name = _digest([self._task.attribution.task, *(self._key(piece, route) for piece in pieces)])
        details = {"nano_usd": str(nano_usd), "hunks": str(len({piece.hunk for piece in pieces})), "reason": "same content"}
        self._new.append(NewNote(f"{AVOIDED}/{name}", AVOIDED, self._labels(route), details))

    def write(self) -> None:
        """Write everything that was kept, together: on a distant ledger each write takes seconds."""
        notes = list({each.key: each for each in self._new}.values())
        self._new.clear()
        with suppress(LedgerUnavailable):
            self._ledger.record_missing(notes)

    def _key(self, piece: Piece, route: Route) -> str:
        attribution = self._task.attribution
        subject = [attribution.project, attribution.pr or "no pull request"]
        lines = [[line.kind, line.text, line.ends_file] for line in piece.lines]
        shaped_by = [self._task.workflow.name, self._task.prompt_version, route.model, piece.path, piece.status]
        return f"{REVIEWED}/{_digest([*subject, *shaped_by, lines])}"

    def _labels(self, route: Route) -> Mapping[str, str]:
        named = self._task.attribution.labels()
        return {**named, "model": route.model, "tier": route.tier, "prompt_version": self._task.prompt_version}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=True).encode()).hexdigest()


def _written(piece: Piece, findings: Sequence[Finding]) -> str | None:
    """Return findings with lines counted from the piece's first, or None when one of them reaches beyond the piece."""
    items = []
    for finding in findings:
        lines = side_range(piece.lines, finding.side)
        if lines is None or not (lines.holds(finding.line) and lines.holds(finding.end_line)):
            return None
        place = [finding.side, finding.line - lines.first, finding.end_line - lines.first]
        items.append([*place, finding.severity, finding.category, finding.text, finding.suggestion])
    return compact_json(items)


def _read(note: Entry, piece: Piece) -> Remembered | None:
    """Return a note's findings on today's lines, or None when it is not what ``keep`` wrote."""
    try:
        details = note.parsed().body["details"]
        items = json.loads(details["findings"])
        nano_usd = int(details["nano_usd"])
        findings = tuple(_finding(item, piece) for item in items[:FINDINGS_READ_MOST])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Remembered(findings, max(nano_usd, 0))


def _finding(item: Any, piece: Piece) -> Finding:
    side, first, last, severity, category, text, suggestion = item
    lines = _lines_of(piece, side)
    line, end_line = lines.first + first, lines.first + last
    texts = (category, text, suggestion)
    if severity not in SEVERITIES or not all(isinstance(each, str) for each in texts):
        raise ValueError("not a finding")
    if not (lines.holds(line) and lines.holds(end_line) and line <= end_line):
        raise ValueError("not on the piece's lines")
    return Finding(piece.path, line, end_line, side, severity, category, text, suggestion)


def _lines_of(piece: Piece, side: Side) -> LineRange:
    lines = side_range(piece.lines, side) if side in SIDES else None
    if lines is None:
        raise ValueError("not a side of the piece")
    return lines
