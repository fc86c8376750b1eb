"""Usage: every token in one bucket, and no bucket that nobody knows."""

import pytest

from budget_gate.core.prices import TOKEN_KINDS
from budget_gate.core.usage import Usage

FULL = Usage(1, 20, 300, 4_000, 50_000, 7)


def test_an_unknown_kind_is_an_error() -> None:
    """A usage key that has no bucket cannot be carried along unpriced."""
    with pytest.raises(TypeError, match="audio_tokens"):
        Usage(input_tokens=1, audio_tokens=5)


def test_prompt_and_total() -> None:
    """The prompt is everything read, cached or not; the total adds what was written; searches are no tokens."""
    assert FULL.prompt_tokens == 54_301
    assert FULL.total_tokens == 54_321


def test_sum() -> None:
    """Two usages add up kind by kind."""
    assert FULL.plus(Usage(web_searches=1, input_tokens=2)) == Usage(3, 20, 300, 4_000, 50_000, 8)


@pytest.mark.parametrize("field", Usage._fields)
def test_a_negative_count_is_named(field: str) -> None:
    """A count below zero is refused by its name, whichever it is."""
    with pytest.raises(ValueError, match=field):
        Usage(**{field: -1}).checked()
    assert FULL.checked() is FULL


def test_prices_and_usage_name_the_same_kinds_in_the_same_order() -> None:
    """A token kind is priced by the rate of its own name: the two lists agree position by position."""
    assert [f"{kind}_tokens" for kind in TOKEN_KINDS] == list(Usage._fields[: len(TOKEN_KINDS)])
    assert Usage._fields[len(TOKEN_KINDS) :] == ("web_searches",)
