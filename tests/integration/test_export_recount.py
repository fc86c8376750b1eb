"""A year of an organization, exported month by month in every format and read back: each sum is that of the raw entries."""

import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fakes.odd_calls import FORMULA, write_odd_calls
from fakes.organization import Clock, Organization
from pyarrow import parquet

from budget_gate.config.policy_file import parse_policy
from budget_gate.config.price_file import load_prices
from budget_gate.core.scopes import Scope
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.runs.exporting import ExportPlan, export_month

pytestmark = pytest.mark.xdist_group("export_recount")  # one process makes the year once

POLICY = parse_policy(
    f"""
version: 1
organization: acme
models: {{small: claude-haiku-4-5, medium: claude-sonnet-4-6}}
budgets:
  - {{scope: team/team0, limits: [{{usd: 9000, per: month}}], cost_center: ENG-0}}
  - {{scope: {json.dumps("team/" + FORMULA)}, limits: [{{usd: 9000, per: month}}], cost_center: "@COST"}}
  - {{scope: project/acme/shop, limits: [{{usd: 9000, per: month}}], cost_center: SHOP}}
"""
)
CENTERS = {"team0": "ENG-0", FORMULA: "@COST"}
SEED = 8
MONTHS = [*(f"2026-{month:02d}" for month in range(1, 13)), "2027-01"]
KINDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")

Key = tuple[str, str, str]
"""Team, cost centre, and ``posted`` or ``held``."""


class Sums(NamedTuple):
    """What rows come to: nano-dollars, by whom; tokens by kind; and how many calls there are."""

    nano_usd: Counter[Key]
    tokens: Counter[str]
    calls: int


@pytest.fixture(scope="module")
def year() -> MemoryLedger:
    """A year with weekdays, growth, incidents and crashes, and at its turn every odd call, one a second."""
    clock = Clock()
    ledger = MemoryLedger(clock)
    Organization(SEED, days=365, teams=1).write(ledger, clock)
    clock.now = datetime(2026, 12, 31, 23, 59, 50, tzinfo=UTC)
    write_odd_calls(ledger, clock)
    return ledger


def raw_calls(ledger: MemoryLedger) -> list[dict[str, Any]]:
    """Return every reservation as the text of the entries has it, and nothing else."""
    found: dict[str, dict[str, Any]] = {}
    for entry in ledger.entries():
        fields = json.loads(entry.text)
        body = fields["body"]
        if fields["kind"] in ("reserve", "post", "void", "hold", "expire"):
            call = found.setdefault(body["reservation"], {"posted": 0, "held": 0, "usage": {}, "ends": []})
            call |= {name: body[name] for name in ("labels", "usage", "counters") if body.get(name)}
            call["posted"] += fields["delta"][0][0]
            call["held"] += fields["delta"][2][0]
            call["ends"].append(fields["kind"])
    return list(found.values())


def recounted(ledger: MemoryLedger) -> dict[str, Sums]:
    """Return the sums of each month, from raw entries."""
    months = {month: Sums(Counter(), Counter(), 0) for month in MONTHS}
    for call in raw_calls(ledger):
        month = next(label for _, per, label in call["counters"] if per == "month")
        state = "posted" if "post" in call["ends"] else "held" if "hold" in call["ends"] else ""
        if not state:
            continue
        labels, sums = call["labels"], months[month]
        team = labels.get("team", "")
        center = CENTERS.get(team) or ("SHOP" if labels.get("project") == "acme/shop" else "")
        sums.nano_usd[team, center, state] += call["posted"] + call["held"]
        for kind in KINDS:
            sums.tokens[kind] += call["usage"].get(f"{kind}_tokens", 0)
        months[month] = sums._replace(calls=sums.calls + 1)
    return months


def counter_of(ledger: MemoryLedger, scope: Scope, month: str) -> int:
    """Return what a counter of a month holds, in nano-dollars."""
    values = [row.value for row in ledger.counters() if (row.scope, row.per, row.label) == (scope.text, "month", month)]
    return sum(value.posted.nano_usd + value.held.nano_usd for value in values)


def exported(ledger: MemoryLedger, month: str, form: Any, *, by_cost_center: bool = False) -> str:
    """Return an export as text; it must agree with the ledger's counter."""
    out = io.StringIO(newline="")
    done = export_month(POLICY, load_prices(), ledger, ExportPlan(month, form, by_cost_center), out)
    assert done.nano_usd == done.counter_nano_usd
    return out.getvalue()


def nano(usd: str | Decimal) -> int:
    """Return dollars as nano-dollars; anything finer is an error."""
    scaled = Decimal(usd).scaleb(9)
    assert scaled == int(scaled)
    return int(scaled)


