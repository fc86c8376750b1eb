"""What a row of spending was billed as: the model, and the price that was in force."""

from budget_gate.analytics.spending import Spend
from budget_gate.core.errors import UnknownModel, UnsupportedUsage
from budget_gate.core.prices import VARIANTS, DatedPrice, PriceBook, Variant


def model_of(row: Spend) -> str:
    """Return the model that was billed: what was settled, else what was asked for."""
    return row.details.get("model") or row.label("model")


def variant_of(row: Spend) -> Variant:
    """Return how the call was processed; ordinarily where the row does not say."""
    return next((known for known in VARIANTS if known == row.details.get("variant")), "standard")


def price_of(row: Spend, prices: PriceBook) -> DatedPrice | None:
    """Return the price in force when the row was reserved, None where none is known."""
    try:
        return prices.price_of(model_of(row), row.at, variant_of(row))
    except (UnknownModel, UnsupportedUsage):
        return None
