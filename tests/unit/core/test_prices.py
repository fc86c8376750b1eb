"""Prices: genai-prices computes the same costs, the worst case is never below a cost, and ids resolve in linear time."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from genai_prices import types
from genai_prices.data import providers
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.config.price_file import load_prices
from budget_gate.core.errors import UnknownModel, UnsupportedUsage
from budget_gate.core.prices import (
    TOKEN_KINDS,
    DatedPrice,
    ModelPrice,
    PriceBook,
    Rate,
    Variant,
    call_cost_nano_usd,
    call_cost_usd,
    worst_cost_nano_usd,
)
from budget_gate.core.usage import Usage

ANTHROPIC = next(provider for provider in providers if provider.id == "anthropic")
CONTEXTS = {"standard": None, "batch": {"processing": "batch"}, "fast": {"speed": "fast"}}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
THRESHOLDS = (0, 100_000, 200_000)
DAYS = (date(2024, 1, 1), date(2026, 3, 12), date(2026, 3, 13), date(2026, 10, 13), date(2026, 10, 14), date(2027, 6, 1))
BOOK = load_prices()


def _random_usage(chance: random.Random, price: DatedPrice) -> Usage:
    """Return a usage of the kinds that have a rate, its prompt often right at a threshold of a long-prompt tier."""
    prompt_tokens = chance.choice([0, chance.choice(THRESHOLDS) + chance.randint(-1, 1), chance.randint(0, 10**12)])
    cached = [kind for kind in TOKEN_KINDS[2:] if getattr(price, kind) is not None]
    left, counts = max(prompt_tokens, 0), {}
    for kind in cached:
        counts[f"{kind}_tokens"] = chance.choice([0, chance.randint(0, left)])
        left -= counts[f"{kind}_tokens"]
    searches = chance.choice([0, chance.randint(0, 50)]) if price.web_searches_kcount is not None else 0
    return Usage(input_tokens=left, output_tokens=chance.choice([0, chance.randint(0, 10**9)]), web_searches=searches, **counts)


def _genai_cost(model: types.ModelInfo, usage: Usage, instant: datetime, variant: str) -> Decimal:
    """Return the cost as genai-prices computes it; there, cached tokens are part of the input tokens."""
    reported = types.Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        cache_write_5m_tokens=usage.cache_write_5m_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        web_searches=usage.web_searches,
    )
    result = model.calc_price(reported, ANTHROPIC, genai_request_timestamp=instant, price_context=CONTEXTS[variant])
    return result.total_price


def _priced_variants(model: types.ModelInfo) -> Iterator[Variant]:
    yield "standard"
    yield "batch"
    if any(variant.when == CONTEXTS["fast"] for variant in model.price_variants or ()):
        yield "fast"


def test_costs_equal_those_of_genai_prices() -> None:
    """For every model, variant and side of a price change, random usages cost what genai-prices says, to the last digit."""
    chance, compared = random.Random(20261123), 0
    for model in ANTHROPIC.models:
        for variant in _priced_variants(model):
            for day in DAYS:
                for _ in range(20):
                    second = chance.choice([0, 86_399, chance.randint(0, 86_399)])
                    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
                    price = BOOK.price_of(model.id, instant, variant)
                    usage = _random_usage(chance, price)
                    expected = _genai_cost(model, usage, instant, variant)
                    assert call_cost_usd(usage, price) == expected, (model.id, variant, instant, usage)
                    compared += 1
    assert compared >= 5_000


def test_the_tiers_under_test_are_those_in_the_file() -> None:
    """The comparison above looks at both sides of every threshold and of every date that the price file has."""
    entries = [entry for model in BOOK.models for entry in model.entries]
    rates = [rate for entry in entries for kind in TOKEN_KINDS if (rate := getattr(entry, kind))]
    assert {threshold for rate in rates for threshold, _ in rate.above} == set(THRESHOLDS) - {0}
    changes = {entry.effective_from for entry in entries} - {None}
    assert changes | {day - timedelta(days=1) for day in changes if day} <= set(DAYS)


def _ids() -> Iterator[str]:
    """Yield ids around every matching rule: as it stands, dated in several ways, with something before or behind."""
    for model in BOOK.models:
        for name in {model.model, *model.equals, *model.prefixes, *model.contains, *model.shapes}:
            plain = name.replace("#", "7")
            for tail in ("", "-20260101", "-2026-01-01", "@20260101", "-1", "-latest", "5", "-202601011", "-v1:0", ":x", "."):
                yield plain + tail
                yield (plain + tail).upper()
            yield plain[:-1]
            yield f"anthropic.{plain}"


def test_ids_resolve_as_in_genai_prices() -> None:
    """Every id around every matching rule goes to the model that genai-prices gives it to, or to none."""
    for text in _ids():
        theirs, ours = ANTHROPIC.find_model(text), BOOK.resolve(text)
        assert (ours and ours.model) == (theirs and theirs.id), text


@given(st.text(alphabet="claude-opsntfbhik0123456789.@v\u0665\n", max_size=40).map("claude-".__add__))
def test_random_ids_resolve_as_in_genai_prices_or_not_at_all(text: str) -> None:
    """Where the two differ (digits of other scripts, a line end: a regex takes them), the gate refuses and never guesses."""
    theirs, ours = ANTHROPIC.find_model(text), BOOK.resolve(text)
    assert ours is None or (theirs is not None and ours.model == theirs.id)
    if text.isascii() and "\n" not in text:
        assert (ours and ours.model) == (theirs and theirs.id)


@pytest.mark.parametrize("text", ["claude-opus-5-2026010\u0665", "claude-opus-5-20260101\n", "claude-haiku-4-5" + "-x" * 100])
def test_an_odd_id_has_no_price(text: str) -> None:
    """Digits of other scripts, a line end and an endless tail make an id that is nobody's."""
    assert BOOK.resolve(text) is None


