"""Plans: the charges of a request in the periods they fall into now, as the JSON that scripts check and store with a reservation.

Text of users is in it twice encoded (a JSON string that holds JSON), so that a script can pass it on without re-encoding it.
"""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from budget_gate.core.amounts import UNIT_FIELDS, UNITS, ZERO
from budget_gate.core.audit import compact_json, from_microseconds, microseconds
from budget_gate.core.charges import Charge, LimitLine
from budget_gate.core.periods import Window, window_at
from budget_gate.core.reservations import BudgetState
from budget_gate.core.scopes import BOUND_KINDS, Scope
from budget_gate.ledger import checks
from budget_gate.ledger.identity import plan_name, scopes_json
from budget_gate.ledger.interface import SWEEP_MOST, WAITER_TTL_SECONDS
from budget_gate.ledger.placing import PlacedLimit, limits_of
from budget_gate.ledger.redis_names import counter_suffix
from budget_gate.ledger.redis_wire import Packed, pack

KEPT_MOST = 256
"""How many plans, and how many periods, a planner keeps before it starts afresh."""

_WAITER_TTL = int(WAITER_TTL_SECONDS * 1_000_000)

Place = tuple[Charge, Window]


class Plan(NamedTuple):
    """Charges in their periods, with the time (microseconds, half open) in which those hold.

    All that a script is told of them is the same at every call, and so packed once: ``for_reserve``, ``for_read`` and,
    without the plan's own text where the server has it, ``for_next_reserve``. ``scopes`` is
    ``identity.scopes_json`` of the charges, ``counters`` how an entry names them.
    """

    name: str
    limits: tuple[PlacedLimit, ...]
    scopes: str
    counters: str
    starts_at: int
    ends_at: int
    for_reserve: Packed
    for_next_reserve: Packed
    for_read: Packed


class Planner:
    """Makes plans, and keeps them: a process asks for the same budgets again and again."""

    def __init__(self) -> None:
        self._plans: dict[tuple[tuple[Charge, ...], str], Plan] = {}
        self._last: tuple[tuple[tuple[Charge, ...], str], Plan] | None = None
        """The newest plan: comparing charges with those of the call before is quicker than hashing them."""

    def plan(self, charges: Sequence[Charge], zone: str, now: int) -> Plan:
        """Return the plan for charges at the instant ``now`` (microseconds since 1970 UTC).

        Raises ``UsageError`` for charges that no ledger can count.
        """
        key = (tuple(charges), zone)
        kept = self._last[1] if self._last is not None and self._last[0] == key else self._plans.get(key)
        if kept is None or not kept.starts_at <= now < kept.ends_at:
            checks.check_charges(charges, zone)
            if len(self._plans) >= KEPT_MOST:
                self._plans.clear()
            kept = self._plans[key] = _make_plan(key[0], zone, now)
        self._last = (key, kept)
        return kept


def _make_plan(charges: tuple[Charge, ...], zone: str, now: int) -> Plan:
    instant = from_microseconds(now)
    windows = {per: window_at(per, zone, instant) for per in dict.fromkeys(charge.per for charge in charges)}
    places = tuple((charge, windows[charge.per]) for charge in charges)
    suffixes = [_suffix(*place) for place in places]
    starts_at = max((microseconds(window.starts_at) for window in windows.values()), default=0)
    ends_at = min((microseconds(window.ends_at) for window in windows.values()), default=2**53)
    text = plan_text(places)
    named = compact_json([[charge.scope.text, charge.per, window.label] for charge, window in places])
    numbers = compact_json([starts_at, ends_at, _WAITER_TTL, SWEEP_MOST, *_limit_numbers(places)])
    name = plan_name(text)
    told = (f"has:{name}", *suffixes)
    return Plan(
        name,
        limits_of(places),
        scopes_json(charges),
        named,
        starts_at,
        ends_at,
        pack([numbers, text, *told]),
        pack([numbers, "", *told]),
        pack([starts_at, ends_at, *suffixes]),
    )


def _suffix(charge: Charge, window: Window) -> str:
    return counter_suffix(charge.scope.text, charge.per, window.label)


def _limit_numbers(places: Sequence[Place]) -> Iterator[int]:
    """Yield what ``lua/grant.lua`` needs of each limit: its counter, unit, admission line and lowest alerted line; -1 is none."""
    for index, (charge, _) in enumerate(places, start=1):
        for line in charge.limits:
            unit, admission, lowest = UNIT_FIELDS[line.unit] + 1, line.admission_line, _lowest_alerted(charge, line)
            yield from (index, unit, -1 if admission is None else admission, -1 if lowest is None else lowest)


def _lowest_alerted(charge: Charge, line: LimitLine) -> int | None:
    """Return the lowest line whose crossing is told. Bounds stop a task; they are nobody's budget."""
    return line.tier_lines[0][1] if line.tier_lines and charge.scope.kind not in BOUND_KINDS else None


def plan_text(places: Sequence[Place]) -> str:
    """Return charges with their periods as the JSON that is stored with a reservation."""
    return compact_json([_charge_fields(*place) for place in places])


def _charge_fields(charge: Charge, window: Window) -> list[Any]:
    limits = [_limit_fields(charge, line) for line in charge.limits]
    text = compact_json(charge.scope.text)
    return [_suffix(charge, window), text, charge.per, window.label, microseconds(window.ends_at), limits]


def _limit_fields(charge: Charge, line: LimitLine) -> list[Any]:
    """Return one limit as the scripts read it; what is missing is false rather than null, which Lua would take for a value."""
    lowest = _lowest_alerted(charge, line)
    return [
        UNIT_FIELDS[line.unit] + 1,
        line.limit,
        False if line.admission_line is None else line.admission_line,
        line.warn_line,
        line.alert_line,
        line.stop_line,
        line.mode,
        compact_json(line.owner),
        False if lowest is None else lowest,
    ]


@lru_cache(maxsize=KEPT_MOST)
def stored_limits(text: str) -> tuple[PlacedLimit, ...]:
    """Return every limit of the plan stored with a reservation: many have the same."""
    return limits_of(stored_places(text))


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


def states(
    limits: Sequence[PlacedLimit], counters: Sequence[Sequence[int]], more_pending: Sequence[int] = ZERO
) -> tuple[BudgetState, ...]:
    """Return how every limit stands. A counter is nine numbers: pending, posted and held, each in three units."""
    found = []
    for index, unit, state in limits:
        counter = counters[index]
        found.append(state(counter[unit + 3], counter[unit] + more_pending[unit], counter[unit + 6]))
    return tuple(found)
