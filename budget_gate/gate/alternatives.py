"""What the other choices would have cost: one request, priced at its worst on every tier of the policy."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from budget_gate.core.errors import UnknownModel, UnsupportedUsage
from budget_gate.core.policy import Policy
from budget_gate.core.prices import PriceBook
from budget_gate.core.tokens import weigh
from budget_gate.gate.estimating import quote_for


class Alternative(NamedTuple):
    """A request on one tier: the most it can read, answer and cost."""

    tier: str
    model: str
    input_tokens: int
    output_tokens: int
    nano_usd: int


def alternatives_for(
    policy: Policy, prices: PriceBook, instant: datetime, body: Mapping[str, Any], max_output_tokens: int
) -> tuple[Alternative, ...]:
    """Return the request's worst case on every tier, cheapest first, each with the same longest answer so that they compare.

    A tier whose price is not known is left out. The prompt is weighed once for all of them.
    """
    found: list[Alternative] = []
    weight = None
    for tier, model in policy.models.items():
        complete = {**body, "model": model, "max_tokens": max_output_tokens}
        try:
            weight = weight or weigh(complete)
            quote = quote_for(prices, instant, complete, weight)
        except (UnknownModel, UnsupportedUsage):
            continue
        if quote.is_priced:
            found.append(Alternative(tier, model, quote.input_tokens, quote.max_output_tokens, quote.amount.nano_usd))
    return tuple(sorted(found, key=lambda each: each.nano_usd))


def extremes(alternatives: Sequence[Alternative]) -> dict[str, str]:
    """Return the labels that a ledger entry keeps of them: the cheapest and the dearest choice."""
    if not alternatives:
        return {}
    return {
        "cheapest_nano_usd": str(alternatives[0].nano_usd),
        "dearest_nano_usd": str(alternatives[-1].nano_usd),
    }
