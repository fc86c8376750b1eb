"""Dated prices: what a call cost, and the most it can cost.

A price is never overwritten: a change is a later entry, so that past spend keeps its price. Long-prompt tiers are cliffs:
a prompt past a threshold pays the higher rate for every token (the `genai-prices` package documents the same rule; so does
https://platform.claude.com/docs/en/about-claude/pricing). Reading price files is ``config.price_file``.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from budget_gate.core.errors import UnknownModel, UnsupportedUsage
from budget_gate.core.money import EXACT, ceil_to_nano_usd
from budget_gate.core.usage import Usage

Variant = Literal["standard", "batch", "fast"]
VARIANTS: tuple[Variant, ...] = ("standard", "batch", "fast")

TOKEN_KINDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
"""The token kinds a price names, in the order of ``Usage``'s fields."""

MODEL_ID_MAX = 200
"""The longest model id that is looked up, in characters. Ids come from requests: a longer one is nobody's model."""

_MILLIONTH = -6
_THOUSANDTH = -3


class Rate(NamedTuple):
    """Dollars per million tokens: ``base``, and for prompts longer than a threshold the rate beside the largest one passed."""

    base: Decimal
    above: tuple[tuple[int, Decimal], ...] = ()

    def for_prompt(self, prompt_tokens: int) -> Decimal:
        """Return the rate that a prompt of this length pays."""
        rate = self.base
        for threshold_tokens, dearer in self.above:
            if prompt_tokens > threshold_tokens:
                rate = dearer
        return rate

    def threshold_passed(self, prompt_tokens: int) -> int:
        """Return the largest threshold that a prompt of this length passes, in tokens; 0 where it pays the base rate."""
        return max((threshold_tokens for threshold_tokens, _ in self.above if prompt_tokens > threshold_tokens), default=0)


class DatedPrice(NamedTuple):
    """The rates of one model from a day (UTC; None: always) on. A kind without a rate cannot be priced."""

    effective_from: date | None
    input: Rate
    output: Rate
    cache_read: Rate | None = None
    cache_write_5m: Rate | None = None
    cache_write_1h: Rate | None = None
    web_searches_kcount: Decimal | None = None
    variant: Variant = "standard"


class ModelPrice(NamedTuple):
    """Every dated price of one model, entries oldest first, and the other ids it goes by (all lower case).

    ``prefixes`` match ids that carry a snapshot or a region behind them, ``contains`` those that carry something before it, too.
    ``shapes`` are whole ids in which each ``#`` stands for one digit: a dated snapshot, and nothing longer.
    """

    model: str
    entries: tuple[DatedPrice, ...]
    equals: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()

    def goes_by(self, wanted: str) -> bool:
        """Return True if the lower-case id ``wanted`` names this model. Linear in its length, whatever it holds."""
        return (
            wanted == self.model
            or wanted in self.equals
            or wanted.startswith(self.prefixes)
            or any(part in wanted for part in self.contains)
            or any(_has_shape(wanted, shape) for shape in self.shapes)
        )

    def at(self, instant: datetime, variant: Variant = "standard") -> DatedPrice | None:
        """Return the entry in force at ``instant`` for ``variant``, or None when no entry had begun."""
        day = instant.astimezone(UTC).date()
        found = None
        for entry in self.entries:
            if entry.variant == variant and (entry.effective_from is None or entry.effective_from <= day):
                found = entry
        return found


def _has_shape(text: str, shape: str) -> bool:
    """Return True if ``text`` is ``shape`` with an ASCII digit for each ``#``."""
    return len(text) == len(shape) and all(
        character == expected or (expected == "#" and "0" <= character <= "9")
        for character, expected in zip(text, shape, strict=True)
    )


def call_cost_usd(usage: Usage, price: DatedPrice) -> Decimal:
    """Return what a call cost in dollars, exactly.

    Raises ``UnsupportedUsage`` for tokens of a kind the model has no rate for, ``ValueError`` for a count below zero.
    """
    prompt_tokens = usage.checked().prompt_tokens
    total_usd = Decimal(0)
    for kind, tokens in zip(TOKEN_KINDS, usage, strict=False):
        if tokens:
            rate: Rate | None = getattr(price, kind)
            if rate is None:
                raise UnsupportedUsage(f"{tokens} {kind} tokens were used, but the price names no {kind} rate")
            total_usd = EXACT.add(total_usd, _tokens_usd(rate.for_prompt(prompt_tokens), tokens))
    return EXACT.add(total_usd, _searches_usd(price, usage.web_searches))


def call_cost_nano_usd(usage: Usage, price: DatedPrice) -> int:
    """Return what a call cost, rounded up once. Raises what ``call_cost_usd`` raises."""
    return ceil_to_nano_usd(call_cost_usd(usage, price))


def _tokens_usd(rate: Decimal, tokens: int) -> Decimal:
    """Return the dollars of ``tokens`` at a rate per million; shifting the point is exact where a division may not be."""
    return EXACT.multiply(rate, tokens).scaleb(_MILLIONTH, context=EXACT)


def _searches_usd(price: DatedPrice, web_searches: int) -> Decimal:
    if not web_searches:
        return Decimal(0)
    if price.web_searches_kcount is None:
        raise UnsupportedUsage(f"{web_searches} web searches, but the price names no rate for them")
    return EXACT.multiply(price.web_searches_kcount, web_searches).scaleb(_THOUSANDTH, context=EXACT)


