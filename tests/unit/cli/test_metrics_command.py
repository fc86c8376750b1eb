"""``metrics``: text that Prometheus' own parser reads, with the ledger's numbers; and a dashboard and rules that use what exists."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from fakes.command_line import ACME, ROOT, run
from fakes.golden import assert_golden
from fakes.organization import Clock, Organization
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from budget_gate import bootstrap
from budget_gate.core.amounts import Amount
from budget_gate.core.charges import Charge, LimitLine
from budget_gate.core.reservations import Refused, ReserveRequest
from budget_gate.core.scopes import ORG
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.reports.metrics import FAMILIES, PREFIX, Sample, render_metrics

POLICY = "version: 1\norganization: acme\nmodels: {small: claude-haiku-4-5}\nbudgets:\n  - {scope: org, limits: [{usd: 800, per: month}]}\n"


@pytest.fixture(scope="module")
def lived() -> MemoryLedger:
    """January and some days of February, with holds; in February also a refusal, an open call, and outcomes."""
    clock = Clock()
    ledger = MemoryLedger(clock)
    Organization(13, days=36, teams=1).write(ledger, clock)
    clock.now = datetime(2026, 2, 5, 23, 59, 59, tzinfo=UTC)
    line = LimitLine("usd", 1, 1, 1, 1, 1)
    assert isinstance(ledger.reserve(ReserveRequest("no", Amount(9**9), (Charge(ORG, "month", (line,)),))), Refused)
    ledger.reserve(ReserveRequest("open", Amount(5, 5, 1), (Charge(ORG, "month"),)))
    for pull, ending in (("40", "merged"), ("41", "merged"), ("41", "reverted"), ("42", "closed")):
        at = (clock.now - timedelta(days=1)).isoformat()
        ledger.record(f"{pull}{ending}", "outcome", {"project": "acme/shop", "pr": pull}, {"outcome": ending, "at": at})
    ledger.record("old", "outcome", {"project": "acme/shop", "pr": "0"}, {"outcome": "merged", "at": "2026-01-03T00:00:00+00:00"})
    return ledger


@pytest.fixture
def policy(lived: MemoryLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A policy beside that ledger."""
    monkeypatch.setattr(bootstrap, "open_ledger", lambda *_: lived)
    path = tmp_path / "policy.yml"
    path.write_text(POLICY)
    return str(path)


def samples(policy: str) -> dict[str, list[tuple[dict[str, str], str]]]:
    """Return the samples of the JSON form by family."""
    found: dict[str, list[tuple[dict[str, str], str]]] = {}
    for each in run("metrics", "--json", "--policy", policy).document()["metrics"]:
        found.setdefault(each["name"], []).append((each["labels"], each["value"]))
    return found


def test_prometheus_reads_what_is_printed(policy: str) -> None:
    """The OpenMetrics parser of prometheus_client takes the text, and every family is one that is documented."""
    families = list(text_string_to_metric_families(run("metrics", "--policy", policy).out))
    assert {family.name.removeprefix(f"{PREFIX}_") for family in families} <= set(FAMILIES)
    kinds = {family.name.removeprefix(f"{PREFIX}_"): family.type for family in families}
    assert all(kinds[name] == FAMILIES[name][0] for name in kinds)
    assert len(families) >= 14


def test_the_numbers_are_the_ledgers(policy: str, lived: MemoryLedger) -> None:
    """Spend and holds of the month add up to the counters, refusals and reservations are counted, a reverted PR is waste."""
    found = samples(policy)
    month = next(row.value for row in lived.counters() if (row.scope, row.per, row.label) == ("org", "month", "2026-02"))
    assert sum(Decimal(value) for _, value in found["spend_usd"]) == Decimal(month.posted.nano_usd).scaleb(-9)
    assert sum(Decimal(value) for _, value in found["held_usd"]) == Decimal(month.held.nano_usd).scaleb(-9)
    assert found["refusals"] == [({"scope": "org", "per": "month", "reason": "spent"}, "1")]
    assert ({"state": "pending"}, "1") in found["reservations"]
    assert found["merged_prs"] == [({"project": "acme/shop"}, "1")]
    assert {labels["outcome"]: value for labels, value in found["wasted_prs"]} == {"closed": "1", "reverted": "1"}
    assert Decimal(found["merged_pr_cost_usd"][0][1]) > 0
    assert Decimal(found["waste_usd"][0][1]) > 0
    assert {labels["kind"] for labels, _ in found["tokens"]} == {"input", "output", "cache_read", "cache_write_5m"}


