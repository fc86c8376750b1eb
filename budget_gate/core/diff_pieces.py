"""Pieces: the parts of a diff that are priced and sent. Cuts hunks so that every line keeps its number and none is lost."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from budget_gate.core.diff_functions import definition_starts, whole_functions
from budget_gate.core.diff_risk import Risk, risk_of
from budget_gate.core.diff_tests import untested_paths
from budget_gate.core.diff_values import DiffLine, FileDiff, FileStatus


class Piece(NamedTuple):
    """Neighbouring lines of one hunk. ``order`` is the place in the diff: file, hunk, part (parts of parts append a number).

    ``is_untested`` is true for source that no test in the same change is about.
    """

    order: tuple[int, ...]
    path: str
    status: FileStatus
    risk: Risk
    heading: str
    lines: tuple[DiffLine, ...]
    is_untested: bool = False

    @property
    def hunk(self) -> tuple[int, ...]:
        """Which hunk of the diff this is (part of)."""
        return self.order[:2]


def pieces_of(files: Iterable[FileDiff]) -> tuple[Piece, ...]:
    """Return one piece per hunk that has lines, in the diff's order."""
    everything = tuple(files)
    untested = untested_paths(everything)
    return tuple(
        Piece((file_index, hunk_index), file.path, file.status, risk, hunk.heading, hunk.lines, file.path in untested)
        for file_index, file in enumerate(everything)
        for risk in (risk_of(file.path),)
        for hunk_index, hunk in enumerate(file.hunks)
        if hunk.lines
    )


def halves(piece: Piece) -> tuple[Piece, Piece]:
    """Cut a piece of two lines or more near its middle: between functions, else before an unchanged line, if one is near."""
    cut = _cutting_place(piece.lines)
    return (
        piece._replace(order=(*piece.order, 0), lines=piece.lines[:cut]),
        piece._replace(order=(*piece.order, 1), lines=piece.lines[cut:]),
    )


def _cutting_place(lines: tuple[DiffLine, ...]) -> int:
    """Return where to cut: before the definition, else the blank, else the unchanged line nearest to the middle.

    Near means within a quarter of the length.
    """
    middle = len(lines) // 2
    near = sorted(range(middle - len(lines) // 4, middle + len(lines) // 4 + 1), key=lambda place: abs(place - middle))
    inside = [place for place in near if 0 < place < len(lines)]
    starts = definition_starts(lines)
    definition = (place for place in inside if place in starts)
    blank = (place for place in inside if not lines[place].text.strip())
    unchanged = (place for place in inside if lines[place].kind == "context")
    return next(definition, next(blank, next(unchanged, middle)))


def with_less_context(piece: Piece, context_lines: int, *, function_lines: int = 0) -> tuple[Piece, ...]:
    """Return the changed lines of a piece with at most ``context_lines`` unchanged ones around them.

    A changed function of at most ``function_lines`` lines that the piece shows from its first line to its last stays whole. What
    is left may have gaps, so it comes as several pieces, each without one. No changed line is left out.
    """
    lines = piece.lines
    keep = [False] * len(lines)
    for function in whole_functions(lines) if function_lines else ():
        if len(function) <= function_lines and any(lines[index].kind != "context" for index in function):
            keep[function.start : function.stop] = [True] * len(function)
    for index, line in enumerate(lines):
        if line.kind != "context":
            for near in range(max(0, index - context_lines), min(len(lines), index + context_lines + 1)):
                keep[near] = True
    runs = list(_runs(keep))
    if runs == [(0, len(lines))]:
        return (piece,)
    return tuple(piece._replace(order=(*piece.order, part), lines=lines[start:end]) for part, (start, end) in enumerate(runs))


def _runs(keep: list[bool]) -> Iterator[tuple[int, int]]:
    """Yield the half-open ranges of neighbouring true values."""
    start = None
    for index, kept in enumerate([*keep, False]):
        if kept and start is None:
            start = index
        elif not kept and start is not None:
            yield start, index
            start = None