def dearest_input_rate(price: DatedPrice, prompt_tokens: int, *, hour_cache: bool = True) -> Decimal:
    """Return the highest rate any prompt token can pay: written to a cache is dearer than plain input, for an hour the dearest.

    ``hour_cache`` False says that the request asks for no more than the usual five minutes.
    """
    kinds = (price.input, price.cache_read, price.cache_write_5m, price.cache_write_1h if hour_cache else None)
    return max(rate.for_prompt(prompt_tokens) for rate in kinds if rate is not None)


def worst_cost_nano_usd(
    price: DatedPrice,
    input_tokens: int,
    output_tokens: int,
    *,
    web_searches: int = 0,
    cached: bool = False,
    hour_cache: bool = True,
) -> int:
    """Return the most a call can cost that reads at most ``input_tokens`` and writes at most ``output_tokens``.

    ``cached`` says that the request marks cache breakpoints, so any prompt token may be billed at the dearest cache rate (that of
    an hour only with ``hour_cache``);
    without it every prompt token is plain input. Tiers only rise (price files are refused otherwise), so the longest prompt
    is the dearest. Raises ``UnsupportedUsage`` when searches are allowed that the model has no price for.
    """
    dearest = dearest_input_rate(price, input_tokens, hour_cache=hour_cache)
    input_rate = dearest if cached else price.input.for_prompt(input_tokens)
    total_usd = _tokens_usd(input_rate, input_tokens)
    total_usd = EXACT.add(total_usd, _tokens_usd(price.output.for_prompt(input_tokens), output_tokens))
    return ceil_to_nano_usd(EXACT.add(total_usd, _searches_usd(price, web_searches)))


def _dearest(rates: Iterable[Rate | None]) -> Rate | None:
    """Return the highest rate that any of ``rates`` can reach, as one flat rate, or None when there is none."""
    reachable = [amount for rate in rates if rate for amount in (rate.base, *(dearer for _, dearer in rate.above))]
    return Rate(max(reachable)) if reachable else None


class PriceBook:
    """Every known price. Negotiated entries (from the policy) stand before the published ones of the same model."""

    def __init__(self, models: Iterable[ModelPrice], negotiated: Mapping[str, tuple[DatedPrice, ...]] | None = None) -> None:
        self._models = tuple(models)
        self._by_id = {model.model: model for model in self._models}
        self._negotiated = dict(negotiated or {})

    @property
    def models(self) -> tuple[ModelPrice, ...]:
        """The published prices, in the order of the price file."""
        return self._models

    def resolve(self, model: str) -> ModelPrice | None:
        """Return the published price list that ``model`` (an id, perhaps with a snapshot date) goes by, or None.

        The first list in the file that claims an id has it, as in genai-prices.
        """
        wanted = model.lower()
        if len(wanted) > MODEL_ID_MAX:
            return None
        if wanted in self._by_id:
            return self._by_id[wanted]
        return next((known for known in self._models if known.goes_by(wanted)), None)

    def price_of(self, model: str, instant: datetime, variant: Variant = "standard") -> DatedPrice:
        """Return the price in force; a negotiated one wins from its date on. ``batch`` without a rate pays standard.

        Raises ``UnknownModel`` naming the nearest priced ids, and ``UnsupportedUsage`` for a dearer variant without a rate.
        """
        negotiated = self._negotiated_entries(model)
        published = self.resolve(model)
        for entries in (negotiated, published.entries if published else ()):
            found = ModelPrice(model, entries).at(instant, variant) if entries else None
            if found is None and variant == "batch" and entries:
                found = ModelPrice(model, entries).at(instant)
            if found is not None:
                return found
        shown = model[:MODEL_ID_MAX]
        if variant != "standard" and (negotiated or published is not None):
            raise UnsupportedUsage(f"model {shown!r} has no price for {variant} processing")
        raise UnknownModel(shown, self.nearest(shown))

    def is_priced(self, model: str) -> bool:
        """True if the model has any price."""
        return bool(self._negotiated_entries(model)) or self.resolve(model) is not None

    def nearest(self, model: str) -> tuple[str, ...]:
        """Return up to three priced ids that look most like ``model``, the likeliest first."""
        from difflib import get_close_matches

        known = [*self._negotiated, *self._by_id]
        return tuple(get_close_matches(model[:MODEL_ID_MAX].lower(), known, n=3, cutoff=0.5))

    def dearest_at(self, instant: datetime) -> DatedPrice:
        """Return the dearest known rate of every kind, over all models and variants: what an unpriced model is counted at.

        Rates of long prompts count for short ones too: nothing is known of such a model's tiers. Raises ``ValueError`` when no
        price is known at all.
        """
        lists = [*self._models, *(ModelPrice(name, entries) for name, entries in self._negotiated.items())]
        in_force = [entry for each in lists for variant in VARIANTS if (entry := each.at(instant, variant)) is not None]
        rates = {kind: _dearest(getattr(entry, kind) for entry in in_force) for kind in TOKEN_KINDS}
        plain, output = rates["input"], rates["output"]
        if plain is None or output is None:
            raise ValueError("no price is known")
        searches = max((each.web_searches_kcount for each in in_force if each.web_searches_kcount is not None), default=None)
        return DatedPrice(None, plain, output, rates["cache_read"], rates["cache_write_5m"], rates["cache_write_1h"], searches)

    def _negotiated_entries(self, model: str) -> tuple[DatedPrice, ...]:
        """Return the policy's own entries for the model, written by the same id or by another id of the same model."""
        if model in self._negotiated:
            return self._negotiated[model]
        published = self.resolve(model)
        if published is None:
            return ()
        for name, entries in self._negotiated.items():
            if self.resolve(name) is published:
                return entries
        return ()
