"""Moving a whole ledger from one backend to another, as a stream of records that every backend can write and read.

A backend offers this beside ``Ledger`` where it can. Waiters and claims are left behind: they belong to processes, not to the books.
So is the answer to an operation that changed nothing where a backend cannot list it (Redis): repeated, it changes nothing again.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

from budget_gate.core.audit import Entry
from budget_gate.core.errors import LedgerError
from budget_gate.core.reservations import Crossing
from budget_gate.core.scopes import Scope
from budget_gate.ledger.books import OpenReservation, Operation
from budget_gate.ledger.interface import CounterRow, Ledger
from budget_gate.ledger.verify import verify

PROGRESS_EVERY = 10_000
"""Records between two reports of progress."""


MOVABLE_FORMS = "sqlite://, redis:// (and its other forms), github:// or memory://"
"""The ledgers that offer ``Movable``, as errors list them."""


class StoredOperation(NamedTuple):
    """What was asked under a key, and answered (as ``answers`` writes it)."""

    kind: str
    key: str
    operation: Operation


class Crossed(NamedTuple):
    """A tier that was crossed, and its message if nobody has acknowledged it yet (else empty)."""

    crossing: Crossing
    at: datetime
    payload: str


Record = Entry | OpenReservation | StoredOperation | CounterRow | Crossed
"""Entries come in order; open reservations in the order in which they were made; messages in the order in which they were sent."""


@runtime_checkable
class Movable(Protocol):
    """A ledger that can be written out and read in."""

    def dump(self) -> Iterator[Record]:
        """Yield everything that is stored, reading in batches. Only of use if nobody writes meanwhile: compare ``head`` after it."""
        ...

    def load(self, records: Iterable[Record], behind: int = 0) -> None:
        """Store records over what is there. Nobody else sees any of it before all of it is there.

        The ledger's newest entry must be number ``behind`` (0: it is empty) and all that is stored must be older than the records:
        entries up to that number are skipped, anything else replaces what has its name, and a message is added only for a
        crossing that was not known. Raises ``LedgerError`` if the ledger is not there.
        """
        ...


class Copied(NamedTuple):
    """What was moved: entries, and records of every kind."""

    entries: int
    records: int


Progress = Callable[[int], None]
"""Told how many records have been moved."""


def movable(ledger: Ledger) -> Movable:
    """Return the ledger as one that can be moved. Raises ``LedgerError`` if its backend cannot."""
    if not isinstance(ledger, Movable):
        raise LedgerError(f"{ledger.url} cannot be copied as a whole; copy from and to {MOVABLE_FORMS} ledgers")
    return ledger


def copy_ledger(source: Ledger, target: Ledger, progress: Progress) -> Copied:
    """Move everything of ``source`` into the empty ledger ``target``, and verify the result.

    Raises ``LedgerError`` if the target is not empty, if the source is not intact or was written to meanwhile, and if what
    arrived is not what was sent.
    """
    head = target.head()
    if head:
        raise LedgerError(f"{target.url} holds {head} entries; copy into an empty ledger")
    return transfer(source, target, 0, progress)


def transfer(source: Ledger, target: Ledger, behind: int, progress: Progress) -> Copied:
    """Bring ``target``, whose entries are the first ``behind`` of the source's, to where the source is; then verify it."""
    reading, writing = movable(source), movable(target)
    check_intact(source)
    head = source.head()
    counted = _Counted(reading.dump(), progress, lambda: _check_quiet(source, head))
    writing.load(counted, behind)
    check_intact(target)
    if target.head() != head:
        raise LedgerError(f"{target.url} was written to while it was filled; see `ledger verify`")
    return Copied(head - behind, counted.count)


def check_behind(url: str, head: int, behind: int) -> None:
    """Raise ``LedgerError`` unless a ledger's newest entry is the one that records are to follow."""
    if head != behind:
        raise LedgerError(f"{url} has {head} entries, not {behind}; somebody wrote to it meanwhile")


def crossing_of(payload: str) -> Crossing | None:
    """Return the crossing that a message of the outbox announces."""
    try:
        fields = json.loads(payload)
        kind, _, name = str(fields["scope"]).partition("/")
        return Crossing(Scope(kind, name), fields["per"], fields["label"], fields["unit"], fields["tier"])
    except (ValueError, KeyError, TypeError):
        return None


def check_intact(ledger: Ledger) -> None:
    """Raise ``LedgerError`` unless the ledger verifies."""
    found = verify(ledger)
    if not found.ok:
        raise LedgerError(f"{ledger.url} is not intact: {found.problem}")


def _check_quiet(source: Ledger, head: int) -> None:
    if source.head() != head:
        raise LedgerError(f"{source.url} was written to while it was copied; stop the runners, or try again when it is quiet")


class _Counted:
    """Counts records as they pass, and looks once more at the source before the last one is believed."""

    def __init__(self, records: Iterator[Record], progress: Progress, check: Callable[[], None]) -> None:
        self.count = 0
        self._records = records
        self._progress = progress
        self._check = check

    def __iter__(self) -> Iterator[Record]:
        for record in self._records:
            self.count += 1
            if self.count % PROGRESS_EVERY == 0:
                self._progress(self.count)
            yield record
        self._check()
