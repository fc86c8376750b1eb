"""What a ledger's entries say of a month. The report, the dashboard and the metrics all ask here, so that they show the same figures.

Entries are read twice: the last months' for what ended, and then all of them for what it had cost, since a pull request's work may
have begun in any month.
"""

from datetime import timedelta

from budget_gate.analytics.month_periods import month_before, month_window
from budget_gate.analytics.monthly import Breakdown, MonthReader, ends_of
from budget_gate.core.periods import window_at
from budget_gate.core.policy import Policy
from budget_gate.ledger.interface import Ledger
from budget_gate.runs.recent_entries import entries_since

CLOCKS_APART = timedelta(days=1)
"""More than GitHub's clock, which dates outcomes, can be ahead of the ledger's, which dates entries."""


def read_month(policy: Policy, ledger: Ledger, month: str, *, user: str = "") -> Breakdown:
    """Return a month's breakdown (``2026-11``)."""
    zone = policy.timezone
    since = month_window(month_before(month), zone).starts_at
    events = ends_of(entries_since(ledger, since - CLOCKS_APART), since, month_window(month, zone).ends_at)
    return MonthReader(month, zone, events, user).read(ledger.entries())


def read_running_month(policy: Policy, ledger: Ledger) -> Breakdown:
    """Return the breakdown of the month that is running, by the ledger's clock."""
    return read_month(policy, ledger, window_at("month", policy.timezone, ledger.now()).label)
