"""Money: exact in, exact out, and rounded once where a cost becomes nano-dollars."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.money import (
    NANO_PER_USD,
    USD_MAX,
    ceil_to_nano_usd,
    parse_decimal,
    parse_usd,
    share_of,
    usd_short,
    usd_text,
)

amounts = st.integers(min_value=-USD_MAX * NANO_PER_USD, max_value=USD_MAX * NANO_PER_USD)


@given(amounts)
def test_text_round_trips(nano_usd: int) -> None:
    """What JSON output prints is read back to the same nano-dollar."""
    assert parse_usd(usd_text(nano_usd)) == nano_usd


@pytest.mark.parametrize(
    ("nano_usd", "text"),
    [(0, "0.00"), (12_345_678, "0.012345678"), (7 * NANO_PER_USD, "7.00"), (-1, "-0.000000001"), (1_500_000_000, "1.50")],
)
def test_exact_text(nano_usd: int, text: str) -> None:
    """Exact amounts keep at least two places and lose only trailing zeros."""
    assert usd_text(nano_usd) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "-",
            ".",
            ".5",
            "1e3",
            "1_000",
            "NaN",
            "inf",
            "-Infinity",
            "0x10",
            "1,5",
            "--1",
            "+1",
            "1.2.3",
            "1 2",
            "\u0661",
        ),
        "1e999999999",
        "9" * 41,
    ],
)
def test_odd_numbers_are_refused(text: str) -> None:
    """Anything but a plain decimal is a ``ValueError`` at once, an exponent that would fill the memory included."""
    with pytest.raises(ValueError, match="plain decimal"):
        parse_decimal(text)
    with pytest.raises(ValueError, match="amount of dollars"):
        parse_usd(text)


@pytest.mark.parametrize("text", ["0.0000000001", "1.000000000000000000000000000000000001"])
def test_finer_than_a_nano_dollar_is_refused(text: str) -> None:
    """An amount that nano-dollars cannot hold is refused, never rounded, however many zeros come first."""
    with pytest.raises(ValueError, match="finer than a billionth"):
        parse_usd(text)


@given(st.decimals(min_value=0, max_value=10**12, places=20))
def test_a_cost_is_rounded_up(cost_usd: Decimal) -> None:
    """The rounded cost is the smallest whole nano-dollar that is not below the cost."""
    exact = Fraction(cost_usd) * NANO_PER_USD
    rounded = ceil_to_nano_usd(cost_usd)
    assert rounded - 1 < exact <= rounded


@pytest.mark.parametrize(
    ("nano_usd", "short"),
    [
        (0, "$0.00"),
        (1, "<$0.0001"),
        (99_999, "<$0.0001"),
        (100_000, "$0.0001"),
        (12_345_678, "$0.0123"),
        (99_999_999, "$0.1000"),
        (100_000_000, "$0.10"),
        (12_500_000_000, "$12.50"),
        (1_234_567_890_000_000, "$1,234,567.89"),
        (-12_500_000_000, "-$12.50"),
    ],
)
def test_short_amounts(nano_usd: int, short: str) -> None:
    """Amounts for people show cents, or four places under ten cents, and never a zero for something."""
    assert usd_short(nano_usd) == short


@given(st.integers(min_value=0, max_value=2**53), st.integers(min_value=0, max_value=20_000))
def test_shares_are_rounded_down(amount: int, basis_points: int) -> None:
    """A share is never a hair above what it is a share of."""
    share = share_of(amount, basis_points)
    assert share <= Fraction(amount * basis_points, 10_000) < share + 1
