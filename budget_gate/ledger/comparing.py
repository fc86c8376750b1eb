"""``ledger verify --against``: what a copy has that the ledger lost, in entries and dollars; and putting it back.

Both are read once, side by side, in bounded memory. A ledger can have lost its tail (a restart without persistence, a replica that
lagged when it took over). If it went on writing afterwards, the two have parted, and nothing is put back: both are true in part.
"""

from collections.abc import Iterator
from typing import NamedTuple

from budget_gate.core.amounts import ZERO, Amount, CounterValue
from budget_gate.core.audit import Entry
from budget_gate.core.errors import LedgerError
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.moving import Copied, Progress, check_intact, transfer

NAMED_MOST = 100
"""How many missing entries are listed; the rest are only counted."""


class Missing(NamedTuple):
    """An entry of the copy that the ledger does not have. ``posted`` is what it spent, ``open`` what it promised or gave back."""

    seq: int
    kind: str
    reservation: str
    posted: Amount
    open: Amount


class Comparison(NamedTuple):
    """Two ledgers side by side.

    ``common`` entries are the same in both. Behind them the copy has ``missing_count`` more, of which the first are listed,
    and the ledger ``added_count`` of its own; both at once means that they parted. ``lost`` is what the missing entries posted,
    ``lost_open`` what they left pending or held, both net.
    """

    common: int
    missing_count: int = 0
    missing: tuple[Missing, ...] = ()
    added_count: int = 0
    lost: Amount = ZERO
    lost_open: Amount = ZERO

    @property
    def is_whole(self) -> bool:
        """True when the ledger has everything that the copy has."""
        return self.missing_count == 0

    @property
    def can_repair(self) -> bool:
        """True when the ledger is the beginning of the copy and nothing else."""
        return self.missing_count > 0 and self.added_count == 0


def compare(ledger: Ledger, copy: Ledger) -> Comparison:
    """Return how the ledger's entries differ from those of an intact copy. Raises ``LedgerError`` if the copy is not intact."""
    check_intact(copy)
    ours, theirs = ledger.entries(), copy.entries()
    common, mine, other = _common_prefix(ours, theirs)
    added = _count(mine, ours)
    missing: list[Missing] = []
    count, total = 0, CounterValue()
    while other is not None:
        found = _missing(other)
        count += 1
        if count <= NAMED_MOST:
            missing.append(found)
        total = total.plus(CounterValue(found.posted, found.open))
        other = next(theirs, None)
    return Comparison(common, count, tuple(missing), added, total.posted, total.pending)


def _common_prefix(ours: Iterator[Entry], theirs: Iterator[Entry]) -> tuple[int, Entry | None, Entry | None]:
    """Return how many entries are the same, and the first of each that is not."""
    common = 0
    while True:
        mine, other = next(ours, None), next(theirs, None)
        if mine is None or other is None or mine != other:
            return common, mine, other
        common = mine.seq


def _count(first: Entry | None, others: Iterator[Entry]) -> int:
    return 0 if first is None else 1 + sum(1 for _ in others)


def _missing(entry: Entry) -> Missing:
    parsed = entry.parsed()
    delta = parsed.delta
    return Missing(parsed.seq, parsed.kind, str(parsed.body.get("reservation", "")), delta.posted, delta.pending.plus(delta.held))


def repair(ledger: Ledger, copy: Ledger, comparison: Comparison, progress: Progress) -> Copied:
    """Bring the ledger to where the copy is. Raises ``LedgerError`` unless the ledger is a strict beginning of the copy."""
    if not comparison.can_repair:
        raise LedgerError(
            f"{ledger.url} has {comparison.added_count} entries that {copy.url} lacks, and lacks {comparison.missing_count} of its:"
            " the two have parted, so nothing was put back; settle the missing reservations by hand, each under a key of its own"
        )
    return transfer(copy, ledger, comparison.common, progress)
