"""A unified diff as values: files, hunks, lines, and which lines a remark may point at. Reading one is ``core.diffs``."""

from typing import Literal, NamedTuple

from budget_gate.core.pull_requests import Side

LineKind = Literal["context", "added", "removed"]
FileStatus = Literal["added", "deleted", "modified", "renamed", "copied", "mode_changed"]
FileContent = Literal["text", "binary", "submodule", "combined", "unreadable"]


class DiffLine(NamedTuple):
    """One line of a hunk, without its line feed.

    ``old_line`` and ``new_line`` count from 1 and are 0 on the side that does not have the line. ``ends_file`` marks a last
    line without a line feed.
    """

    kind: LineKind
    old_line: int
    new_line: int
    text: str
    ends_file: bool = False

    def on(self, side: Side) -> int:
        """Return the line's number on a side, 0 if that side does not have it."""
        return self.new_line if side == "RIGHT" else self.old_line


class Hunk(NamedTuple):
    """A run of neighbouring lines. ``heading`` is the text behind the second ``@@``.

    Starts and counts are what the header declares; ``is_cut`` is true when fewer or other lines followed than it declares.
    """

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    heading: str
    lines: tuple[DiffLine, ...]
    is_cut: bool = False


class FileDiff(NamedTuple):
    """What a diff says about one file. ``old_path`` of an added file and ``new_path`` of a deleted one are empty.

    ``problem`` says why ``combined`` and ``unreadable`` content was set aside. Modes are octal text, empty when not stated.
    """

    old_path: str
    new_path: str
    status: FileStatus
    content: FileContent
    hunks: tuple[Hunk, ...] = ()
    old_mode: str = ""
    new_mode: str = ""
    problem: str = ""

    @property
    def path(self) -> str:
        """The path that people know the file by: the new one, or the old one of a deleted file."""
        return self.new_path or self.old_path


class LineRange(NamedTuple):
    """Lines ``first`` to ``last`` of one side, both included, that belong to one hunk."""

    first: int
    last: int

    def holds(self, line: int) -> bool:
        """True if the line is within the range."""
        return self.first <= line <= self.last


def side_range(lines: tuple[DiffLine, ...], side: Side) -> LineRange | None:
    """Return the lines of one side that neighbouring hunk lines show, or None when they show none.

    Within a hunk each side's lines have no gaps, so a range says it all. A remark on the LEFT may also stand on context.
    """
    first = next((line.on(side) for line in lines if line.on(side)), 0)
    if not first:
        return None
    return LineRange(first, next(line.on(side) for line in reversed(lines) if line.on(side)))


def valid_lines(file: FileDiff, side: Side) -> tuple[LineRange, ...]:
    """Return the line ranges of one side of a file that its diff shows: where a review remark may be attached."""
    ranges = (side_range(hunk.lines, side) for hunk in file.hunks)
    return tuple(each for each in ranges if each is not None)
