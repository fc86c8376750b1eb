"""Reads a unified diff as git writes it into the values of ``core.diff_values``. Deciding what to review is ``diff_selection``.

A diff is its author's data: hunks are read by the lengths their headers declare, so content that looks like a header stays
content; what cannot be read is set aside with a reason and never raises. One pass, in time linear in the text.
"""

import re

from budget_gate.core.diff_paths import header_paths, marker_path, unquoted
from budget_gate.core.diff_values import DiffLine, FileContent, FileDiff, FileStatus, Hunk

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)", re.DOTALL)
_SUBMODULE_LOG = re.compile(r"Submodule (\S.*?) (?:[0-9a-f]{4,64}\.{2,3}[0-9a-f]{4,64}|contains )")
_SUBMODULE_MODE = "160000"
_COMBINED = ("diff --cc ", "diff --combined ")
_GIT_HEADERS = (
    *("index ", "old mode ", "new mode ", "new file mode ", "deleted file mode ", "similarity index ", "dissimilarity index "),
    *("rename from ", "rename to ", "copy from ", "copy to ", "--- ", "+++ ", "Binary files ", "Files "),
)


def parse_diff(data: bytes | str) -> tuple[FileDiff, ...]:
    """Return what a diff says, file by file, in its order. Bytes that are not UTF-8 become U+FFFD.

    Never raises for its content: an empty tuple when nothing in it is a diff.
    """
    lines = _decoded(data).split("\n")
    if not lines[-1]:
        lines.pop()
    return tuple(_Reader(lines).files())


