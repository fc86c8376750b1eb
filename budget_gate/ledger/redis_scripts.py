"""The Lua scripts: one per operation, each behind the shared text it needs, and the digest that Redis caches it by."""

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent / "lua"

_USUAL = ("shared", "refuse_loading")
_MOVING = ("reservations", "crossing", "moves")
_IN_FRONT = {
    "reserve": (*_USUAL, "grant", *_MOVING, "queue"),
    "settle": (*_USUAL, *_MOVING),
    "release": (*_USUAL, *_MOVING),
    "sweep": (*_USUAL, *_MOVING),
    "leave": (*_USUAL, "queue"),
    "show": (*_USUAL, "reservations"),
    "open": (*_USUAL, "reservations"),
    "stored": (*_USUAL, "reservations"),
    "load": ("shared",),
    "head": ("shared",),
    "entries": ("shared",),
}
"""What precedes a script; the usual alone where nothing is said."""

FIRST_FIELD = {"reserve": 12, "read": 5}
"""Which argument is the first to name a field of the head that a script wants, counters mostly; see ``lua/shared.lua``."""


class Script(NamedTuple):
    """A script's whole text, and its SHA-1 in hex: what EVALSHA names it by. ``named`` is that command's beginning, as it is sent."""

    text: str
    sha: str
    named: bytes


@cache
def script(name: str) -> Script:
    """Return the script of an operation (the name of its file), ready to be sent."""
    parts = (*_IN_FRONT.get(name, _USUAL), name)
    texts = [(_FOLDER / f"{part}.lua").read_text(encoding="utf-8") for part in parts]
    text = "\n".join([f"local FIRST_FIELD = {FIRST_FIELD.get(name, 10**6)}", *texts])
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Script(text, sha, b"$7\r\nEVALSHA\r\n$40\r\n%b\r\n" % sha.encode())
