"""Heads of methods in languages where no keyword opens them: Java, C#, C, C++, Dart, and methods of JavaScript's classes.

A head is words, a name, and what is in parentheses; then a brace opens the body, on the line or on the next one. Statements look like
that too, and are told by their first word, by an ``=`` or a ``;``, and by what follows the parentheses.
"""

import re

# fmt: off
_STATEMENTS = frozenset((
    "alignas", "and", "assert", "await", "base", "case", "catch", "co_await", "co_return", "co_yield", "defer", "del", "delete",
    "do", "echo", "elif", "else", "elsif", "except", "expect", "fixed", "for", "foreach", "from", "goto", "guard", "if", "import",
    "in", "include", "is", "lock", "new", "not", "or", "package", "print", "puts", "raise", "return", "select", "sizeof",
    "static_assert", "super", "switch", "synchronized", "this", "throw", "try", "typeof", "typedef", "unless", "until", "using",
    "when", "where", "while", "with", "yield",
))
# fmt: on
"""First words of lines that define nothing."""

_HEAD = re.compile(r"((?:[\w$<>\[\],.?&*:@~]+ +)*)([*&]*[\w$:~]*(?:operator *[^\s\w(]{1,3}|[\w$])(?:<[\w, ]*>)?) ?\(")
_WORD = re.compile(r"[\w$]+")
_OPEN_END = ("(", ",")


def method_name(text: str, following: str) -> str:
    """Return the name of the method whose head opens on a line, or empty text. ``following`` is the next line; both are stripped.

    Linear in the text, whatever it holds.
    """
    if "(" not in text or text.startswith((".", "(", "#", "/", "*", '"', "'")):
        return ""
    head = _HEAD.match(text)
    if head is None:
        return ""
    words, name = head[1].split(), head[2].rpartition("::")[2].lstrip("*&:").partition("<")[0]
    first = _WORD.match((words[0] if words else head[2]).lstrip("@*&:~"))
    if first is None or first[0] in _STATEMENTS or name in _STATEMENTS:
        return ""
    end = _closing(text, head.end())
    if end < 0:  # the parameters go on below: a type or a modifier before the name is what tells a head from a call
        return name if words and text.endswith(_OPEN_END) and not text.endswith(" (") else ""
    return name if _opens_body(text[end:], following, has_words=bool(words)) else ""


def _closing(text: str, start: int) -> int:
    """Return the place behind the parenthesis that closes the one before ``start``, or -1 where the line has none."""
    depth = 1
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if not depth:
            return place + 1
    return -1


def _opens_body(rest: str, following: str, *, has_words: bool) -> bool:
    """Return whether a body follows the parentheses: on the line, or (of a head with a type or a modifier) on the next one."""
    before, brace, _ = rest.partition("{")
    is_plain = not any(mark in before for mark in ";=\"'|,.") or before.lstrip().startswith((":", "throws ", "where "))
    if brace:
        return is_plain and ";" not in before
    is_alone = is_plain and not before.rstrip().endswith((";", ",", "+", "-", "*", "/", "&&", "||", "?"))
    return has_words and is_alone and following.startswith("{")