def _decoded(data: bytes | str) -> str:
    """Return text that UTF-8 can carry: a lone surrogate, which no request could be sent with, is replaced too."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return raw.decode("utf-8", "replace")


class _Headers:
    """What the lines between ``diff --git`` and the first hunk say about a file."""

    def __init__(self, old_path: str = "", new_path: str = "") -> None:
        self.old_path, self.new_path = old_path, new_path
        self.has_paths = bool(new_path)
        self.old_mode = self.new_mode = self.problem = ""
        self.status: FileStatus = "modified"
        self.content: FileContent = "text"

    def read(self, line: str) -> None:
        """Take in one header line."""
        if line.startswith(("rename ", "copy ")):
            verb, _, rest = line.partition(" ")
            direction, _, path = rest.partition(" ")
            self.status = "renamed" if verb == "rename" else "copied"
            setattr(self, "old_path" if direction == "from" else "new_path", unquoted(path))
        elif line.startswith(("old mode ", "new mode ", "new file mode ", "deleted file mode ", "index ")):
            self._read_mode(line)
        elif line.startswith(("Binary files ", "Files ", "GIT binary patch")):
            self.content = "binary"
        elif line.startswith("--- ") and not self.has_paths and self.status == "modified":
            self.old_path = marker_path(line[4:])
        elif line.startswith("+++ ") and not self.has_paths and self.status == "modified":
            self.new_path = marker_path(line[4:])

    def _read_mode(self, line: str) -> None:
        mode = line.rpartition(" ")[2]
        if line.startswith("old"):
            self.old_mode = mode
        elif line.startswith("new mode"):
            self.new_mode = mode
        elif line.startswith("new file"):
            self.status, self.new_mode = "added", mode
        elif line.startswith("deleted"):
            self.status, self.old_mode = "deleted", mode
        elif line.count(" ") > 1:  # `index 1234..5678 100644`: the mode stayed as it is
            self.old_mode = self.new_mode = mode

    def file(self, hunks: list[Hunk]) -> FileDiff:
        """Return the file, once its hunks are read."""
        status, content = self.status, self.content
        if not self.has_paths and status == "modified" and bool(self.old_path) != bool(self.new_path):
            status = "added" if self.new_path else "deleted"
        if status == "modified" and not hunks and content == "text" and self.old_mode != self.new_mode:
            status = "mode_changed"
        if content == "text" and _SUBMODULE_MODE in (self.old_mode, self.new_mode):
            content = "submodule"
        return FileDiff(
            old_path="" if status == "added" else self.old_path,
            new_path="" if status == "deleted" else self.new_path,
            status=status,
            content=content,
            hunks=tuple(hunks),
            old_mode=self.old_mode,
            new_mode=self.new_mode,
            problem=self.problem,
        )


class _Reader:
    """Walks the lines once. Every method leaves ``_at`` on the first line it did not take."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self._is_git = False

    def files(self) -> list[FileDiff]:
        """Return the files of the whole text; lines that belong to none (mail headers, commit messages) are passed over."""
        found: list[FileDiff] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith("diff --git "):
                found.append(self._git_file(line))
            elif line.startswith(_COMBINED):
                found.append(self._combined_file(line))
            elif line.startswith("Submodule ") and (match := _SUBMODULE_LOG.match(line)):
                found.append(FileDiff(match[1], match[1], "modified", "submodule"))
                self._at += 1
            elif not self._is_git and self._plain_file_starts():
                found.append(self._plain_file())
            else:
                self._at += 1
        return found

    def _git_file(self, line: str) -> FileDiff:
        self._is_git = True
        headers = _Headers(*(header_paths(line.removeprefix("diff --git ")) or ()))
        self._at += 1
        while self._at < len(self._lines) and self._lines[self._at].startswith(_GIT_HEADERS):
            headers.read(self._lines[self._at])
            self._at += 1
        if self._at < len(self._lines) and self._lines[self._at].startswith("GIT binary patch"):
            headers.read(self._lines[self._at])
            self._skip_file()
        file = headers.file(self._hunks(headers))
        if file.path:
            return file
        return file._replace(new_path="(unknown)", content="unreadable", problem="its header names no path")

    def _plain_file_starts(self) -> bool:
        """True at ``---``, ``+++``, ``@@``: a diff made by another tool. Not asked once git headers were seen."""
        three = self._lines[self._at : self._at + 3]
        return len(three) == 3 and three[0].startswith("--- ") and three[1].startswith("+++ ") and three[2].startswith("@@ ")  # noqa: PLR2004 - three lines

    def _plain_file(self) -> FileDiff:
        headers = _Headers()
        headers.read(self._lines[self._at])
        headers.read(self._lines[self._at + 1])
        self._at += 2
        return headers.file(self._hunks(headers))

    def _combined_file(self, line: str) -> FileDiff:
        path = unquoted(line.removeprefix("diff --cc ").removeprefix("diff --combined "))
        self._is_git = True
        self._skip_file()
        return FileDiff(path, path, "modified", "combined", problem="a merge's combined diff has no single old side")

    def _skip_file(self) -> None:
        """Pass over the rest of a file whose content is not read; no line of content begins with ``diff``."""
        self._at += 1
        while self._at < len(self._lines) and not self._lines[self._at].startswith("diff --"):
            self._at += 1

    def _hunks(self, headers: _Headers) -> list[Hunk]:
        hunks: list[Hunk] = []
        while self._at < len(self._lines) and self._lines[self._at].startswith("@@"):
            match = _HUNK.match(self._lines[self._at])
            if match is None:
                headers.content, headers.problem = "unreadable", "a hunk header cannot be read"
                self._skip_file()
                break
            self._at += 1
            hunks.append(self._hunk(match))
        return hunks

    def _hunk(self, header: re.Match[str]) -> Hunk:
        """Read one hunk: exactly as many lines as its header declares, or up to the first that cannot belong to it."""
        old_start, new_start = int(header[1]), int(header[3])
        old_count = 1 if header[2] is None else int(header[2])
        new_count = 1 if header[4] is None else int(header[4])
        old_line, new_line = old_start, new_start
        old_end, new_end = old_start + old_count, new_start + new_count
        lines: list[DiffLine] = []
        everything, at, end = self._lines, self._at, len(self._lines)
        while at < end:
            line = everything[at]
            mark = line[:1]
            if mark == "\\" and lines:
                lines[-1] = lines[-1]._replace(ends_file=True)
            elif mark == "+" and new_line < new_end:
                lines.append(DiffLine("added", 0, new_line, line[1:]))
                new_line += 1
            elif mark == "-" and old_line < old_end:
                lines.append(DiffLine("removed", old_line, 0, line[1:]))
                old_line += 1
            elif mark in {" ", ""} and old_line < old_end and new_line < new_end:
                lines.append(DiffLine("context", old_line, new_line, line[1:]))
                old_line, new_line = old_line + 1, new_line + 1
            else:
                break
            at += 1
        self._at = at
        is_cut = old_line < old_end or new_line < new_end
        return Hunk(old_start, old_count, new_start, new_count, header[5], tuple(lines), is_cut)
