"""The newest entries of a ledger, found from its end: a week's report must not read the years before it."""

from collections.abc import Iterator
from datetime import datetime

from budget_gate.core.audit import Entry
from budget_gate.ledger.interface import Ledger

_FIRST_STEP = 1_000


def entries_since(ledger: Ledger, instant: datetime, most: int | None = None) -> Iterator[Entry]:
    """Yield every entry written at ``instant`` or later, and perhaps some before it; with ``most``, only about that many newest ones.

    Steps back from the newest entry, each step twice as long, until an entry is older; entries are in the order of the ledger's clock.
    """
    step = _FIRST_STEP
    while True:
        after = max(ledger.head() - step, 0)
        entry = next(iter(ledger.entries(after)), None) if after else None
        if entry is None or entry.parsed().at < instant or (most is not None and step >= most):
            return ledger.entries(after)
        step *= 2
