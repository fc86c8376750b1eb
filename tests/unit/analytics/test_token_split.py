"""A cost split by kind of token adds up to the nano-dollar, whatever it is split by."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.analytics.token_split import KINDS, parts_of, split_evenly
from budget_gate.config.price_file import load_prices
from budget_gate.core.prices import DatedPrice, Rate, call_cost_nano_usd
from budget_gate.core.usage import Usage

PRICES = load_prices()
HAIKU = PRICES.price_of("claude-haiku-4-5", datetime(2026, 11, 24, tzinfo=UTC))
COUNTS = st.integers(0, 2_000_000)


@given(st.integers(0, 10**16), st.lists(st.integers(0, 10**20), min_size=1, max_size=6).filter(any))
def test_the_parts_add_up_and_none_is_off_by_a_nano_dollar(total: int, weights: list[int]) -> None:
    """The sum is exact, and no part is a whole nano-dollar away from its true share."""
    parts = split_evenly(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True))


@given(usage=st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.integers(0, 50)))
def test_a_priced_call_is_split_by_what_each_kind_costs(usage: Usage) -> None:
    """Every used kind has a part; a part differs from quantity times rate by less than the rounding of the call."""
    cost = call_cost_nano_usd(usage, HAIKU)
    parts = parts_of(cost, usage, HAIKU)
    assert sum(part.nano_usd for part in parts) == (cost if any(usage) else 0)
    assert [part.kind for part in parts] == [kind for kind, count in zip(KINDS, usage, strict=True) if count]
    for part in parts:
        assert part.rate is not None
        unit = 1_000_000 if part.kind == "web_search" else 1_000
        assert abs(part.nano_usd - part.rate * part.quantity * unit) < 2


def test_an_unknown_price_is_split_by_counts() -> None:
    """Without a price, or without the rate of a used kind, tokens weigh alike; the sum still holds."""
    usage = Usage(100, 200, 0, 0, 1)
    for price in (None, DatedPrice(None, Rate(Decimal(1)), Rate(Decimal(5)))):
        parts = parts_of(302, usage, price)
        assert [(part.kind, part.nano_usd) for part in parts] == [("input", 100), ("output", 201), ("cache_write_1h", 1)]


def test_a_call_without_tokens_has_no_parts() -> None:
    """Nothing to split by: the caller shows it as one request."""
    assert parts_of(7, Usage(), HAIKU) == ()
    with pytest.raises(ValueError, match="nothing to split by"):
        split_evenly(7, [0, 0])
