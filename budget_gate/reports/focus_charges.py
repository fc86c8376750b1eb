"""What FOCUS calls a charge: the columns of quantity, unit, price and cost. Whose it was is left to ``reports.focus_rows``.

FOCUS wants a unit price in every row of usage, and price times quantity to be the row's cost exactly. Where no rate is known (an
unpriced model that was counted at the dearest known one), the unit is therefore as many tokens as the row has, bought once.
"""

from decimal import Decimal

from budget_gate.analytics.billed import model_of, variant_of
from budget_gate.analytics.spending import Spend
from budget_gate.analytics.token_split import WEB_SEARCH, Part
from budget_gate.core.money import EXACT, usd_text

UNKNOWN_MODEL = "unknown model"
"""FOCUS allows no SKU without a name."""

_MILLION_PLACES, _THOUSAND_PLACES = 6, 3


def ascii_name(text: str) -> str:
    r"""Return a name in ASCII, and two names never as one: the validator refuses anything else, outside of tags.

    Other characters become escapes (``\xfc``, ``\u20ac``, ``\U0001f99c``), and backslashes double.
    """
    return text.replace("\\", "\\\\").encode("ascii", "backslashreplace").decode("ascii")


def token_charge(spend: Spend, part: Part, published: Decimal | None, passed_tokens: int) -> dict[str, str]:
    """Return the columns of one kind of token (or of searches) of a posted call.

    ``published`` is the list price per million tokens (per thousand searches), None where there is none: then the agreed one is
    also the list price. ``passed_tokens`` is the prompt length from which this price applies; 0 for the usual price.
    """
    is_search = part.kind == WEB_SEARCH
    unit, places = ("Searches", _THOUSAND_PLACES) if is_search else ("Tokens", _MILLION_PLACES)
    name = part.kind.replace("_", " ")
    meter = f"{name}es" if is_search else f"{name} tokens"
    billed = usd_text(part.nano_usd)
    sku = f"{_model(spend)}/{part.kind}"
    charge = {
        "ChargeDescription": f"{_model(spend)}, {name}",
        "ConsumedQuantity": f"{part.quantity}.0",  # whole numbers alone would not look like decimals to a reader of CSV
        "ConsumedUnit": unit,
        "SkuId": sku,
        "SkuMeter": meter,
    }
    if part.rate is None:
        price_id = f"{sku}/without a rate"
        return charge | _priced(billed, Decimal(1), f"{part.quantity} {unit}", price_id, (Decimal(billed), Decimal(billed)))
    price_id = f"{sku}/{variant_of(spend)}" + (f"/above {passed_tokens}" if passed_tokens else "")
    quantity = Decimal(part.quantity).scaleb(-places, context=EXACT)
    listed = part.rate if published is None else published
    return charge | _priced(billed, quantity, f"{10**places} {unit}", price_id, (part.rate, listed))


def request_charge(spend: Spend) -> dict[str, str]:
    """Return the columns of a call whose tokens are not known: held at what was reserved, or posted at a price of its own."""
    cost = usd_text(spend.amount.nano_usd)
    why = "held at the reserved amount: it may have been billed" if spend.state == "held" else "posted without token counts"
    sku = f"{_model(spend)}/{'held' if spend.state == 'held' else 'request'}"
    return {
        "ChargeDescription": f"{_model(spend)}, {why}",
        "ConsumedQuantity": "1.0",
        "ConsumedUnit": "Requests",
        "SkuId": sku,
        "SkuMeter": "requests",
    } | _priced(cost, Decimal(1), "Requests", sku, (Decimal(cost), Decimal(cost)))


def _priced(billed: str, quantity: Decimal, unit: str, price_id: str, prices: tuple[Decimal, Decimal]) -> dict[str, str]:
    """Return the columns of price and cost; ``prices`` are the agreed and the published one of a unit."""
    agreed, listed = prices
    return {
        "BilledCost": billed,
        "EffectiveCost": billed,
        "ContractedCost": f"{EXACT.multiply(agreed, quantity):f}",
        "ContractedUnitPrice": f"{agreed:f}",
        "ListCost": f"{EXACT.multiply(listed, quantity):f}",
        "ListUnitPrice": f"{listed:f}",
        "PricingCurrencyContractedUnitPrice": f"{agreed:f}",
        "PricingCurrencyEffectiveCost": billed,
        "PricingCurrencyListUnitPrice": f"{listed:f}",
        "PricingQuantity": f"{quantity:f}",
        "PricingUnit": unit,
        "SkuPriceId": price_id,
    }


def _model(spend: Spend) -> str:
    return ascii_name(model_of(spend)) or UNKNOWN_MODEL
