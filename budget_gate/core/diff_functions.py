"""Functions and classes as a diff shows them, told by their keywords and indentation: where to cut, and what to keep whole.

Serves languages whose definitions open with a keyword (Python, JavaScript, Go, Rust, Ruby, Kotlin, PHP, and classes of most others).
What it misses, it misses quietly: a cut falls elsewhere, nothing is lost. One pass, linear in the lines.
"""

import re
from collections.abc import Sequence

from budget_gate.core.diff_values import DiffLine

_CHARACTERS_LOOKED_AT = 200
_DEFINITION = re.compile(
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub|unsafe|inline|open|override) +){0,6}"
    r"(?:def|class|func|fn|fun|function\*?|interface|struct|enum|impl|trait)\b"
)
_DECORATIONS = ("@", "#[")
_CONTINUES = (")", "{", "]")
"""How a line begins that, though not indented, still belongs to the head of the definition above it."""

_CLOSES = ("}", "end")


def definition_starts(lines: Sequence[DiffLine]) -> frozenset[int]:
    """Return the places in ``lines`` where a definition begins on the new side, its decorators included."""
    return frozenset(_start(lines, place) for place, line in enumerate(lines) if line.kind != "removed" and _defines(line.text))


def whole_functions(lines: Sequence[DiffLine]) -> tuple[range, ...]:
    """Return the definitions that the new side shows from first line to last, as places in ``lines``, in order of their ends.

    A last line is known by what follows it without being indented, by its closing bracket, or by the end of the file.
    """
    found: list[range] = []
    is_open: list[tuple[int, int]] = []  # indentation and place of the definitions around the current line
    last = 0
    for place, line in enumerate(lines):
        text = line.text[:_CHARACTERS_LOOKED_AT]
        if line.kind == "removed" or not text.strip():
            continue
        indentation, word = _indentation(text), text.lstrip()
        while is_open and indentation <= is_open[-1][0] and not word.startswith(_CONTINUES):
            opened_at, start = is_open.pop()
            closes = indentation == opened_at and word.startswith(_CLOSES)
            found.append(range(start, (place if closes else last) + 1))
            if closes:
                break
        if _defines(text):
            is_open.append((indentation, _start(lines, place)))
        last = place
    if lines and lines[-1].ends_file:
        found += [range(start, last + 1) for _, start in reversed(is_open)]
    return tuple(found)


def _defines(text: str) -> bool:
    return _DEFINITION.match(text[:_CHARACTERS_LOOKED_AT].lstrip()) is not None


def _indentation(text: str) -> int:
    return len(text) - len(text.lstrip(" \t"))


def _start(lines: Sequence[DiffLine], place: int) -> int:
    """Return where a definition begins: at the first of the decorators right above it."""
    while place and lines[place - 1].kind != "removed" and lines[place - 1].text.lstrip().startswith(_DECORATIONS):
        place -= 1
    return place
