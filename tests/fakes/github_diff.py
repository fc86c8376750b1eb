"""Which lines a unified diff shows, for a fake that must refuse comments on others. Shares nothing with ``core.diffs``."""

from __future__ import annotations

import re


def diff_lines(diff: str | bytes) -> dict[tuple[str, str, int], int]:
    """Return every (path, side, line) that a diff shows, with the number of its hunk."""
    text = diff.decode("utf-8", "replace") if isinstance(diff, bytes) else diff
    places: dict[tuple[str, str, int], int] = {}
    path, hunk, left, right, left_end, right_end = "", 0, 0, 0, 0, 0
    for line in text.split("\n"):
        if left < left_end or right < right_end:
            if line[:1] in ("-", " "):
                places[path, "LEFT", left] = hunk
                left += 1
            if line[:1] in ("+", " "):
                places[path, "RIGHT", right] = hunk
                right += 1
        elif line.startswith("diff --git "):
            path = line.rpartition(" b/")[2]
        elif match := re.match(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line):
            left, right, hunk = int(match[1]), int(match[3]), hunk + 1
            left_end, right_end = left + int(match[2] or 1), right + int(match[4] or 1)
    return places
