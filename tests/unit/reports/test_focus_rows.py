"""FOCUS rows: prices that multiply to the cost, one price per price id, and names that stay apart."""

from datetime import UTC, datetime
from decimal import Decimal

from fakes.odd_calls import ODD_CALLS, write_odd_calls
from fakes.organization import Clock
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.analytics.spending import Spend, spending
from budget_gate.config.price_file import load_prices
from budget_gate.core.amounts import Amount
from budget_gate.core.usage import Usage
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.reports.focus_charges import ascii_name
from budget_gate.reports.focus_rows import COLUMNS, FocusRows

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def rows_of(usage: Usage, model: str, variant: str = "standard") -> list[dict[str, str]]:
    """Return the rows of one posted call of 1.5 dollars and a nano-dollar."""
    labels = {"model": model, "team": "payments"}
    spend = Spend(
        1, AT, "2026-11-24", "2026-11", "r1", "posted", Amount(1_500_000_001, 3, 1), usage, labels, {"variant": variant}
    )
    return list(FocusRows("acme", "UTC", load_prices()).rows(spend, ""))


def test_every_odd_call_is_priced_to_the_last_digit() -> None:
    """All columns are there; unit price times quantity is the cost, listed and agreed; a price id has one parent and one unit."""
    clock = Clock()
    ledger = MemoryLedger(clock)
    write_odd_calls(ledger, clock)
    maker = FocusRows("", "UTC", load_prices())
    spends = [spend for spend in spending(ledger.entries()) if spend.state != "pending"]
    assert len(spends) == len(ODD_CALLS) - 2  # one is pending, one was voided
    parents: dict[str, set[str]] = {}
    for spend in spends:
        rows = list(maker.rows(spend, ""))
        assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal(spend.amount.nano_usd).scaleb(-9)
        for row in rows:
            assert tuple(row) == COLUMNS
            assert Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"]) == Decimal(row["ListCost"])
            assert Decimal(row["ContractedUnitPrice"]) * Decimal(row["PricingQuantity"]) == Decimal(row["ContractedCost"])
            parents.setdefault(row["SkuPriceId"], set()).add(row["SkuId"])
    assert all(len(known) == 1 for known in parents.values())


def test_without_a_rate_the_tokens_of_the_row_are_the_unit() -> None:
    """A model that no price list knows keeps a row per kind of token, each bought once at exactly what it was charged."""
    rows = rows_of(Usage(100, 200), "nobody-knows-1")
    assert [(row["PricingQuantity"], row["PricingUnit"], row["BilledCost"]) for row in rows] == [
        ("1", "100 Tokens", "0.50"),
        ("1", "200 Tokens", "1.000000001"),
    ]
    assert all(row["ListUnitPrice"] == row["ContractedUnitPrice"] == row["ListCost"] == row["BilledCost"] for row in rows)


def test_a_long_prompt_has_a_price_id_of_its_own() -> None:
    """The dearer rate beyond a threshold is another price of the same SKU, and says from where on."""
    (short,), (long,) = rows_of(Usage(200_000), "claude-sonnet-4-5"), rows_of(Usage(200_001), "claude-sonnet-4-5")
    assert short["SkuId"] == long["SkuId"] == "claude-sonnet-4-5/input"
    assert (short["SkuPriceId"], short["ListUnitPrice"]) == ("claude-sonnet-4-5/input/standard", "3")
    assert (long["SkuPriceId"], long["ListUnitPrice"]) == ("claude-sonnet-4-5/input/standard/above 200000", "6")


@given(st.text(), st.text())
def test_names_in_ascii_stay_apart(one: str, other: str) -> None:
    """Escaping turns no two names into one, and leaves a plain name alone."""
    assert (ascii_name(one) == ascii_name(other)) == (one == other)
    assert ascii_name(one).isascii()
    if one.isascii() and "\\" not in one:
        assert ascii_name(one) == one


def test_backslashes_do_not_forge_an_escape() -> None:
    """A team that writes out the escape of another is not taken for it."""
    assert ascii_name("Z\xfcrich") == "Z\\xfcrich"
    assert ascii_name("Z\\xfcrich") == "Z\\\\xfcrich"
