"""``export``: every format adds up to the ledger's counters, and no cell is a formula."""

import csv
import io
import json
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from fakes.command_line import run
from fakes.golden import assert_golden
from fakes.organization import Clock, Organization
from hypothesis import given
from hypothesis import strategies as st

from budget_gate import bootstrap
from budget_gate.analytics.spending import Spend
from budget_gate.cli.main import main
from budget_gate.config.policy_file import parse_policy
from budget_gate.config.price_file import load_prices
from budget_gate.core.amounts import Amount
from budget_gate.core.usage import Usage
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.reports.export_rows import COLUMNS, CostCenters, plain_row
from budget_gate.reports.finance_export import harmless_cell, write_csv
from budget_gate.reports.focus_rows import COLUMNS as FOCUS_COLUMNS
from budget_gate.reports.focus_rows import FocusRows

POLICY = """
version: 1
organization: acme
models: {small: claude-haiku-4-5, medium: claude-sonnet-4-6}
budgets:
  - {scope: team/team0, limits: [{usd: 9000, per: month}], cost_center: ENG-0}
  - {scope: team/team1, limits: [{usd: 9000, per: month}]}
  - {scope: project/acme/shop, limits: [{usd: 9000, per: month}], cost_center: SHOP}
prices: {claude-haiku-4-5: [{from: 2026-01-20, input: 0.80, output: 4.00, cache_read: 0.08, cache_write_5m: 1.00, cache_write_1h: 1.60}]}
"""


@pytest.fixture(scope="module")
def lived() -> MemoryLedger:
    """Two teams' January and part of February, with crashes."""
    clock = Clock()
    ledger = MemoryLedger(clock)
    Organization(8, days=40, teams=2).write(ledger, clock)
    return ledger


@pytest.fixture
def policy(lived: MemoryLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A policy with cost centres, beside that ledger."""
    monkeypatch.setattr(bootstrap, "open_ledger", lambda *_: lived)
    path = tmp_path / "policy.yml"
    path.write_text(POLICY)
    return str(path)


def counted(ledger: MemoryLedger, month: str) -> Decimal:
    """Return what the organization's counter holds, in dollars."""
    value = next(row.value for row in ledger.counters() if (row.scope, row.per, row.label) == ("org", "month", month))
    return Decimal(value.posted.nano_usd + value.held.nano_usd).scaleb(-9)


def exported(policy: str, tmp_path: Path, *arguments: str) -> tuple[str, dict[str, str]]:
    """Run one export of January into a file; return the file's text and the document."""
    path = tmp_path / "out"
    document = run("export", "--month", "2026-01", "--output", str(path), "--json", "--policy", policy, *arguments).document()
    assert document["total_usd"] == document["counter_usd"]
    return path.read_bytes().decode(), document


def test_csv_adds_up_to_the_counters(policy: str, lived: MemoryLedger, tmp_path: Path) -> None:
    """Every posted and held call of the month is a row, and their sum is the counter's, to the nano-dollar."""
    text, document = exported(policy, tmp_path)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert sum(Decimal(row["usd"]) for row in rows) == counted(lived, "2026-01")
    assert {row["state"] for row in rows} == {"posted", "held"}
    assert document["rows"] == len(rows)


def test_json_lines_hold_the_same_rows(policy: str, lived: MemoryLedger, tmp_path: Path) -> None:
    """One object a line, dollars as strings and tokens as numbers; the sum is the counter's."""
    text, _ = exported(policy, tmp_path, "--format", "jsonl")
    rows = [json.loads(line) for line in text.splitlines()]
    assert sum(Decimal(row["usd"]) for row in rows) == counted(lived, "2026-01")
    assert all(isinstance(row["input_tokens"], int) for row in rows)


def test_parquet_holds_exact_decimals(policy: str, lived: MemoryLedger, tmp_path: Path) -> None:
    """Dollars are decimals with nine places, times are timestamps; the sum is the counter's."""
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "january.parquet"
    ended = run("export", "--format", "parquet", "--month", "2026-01", "--output", str(path), "--policy", policy)
    assert ended.code == 0
    table = parquet.read_table(path)
    assert sum(table["usd"].to_pylist()) == counted(lived, "2026-01")
    assert str(table.schema.field("usd").type) == "decimal128(38, 9)"
    assert table["reserved_at"][0].as_py().tzinfo is not None


def test_focus_is_at_token_grain_and_adds_up(policy: str, lived: MemoryLedger, tmp_path: Path) -> None:
    """A row per kind of token; BilledCost adds up to the counter, list prices are the published ones, tags say whose it was."""
    text, _ = exported(policy, tmp_path, "--format", "focus")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert tuple(rows[0]) == FOCUS_COLUMNS
    assert sum(Decimal(row["BilledCost"]) for row in rows) == counted(lived, "2026-01")
    kinds = {row["SkuId"].split("/")[1] for row in rows}
    assert kinds == {"input", "output", "cache_read", "cache_write_5m", "held"}
    negotiated = [row for row in rows if row["SkuId"] == "claude-haiku-4-5/input" and row["ChargePeriodStart"] > "2026-01-20"]
    assert {(row["ContractedUnitPrice"], row["ListUnitPrice"]) for row in negotiated} == {("0.80", "1")}
    for row in rows:
        assert json.loads(row["Tags"])["cost_center"] in {"ENG-0", "SHOP"}
        assert row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]
        if row["PricingQuantity"] != "1":
            assert Decimal(row["ListCost"]) == Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"])


