"""Functions and classes as a diff shows them, told by their heads and indentation: where to cut, and what to keep whole.

Serves languages whose definitions open with a keyword (Python, JavaScript, Go, Rust, Ruby, Kotlin, PHP, and classes of most others), and
methods without one in languages with braces (``method_heads``). What it misses, it misses quietly: a cut falls elsewhere, nothing
is lost. One pass, linear in the lines.
"""

import re
from collections.abc import Sequence

from budget_gate.core.diff_values import DiffLine
from budget_gate.core.method_heads import method_name

_CHARACTERS_LOOKED_AT = 200
_DEFINITION = re.compile(
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub|unsafe|inline|open|override) +){0,6}"
    r"(?:def|class|func|fn|fun|function\*?|interface|struct|enum|impl|trait)\b"
)
_KEYWORD_NAME = re.compile(r"(?:\s*\([^()]*\))?\s*(?:self\.)?([^\W\d][\w$]*)")
_DECORATIONS = ("@", "#[", "template <", "template<")
_ATTRIBUTE = re.compile(r"\[[A-Za-z][^\]]*\]\s*$")
"""C#'s decoration: ``[Test]`` on a line of its own."""

_CONTINUES = (")", "{", "]")
"""How a line begins that, though not indented, still belongs to the head of the definition above it."""

_CLOSES = ("}", "end")


def definition_starts(lines: Sequence[DiffLine]) -> frozenset[int]:
    """Return the places in ``lines`` where a definition begins on the new side, its decorators included."""
    return frozenset(
        _start(lines, place) for place, line in enumerate(lines) if line.kind != "removed" and defined_name(lines, place)
    )


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
        if defined_name(lines, place):
            is_open.append((indentation, _start(lines, place)))
        last = place
    if lines and lines[-1].ends_file:
        found += [range(start, last + 1) for _, start in reversed(is_open)]
    return tuple(found)


def defined_name(lines: Sequence[DiffLine], place: int) -> str:
    """Return the name of what the line at ``place`` defines, ``?`` for a definition without one, or empty text for any other line."""
    text = lines[place].text[:_CHARACTERS_LOOKED_AT].strip()
    keyword = _DEFINITION.match(text)
    if keyword is not None:
        name = _KEYWORD_NAME.match(text, keyword.end())
        return name[1] if name else "?"
    following = lines[place + 1].text if place + 1 < len(lines) and lines[place + 1].kind != "removed" else ""
    return method_name(text, following[:_CHARACTERS_LOOKED_AT].strip())


def _indentation(text: str) -> int:
    return len(text) - len(text.lstrip(" \t"))


def _start(lines: Sequence[DiffLine], place: int) -> int:
    """Return where a definition begins: at the first of the decorators right above it."""
    while place and lines[place - 1].kind != "removed" and _decorates(lines[place - 1].text[:_CHARACTERS_LOOKED_AT].lstrip()):
        place -= 1
    return place


def _decorates(text: str) -> bool:
    return text.startswith(_DECORATIONS) or _ATTRIBUTE.match(text) is not None
