"""The audit trail: notes of the ledger that say who did what, in order, without the bookkeeping of our own machinery."""

import re
from collections import deque
from collections.abc import Iterator

from budget_gate.core.audit import MONEY_KINDS, ParsedEntry
from budget_gate.ledger.interface import Ledger

MACHINERY = ("incident_claimed", "notice_claimed", "batch")
"""Kinds that only keep processes out of each other's way, or help them find something; checkpoints besides."""

_KIND = re.compile(r'"kind":"([a-z]+)","seq":[0-9]+\}$')
"""The end of an entry's text, where no foreign text can stand."""


def audit_trail(ledger: Ledger, most: int) -> tuple[ParsedEntry, ...]:
    """Return the newest ``most`` notes, oldest first. Follows all entries, in memory that grows with ``most`` only."""
    return tuple(deque(_notes(ledger), maxlen=most))


def _notes(ledger: Ledger) -> Iterator[ParsedEntry]:
    for entry in ledger.entries():
        kind = _KIND.search(entry.text)
        if kind is not None and kind[1] in MONEY_KINDS:
            continue  # most entries move money; they need no parsing
        note = entry.parsed()
        is_ours = note.kind in MACHINERY or note.kind.endswith("_checkpoint")
        is_failure = note.body.get("details", {}).get("outcome") == "not_sent"
        if note.kind not in MONEY_KINDS and not is_ours and not is_failure:
            yield note