def test_a_hostile_id_is_refused_quickly() -> None:
    """An id of a megabyte has no price, and finding that out and saying so is quick and short."""
    hostile = "claude-opus-5-" + "2" * 1_000_000
    began = time.process_time()
    with pytest.raises(UnknownModel) as refused:
        BOOK.price_of(hostile, NOON)
    assert time.process_time() - began < 1
    assert len(str(refused.value)) < 1_000


def test_counts_of_any_size_are_exact() -> None:
    """No digit is lost where a usual decimal context would round: the one rounding is the last, and up."""
    rate = Rate(Decimal("0.123456789123"))
    price = DatedPrice(None, rate, rate, rate, rate, rate, Decimal("0.1"))
    usage = Usage(10**12 + 1, 10**30 + 7, 3, 1, 10**18, 10**15)
    exact = Fraction(rate.base) * usage.total_tokens / 10**6 + Fraction(1, 10_000) * usage.web_searches
    assert Fraction(call_cost_usd(usage, price)) == exact
    assert call_cost_nano_usd(usage, price) == -(-exact * 10**9 // 1)


def test_rounding_happens_once() -> None:
    """Two kinds that each cost a third of a nano-dollar cost one together, not one each."""
    price = DatedPrice(None, Rate(Decimal("0.0003")), Rate(Decimal("0.0003")))
    assert call_cost_nano_usd(Usage(1, 1), price) == 1


@pytest.mark.parametrize("kind", TOKEN_KINDS[2:])
def test_a_kind_without_a_rate_is_refused(kind: str) -> None:
    """Tokens of a kind that a price does not name are an error, not free."""
    price = DatedPrice(None, Rate(Decimal(1)), Rate(Decimal(5)))
    assert call_cost_nano_usd(Usage(1, 1), price) == 6_000
    with pytest.raises(UnsupportedUsage, match=kind):
        call_cost_nano_usd(Usage(**{f"{kind}_tokens": 1}), price)


def test_searches_without_a_rate_are_refused() -> None:
    """A web search that no price names is an error before the call, and after it."""
    price = DatedPrice(None, Rate(Decimal(1)), Rate(Decimal(5)))
    with pytest.raises(UnsupportedUsage, match="web searches"):
        call_cost_nano_usd(Usage(web_searches=1), price)
    with pytest.raises(UnsupportedUsage, match="web searches"):
        worst_cost_nano_usd(price, 1, 1, web_searches=1)


rates = st.decimals(min_value=0, max_value=100, places=4)


@st.composite
def rising_rates(draw: st.DrawFn) -> Rate:
    """A rate whose tiers rise, as price files are checked to have."""
    amounts = sorted(draw(st.lists(rates, min_size=1, max_size=4)))
    thresholds = sorted(draw(st.sets(st.integers(0, 400), min_size=len(amounts) - 1, max_size=len(amounts) - 1)))
    return Rate(amounts[0], tuple(zip(thresholds, amounts[1:], strict=True)))


@st.composite
def prices(draw: st.DrawFn) -> DatedPrice:
    """Any price list, odd ones included: a cache read may be dearer than plain input."""
    optional = st.none() | rising_rates()
    drawn = [draw(optional) for _ in TOKEN_KINDS[2:]]
    return DatedPrice(None, draw(rising_rates()), draw(rising_rates()), *drawn, draw(st.none() | rates))


@given(prices(), st.lists(st.integers(0, 150), min_size=6, max_size=6), st.integers(0, 200), st.integers(0, 200))
def test_the_worst_case_is_never_below_a_cost(price: DatedPrice, counts: list[int], more_input: int, more_output: int) -> None:
    """Whatever a call within its bounds uses, by any kinds and on any side of a tier, it costs no more than was reserved."""
    usage = Usage(*counts)._replace(**{f"{kind}_tokens": 0 for kind in TOKEN_KINDS if getattr(price, kind) is None})
    usage = usage if price.web_searches_kcount is not None else usage._replace(web_searches=0)
    bound = usage.prompt_tokens + more_input, usage.output_tokens + more_output
    worst = worst_cost_nano_usd(price, *bound, web_searches=usage.web_searches, cached=True)
    assert call_cost_nano_usd(usage, price) <= worst
    uncached = Usage(input_tokens=usage.prompt_tokens, output_tokens=usage.output_tokens, web_searches=usage.web_searches)
    assert call_cost_nano_usd(uncached, price) <= worst_cost_nano_usd(price, *bound, web_searches=usage.web_searches)


HAIKU = "claude-haiku-4-5"
CHEAP = DatedPrice(date(2026, 6, 1), Rate(Decimal("0.8")), Rate(Decimal(4)))


def test_a_negotiated_price_wins_from_its_date_on() -> None:
    """Before its first day (UTC) the published price holds, from then on the negotiated one, for every id of the model."""
    book = load_prices({HAIKU: (CHEAP,)})
    before, after = datetime(2026, 5, 31, 23, 59, 59, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    for name in (HAIKU, "claude-haiku-4-5-20251001", "CLAUDE-4.5-haiku"):
        assert book.price_of(name, before).input.base == 1
        assert book.price_of(name, after) is CHEAP
    assert book.price_of("claude-opus-5", after).input.base == 5


def test_a_private_model_has_its_negotiated_price() -> None:
    """A model that nobody publishes is priced by the policy alone, from its date on."""
    book = load_prices({"our-own-model": (CHEAP,)})
    assert book.is_priced("our-own-model")
    assert book.price_of("our-own-model", NOON) is CHEAP
    with pytest.raises(UnknownModel):
        book.price_of("our-own-model", datetime(2026, 1, 1, tzinfo=UTC))


def test_an_unknown_model_names_its_neighbours() -> None:
    """A misspelt id is refused with the id that was meant; ``is_priced`` agrees."""
    assert not BOOK.is_priced("claude-haiku-45")
    with pytest.raises(UnknownModel) as refused:
        BOOK.price_of("claude-haiku-45", NOON)
    assert refused.value.nearest[0] == HAIKU


def test_a_variant_without_a_rate() -> None:
    """Batch work without a rate of its own pays the standard price; fast work, which would be dearer, is refused."""
    assert BOOK.price_of("claude-opus-4-1", NOON, "batch") == BOOK.price_of("claude-opus-4-1", NOON)
    with pytest.raises(UnsupportedUsage, match="fast"):
        BOOK.price_of("claude-opus-4-1", NOON, "fast")


@pytest.mark.parametrize("instant", [datetime(2024, 1, 1, tzinfo=UTC), NOON])
def test_the_dearest_price_bounds_every_price(instant: datetime) -> None:
    """An unpriced model is counted at rates that no known model, in any variant, is above."""
    dearest = load_prices({"our-own-model": (CHEAP._replace(output=Rate(Decimal(300))),)}).dearest_at(instant)
    usage = Usage(100_001, 100_001, 1, 1, 1, 1)
    for model in BOOK.models:
        for variant in ("standard", "batch", "fast"):
            price = model.at(instant, variant)
            if price is not None and price.cache_read is not None and price.web_searches_kcount is not None:
                assert call_cost_usd(usage, price) <= call_cost_usd(usage, dearest)
    assert dearest.output.base == (300 if instant == NOON else 80)


def test_an_empty_book_has_no_dearest_price() -> None:
    """Where nothing is priced nothing can be counted, and that is said."""
    with pytest.raises(ValueError, match="no price"):
        PriceBook([ModelPrice("model", ())]).dearest_at(NOON)
