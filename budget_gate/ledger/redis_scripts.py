"""The Lua scripts: one per operation, each behind the shared text it needs, and the digest that Redis caches it by."""

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent / "lua"

_IN_FRONT = {
    "reserve": ("shared", "moves", "queue"),
    "settle": ("shared", "moves"),
    "release": ("shared", "moves"),
    "sweep": ("shared", "moves"),
    "leave": ("shared", "queue"),
}
"""What precedes a script; ``shared`` alone where nothing is said."""


class Script(NamedTuple):
    """A script's whole text, and its SHA-1 in hex: what EVALSHA names it by."""

    text: str
    sha: str


@cache
def script(name: str) -> Script:
    """Return the script of an operation (the name of its file), ready to be sent."""
    parts = (*_IN_FRONT.get(name, ("shared",)), name)
    text = "\n".join((_FOLDER / f"{part}.lua").read_text(encoding="utf-8") for part in parts)
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
