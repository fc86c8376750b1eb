"""``ledger reconcile``: one UTC day of the ledger beside the provider's bill."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from budget_gate.analytics.reconciling import AGREEING, BillDay, Comparison, LedgerDay, compare, ledger_day
from budget_gate.analytics.spending import spending
from budget_gate.core.prices import PriceBook
from budget_gate.ledger.interface import Ledger
from budget_gate.providers.billing import Bill
from budget_gate.runs.recent_entries import entries_since

_LONGEST_CALL = timedelta(days=1)


class Reconciliation(NamedTuple):
    """The day, both sides line by line, and what the ledger holds that no bill can confirm yet."""

    day: date
    lines: tuple[Comparison, ...]
    ours: LedgerDay

    @property
    def agrees(self) -> bool:
        """True if no line differs."""
        return all(line.finding in AGREEING for line in self.lines)


def reconcile_day(ledger: Ledger, prices: PriceBook, bill: Bill, day: date) -> Reconciliation:
    """Return the comparison of a UTC day. Raises ``ProviderError`` when the bill cannot be read."""

    def name_of(model: str) -> str:
        known = prices.resolve(model)
        return known.model if known else model

    since = datetime(day.year, day.month, day.day, tzinfo=UTC)
    ours = ledger_day(spending(entries_since(ledger, since - _LONGEST_CALL)), day, prices, name_of)
    theirs = BillDay(*bill.tokens(day), bill.dollars(day))
    return Reconciliation(day, compare(ours, theirs, name_of), ours)
