"""Rows of the plain export: one per reservation, and the chargeback by cost centre. Exact decimals, never floats."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from budget_gate.analytics.billed import model_of
from budget_gate.analytics.spending import Spend
from budget_gate.core.amounts import Amount
from budget_gate.core.charges import budget_for
from budget_gate.core.money import usd_text
from budget_gate.core.policy import Policy
from budget_gate.core.scopes import Scope
from budget_gate.core.usage import Usage

Cell = str | int

LABELS = ("team", "project", "workflow", "user", "feature", "pr", "session", "task", "provider", "tier", "model", "agent")

COLUMNS = (
    "reserved_at", "day", "month", "reservation", "state", "cost_center", *LABELS, "usd", "overrun_usd", *Usage._fields,
    "tokens", "requests",
)  # fmt: skip
"""Columns of the plain export. A held row counts at what was reserved, and has no tokens by kind."""

NUMBERS = (*Usage._fields, "tokens", "requests")
AMOUNTS = ("usd", "overrun_usd")

CHARGEBACK_COLUMNS = ("cost_center", "month", "usd", "held_usd", "tokens", "requests", "calls")

_OWNERS = ("team", "project", "workflow", "user", "feature")
"""The labels whose budget may name a cost centre, in the order in which they are asked."""


class CostCenters:
    """Which cost centre a row is charged to: the one of its team's budget, else of its project's, and so on. Empty for none."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[Scope, str] = {}

    def of(self, row: Spend) -> str:
        """Return the cost centre of a row."""
        for kind in _OWNERS:
            if row.label(kind):
                center = self._of_scope(Scope(kind, row.label(kind)))
                if center:
                    return center
        return ""

    def _of_scope(self, scope: Scope) -> str:
        if scope not in self._known:
            budget = budget_for(self._policy, scope)
            self._known[scope] = budget.cost_center if budget else ""
        return self._known[scope]


def plain_row(row: Spend, cost_center: str) -> dict[str, Cell]:
    """Return one row of the plain export."""
    return {
        "reserved_at": row.at.isoformat(timespec="microseconds"),
        "day": row.day,
        "month": row.month,
        "reservation": row.reservation,
        "state": row.state,
        "cost_center": cost_center,
        **{label: row.label(label) for label in LABELS},
        "model": model_of(row),
        "usd": usd_text(row.amount.nano_usd),
        "overrun_usd": usd_text(row.overrun.nano_usd),
        **row.usage._asdict(),
        "tokens": row.amount.tokens,
        "requests": row.amount.requests,
    }


class _Charged(NamedTuple):
    """What one cost centre is charged for one month."""

    amount: Amount = Amount()
    held: Amount = Amount()
    calls: int = 0


def chargeback_rows(rows: Iterable[Spend], centers: CostCenters) -> Iterator[dict[str, Cell]]:
    """Yield one row per cost centre and month, in the order of their names; ``usd`` is posted and held, ``held_usd`` a part of it."""
    sums: dict[tuple[str, str], _Charged] = {}
    for row in rows:
        key = (centers.of(row), row.month)
        known = sums.get(key, _Charged())
        held = known.held.plus(row.amount) if row.state == "held" else known.held
        sums[key] = _Charged(known.amount.plus(row.amount), held, known.calls + 1)
    for (center, month), charged in sorted(sums.items()):
        yield {
            "cost_center": center,
            "month": month,
            "usd": usd_text(charged.amount.nano_usd),
            "held_usd": usd_text(charged.held.nano_usd),
            "tokens": charged.amount.tokens,
            "requests": charged.amount.requests,
            "calls": charged.calls,
        }
