"""The FinOps Foundation's own validator accepts our FOCUS export, and refuses what is broken."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes.focus_validator import judge
from fakes.odd_calls import ODD_CALLS, write_odd_calls
from fakes.organization import Clock, Organization

from budget_gate.config.policy_file import parse_policy
from budget_gate.config.price_file import load_prices
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.runs.exporting import ExportPlan, export_month

# One process, because of one folder; the first use installs the validator.
pytestmark = [pytest.mark.xdist_group("focus_validator"), pytest.mark.timeout(600)]

POLICY = """
version: 1
organization: acme
timezone: Europe/Berlin
models: {small: claude-haiku-4-5, medium: claude-sonnet-4-6}
budgets: [{scope: team/team0, limits: [{usd: 9000, per: month}], cost_center: ENG-0}]
prices: {claude-haiku-4-5: [{from: 2026-01-20, input: 0.80, output: 4.00, cache_read: 0.08, cache_write_5m: 1.00, cache_write_1h: 1.60}]}
"""
EITHER_INVOICE, OR_NONE = "InvoiceId-C-005-C", "InvoiceId-C-004-C"
"""Two halves of "null or not null", each of which the validator also judges by itself: every file fails one of them."""

Row = dict[str, str]


@pytest.fixture(scope="module")
def january(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of a simulated month with crashes and a change of prices, and of every odd call."""
    policy = parse_policy(POLICY)
    clock = Clock()
    ledger = MemoryLedger(clock)
    Organization(8, days=31, teams=3).write(ledger, clock, policy.timezone)
    clock.now = datetime(2026, 1, 31, 20, tzinfo=UTC)
    write_odd_calls(ledger, clock, policy.timezone)
    path = tmp_path_factory.mktemp("focus") / "january.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        done = export_month(policy, load_prices(policy.prices), ledger, ExportPlan("2026-01", "focus"), out)
    assert done.nano_usd == done.counter_nano_usd
    assert done.rows > 1000 + len(ODD_CALLS)
    return path


def changed(path: Path, folder: Path, change: Callable[[list[Row]], None]) -> Path:
    """Write the export again with a change, and return its path."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    target = folder / "changed.csv"
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return target


def test_a_simulated_month_is_accepted(january: Path, tmp_path: Path) -> None:
    """Every rule for FOCUS 1.2 that can be judged passes, odd calls included, but for the half of a choice that nobody can pass."""
    found = judge(january, tmp_path)
    assert found.failed == {EITHER_INVOICE}
    assert found.passed > 300


def test_no_file_passes_both_halves_of_the_invoice_rule(january: Path, tmp_path: Path) -> None:
    """With an invoice in every row the validator fails the other half instead: our one failed rule is the validator's own."""

    def invoiced(rows: list[Row]) -> None:
        for row in rows:
            row["InvoiceId"] = "INV-1"

    assert judge(changed(january, tmp_path, invoiced), tmp_path).failed == {OR_NONE}


def test_a_broken_file_is_refused(january: Path, tmp_path: Path) -> None:
    """Wrong cells, one a row, and the validator names the rule of each: it does look."""
    wrong = {
        "BilledCost": ("", "BilledCost-C-003-M"),
        "ListUnitPrice": ("-0.5", "ListUnitPrice-C-008-M"),
        "ContractedUnitPrice": ("-1", "ContractedUnitPrice-C-009-C"),
        "PricingUnit": ("", "PricingUnit-C-006-C"),
        "SkuId": ("", "SkuMeter-C-004-C"),
        "SubAccountName": ("M\xfcnchen", "SubAccountName-C-002-M"),
    }

    def broken(rows: list[Row]) -> None:
        for row, (column, (value, _)) in zip(rows, wrong.items(), strict=False):
            row[column] = value

    found = judge(changed(january, tmp_path, broken), tmp_path)
    assert {rule for _, rule in wrong.values()} <= found.failed
