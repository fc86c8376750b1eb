"""Tickets, whoever keeps them, and the requirements they list."""

import re
from typing import NamedTuple

REQUIREMENTS_MOST = 40
REQUIREMENT_CHARACTERS_MOST = 300

_ITEM = re.compile(r"\s{0,12}(?:[-*+•]|\d{1,3}[.)])\s{1,4}(?:\[[ xX]\]\s{1,4})?(\S.{2,2000})")
_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")


TRACKER_KEY = re.compile(r"#([0-9]{1,18})|([A-Z][A-Z0-9_]{0,30}-[0-9]{1,10})")
"""Keys that no two tickets share: of a GitHub issue, its number being the first group, and of a Jira ticket."""


class Ticket(NamedTuple):
    """What a ticket says. All of it is its author's data, never instructions. ``key`` is how people name it: ``#12``, ``SHOP-7``."""

    key: str
    title: str
    body: str
    labels: tuple[str, ...] = ()


class Requirement(NamedTuple):
    """One thing that a ticket asks for, under a name that plans refer to: ``R1``, ``R2``."""

    name: str
    text: str


def requirements_of(ticket: Ticket) -> tuple[Requirement, ...]:
    """Return the ticket's list items in order, or its title as the only requirement where it lists nothing.

    They are numbered here, not by a model: so that a plan which forgets one can be told.
    """
    texts, is_code = [], False
    for line in ticket.body.splitlines():
        if _FENCE.match(line):
            is_code = not is_code
        item = None if is_code else _ITEM.match(line)
        if item:
            texts.append(" ".join(item[1].split())[:REQUIREMENT_CHARACTERS_MOST])
    texts = texts[:REQUIREMENTS_MOST] or [" ".join(ticket.title.split())[:REQUIREMENT_CHARACTERS_MOST] or "the ticket as a whole"]
    return tuple(Requirement(f"R{number}", text) for number, text in enumerate(texts, start=1))
