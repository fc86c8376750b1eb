"""Worst cases and clamping: what is sent can never use more than was granted."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from fakes.gate_setup import BODY, PRICES, policy
from hypothesis import given, settings
from hypothesis import strategies as st

from budget_gate.config.price_file import load_prices
from budget_gate.core.amounts import Amount
from budget_gate.core.errors import UnknownModel
from budget_gate.core.prices import DatedPrice, PriceBook, Rate, call_cost_nano_usd
from budget_gate.core.reservations import Refusal, Refused
from budget_gate.core.scopes import ORG, Scope
from budget_gate.core.token_pieces import text_hundredths
from budget_gate.core.usage import Usage
from budget_gate.gate.alternatives import alternatives_for
from budget_gate.gate.estimating import LEAST_ANSWER_TOKENS, Quote, least_answer, price_or_dearest, quote_for
from budget_gate.gate.interface import is_bound_only

NOW = datetime(2026, 3, 10, tzinfo=UTC)

rates = st.decimals("0.001", "200", places=3).map(Rate)
prices = st.builds(DatedPrice, st.none(), rates, rates, st.none() | rates, st.none() | rates, st.none() | rates)


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    """Any request a route can make."""
    most = draw(st.integers(1, 50_000))
    return Quote(
        price=draw(prices),
        is_priced=True,
        model="m",
        variant="standard",
        input_tokens=draw(st.integers(0, 300_000)),
        max_output_tokens=most,
        least_output_tokens=min(LEAST_ANSWER_TOKENS, most),
        web_searches=0,
        is_cached=draw(st.booleans()),
    )


@settings(deadline=None)
@given(quote=quotes(), data=st.data())
def test_clamped_answer_stays_within_the_grant_and_wastes_none_of_it(quote: Quote, data: st.DataObject) -> None:
    """For any grant between minimum and amount the longest answer fits, is useful, and one token more would not fit."""
    granted = Amount(
        data.draw(st.integers(quote.minimum.nano_usd, quote.amount.nano_usd)),
        data.draw(st.integers(quote.minimum.tokens, quote.amount.tokens)),
        1,
    )
    length = quote.longest_answer(granted)
    assert not granted.minus(quote.worst(length)).is_negative
    assert quote.least_output_tokens <= length <= quote.max_output_tokens
    assert length == quote.max_output_tokens or granted.minus(quote.worst(length + 1)).is_negative


@settings(deadline=None)
@given(quote=quotes(), data=st.data())
def test_nothing_within_the_bound_costs_more_than_the_worst_case(quote: Quote, data: st.DataObject) -> None:
    """However a prompt within the bound is split between plain and cached tokens, it costs at most the worst case."""
    read = data.draw(st.integers(0, quote.input_tokens)) if quote.is_cached and quote.price.cache_read else 0
    plain = data.draw(st.integers(0, quote.input_tokens - read))
    usage = Usage(plain, data.draw(st.integers(0, quote.max_output_tokens)), read)
    assert call_cost_nano_usd(usage, quote.price) <= quote.amount.nano_usd


@settings(deadline=None)
@given(quote=quotes(), count=st.integers(0, 400_000))
def test_count_is_used_only_with_its_margin_and_only_if_smaller(quote: Quote, count: int) -> None:
    """A provider's count never makes the bound smaller than count plus margin, nor larger than it was."""
    counted = quote.counted(count)
    if counted is None:
        assert count + 32 + count // 50 >= quote.input_tokens
    else:
        assert count + 32 <= counted.input_tokens < quote.input_tokens


def test_grant_too_small_for_the_prompt_leaves_no_answer() -> None:
    """A grant below the prompt's cost gives an answer of no length rather than a negative one."""
    quote = quote_for(PRICES, NOW, {**BODY, "model": "model-s", "max_tokens": 500})
    assert quote.longest_answer(Amount(0, 0, 1)) == 0
    assert quote.longest_answer(Amount(10**12, quote.input_tokens - 1, 1)) == 0


@pytest.mark.parametrize(
    ("body", "least"),
    [
        ({"max_tokens": 100}, 100),
        ({"max_tokens": 4_000}, LEAST_ANSWER_TOKENS),
        ({"max_tokens": 4_000, "thinking": {"type": "enabled", "budget_tokens": 2_000}}, 2_000 + LEAST_ANSWER_TOKENS),
        ({"max_tokens": 2_100, "thinking": {"type": "enabled", "budget_tokens": 2_000}}, 2_100),
        ({"max_tokens": 4_000, "thinking": {"type": "adaptive"}}, LEAST_ANSWER_TOKENS),
        ({"max_tokens": 4_000, "thinking": "yes"}, LEAST_ANSWER_TOKENS),
    ],
)
def test_least_answer_leaves_room_beyond_thinking(body: dict[str, object], least: int) -> None:
    """The smallest useful answer is a fixed length beyond the thinking budget, and never more than was allowed."""
    assert least_answer(body) == least


def test_unpriced_model_is_quoted_at_the_dearest_price() -> None:
    """A model without a price is quoted at the dearest known one, marked as such."""
    price, is_priced = price_or_dearest(PRICES, "model-x", NOW, "standard")
    assert not is_priced
    assert price.output == Rate(Decimal(15))


def test_without_any_price_nothing_can_be_quoted() -> None:
    """With no price known at all, an unpriced model is an error, not a zero."""
    with pytest.raises(UnknownModel):
        price_or_dearest(PriceBook([]), "model-x", NOW, "standard")


def test_bounds_are_told_apart_from_budgets() -> None:
    """A refusal by task and session bounds alone is one; with any budget among them it is not."""
    end = datetime.combine(date(9999, 1, 1), datetime.min.time(), UTC)
    bound = Refusal(Scope("task", "review/7"), "lifetime", "requests", "spent", 1, 0, end)
    budget = Refusal(ORG, "month", "usd", "spent", 1, 0, end)
    assert is_bound_only(Refused((bound,), ()))
    assert not is_bound_only(Refused((bound, budget), ()))
    assert not is_bound_only(Refused((), ()))


def test_every_tier_is_priced_from_one_weighing(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many tiers a policy has, a prompt's text is weighed once for all of them, and each gets the price it would alone."""
    weighed: list[str] = []

    def counting(text: str) -> int:
        weighed.append(text)
        return text_hundredths(text)

    monkeypatch.setattr("budget_gate.core.tokens.text_hundredths", counting)
    tiers = {f"tier{number}": model for number, model in enumerate(("claude-haiku-4-5", "claude-sonnet-4-6", "claude-opus-5"))}
    published = load_prices()
    found = alternatives_for(policy(models=tiers), published, NOW, BODY, 500)
    assert len(weighed) == 1
    for each in found:
        quote = quote_for(published, NOW, {**BODY, "model": each.model, "max_tokens": 500})
        assert (each.input_tokens, each.nano_usd) == (quote.input_tokens, quote.amount.nano_usd)
    assert {each.model for each in found} == set(tiers.values())
