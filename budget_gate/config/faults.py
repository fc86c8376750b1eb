"""A fault in one field of a configuration file, before the file and perhaps the line are known.

Readers of parts (``price_file``, ``policy_reader``) raise ``FieldFault``; ``policy_file`` adds file and line and makes it a
``PolicyError``. Everything quoted from a file passes ``shown``: a policy may come from a stranger's fork.
"""

SHOWN_CHARACTERS = 60
"""How much of a value from a file an error message repeats, at most."""

FieldPath = tuple[str | int, ...]
"""Where a field is: keys and list positions from the top of the file."""


class FieldFault(ValueError):
    """One thing wrong at ``path``: ``problem``, what to write ``instead``, and the line if it is known already (else 0)."""

    def __init__(self, path: FieldPath, problem: str, instead: str, line: int = 0) -> None:
        super().__init__(f"{dotted(path)}: {problem}; {instead}")
        self.path = path
        self.problem = problem
        self.instead = instead
        self.line = line


def dotted(path: FieldPath) -> str:
    """Return ``path`` as people read it: ``budgets[3].limits[0].usd``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{printable(part)}" if text else printable(part)
    return text


def shown(text: str) -> str:
    """Return ``text`` from a file as an error message may quote it: short, on one line, without control characters."""
    return f"'{printable(text)}'"


def printable(text: str, most: int = SHOWN_CHARACTERS) -> str:
    """Return at most ``most`` characters of ``text``, everything unprintable replaced by ``?``."""
    head = "".join(character if character.isprintable() else "?" for character in text[: most + 1])
    return head if len(head) <= most else head[: most - 1] + "…"


def nearest(wrong: str, known: list[str]) -> str:
    """Return the known word that ``wrong`` most looks like, or empty text."""
    from difflib import get_close_matches

    close = get_close_matches(wrong[:SHOWN_CHARACTERS].lower(), known, n=1, cutoff=0.6)
    return close[0] if close else ""


def pick(wrong: str, known: list[str]) -> str:
    """Return what to write instead of ``wrong``: the likeliest of the ``known`` words, or all of them if none is likely."""
    likeliest = nearest(wrong, known)
    if likeliest:
        return f"write {printable(likeliest)}"
    if not known:
        return "leave it out"
    words = ", ".join(printable(word) for word in known[:16])
    return f"write one of {words}" if len(known) > 1 else f"write {words}"
