"""The worst case of a request, and back from a granted amount to the longest answer that stays within it.

What a request contains is ``core.messages_api``, how many tokens it can be is ``core.tokens``, what they cost is ``core.prices``;
here the three meet.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from budget_gate.core.amounts import Amount
from budget_gate.core.errors import UnknownModel
from budget_gate.core.messages_api import request_facts
from budget_gate.core.prices import DatedPrice, PriceBook, Variant, worst_cost_nano_usd
from budget_gate.core.tokens import input_tokens_bound

LEAST_ANSWER_TOKENS = 256
"""The shortest answer worth paying a prompt for; a call is refused rather than clamped below it."""

COUNT_MARGIN_TOKENS = 32
COUNT_MARGIN_DIVISOR = 50
"""What is added to a count of the provider, a fiftieth and a little: Anthropic calls its count an estimate from which the actual
number may differ by a small amount (https://platform.claude.com/docs/en/build-with-claude/token-counting)."""


class Quote(NamedTuple):
    """What one request can use and cost at worst. ``is_priced`` False: counted at the dearest known price (law 13)."""

    price: DatedPrice
    is_priced: bool
    model: str
    variant: Variant
    input_tokens: int
    max_output_tokens: int
    least_output_tokens: int
    web_searches: int
    is_cached: bool
    has_hour_cache: bool = True

    @property
    def can_be_counted(self) -> bool:
        """Whether the provider's count of the prompt covers everything the model will read: searches add to it as they run."""
        return self.web_searches == 0

    def worst(self, output_tokens: int) -> Amount:
        """Return the most that is used with an answer of at most this length."""
        cost = worst_cost_nano_usd(
            self.price,
            self.input_tokens,
            output_tokens,
            web_searches=self.web_searches,
            cached=self.is_cached,
            hour_cache=self.has_hour_cache,
        )
        return Amount(cost, self.input_tokens + output_tokens, 1)

    @property
    def amount(self) -> Amount:
        """What to ask for: the longest answer the request allows."""
        return self.worst(self.max_output_tokens)

    @property
    def minimum(self) -> Amount:
        """What to be content with: the shortest useful answer."""
        return self.worst(self.least_output_tokens)

    def longest_answer(self, granted: Amount) -> int:
        """Return the longest answer, in tokens, whose worst case is within ``granted`` (0 when there is none).

        Found by bisection over the very function that prices the worst case, so rounding cannot push it past the grant.
        """
        lengths = range(self.max_output_tokens + 1)
        by_price = bisect_right(lengths, granted.nano_usd, key=lambda length: self.worst(length).nano_usd) - 1
        return max(min(by_price, granted.tokens - self.input_tokens), 0)

    def counted(self, count: int) -> "Quote | None":
        """Return the quote with the provider's own count of the prompt, or None when that is no smaller."""
        exact = count + count // COUNT_MARGIN_DIVISOR + COUNT_MARGIN_TOKENS
        return self._replace(input_tokens=exact) if exact < self.input_tokens else None


def quote_for(prices: PriceBook, instant: datetime, body: Mapping[str, Any]) -> Quote:
    """Return the worst case of a complete Messages request (``model`` and ``max_tokens`` included) at the price of an instant.

    Raises ``UnsupportedUsage`` for content whose price is unknown.
    """
    facts = request_facts(body)
    return quote_at(*price_or_dearest(prices, body["model"], instant, facts.variant), facts.variant, body)


def quote_at(price: DatedPrice, is_priced: bool, variant: Variant, body: Mapping[str, Any]) -> Quote:  # noqa: FBT001 (as found)
    """Return the worst case of a complete Messages request at a price that was looked up before. Raises ``UnsupportedUsage``."""
    facts = request_facts(body)
    return Quote(
        price=price,
        is_priced=is_priced,
        model=body["model"],
        variant=variant,
        input_tokens=input_tokens_bound(body),
        max_output_tokens=body["max_tokens"],
        least_output_tokens=least_answer(body),
        web_searches=facts.web_searches,
        is_cached=facts.is_cached,
        has_hour_cache=facts.has_hour_cache,
    )


def least_answer(body: Mapping[str, Any]) -> int:
    """Return the smallest useful ``max_tokens`` of a request.

    It leaves room beyond a fixed thinking budget, because the API refuses a budget that is not smaller than ``max_tokens``
    (https://platform.claude.com/docs/en/build-with-claude/extended-thinking).
    """
    thinking = body.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, Mapping) else None
    thought = budget if isinstance(budget, int) else 0
    return min(thought + LEAST_ANSWER_TOKENS, int(body["max_tokens"]))


def price_or_dearest(prices: PriceBook, model: str, instant: datetime, variant: Variant) -> tuple[DatedPrice, bool]:
    """Return the model's price and True, or the dearest known price and False (law 13: never zero, never a guess).

    Raises ``UnknownModel`` when no price is known at all, ``UnsupportedUsage`` when the model has none for this variant.
    """
    try:
        return prices.price_of(model, instant, variant), True
    except UnknownModel as unknown:
        try:
            return prices.dearest_at(instant), False
        except ValueError:
            raise unknown from None
