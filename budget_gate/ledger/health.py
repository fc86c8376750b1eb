"""What a backend says about the storage it stands on: for ``doctor``, and too slow to be asked on the way to a verdict. Reads only."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, runtime_checkable

WRITABLE = "ledger writable"
"""The name of the finding that says so. A backend where a write that changes nothing proves nothing makes it itself."""

Outcome = Literal["ok", "warning", "fault"]


class Finding(NamedTuple):
    """One thing that was looked at. ``text`` says how it is and, unless it is ``ok``, what to do about it."""

    name: str
    outcome: Outcome
    text: str


@runtime_checkable
class Examined(Protocol):
    """A ledger that can say more about itself than that it answers."""

    def examine(self) -> Sequence[Finding]:
        """Return what there is to say, most important first."""
        ...
