"""The Lua scripts: one per operation, each behind the shared text it needs, and the digest that Redis caches it by."""

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent / "lua"

_USUAL = ("shared", "refuse_loading")
_IN_FRONT = {
    "reserve": (*_USUAL, "moves", "queue"),
    "settle": (*_USUAL, "moves"),
    "release": (*_USUAL, "moves"),
    "sweep": (*_USUAL, "moves"),
    "leave": (*_USUAL, "queue"),
    "load": ("shared",),
    "head": ("shared",),
    "entries": ("shared",),
}
"""What precedes a script; the usual alone where nothing is said."""


class Script(NamedTuple):
    """A script's whole text, and its SHA-1 in hex: what EVALSHA names it by."""

    text: str
    sha: str


@cache
def script(name: str) -> Script:
    """Return the script of an operation (the name of its file), ready to be sent."""
    parts = (*_IN_FRONT.get(name, _USUAL), name)
    text = "\n".join((_FOLDER / f"{part}.lua").read_text(encoding="utf-8") for part in parts)
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
