"""Scopes: who a budget is for, written ``kind/NAME``.

The kind never contains a slash, so the first slash ends it and the rest, whatever it is, is the name: two scopes have the same text
only if they are the same scope. ``org`` stands alone.
"""

from typing import NamedTuple

NAMED_KINDS = ("team", "project", "workflow", "user", "feature", "model")
"""The kinds a policy may budget, beside ``org``."""

BOUND_KINDS = ("task", "session")
"""Kinds that only the task and session bounds of a workflow create."""


class Scope(NamedTuple):
    """One scope: ``org`` with an empty name, or a kind and any text."""

    kind: str
    name: str = ""

    @property
    def text(self) -> str:
        """The canonical text, as users write it and ledgers store it."""
        return self.kind if self.kind == "org" else f"{self.kind}/{self.name}"

    @property
    def is_wildcard(self) -> bool:
        """True for ``user/*`` and its like: a budget that gives every name a counter of its own."""
        return self.name == "*"


ORG = Scope("org")


def parse_scope(text: str) -> Scope:
    """Return the scope that ``text`` names, or raise ``ValueError`` saying what a scope looks like."""
    if text == "org":
        return ORG
    kind, slash, name = text.partition("/")
    if not slash or not name or kind not in NAMED_KINDS + BOUND_KINDS:
        shapes = ", ".join(f"{known}/NAME" for known in NAMED_KINDS)
        raise ValueError(f"{text!r} is not a scope; write org, {shapes}")
    if kind == "project" and name != "*" and "/" not in name:
        raise ValueError(f"{text!r} is not a project; write project/OWNER/REPO")
    return Scope(kind, storable_name(name))


def _is_text(name: str) -> bool:
    try:
        name.encode()  # lone surrogates are all that UTF-8 cannot spell, and this looks at a name at the speed of C
    except UnicodeEncodeError:
        return False
    return True


def storable_name(name: str) -> str:
    """Return ``name`` if every ledger can store it; raise ``ValueError`` for NUL and lone surrogates, which none can."""
    if "\0" in name or not _is_text(name):
        raise ValueError(f"{name!r} contains a character that is not text")
    return name
