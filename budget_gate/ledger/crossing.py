"""Law 11: a tier is crossed once per limit and period, and its alert goes into the outbox in the same transaction.

Who is told, and how, is decided elsewhere: a payload only says what happened.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from budget_gate.core.admission import Counted
from budget_gate.core.audit import compact_json, microseconds
from budget_gate.core.charges import LimitLine
from budget_gate.core.reservations import BudgetState, Crossing, Refusal
from budget_gate.core.scopes import BOUND_KINDS
from budget_gate.ledger.books import Books


def cross_lines(
    books: Books,
    counted: Sequence[Counted],
    budgets: Sequence[BudgetState],
    labels: Mapping[str, str],
    now: datetime,
    refused_by: Sequence[Refusal] = (),
) -> tuple[Crossing, ...]:
    """Write down and announce every tier that is reached and was not before; return those. ``budgets`` are how the limits stand.

    A refusal for good means that the scope has stopped, even if a little is left under its line: it crosses ``stop``.
    """
    stopped = {(each.scope, each.per, each.unit) for each in refused_by if each.reason == "spent"}
    if not stopped and not any(each.tier for each in budgets):
        return ()
    crossed = []
    for each in counted:
        if each.charge.scope.kind in BOUND_KINDS:  # bounds stop a task; they are nobody's budget
            continue
        for line in each.charge.limits:
            forced = (each.charge.scope, each.charge.per, line.unit) in stopped and line.admission_line is not None
            for tier in _reached(line, each, is_stopped=forced):
                crossing = Crossing(each.charge.scope, each.charge.per, each.window.label, line.unit, tier)
                if books.cross(crossing, now):
                    books.send(alert_payload(crossing, line, each, labels, now))
                    crossed.append(crossing)
    return tuple(crossed)


def _reached(line: LimitLine, counted: Counted, *, is_stopped: bool) -> Iterable[str]:
    used = _used(line, counted)
    return [tier for tier, at in line.tier_lines if used >= at or (is_stopped and tier == "stop")]


def _used(line: LimitLine, counted: Counted) -> int:
    return counted.value.posted.of(line.unit) + counted.value.held.of(line.unit)


def alert_payload(crossing: Crossing, line: LimitLine, counted: Counted, labels: Mapping[str, str], now: datetime) -> str:
    """Return the JSON of an alert. Counts are of ``unit``, instants microseconds since 1970 UTC, as in entries."""
    return compact_json(
        {
            "scope": crossing.scope.text,
            "per": crossing.per,
            "label": crossing.label,
            "unit": crossing.unit,
            "tier": crossing.tier,
            "limit": line.limit,
            "used": _used(line, counted),
            "owner": line.owner,
            "mode": line.mode,
            "resets_at": microseconds(counted.window.ends_at),
            "at": microseconds(now),
            "workflow": labels.get("workflow", ""),
        }
    )
