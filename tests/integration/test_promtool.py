"""Prometheus' own checker accepts the metrics, the alert rules and the dashboard's queries, and the rules fire when they should."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from fakes.command_line import ROOT, run
from fakes.odd_calls import write_odd_calls
from fakes.organization import Clock, Organization
from fakes.promtool import promtool

from budget_gate import bootstrap
from budget_gate.ledger.memory import MemoryLedger

RULES = ROOT / "docs/grafana/rules.yml"
POLICY = "version: 1\norganization: acme\nmodels: {small: claude-haiku-4-5}\nbudgets:\n  - {scope: org, limits: [{usd: 800, per: month}]}\n"
BUDGET = 'scope="org",per="month",unit="usd",mode="enforce"'


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A policy, and a ledger with some days of work and everything that has an odd name."""
    clock = Clock()
    ledger = MemoryLedger(clock)
    Organization(13, days=5, teams=1).write(ledger, clock)
    clock.now = datetime(2026, 1, 6, 12, tzinfo=UTC)
    write_odd_calls(ledger, clock)
    monkeypatch.setattr(bootstrap, "open_ledger", lambda *_: ledger)
    path = tmp_path / "policy.yml"
    path.write_text(POLICY)
    return str(path)


def test_the_metrics_are_accepted(policy: str) -> None:
    """Format prometheus passes the parser of the textfile collector and every lint, with hostile names in its labels."""
    ended = run("metrics", "--format", "prometheus", "--policy", policy)
    assert "budget_gate_spend_usd_total{" in ended.out
    assert promtool("check", "metrics", text=ended.out) == (0, "")


def test_broken_metrics_are_not(policy: str) -> None:
    """The checker does look: OpenMetrics' counters lack a type for it, and half a line is an error."""
    assert "no help text" in promtool("check", "metrics", text=run("metrics", "--policy", policy).out)[1]
    assert promtool("check", "metrics", text="budget_gate_x{a=\n")[0] != 0


def test_rules_and_queries_are_accepted(tmp_path: Path) -> None:
    """The shipped alert rules, and every query of the dashboard as a rule of its own."""
    status, said = promtool("check", "rules", str(RULES))
    assert (status, "5 rules found" in said) == (0, True), said
    dashboard = json.loads((ROOT / "docs/grafana/dashboard.json").read_text())
    queries = [
        target["expr"].replace("$scope", ".*").replace("$team", ".*")
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    status, said = promtool("check", "rules", str(path))
    assert (status, f"{len(queries)} rules found" in said) == (0, True), said
    path.write_text(path.read_text().replace("sum by", "sum near"))
    assert promtool("check", "rules", str(path))[0] != 0


def test_the_rules_fire(tmp_path: Path) -> None:
    """Each alert comes for what it watches, with its labels and in plain words; a budget that only advises alarms nobody."""
    series = {
        f"budget_gate_budget_used_ratio{{{BUDGET}}}": "0.85x60 1.02x60",
        'budget_gate_budget_used_ratio{scope="team/a",per="month",unit="usd",mode="advise"}': "2x120",
        'budget_gate_refusals_total{scope="org",per="month",reason="spent"}': "0+1x120",
        'budget_gate_reservations{state="held"}': "11x120",
        'budget_gate_reservations{state="pending"}': "99x120",
        'budget_gate_spend_usd_total{team="calm",workflow="w",tier="small"}': "0+0.01x2000",
        'budget_gate_spend_usd_total{team="wild",workflow="w",tier="small"}': "0+0.01x1500 15+1x500",
    }
    labels = {"scope": "org", "per": "month", "unit": "usd", "mode": "enforce"}
    expected = [
        ("30m", "BudgetNearlyUsed", {**labels, "severity": "warning"}, "org per month is at 85% of its limit"),
        ("90m", "BudgetNearlyUsed", None, ""),
        ("30m", "BudgetUsedUp", None, ""),
        ("90m", "BudgetUsedUp", {**labels, "severity": "critical"}, "org per month is used up (usd)"),
        ("90m", "BudgetRefusals", {"scope": "org", "per": "month", "reason": "spent", "severity": "warning"},
         "org per month refused 60 requests in an hour (spent)"),
        ("30m", "ReservationsHeld", None, ""),
        ("90m", "ReservationsHeld", {"state": "held", "severity": "warning"},
         "11 reservations are held: calls that may have been billed and were never settled"),
        ("1400m", "SpendingFast", None, ""),
        ("1570m", "SpendingFast", {"team": "wild", "severity": "warning"},
         "wild spent 60 dollars in an hour, more than four times its usual"),
    ]  # fmt: skip
    descriptions = {
        rule["alert"]: rule["annotations"]["description"]
        for group in yaml.safe_load(RULES.read_text())["groups"]
        for rule in group["rules"]
    }
    tests = [
        {
            "eval_time": at,
            "alertname": name,
            "exp_alerts": []
            if found is None
            else [{"exp_labels": found, "exp_annotations": {"summary": summary, "description": descriptions[name]}}],
        }
        for at, name, found, summary in expected
    ]
    given = [{"series": name, "values": values} for name, values in series.items()]
    path = tmp_path / "rules_test.yml"
    path.write_text(
        yaml.safe_dump(
            {
                "rule_files": [str(RULES)],
                "evaluation_interval": "1m",
                "tests": [{"interval": "1m", "input_series": given, "alert_rule_test": tests}],
            }
        )
    )
    status, said = promtool("test", "rules", str(path))
    assert status == 0, said
