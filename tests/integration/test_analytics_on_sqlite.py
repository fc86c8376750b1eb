"""What is computed from spending is the same on a file as in memory: same forecasts, anomalies, metrics, export and proposals."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from fakes.command_line import ACME
from fakes.organization import Clock, Organization

from budget_gate.config.policy_file import load_policy
from budget_gate.config.price_file import load_prices
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.runs.anomalies import judge_day
from budget_gate.runs.baseline import observe
from budget_gate.runs.exporting import ExportPlan, export_month
from budget_gate.runs.forecasting import forecast_budgets
from budget_gate.runs.metrics import metric_samples


def test_both_ledgers_give_the_same_figures(tmp_path: Path) -> None:
    """Twenty-five simulated days through each: every figure but the names of reservations is equal, and the export adds up."""
    policy = load_policy(ACME)

    def figures(make: Callable[[Clock], Ledger]) -> list[object]:
        clock = Clock()
        ledger = make(clock)
        Organization(31, days=25, teams=1).write(ledger, clock)
        clock.now = datetime(2026, 1, 26, 17, tzinfo=UTC)
        out = io.StringIO()
        exported = export_month(policy, load_prices(), ledger, ExportPlan("2026-01", "csv", by_cost_center=True), out)
        assert exported.nano_usd == exported.counter_nano_usd > 0
        baseline = observe(policy, ledger, 20)
        found: list[object] = [
            forecast_budgets(policy, ledger),
            judge_day(policy, ledger, date(2026, 1, 20)),
            list(metric_samples(policy, ledger)),
            out.getvalue(),
            baseline.budgets,
            baseline.replay._replace(examples=()),
        ]
        ledger.close()
        return found

    assert figures(lambda clock: SqliteLedger(str(tmp_path / "l.db"), clock=clock)) == figures(MemoryLedger)
