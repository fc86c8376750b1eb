"""Budgets as a table for a terminal, and refusals as one line. No colour unless asked for; nothing in a name reaches the terminal."""

import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime

from budget_gate.core.reservations import BudgetState, Refused
from budget_gate.reports.clean_text import CELL_CHARACTERS, clean_for_terminal
from budget_gate.reports.words import (
    REFUSAL_WORDS,
    amount_text,
    budget_name,
    count_text,
    resets_in,
    resets_text,
)

HEADINGS = ("scope", "per", "", "used / limit", "pending", "held", "tier", "resets")
SCOPE_WIDTH_LEAST = 22
"""Names keep so many columns even on a narrower terminal: a table that wraps says more than names that are all alike."""

BAR_WIDTHS = (16, 8, 0)
"""Widths of the bar that shows what is used, the widest that fits."""

_GAP = "  "
_NOTHING = "-"
_RIGHT = frozenset({3, 4, 5})
_COLOURS = {"warn": "\x1b[33m", "alert": "\x1b[31m", "stop": "\x1b[1;31m"}
_PLAIN = "\x1b[0m"


def render_budget_table(
    budgets: Sequence[BudgetState], *, colour: bool, width: int, now: datetime | None = None, zone: str = "UTC"
) -> str:
    """Return budgets as an aligned table, at most ``width`` columns wide where names can be shortened to that.

    With ``now`` (the ledger's clock) the last column says in how long a budget resets, without it when, on the clocks of ``zone``.
    """
    if not budgets:
        return "no budgets"
    for bar_width in BAR_WIDTHS:
        rows = [HEADINGS, *(_cells(state, bar_width, now, zone) for state in budgets)]
        widths = [_column_width(rows, column) for column in range(len(HEADINGS))]
        room = width - sum(each + len(_GAP) for each in widths[1:] if each)
        if room >= min(widths[0], SCOPE_WIDTH_LEAST):
            break
    widths[0] = min(widths[0], max(room, SCOPE_WIDTH_LEAST))
    rows = [(shortened(row[0], widths[0]), *row[1:]) for row in rows]
    lines = [_line(row, widths) for row in rows]
    if colour:
        lines[1:] = [_coloured(line, state) for line, state in zip(lines[1:], budgets, strict=True)]
    return "\n".join(lines)


def render_refusal(refused: Refused, *, zone: str = "UTC") -> str:
    """Return a refusal on one line: each limit that refuses, what is left of what was needed, when it resets, whom to ask."""
    parts = []
    for each in refused.refused_by:
        left, needed = amount_text(each.unit, each.left), amount_text(each.unit, each.needed)
        resets = f", resets {resets_text(each.resets_at, each.per, zone)}" if each.per != "lifetime" else ""
        owner = f", ask {clean_for_terminal(each.owner, CELL_CHARACTERS)}" if each.owner else ""
        name = clean_for_terminal(budget_name(each.scope, each.per), CELL_CHARACTERS)
        parts.append(f"{name} has {left} left of the {needed} needed ({REFUSAL_WORDS[each.reason]}{resets}{owner})")
    return f"refused: {'; '.join(parts) or 'no reason was given'}"


def plain_table(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Return rows (the first is the heading) in aligned columns; those in ``right`` are aligned to the right. Cells are clean already."""
    widths = [max(display_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths, right) for row in rows)


def display_width(text: str) -> int:
    """Return how many columns ``text`` takes: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def shortened(text: str, columns: int) -> str:
    """Return ``text`` in at most ``columns`` columns; where it is longer, its beginning and an ellipsis."""
    if display_width(text) <= columns:
        return text
    kept = ""
    for character in text:
        if display_width(kept + character) > columns - 1:
            break
        kept += character
    return f"{kept}…"


def _cells(state: BudgetState, bar_width: int, now: datetime | None, zone: str) -> tuple[str, ...]:
    resets = resets_text(state.resets_at, state.per, zone)
    if now is not None and state.per != "lifetime":
        resets = f"in {resets_in(state.resets_at - now)}"
    return (
        clean_for_terminal(state.scope.text, CELL_CHARACTERS),
        state.per,
        _bar(state.used_basis_points, bar_width),
        f"{count_text(state.unit, state.used)} / {amount_text(state.unit, state.limit)}",
        count_text(state.unit, state.pending) if state.pending else _NOTHING,
        count_text(state.unit, state.held) if state.held else _NOTHING,
        (state.tier or _NOTHING) if state.mode == "enforce" else f"{state.tier or _NOTHING} ({state.mode})",
        resets,
    )


def _bar(basis_points: int, width: int) -> str:
    """Return a bar of what is used; anything used shows, and only a limit that is reached fills it."""
    if not width:
        return ""
    filled = min(max(basis_points * width // 10_000, 1 if basis_points else 0), width)
    return "█" * filled + "░" * (width - filled)


def _column_width(rows: Sequence[Sequence[str]], column: int) -> int:
    """Return the width of a column; none at all if no row below the heading has anything in it."""
    if all(row[column] in ("", _NOTHING) for row in rows[1:]):
        return 0
    return max(display_width(row[column]) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int], right: Collection[int] = _RIGHT) -> str:
    cells = []
    for column, (text, width) in enumerate(zip(row, widths, strict=True)):
        if width:
            padding = " " * (width - display_width(text))
            cells.append(padding + text if column in right else text + padding)
    return _GAP.join(cells).rstrip()


def _coloured(line: str, state: BudgetState) -> str:
    return f"{_COLOURS[state.tier]}{line}{_PLAIN}" if state.tier in _COLOURS else line