def cell(name: str) -> str:
    """Return a name as a CSV cell shows it."""
    return f"'{name}" if name.lstrip(" ").startswith(FORMULA_STARTS) else name


def summed(rows: list[dict[str, Any]]) -> Sums:
    """Return the sums of a plain export's rows."""
    sums, calls = Sums(Counter(), Counter(), 0), 0
    for row in rows:
        sums.nano_usd[row["team"], row["cost_center"], row["state"]] += nano(row["usd"])
        for kind in KINDS:
            sums.tokens[kind] += int(row[f"{kind}_tokens"])
        calls += 1
    return sums._replace(calls=calls)


def shown_as_cells(sums: Sums) -> Sums:
    """Return sums under the names that CSV has."""
    return sums._replace(
        nano_usd=Counter({(cell(team), cell(center), state): each for (team, center, state), each in sums.nano_usd.items()})
    )


def test_the_year_is_worth_counting(year: MemoryLedger) -> None:
    """There is spending in every month, in both states, of hostile teams, for all kinds of token."""
    months = recounted(year)
    assert all(sums.calls for sums in months.values())
    december = months["2026-12"]
    assert {state for _, _, state in december.nano_usd} == {"posted", "held"}
    assert {("team0", "ENG-0"), (FORMULA, "@COST")} <= {(team, center) for team, center, _ in december.nano_usd}
    assert all(sum(sums.tokens[kind] for sums in months.values()) for kind in KINDS)


def test_csv_and_json_lines_and_parquet_come_to_the_raw_entries(year: MemoryLedger, tmp_path: Path) -> None:
    """By team, cost centre and state, by kind of token, and in number: in each month and each format, to the nano-dollar."""
    for month, expected in recounted(year).items():
        rows = list(csv.DictReader(io.StringIO(exported(year, month, "csv"), newline="")))
        assert summed(rows) == shown_as_cells(expected)
        lines = exported(year, month, "jsonl").split("\n")
        assert summed([json.loads(line) for line in lines if line]) == expected
        path = str(tmp_path / f"{month}.parquet")
        export_month(POLICY, load_prices(), year, ExportPlan(month, "parquet"), path)
        assert summed(parquet.read_table(path).to_pylist()) == expected
        assert sum(expected.nano_usd.values()) == counter_of(year, Scope("org"), month)
        for team in {team for team, _, _ in expected.nano_usd if team}:
            mine = sum(each for (name, _, _), each in expected.nano_usd.items() if name == team)
            assert mine == counter_of(year, Scope("team", team), month)


def test_focus_comes_to_the_raw_entries(year: MemoryLedger) -> None:
    """What tags say whose it is, and quantities by kind: in each month, to the nano-dollar and to the token."""
    for month, expected in recounted(year).items():
        nano_usd: Counter[Key] = Counter()
        tokens: Counter[str] = Counter()
        reservations = set()
        for row in csv.DictReader(io.StringIO(exported(year, month, "focus"), newline="")):
            tags = json.loads(row["Tags"])
            nano_usd[tags.get("team", ""), tags.get("cost_center", ""), tags["state"]] += nano(row["BilledCost"])
            reservations.add(tags["reservation"])
            if row["ConsumedUnit"] == "Tokens":
                tokens[row["SkuMeter"].removesuffix(" tokens").replace(" ", "_")] += int(Decimal(row["ConsumedQuantity"]))
        assert (nano_usd, len(reservations)) == (expected.nano_usd, expected.calls)
        assert tokens == expected.tokens


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_chargeback_comes_to_the_ledger(year: MemoryLedger, form: str) -> None:
    """Cost centres add up to the organization's counter of each month, and each to the raw entries of its teams."""
    for month, expected in recounted(year).items():
        text = exported(year, month, form, by_cost_center=True)
        lines = [json.loads(line) for line in text.split("\n") if line] if form == "jsonl" else []
        rows = lines or list(csv.DictReader(io.StringIO(text, newline="")))
        by_center, held = Counter[str](), Counter[str]()
        for (_, center, state), each in expected.nano_usd.items():
            name = center if form == "jsonl" else cell(center)
            by_center[name] += each
            held[name] += each if state == "held" else 0
        assert {row["cost_center"]: (nano(row["usd"]), nano(row["held_usd"])) for row in rows} == {
            center: (by_center[center], held[center]) for center in by_center
        }
        assert sum(nano(row["usd"]) for row in rows) == counter_of(year, Scope("org"), month)
        assert sum(int(row["calls"]) for row in rows) == expected.calls
