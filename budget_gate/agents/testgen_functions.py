"""Functions that a ticket names without their file: which names those are, and which of them a source file defines."""

import re
from collections.abc import Collection

from budget_gate.core.diff_functions import defined_name
from budget_gate.core.diff_values import DiffLine

NAMES_MOST = 12

_NAMED = re.compile(
    r"`(?:[\w$]{1,80}[.:]{1,2}){0,4}([A-Za-z_$][\w$]{2,80})(?:\([^`\n()]{0,80}\))?`|(?<![\w$])([A-Za-z_$][\w$]{2,80})\(\)"
)
"""A code span that is a name, alone or behind its class, with or without parentheses; or a name with empty ones."""


def functions_named_in(text: str) -> tuple[str, ...]:
    """Return the names that a text uses like those of functions, in its order, so many at most."""
    return tuple(dict.fromkeys(match[1] or match[2] for match in _NAMED.finditer(text)))[:NAMES_MOST]


def defined_among(text: str, names: Collection[str]) -> frozenset[str]:
    """Return which of some names a source file defines, as a function, method or class."""
    wanted = [name for name in names if name in text]
    if not wanted:
        return frozenset()
    lines = source_lines(text)
    found = {defined_name(lines, place) for place, line in enumerate(lines) if any(name in line.text for name in wanted)}
    return frozenset(wanted) & found


def source_lines(text: str) -> list[DiffLine]:
    """Return a whole file's lines as a diff would show them unchanged."""
    lines = [DiffLine("context", number, number, row) for number, row in enumerate(text.split("\n"), start=1)]
    lines[-1] = lines[-1]._replace(ends_file=True)
    return lines
