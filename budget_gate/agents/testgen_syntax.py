"""Can a test file be read by its language? Python is parsed; of other languages, brackets and quotes are looked at."""

import ast
import warnings

from budget_gate.core.test_plans import FileCheck

_PAIRS = {")": "(", "]": "[", "}": "{"}
_BRACKETED = (
    *(".js", ".jsx", ".mjs", ".ts", ".tsx", ".go", ".java", ".kt", ".cs", ".php", ".rs"),
    *(".c", ".cc", ".cpp", ".h", ".hpp", ".scala", ".swift", ".dart"),
)


class DoesNotParse(ValueError):
    """A file that its language cannot read; the text says where."""


def check_syntax(path: str, content: str) -> FileCheck:
    """Return how far a file could be checked. Raises ``DoesNotParse`` for Python that is none, and for an empty file."""
    if not content.strip():
        raise DoesNotParse("it is empty")
    if path.endswith(".py"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a doubtful escape is the author's affair
                ast.parse(content)
        except SyntaxError as error:
            raise DoesNotParse(f"it does not parse: line {error.lineno}: {error.msg}") from None
        except (ValueError, RecursionError, MemoryError):
            raise DoesNotParse("it does not parse") from None
        return "parsed"
    return "plausible" if path.endswith(_BRACKETED) and _is_balanced(content) else "unchecked"


def _is_balanced(content: str) -> bool:
    """Return whether brackets close in order, outside quotes and comments. Wrong only about regular expressions, and then says no."""
    open_brackets: list[str] = []
    place, end = 0, len(content)
    while place < end:
        character, two = content[place], content[place : place + 2]
        if two == "//":
            place = _behind(content, "\n", place)
        elif two == "/*":
            place = _behind(content, "*/", place + 2)
        elif character in "\"'`":
            closing = _closing_quote(content, place)
            if closing is None:
                return False
            place = closing
        else:
            if character in "([{":
                open_brackets.append(character)
            elif character in _PAIRS and (not open_brackets or open_brackets.pop() != _PAIRS[character]):
                return False
            place += 1
    return not open_brackets


def _behind(content: str, mark: str, start: int) -> int:
    found = content.find(mark, start)
    return len(content) if found < 0 else found + len(mark)


def _closing_quote(content: str, start: int) -> int | None:
    """Return the place behind a quoted text, or None when it does not end (on its line, unless in backticks)."""
    quote, place = content[start], start + 1
    while place < len(content):
        if content[place] == "\\":
            place += 2
        elif content[place] == quote:
            return place + 1
        elif content[place] == "\n" and quote != "`":
            return None
        else:
            place += 1
    return None
