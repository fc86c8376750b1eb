"""What the gate tells whoever listens, step by step: for logs, job summaries, and tests that stop it between two steps."""

from collections.abc import Callable
from typing import Literal, NamedTuple

EventKind = Literal[
    "routed",
    "counted",
    "reserving",
    "admitted",
    "refused",
    "resolving",
    "settled",
    "voided",
    "held",
    "accepted",
    "unsettled",
    "unmetered",
    "ledger_down",
]
"""``reserving`` and ``resolving`` come before the ledger is asked, the others after. ``accepted``: the API took a message
batch, and the ledger knows whose it is. ``unsettled``: the outcome of an admitted
call could not be recorded, so its reservation will be held. ``unmetered``: a call went ahead, or ended, outside the ledger,
because the policy says ``on_outage: allow``. ``ledger_down``: the ledger could not be reached."""


class Event(NamedTuple):
    """One step. ``key`` is the operation's key (empty when there is none), ``text`` a line for people, without secrets."""

    kind: EventKind
    key: str = ""
    text: str = ""


Listener = Callable[[Event], None]
"""Called in the order of the steps; it must return soon and raise nothing."""


def ignore(event: Event) -> None:
    """Listen to nothing."""
    del event
