"""Notes that stand until another one ends them: open incidents, exemptions in force. Read from entries, in bounded work.

Entries can only be followed forwards. So that nobody follows all of them, a reader leaves a checkpoint note behind every few hundred
entries, holding what stood then; the next one steps back from the newest entry until it meets a checkpoint, and goes on from there.
Only the first reader of an old ledger pays for its history.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from budget_gate.core.audit import Entry, ParsedEntry, compact_json, microseconds
from budget_gate.core.errors import LedgerError
from budget_gate.ledger.interface import Ledger

FIRST_STEP = 400
"""Entries that a reader steps back at first; then four times as many, until it meets a checkpoint."""

CHECKPOINT_EVERY = 200
"""Entries after which a reader leaves a checkpoint."""

CHECKPOINT_CHARACTERS_MOST = 200_000


class Family(NamedTuple):
    """Kinds of notes that belong together: one opens, others change what stands, and some end it. Each names it in ``name``."""

    opens: str
    changes: tuple[str, ...]
    ends: tuple[str, ...]

    @property
    def checkpoint(self) -> str:
        """The kind of this family's checkpoints."""
        return f"{self.opens}_checkpoint"


Standing = dict[str, dict[str, str]]
"""What stands, by name: the details of its notes, those of later ones written over those of earlier ones.

Something whose ``expires_at`` (microseconds since 1970) lies behind the newest entry is left out of checkpoints.
"""


def read_standing(ledger: Ledger, family: Family, since: datetime | None = None) -> Standing:
    """Return what stands now. Notes from before ``since`` may be left out: the caller knows that none of them can stand."""
    through, standing = _newest_checkpoint(ledger, family, since)
    first, newest = through, None
    for entry in ledger.entries(after=through):
        through, newest = entry.seq, entry
        note = _note(entry, (family.opens, *family.changes, *family.ends))
        if note is not None:
            _follow(standing, family, note)
    if newest is not None and through - first >= CHECKPOINT_EVERY:
        _leave_checkpoint(ledger, family, newest, standing)
    return standing


def _follow(standing: Standing, family: Family, note: ParsedEntry) -> None:
    details = {str(name): str(value) for name, value in dict(note.body.get("details", {})).items()}
    name = details.get("name", "")
    if note.kind in family.ends:
        standing.pop(name, None)
    elif note.kind == family.opens:
        standing.setdefault(name, details)
    elif name in standing:
        standing[name] = {**standing[name], **details}


def _leave_checkpoint(ledger: Ledger, family: Family, newest: Entry, standing: Mapping[str, Mapping[str, str]]) -> None:
    """Write down what stands after entry ``newest``, under a key that whoever else has read as far uses too.

    A checkpoint saves work and nothing else, so a ledger that may only be read, or has one already, goes without.
    """
    through, now = newest.seq, microseconds(newest.parsed().at)
    lasting = {name: details for name, details in standing.items() if not _is_over(details.get("expires_at", ""), now)}
    text = compact_json(lasting)
    if len(text) <= CHECKPOINT_CHARACTERS_MOST:
        with suppress(LedgerError):
            ledger.record(f"{family.checkpoint}/{through}", family.checkpoint, {}, {"through": str(through), "standing": text})


def _is_over(expires_at: str, now: int) -> bool:
    return expires_at.isdecimal() and int(expires_at) <= now


def _newest_checkpoint(ledger: Ledger, family: Family, since: datetime | None) -> tuple[int, Standing]:
    """Return up to which entry the newest checkpoint has read and what stood then; nothing stood at the beginning, or at ``since``."""
    before, step = ledger.head(), FIRST_STEP
    while before > 0:
        after = max(before - step, 0)
        oldest = newest = None
        for entry in _between(ledger, after, before):
            oldest = oldest or entry
            newest = _note(entry, (family.checkpoint,)) or newest
        if newest is not None:
            details = newest.body["details"]
            return int(details["through"]), json.loads(details["standing"])
        if since is not None and oldest is not None and oldest.parsed().at < since:
            return after, {}
        before, step = after, step * 4
    return 0, {}


def _between(ledger: Ledger, after: int, through: int) -> Iterator[Entry]:
    for entry in ledger.entries(after=after):
        if entry.seq > through:
            return
        yield entry


def _note(entry: Entry, kinds: tuple[str, ...]) -> ParsedEntry | None:
    """Return the entry's fields if it is of one of the kinds. Most are not, and are not even parsed."""
    if not any(f'"kind":"{kind}"' in entry.text for kind in kinds):
        return None
    parsed = entry.parsed()  # foreign text may quote a kind; only the field counts
    return parsed if parsed.kind in kinds else None