def test_chargeback_is_by_cost_centre(policy: str, lived: MemoryLedger, tmp_path: Path) -> None:
    """A team is charged to its own cost centre, or else to its project's; the parts add up to the month."""
    text, _ = exported(policy, tmp_path, "--by", "cost-center")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["cost_center"] for row in rows] == ["ENG-0", "SHOP"]
    assert sum(Decimal(row["usd"]) for row in rows) == counted(lived, "2026-01")
    team = next(row.value for row in lived.counters() if (row.scope, row.label) == ("team/team0", "2026-01"))
    assert Decimal(rows[0]["usd"]) == Decimal(team.posted.nano_usd + team.held.nano_usd).scaleb(-9)


def test_the_default_is_the_running_month_on_stdout(policy: str) -> None:
    """Without flags the running month goes to stdout as CSV, and the sum is stated on stderr."""
    ended = run("export", "--policy", policy)
    assert ended.out.startswith("reserved_at,day,month")
    assert "2026-02" in ended.out
    assert "as the ledger's counter says" in ended.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--month", "November"), "YYYY-MM"),
        (("--format", "parquet"), "--output"),
        (("--format", "focus", "--by", "cost-center"), "csv"),
        (("--output", "/nowhere/at/all.csv"), "folder that exists"),
    ],
)
def test_wrong_usage_is_refused_in_one_line(policy: str, arguments: tuple[str, ...], named: str) -> None:
    """What cannot be exported exits 2 and says what to write instead."""
    ended = run("export", "--policy", policy, *arguments)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert named in ended.err


def test_a_month_without_spending_is_an_empty_file(policy: str, tmp_path: Path) -> None:
    """Only the heading, and a total of nothing that the counters agree with."""
    path = tmp_path / "out.csv"
    ended = run("export", "--month", "2025-03", "--policy", policy, "--output", str(path))
    assert ended.code == 0
    assert path.read_text().count("\n") == 1


def hostile(name: str) -> Spend:
    """Return a row in which everything is called ``name``."""
    labels = dict.fromkeys(("team", "user", "workflow", "pr", "model", "project"), name)
    at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    return Spend(1, at, "2026-11-24", "2026-11", "r1", "posted", Amount(7, 3, 1), Usage(1, 2), labels, {})


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_no_name_becomes_a_formula(name: str) -> None:
    """Whatever something is called, no cell begins with what a spreadsheet runs, and the file reads back cell for cell."""
    policy = parse_policy(POLICY)
    row = plain_row(hostile(name), CostCenters(policy).of(hostile(name)))
    out = io.StringIO(newline="")
    write_csv([row], COLUMNS, out)
    (_, read) = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert not any(cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) for cell in read)
    assert read[COLUMNS.index("team")] in {name, f"'{name}"}


def test_formulas_get_an_apostrophe() -> None:
    """The documented rule, case by case."""
    cells = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "  =x", "x=1", "0.5", ""]
    assert [harmless_cell(cell) for cell in cells] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "'  =x", "x=1", "0.5", ""]


def test_focus_rows_as_finance_sees_them() -> None:
    """Two kinds of token of one call, a held call and one without tokens, in every column."""
    policy = parse_policy(POLICY)
    maker = FocusRows(policy.organization, "Europe/Berlin", load_prices(policy.prices))
    posted = hostile("claude-haiku-4-5")
    held = posted._replace(state="held", usage=Usage(), labels={**posted.labels, "team": "=cmd|' /C calc'!A0"})
    out = io.StringIO(newline="")
    write_csv(
        [row for spend in (posted, held, posted._replace(usage=Usage())) for row in maker.rows(spend, "ENG")], FOCUS_COLUMNS, out
    )
    assert_golden("focus.csv", out.getvalue())


def test_memory_does_not_grow_with_rows(policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty thousand rows pass through in under two megabytes: a hundred bytes a row would already be that much."""
    row = hostile("team")

    class Many:
        """Spending rows without end, nearly."""

        def __init__(self, *_: object) -> None:
            self.nano_usd = 0

        def __iter__(self) -> object:
            return (row for _ in range(20_000))

    monkeypatch.setattr("budget_gate.runs.exporting._Month", Many)
    path = str(tmp_path / "many.csv")
    run("export", "--month", "2026-01", "--policy", policy, "--output", path)
    tracemalloc.start()
    try:
        with pytest.raises(SystemExit):
            main(["export", "--month", "2026-01", "--policy", policy, "--output", path, "--format", "csv"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
