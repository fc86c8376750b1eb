"""Charges in the periods they fall into: which counters they add to, and the JSON in which a reservation keeps them.

A process charges the same few counters again and again, so what was worked out for a minute is remembered: asking before a
transaction begins leaves nothing to be worked out in it, while others wait.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from budget_gate.core.amounts import UNIT_FIELDS
from budget_gate.core.audit import compact_json, from_microseconds, microseconds
from budget_gate.core.charges import Charge, LimitLine
from budget_gate.core.periods import Per, Window, minute_of, window_at
from budget_gate.core.reservations import BudgetState, limit_state
from budget_gate.core.scopes import Scope
from budget_gate.ledger.identity import scopes_json


class CounterName(NamedTuple):
    """Names a counter: scope text, kind of period, and the period's label. No limit is part of it."""

    scope: str
    per: Per
    label: str


class PlacedCharge(NamedTuple):
    """A charge in the period it fell into when it was reserved."""

    charge: Charge
    window: Window

    @property
    def counter(self) -> CounterName:
        """The counter it is added to."""
        return CounterName(self.charge.scope.text, self.charge.per, self.window.label)


class PlacedLimit(NamedTuple):
    """One limit of placed charges: which of them it is on, its unit (0 to 2), and what says how it stands."""

    charge: int
    unit: int
    state: Callable[[int, int, int], BudgetState]
    """Given what the counter has posted, pending and held of the unit."""


def limits_of(places: Sequence[tuple[Charge, Window]]) -> tuple[PlacedLimit, ...]:
    """Return every limit of charges in their periods, in their order."""
    return tuple(
        PlacedLimit(index, UNIT_FIELDS[line.unit], limit_state(charge, line, window))
        for index, (charge, window) in enumerate(places)
        for line in charge.limits
    )


class PlacedCharges(tuple[PlacedCharge, ...]):  # noqa: SLOT001 (cached properties are kept in the object's dictionary)
    """The placed charges of one request; what several steps ask of them is worked out once."""

    @cached_property
    def counters(self) -> tuple[CounterName, ...]:
        """The counters that they are added to, in their order."""
        return tuple(each.counter for each in self)

    @cached_property
    def counters_text(self) -> str:
        """The counters as JSON, as an entry names them."""
        return compact_json(self.counters)

    @cached_property
    def span(self) -> tuple[datetime, datetime]:
        """The instants from which, and up to which, all of their periods last."""
        starts = max((each.window.starts_at for each in self), default=datetime.min.replace(tzinfo=UTC))
        return starts, min((each.window.ends_at for each in self), default=datetime.max.replace(tzinfo=UTC))

    def hold(self, instant: datetime) -> bool:
        """Whether all of their periods hold ``instant``, so that placed anew they would be the same."""
        return self.span[0] <= instant < self.span[1]

    @cached_property
    def text(self) -> str:
        """The charges, with their periods and the limits known at the time, as JSON; ``parsed_charges`` reads it."""
        return compact_json(
            [
                [
                    *(*charge.scope, charge.per, window.label),
                    *(microseconds(window.starts_at), microseconds(window.ends_at)),
                    charge.limits,
                ]
                for charge, window in self
            ]
        )

    @cached_property
    def scopes_text(self) -> str:
        """What the digest of a reserve covers of them, see ``identity.scopes_json``."""
        return scopes_json([each.charge for each in self])

    @cached_property
    def limits(self) -> tuple[PlacedLimit, ...]:
        """Every limit on them, in their order."""
        return limits_of(self)

    def worked_out(self) -> "PlacedCharges":
        """Return these once all that storing them asks for is known."""
        _ = self.counters_text, self.scopes_text, self.span, self.text, self.limits
        return self


def place_charges(charges: Sequence[Charge], zone: str, now: datetime) -> PlacedCharges:
    """Return the charges in the periods that hold ``now``."""
    placed = _placed_in_minute(tuple(charges), zone, minute_of(now))
    # A period may begin within a minute, as those of ``window_at`` may.
    return placed if placed.hold(now) else _placed(charges, zone, now)


@lru_cache(maxsize=64)
def _placed_in_minute(charges: tuple[Charge, ...], zone: str, minute: datetime) -> PlacedCharges:
    return _placed(charges, zone, minute)


def _placed(charges: Sequence[Charge], zone: str, instant: datetime) -> PlacedCharges:
    return PlacedCharges(PlacedCharge(charge, window_at(charge.per, zone, instant)) for charge in charges)


@lru_cache(maxsize=64)
def parsed_charges(text: str) -> PlacedCharges:
    """Return the charges that ``PlacedCharges.text`` wrote."""
    return PlacedCharges(_placed_charge(*fields) for fields in json.loads(text))


def _placed_charge(kind: str, name: str, per: Any, label: str, starts_at: int, ends_at: int, limits: list[Any]) -> PlacedCharge:
    window = Window(per, label, from_microseconds(starts_at), from_microseconds(ends_at))
    return PlacedCharge(Charge(Scope(kind, name), per, tuple(LimitLine(*line) for line in limits)), window)
