r"""Paths as git writes them in a diff: prefixes, C-style quotes, and two paths on one ``diff --git`` line.

Sources: https://git-scm.com/docs/diff-format ("Generating patch text with -p") and ``core.quotePath`` in
https://git-scm.com/docs/git-config: bytes above 0x7f, control characters, quotes and backslashes are escaped, octal as ``\303``.
"""

import re

NO_FILE = "/dev/null"
"""What stands in for the path of the side that does not exist."""

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_NAMED_ESCAPES = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13}
_PREFIXES = ("a/", "b/", "i/", "w/", "c/", "o/")


def unquoted(text: str) -> str:
    """Return the path that a C-quoted text names, undecodable bytes replaced; any other text is returned as it is."""
    match = _QUOTED.fullmatch(text)
    if match is None:
        return text
    return _ESCAPE.sub(_unescaped, match[1].encode("utf-8")).decode("utf-8", "replace")


def _unescaped(match: re.Match[bytes]) -> bytes:
    escape: bytes = match[1]
    if escape.isdigit():
        return bytes([int(escape, 8) & 0xFF])
    return bytes([_NAMED_ESCAPES.get(escape, escape[0])])


def header_paths(rest: str) -> tuple[str, str] | None:
    """Return the old and new path of what follows ``diff --git``, or None when only later lines can tell.

    Unquoted paths may hold spaces, even `` b/``. Unless the file was renamed, and then other lines name it, both paths are the
    same: the line is cut where its halves agree.
    """
    pair = _quoted_pair(rest) if '"' in rest else _agreeing_halves(rest)
    if pair is None:
        return None
    old, new = pair
    if old == new:
        return pair
    old_tail, new_tail = old.partition("/")[2], new.partition("/")[2]
    if old_tail and old_tail == new_tail:
        return old_tail, new_tail
    return without_prefix(old), without_prefix(new)


def _quoted_pair(rest: str) -> tuple[str, str] | None:
    """Cut a header in which one path or both are quoted; an unquoted path never holds a quote."""
    if rest.startswith('"'):
        match = _QUOTED.match(rest)
        if match is None or rest[match.end() : match.end() + 1] != " ":
            return None
        return unquoted(match[0]), unquoted(rest[match.end() + 1 :])
    old, space, new = rest.partition(' "')
    return (old, unquoted('"' + new)) if space else None


def _agreeing_halves(rest: str) -> tuple[str, str] | None:
    middle = len(rest) // 2
    old, new = rest[:middle], rest[middle + 1 :]
    if len(rest) % 2 == 0 or rest[middle] != " ":
        return None
    agree = old == new or old.partition("/")[2] == new.partition("/")[2] != ""
    return (old, new) if agree else None


def without_prefix(path: str) -> str:
    """Return a path without the ``a/`` or ``b/`` (or their mnemonic kin) that git puts before it."""
    return path[2:] if path.startswith(_PREFIXES) else path


def marker_path(text: str) -> str:
    """Return the path that a ``---`` or ``+++`` line names, empty for ``/dev/null``.

    git ends the path with a tab when it holds a space; other tools put a timestamp behind that tab.
    """
    name = unquoted(text) if text.startswith('"') else text.partition("\t")[0]
    if text.startswith('"') and name == text:
        name = unquoted(text.rstrip().rpartition("\t")[0])
    return "" if name.strip() == NO_FILE else without_prefix(name)
