"""Rows in the columns of FOCUS, version 1.2, the FinOps Foundation's open format for bills (https://focus.finops.org), at token grain.

One row per kind of token (and per kind of search) of a call; a held call, and one whose tokens are not known, is one row of one
request. ``BilledCost`` and ``EffectiveCost`` are the posted nano-dollars, split exactly (``analytics.token_split``);
``ListCost`` and ``ContractedCost`` are quantity times rate, before a call's cost is rounded up. Which columns and why:
docs/decisions/0018-focus.md.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from budget_gate.analytics.billed import model_of, price_of, variant_of
from budget_gate.analytics.spending import Spend
from budget_gate.analytics.token_split import Part, parts_of, rate_of, threshold_of
from budget_gate.core.periods import Window, window_at
from budget_gate.core.prices import DatedPrice, PriceBook
from budget_gate.reports.export_rows import LABELS
from budget_gate.reports.focus_charges import ascii_name, request_charge, token_charge

COLUMNS = (
    "AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency",
    "BillingPeriodEnd", "BillingPeriodStart", "CapacityReservationId", "CapacityReservationStatus", "ChargeCategory", "ChargeClass",
    "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "CommitmentDiscountCategory",
    "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountQuantity", "CommitmentDiscountStatus",
    "CommitmentDiscountType", "CommitmentDiscountUnit", "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "ContractedUnitPrice",
    "EffectiveCost", "InvoiceId", "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingCurrency",
    "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice", "PricingQuantity",
    "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType",
    "ServiceCategory", "ServiceName", "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId",
    "SubAccountName", "SubAccountType", "Tags",
)  # fmt: skip
"""All columns of the specification, in its order; those that mean nothing for a model's API stay empty (null)."""

_PROVIDERS = {"anthropic": "Anthropic", "": "Anthropic"}

UNNAMED = "unnamed organization"
"""FOCUS allows no account without a name, and a policy need not say one."""


class _Rates(NamedTuple):
    """What applied to a call, and the published price; None where nothing is known."""

    agreed: DatedPrice | None
    published: DatedPrice | None


class _Periods(NamedTuple):
    """The day of a call, and the four columns of its day and month."""

    day: Window
    columns: dict[str, str]


class FocusRows:
    """Makes rows of one organization's calls. Prices are looked up once per model and day, periods once per day."""

    def __init__(self, organization: str, zone: str, prices: PriceBook) -> None:
        self._organization = ascii_name(organization) or UNNAMED
        self._zone = zone
        self._agreed = prices
        self._published = PriceBook(prices.models)
        self._known: dict[tuple[str, str, str], _Rates] = {}
        self._periods: dict[str, _Periods] = {}

    def rows(self, spend: Spend, cost_center: str) -> Iterator[dict[str, str]]:
        """Yield the rows of one reservation."""
        rates = self._rates(spend)
        common = self._common(spend, cost_center)
        parts = parts_of(spend.amount.nano_usd, spend.usage, rates.agreed) if spend.state == "posted" else ()
        for part in parts:
            yield common | _token_columns(spend, part, rates)
        if not parts:
            yield common | request_charge(spend)

    def _rates(self, spend: Spend) -> _Rates:
        key = (model_of(spend), variant_of(spend), spend.day)
        if key not in self._known:
            self._known[key] = _Rates(price_of(spend, self._agreed), price_of(spend, self._published))
        return self._known[key]

    def _common(self, spend: Spend, cost_center: str) -> dict[str, str]:
        """Return what all rows of a call have in common. Its charge period is the day of its reservation."""
        provider = ascii_name(_PROVIDERS.get(spend.label("provider"), spend.label("provider")))
        team = ascii_name(spend.label("team"))
        tags = {label: spend.label(label) for label in LABELS if spend.label(label)}
        tags |= {"model": model_of(spend), "state": spend.state, "reservation": spend.reservation, "cost_center": cost_center}
        return {
            **dict.fromkeys(COLUMNS, ""),
            **self._period_columns(spend),
            "BillingAccountId": self._organization,
            "BillingAccountName": self._organization,
            "BillingAccountType": "Organization",
            "BillingCurrency": "USD",
            "ChargeCategory": "Usage",
            "ChargeFrequency": "Usage-Based",
            "InvoiceIssuerName": provider,
            "PricingCategory": "Standard",
            "PricingCurrency": "USD",
            "ProviderName": provider,
            "PublisherName": provider,
            "ServiceCategory": "AI and Machine Learning",
            "ServiceName": "Claude API" if provider == "Anthropic" else provider,
            "ServiceSubcategory": "Generative AI",
            "SubAccountId": team,
            "SubAccountName": team,
            "SubAccountType": "Team" if team else "",
            "Tags": json.dumps({name: value for name, value in tags.items() if value}, ensure_ascii=False, sort_keys=True),
        }

    def _period_columns(self, spend: Spend) -> dict[str, str]:
        known = self._periods.get(spend.day)
        # The label alone would not do: a policy that has changed its zone has days of the same name that began elsewhere.
        if known is None or not known.day.starts_at <= spend.at < known.day.ends_at:
            month, day = window_at("month", self._zone, spend.at), window_at("day", self._zone, spend.at)
            columns = {
                "BillingPeriodStart": _time(month.starts_at),
                "BillingPeriodEnd": _time(month.ends_at),
                "ChargePeriodStart": _time(day.starts_at),
                "ChargePeriodEnd": _time(day.ends_at),
            }
            known = self._periods[spend.day] = _Periods(day, columns)
        return known.columns


def _token_columns(spend: Spend, part: Part, rates: _Rates) -> dict[str, str]:
    published = rate_of(rates.published, part.kind, spend.usage)
    passed_tokens = max(threshold_of(price, part.kind, spend.usage) for price in rates)
    return token_charge(spend, part, published, passed_tokens)


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