def test_an_empty_ledger_has_its_limits(tmp_path: Path) -> None:
    """Before anything was spent there are the budgets, and a text that the parser takes."""
    ended = run("metrics", "--policy", ACME, "--ledger", f"sqlite:///{tmp_path / 'l.db'}")
    names = {family.name for family in text_string_to_metric_families(ended.out)}
    assert "budget_gate_budget_limit" in names
    assert "budget_gate_spend_usd" not in names


def test_a_file_is_replaced_in_one_step(policy: str, tmp_path: Path) -> None:
    """--output writes the same text and leaves no partial file; a folder that does not exist is said so."""
    path = tmp_path / "budget_gate.prom"
    assert run("metrics", "--policy", policy, "--output", str(path)).code == 0
    assert path.read_text() == run("metrics", "--policy", policy).out
    assert not list(tmp_path.glob("*.part"))
    assert run("metrics", "--policy", policy, "--output", "/nowhere/x.prom").code == 2


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_no_name_breaks_the_text(team: str, model: str) -> None:
    """Quotes, backslashes, line ends and control characters stay inside their label."""
    text = render_metrics([Sample("spend_usd", (("team", team), ("model", model)), "1.50")])
    (family,) = text_string_to_metric_families(text)
    (sample,) = family.samples
    assert sample.value == 1.5
    assert set(sample.labels) == {"team", "model"}


@settings(max_examples=50, deadline=None)
@given(
    st.text(st.sampled_from("a\x07\x08\ufffd7;\\\n\u202e"), max_size=6),
    st.text(st.sampled_from("a\x07\x08\ufffd7;\\\n"), max_size=6),
)
def test_two_names_stay_two_series(one: str, other: str) -> None:
    """Characters that cannot be shown are told apart: a series that comes twice would cost a collector the whole file."""
    text = render_metrics([Sample("spend_usd", (("team", team),), "1.50") for team in (one, other)])
    first, second = (line for line in text.splitlines() if line.startswith("budget_gate_spend_usd_total{"))
    assert (first == second) == (one == other)


def test_names_that_cannot_be_shown_are_told_by_number() -> None:
    """The rule, case by case: also for the sign of the rule itself, and nothing else of a name changes."""
    text = render_metrics([Sample("spend_usd", (("team", "D\\a\x07\ufffd7;"),), "1")])
    assert 'team="D\\\\a\ufffd7;\ufffdfffd;7;"' in text


def test_metrics_as_scraped() -> None:
    """The form of the text, with one of each kind."""
    found = [
        Sample("budget_limit", (("scope", 'team/a"b'), ("per", "month"), ("unit", "usd"), ("mode", "enforce")), "800.00"),
        Sample("spend_usd", (("team", "a"),), "0.012345678"),
    ]
    assert_golden("metrics.txt", render_metrics(found))


def test_dashboard_and_rules_use_metrics_that_exist() -> None:
    """Every metric name in the Grafana dashboard and in the alert rules is one that is exported, counters by their _total name."""
    exported = {f"{PREFIX}_{name}{'_total' if kind == 'counter' else ''}" for name, (kind, _) in FAMILIES.items()}
    rules = yaml.safe_load((ROOT / "docs/grafana/rules.yml").read_text())
    dashboard = json.loads((ROOT / "docs/grafana/dashboard.json").read_text())
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    expressions = [rule["expr"] for rule in alerts]
    expressions += [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    expressions += [each["query"]["query"] for each in dashboard["templating"]["list"] if each["type"] == "query"]
    used = {name for text in expressions for name in re.findall(rf"{PREFIX}_\w+", text)}
    assert used <= exported
    assert len(used) >= 12
    assert all({"summary", "description"} <= set(rule["annotations"]) for rule in alerts)
