"""What a ledger's entries say of a month. The report, the dashboard and the metrics all ask here, so that they show the same figures."""

from budget_gate.analytics.monthly import Breakdown, MonthReader
from budget_gate.core.periods import window_at
from budget_gate.core.policy import Policy
from budget_gate.ledger.interface import Ledger


def read_month(policy: Policy, ledger: Ledger, month: str, *, user: str = "") -> Breakdown:
    """Return a month's breakdown (``2026-11``), from one pass over all entries: a pull request's work may have begun in any month."""
    return MonthReader(month, policy.timezone, user).read(ledger.entries())


def read_running_month(policy: Policy, ledger: Ledger) -> Breakdown:
    """Return the breakdown of the month that is running, by the ledger's clock."""
    return read_month(policy, ledger, window_at("month", policy.timezone, ledger.now()).label)
