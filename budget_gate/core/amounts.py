"""What a budget counts: dollars, tokens and requests, always together, so that one row answers every unit of limit."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Unit = Literal["usd", "tokens", "requests"]
UNITS: tuple[Unit, ...] = ("usd", "tokens", "requests")
UNIT_FIELDS = {unit: field for field, unit in enumerate(UNITS)}
"""Where the count of a unit stands in an ``Amount``."""


class Amount(NamedTuple):
    """A quantity of all three units. Counts are integers; ``nano_usd`` is nano-dollars."""

    nano_usd: int = 0
    tokens: int = 0
    requests: int = 0

    def of(self, unit: Unit) -> int:
        """Return the count in ``unit``."""
        return self[UNIT_FIELDS[unit]]

    def plus(self, other: "Amount") -> "Amount":
        """Return the sum, unit by unit (``+`` on a tuple would join the two)."""
        return Amount(self[0] + other[0], self[1] + other[1], self[2] + other[2])

    def minus(self, other: "Amount") -> "Amount":
        """Return the difference, unit by unit."""
        return Amount(self[0] - other[0], self[1] - other[1], self[2] - other[2])

    def excess_over(self, other: "Amount") -> "Amount":
        """Return by how much this passes ``other``, unit by unit, never below zero."""
        return Amount(max(self[0] - other[0], 0), max(self[1] - other[1], 0), max(self[2] - other[2], 0))

    @property
    def is_negative(self) -> bool:
        """True if any unit is below zero: never a valid amount to reserve or settle."""
        return min(self) < 0


ZERO = Amount()


def total_of(amounts: Iterable[Amount]) -> Amount:
    """Return the sum of amounts, unit by unit."""
    total = ZERO
    for amount in amounts:
        total = total.plus(amount)
    return total


class CounterValue(NamedTuple):
    """What one counter (a scope in one period) holds: spent for good, promised, and possibly billed."""

    posted: Amount = ZERO
    pending: Amount = ZERO
    held: Amount = ZERO

    def of(self, unit: Unit) -> tuple[int, int, int]:
        """Return the counts in ``unit``: posted, pending, held."""
        field = UNIT_FIELDS[unit]
        return self[0][field], self[1][field], self[2][field]

    def plus(self, other: "CounterValue") -> "CounterValue":
        """Return the sum, part by part; entries carry such values as signed differences."""
        return CounterValue(self.posted.plus(other.posted), self.pending.plus(other.pending), self.held.plus(other.held))
