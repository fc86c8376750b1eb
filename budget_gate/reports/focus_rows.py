"""Rows in the columns of FOCUS, version 1.0, the FinOps Foundation's open format for bills (https://focus.finops.org), at token grain.

One row per kind of token (and per kind of search) of a call; a held call, and one whose tokens are not known, is one row of one
request. ``BilledCost`` and ``EffectiveCost`` are the posted nano-dollars, split exactly (``analytics.token_split``);
``ListCost`` and ``ContractedCost`` are quantity times rate, before a call's cost is rounded up.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from budget_gate.analytics.billed import model_of, price_of, variant_of
from budget_gate.analytics.spending import Spend
from budget_gate.analytics.token_split import WEB_SEARCH, Part, parts_of, rate_of
from budget_gate.core.money import EXACT, usd_text
from budget_gate.core.periods import window_at
from budget_gate.core.prices import DatedPrice, PriceBook
from budget_gate.reports.export_rows import LABELS

COLUMNS = (
    "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd",
    "ChargePeriodStart", "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountStatus",
    "CommitmentDiscountType", "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost",
    "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit", "ProviderName",
    "PublisherName", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName",
    "SkuId", "SkuPriceId", "SubAccountId", "SubAccountName", "Tags",
)  # fmt: skip
"""All columns of the specification, in its order; those that mean nothing for a model's API stay empty (null)."""

_PROVIDERS = {"anthropic": "Anthropic", "": "Anthropic"}
_MILLION_PLACES, _THOUSAND_PLACES = 6, 3


class _Rates(NamedTuple):
    """What applied to a call, and the published price; None where nothing is known."""

    agreed: DatedPrice | None
    published: DatedPrice | None


class FocusRows:
    """Makes rows of one organization's calls. Prices are looked up once per model and day."""

    def __init__(self, organization: str, zone: str, prices: PriceBook) -> None:
        self._organization = organization
        self._zone = zone
        self._agreed = prices
        self._published = PriceBook(prices.models)
        self._known: dict[tuple[str, str, str], _Rates] = {}

    def rows(self, spend: Spend, cost_center: str) -> Iterator[dict[str, str]]:
        """Yield the rows of one reservation."""
        rates = self._rates(spend)
        common = self._common(spend, cost_center)
        parts = parts_of(spend.amount.nano_usd, spend.usage, rates.agreed) if spend.state == "posted" else ()
        for part in parts:
            yield common | _token_fields(spend, part, rate_of(rates.published, part.kind, spend.usage))
        if not parts:
            yield common | _request_fields(spend)

    def _rates(self, spend: Spend) -> _Rates:
        key = (model_of(spend), variant_of(spend), spend.day)
        if key not in self._known:
            self._known[key] = _Rates(price_of(spend, self._agreed), price_of(spend, self._published))
        return self._known[key]

    def _common(self, spend: Spend, cost_center: str) -> dict[str, str]:
        """Return what all rows of a call have in common. Its charge period is the day of its reservation."""
        month, day = window_at("month", self._zone, spend.at), window_at("day", self._zone, spend.at)
        provider = _PROVIDERS.get(spend.label("provider"), spend.label("provider"))
        tags = {label: spend.label(label) for label in LABELS if spend.label(label)}
        tags |= {"model": model_of(spend), "state": spend.state, "reservation": spend.reservation, "cost_center": cost_center}
        return {
            **dict.fromkeys(COLUMNS, ""),
            "BillingAccountId": self._organization,
            "BillingAccountName": self._organization,
            "BillingCurrency": "USD",
            "BillingPeriodStart": _time(month.starts_at),
            "BillingPeriodEnd": _time(month.ends_at),
            "ChargePeriodStart": _time(day.starts_at),
            "ChargePeriodEnd": _time(day.ends_at),
            "ChargeCategory": "Usage",
            "ChargeFrequency": "Usage-Based",
            "InvoiceIssuerName": provider,
            "PricingCategory": "Standard",
            "ProviderName": provider,
            "PublisherName": provider,
            "ServiceCategory": "AI and Machine Learning",
            "ServiceName": "Claude API" if provider == "Anthropic" else provider,
            "SubAccountId": spend.label("team"),
            "SubAccountName": spend.label("team"),
            "Tags": json.dumps({name: value for name, value in tags.items() if value}, ensure_ascii=False, sort_keys=True),
        }


def _token_fields(spend: Spend, part: Part, published: Decimal | None) -> dict[str, str]:
    """Return the columns of one kind of token."""
    is_search = part.kind == WEB_SEARCH
    unit, places = ("Searches", _THOUSAND_PLACES) if is_search else ("Tokens", _MILLION_PLACES)
    billed = usd_text(part.nano_usd)
    sku = f"{model_of(spend)}/{part.kind}"
    quantity = Decimal(part.quantity).scaleb(-places, context=EXACT)
    return {
        "BilledCost": billed,
        "EffectiveCost": billed,
        "ChargeDescription": f"{model_of(spend)}, {part.kind.replace('_', ' ')}",
        "ConsumedQuantity": f"{part.quantity}.0",  # focus-validator takes a column of whole numbers for no decimals
        "ConsumedUnit": unit,
        "ContractedUnitPrice": _decimal(part.rate),
        "ContractedCost": _product(part.rate, quantity, billed),
        "ListUnitPrice": _decimal(published),
        "ListCost": _product(published, quantity, billed),
        "PricingQuantity": f"{quantity:f}",
        "PricingUnit": f"{10**places} {unit}",
        "SkuId": sku,
        "SkuPriceId": f"{sku}/{variant_of(spend)}",
    }


def _request_fields(spend: Spend) -> dict[str, str]:
    """Return the columns of a call whose tokens are not known: held at what was reserved, or posted at a price of its own."""
    cost = usd_text(spend.amount.nano_usd)
    why = "held at the reserved amount: it may have been billed" if spend.state == "held" else "posted without token counts"
    sku = f"{model_of(spend)}/{'held' if spend.state == 'held' else 'request'}"
    return {
        **dict.fromkeys(
            ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "ListUnitPrice", "ContractedUnitPrice"), cost
        ),
        "ChargeDescription": f"{model_of(spend)}, {why}",
        "ConsumedQuantity": "1.0",
        "ConsumedUnit": "Requests",
        "PricingQuantity": "1",
        "PricingUnit": "Requests",
        "SkuId": sku,
        "SkuPriceId": sku,
    }


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _decimal(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def _product(rate: Decimal | None, quantity: Decimal, otherwise: str) -> str:
    return otherwise if rate is None else f"{EXACT.multiply(rate, quantity):f}"
