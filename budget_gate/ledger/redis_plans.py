"""Plans: the charges of a request in the periods they fall into now, as the JSON that scripts check and store with a reservation.

Text of users is in it twice encoded (a JSON string that holds JSON), so that a script can pass it on without re-encoding it.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from budget_gate.core.amounts import UNITS, CounterValue
from budget_gate.core.audit import compact_json, from_microseconds, microseconds
from budget_gate.core.charges import Charge, LimitLine
from budget_gate.core.periods import Window, window_at
from budget_gate.core.reservations import BudgetState, budget_state
from budget_gate.core.scopes import BOUND_KINDS, Scope
from budget_gate.ledger import checks
from budget_gate.ledger.redis_names import counter_suffix

KEPT_MOST = 256
"""How many plans, and how many periods, a planner keeps before it starts afresh."""

Place = tuple[Charge, Window]


class Plan(NamedTuple):
    """Charges with their periods; as JSON; their counters; and the time (microseconds, half open) in which the plan holds."""

    places: tuple[Place, ...]
    text: str
    suffixes: tuple[str, ...]
    starts_at: int
    ends_at: int


class Planner:
    """Makes plans, and keeps them: a process asks for the same budgets again and again."""

    def __init__(self) -> None:
        self._plans: dict[tuple[tuple[Charge, ...], str], Plan] = {}

    def plan(self, charges: Sequence[Charge], zone: str, now: int) -> Plan:
        """Return the plan for charges at the instant ``now`` (microseconds since 1970 UTC).

        Raises ``UsageError`` for charges that no ledger can count.
        """
        key = (tuple(charges), zone)
        kept = self._plans.get(key)
        if kept is not None and kept.starts_at <= now < kept.ends_at:
            return kept
        checks.check_charges(charges, zone)
        if len(self._plans) >= KEPT_MOST:
            self._plans.clear()
        made = self._plans[key] = _make_plan(key[0], zone, now)
        return made


def _make_plan(charges: tuple[Charge, ...], zone: str, now: int) -> Plan:
    instant = from_microseconds(now)
    windows = {per: window_at(per, zone, instant) for per in dict.fromkeys(charge.per for charge in charges)}
    places = tuple((charge, windows[charge.per]) for charge in charges)
    suffixes = tuple(counter_suffix(charge.scope.text, charge.per, window.label) for charge, window in places)
    fields = [_charge_fields(suffix, *place) for suffix, place in zip(suffixes, places, strict=True)]
    return Plan(
        places,
        compact_json(fields),
        suffixes,
        max((microseconds(window.starts_at) for window in windows.values()), default=0),
        min((microseconds(window.ends_at) for window in windows.values()), default=2**53),
    )


def plan_text(places: Sequence[Place]) -> str:
    """Return charges with their periods as the JSON that is stored with a reservation."""
    suffixes = (counter_suffix(charge.scope.text, charge.per, window.label) for charge, window in places)
    return compact_json([_charge_fields(suffix, *place) for suffix, place in zip(suffixes, places, strict=True)])


def _charge_fields(suffix: str, charge: Charge, window: Window) -> list[Any]:
    is_alerted = charge.scope.kind not in BOUND_KINDS  # bounds stop a task; they are nobody's budget
    limits = [_limit_fields(line, is_alerted=is_alerted) for line in charge.limits]
    return [suffix, compact_json(charge.scope.text), charge.per, window.label, microseconds(window.ends_at), limits]


def _limit_fields(line: LimitLine, *, is_alerted: bool) -> list[Any]:
    """Return one limit as the scripts read it; what is missing is false rather than null, which Lua would take for a value."""
    return [
        UNITS.index(line.unit) + 1,
        line.limit,
        False if line.admission_line is None else line.admission_line,
        line.warn_line,
        line.alert_line,
        line.stop_line,
        line.mode,
        compact_json(line.owner),
        line.tier_lines[0][1] if is_alerted and line.tier_lines else False,
    ]


def stored_places(text: str) -> tuple[Place, ...]:
    """Return the charges and periods of the plan stored with a reservation."""
    return tuple(_stored_place(*fields) for fields in json.loads(text))


def _stored_place(_suffix: str, scope: str, per: Any, label: str, ends_at: int, limits: list[list[Any]]) -> Place:
    lines = tuple(_stored_line(*fields) for fields in limits)
    end = from_microseconds(ends_at)
    return Charge(scope_named(json.loads(scope)), per, lines), Window(per, label, end, end)


def _stored_line(
    unit: int, limit: int, admission: Any, warn: int, alert: int, stop: int, mode: Any, owner: str, _lowest: Any
) -> LimitLine:
    admission_line = None if admission is False else admission
    return LimitLine(UNITS[unit - 1], limit, admission_line, warn, alert, stop, mode, json.loads(owner))


def scope_named(text: str) -> Scope:
    """Return the scope of a stored text. Unlike a policy's, it needs no checking: the ledger wrote it."""
    kind, _, name = text.partition("/")
    return Scope(kind, name)


def states(places: Sequence[Place], values: Sequence[CounterValue]) -> tuple[BudgetState, ...]:
    """Return how every limit of a plan stands, given its counters."""
    return tuple(
        budget_state(charge, line, window, value)
        for (charge, window), value in zip(places, values, strict=True)
        for line in charge.limits
    )
