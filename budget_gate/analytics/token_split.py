"""One call's cost, split over the kinds of token it used, so that the parts add up to the posted nano-dollars exactly.

The rule (largest remainder): each kind gets its share of the posted cost in proportion to its price, rounded down; the nano-dollars
left over go one each to the kinds with the largest remainders, and among equals to the kind that ``Usage`` names first.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from budget_gate.core.money import EXACT
from budget_gate.core.prices import TOKEN_KINDS, DatedPrice
from budget_gate.core.usage import Usage

WEB_SEARCH = "web_search"
KINDS = (*TOKEN_KINDS, WEB_SEARCH)
"""In the order of ``Usage``'s fields."""

_SEARCHES_IN_MILLION = 1_000
"""Searches are priced by the thousand, tokens by the million."""


class Part(NamedTuple):
    """One kind of a call: how many, the rate in dollars (per million tokens, per thousand searches; None: unknown), the share."""

    kind: str
    quantity: int
    rate: Decimal | None
    nano_usd: int


def split_evenly(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Return ``total`` in parts proportional to ``weights`` (at least one above zero), by the largest remainder."""
    whole = sum(weights)
    if not whole:
        raise ValueError("nothing to split by: every weight is zero")
    parts = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return tuple(parts)


def rate_of(price: DatedPrice | None, kind: str, usage: Usage) -> Decimal | None:
    """Return what a kind costs in a call of this size; None where no price is known."""
    if price is None:
        return None
    if kind == WEB_SEARCH:
        return price.web_searches_kcount
    rate = getattr(price, kind)
    return None if rate is None else rate.for_prompt(usage.prompt_tokens)


def threshold_of(price: DatedPrice | None, kind: str, usage: Usage) -> int:
    """Return the prompt length beyond which the rate of a kind applies to a call of this size; 0 for the usual rate, or none."""
    rate = None if price is None or kind == WEB_SEARCH else getattr(price, kind)
    return 0 if rate is None else int(rate.threshold_passed(usage.prompt_tokens))


def parts_of(cost_nano_usd: int, usage: Usage, price: DatedPrice | None) -> tuple[Part, ...]:
    """Return a posted cost by kind; only kinds that were used, and none at all for a call whose usage is not known.

    Where a used kind has no known rate, every kind is weighed by its count alone.
    """
    used = [(kind, count, rate_of(price, kind, usage)) for kind, count in zip(KINDS, usage, strict=True) if count]
    if not used:
        return ()
    weights = _weights(used)
    shares = split_evenly(cost_nano_usd, weights if any(weights) else [count for _, count, _ in used])
    return tuple(Part(kind, count, rate, share) for (kind, count, rate), share in zip(used, shares, strict=True))


def _weights(used: Sequence[tuple[str, int, Decimal | None]]) -> list[int]:
    """Return each kind's price as integers of one common unit; the counts where a rate is missing."""
    costs = []
    for kind, count, rate in used:
        if rate is None:
            return [count for _, count, _ in used]
        costs.append(EXACT.multiply(rate, count * (_SEARCHES_IN_MILLION if kind == WEB_SEARCH else 1)))
    places = max(-int(cost.as_tuple().exponent) for cost in costs)
    return [int(cost.scaleb(places, context=EXACT)) for cost in costs]
