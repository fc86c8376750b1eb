"""``anomalies`` over a ledger with a run-away job in it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes.command_line import ACME, run
from fakes.golden import assert_golden
from fakes.organization import Clock
from hypothesis import given, settings
from hypothesis import strategies as st

from budget_gate import bootstrap
from budget_gate.core.amounts import Amount
from budget_gate.core.attribution import Attribution
from budget_gate.core.charges import Charge
from budget_gate.core.reservations import Actual, Admitted, ReserveRequest
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.runs.recent_entries import entries_since

FIRST = datetime(2026, 11, 2, 10, tzinfo=UTC)


def spend(ledger: MemoryLedger, key: str, nano_usd: int, **names: str) -> None:
    """Spend some dollars."""
    attribution = Attribution(**names)
    charges = tuple(Charge(scope, "day") for scope in attribution.budget_scopes("small"))
    labels = {**attribution.labels(), "tier": "small", "model": "claude-haiku-4-5"}
    decision = ledger.reserve(ReserveRequest(key, Amount(nano_usd, 1, 1), charges, "UTC", labels))
    assert isinstance(decision, Admitted)
    ledger.settle(key, decision.reservation, Actual(Amount(nano_usd, 1, 1)))


@pytest.fixture
def runaway(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Ten quiet days, then one pull request that is reviewed again and again."""
    clock = Clock()
    ledger = MemoryLedger(clock)
    for day in range(10):
        clock.now = FIRST + timedelta(days=day)
        spend(ledger, f"quiet{day}", 2 * 10**9, workflow="ci_cd_review", team="payments", user="alice", pr="1")
        spend(ledger, f"other{day}", 3 * 10**9, workflow="pm_assistant", team="search", user="bob")
    clock.now = FIRST + timedelta(days=10)
    for run_number in range(20):
        spend(ledger, f"wild{run_number}", 10**9, workflow="ci_cd_review", team="payments", user="\x1b[31mbot[bot]", pr="77")
    monkeypatch.setattr(bootstrap, "open_ledger", lambda *_: ledger)
    return clock


def test_the_run_away_pull_request_is_named(runaway: Clock) -> None:
    """Team, workflow and user are found, with the pull request that explains all of it; nobody's name reaches the terminal raw."""
    runaway.now = runaway.now.replace(hour=17)
    document = run("anomalies", "--json", "--policy", ACME).document()
    assert document["judged"]
    assert [each["scope"] for each in document["anomalies"]] == ["team/payments", "workflow/ci_cd_review", "model/small"]
    team = document["anomalies"][0]
    assert (team["today_usd"], team["mean_usd"], team["ratio"], team["measures"]) == ("20.00", "2.00", 10.0, ["ratio"])
    assert {"label": "pr", "name": "77", "excess_usd": "20.00", "share_percent": 100} in team["causes"]
    assert_golden("anomalies.txt", run("anomalies", "--policy", ACME).out)


def test_before_the_hour_of_the_policy_nothing_is_judged(runaway: Clock) -> None:
    """In the morning the command says from when on it judges; a day that is over is judged at once."""
    document = run("anomalies", "--json", "--policy", ACME).document()
    assert (document["judged"], document["anomalies"]) == (False, [])
    assert "not judged before 16:00" in run("anomalies", "--policy", ACME).out
    assert "nothing out of the ordinary" in run("anomalies", "--policy", ACME, "--day", "2026-11-10").out
    runaway.now += timedelta(days=1)
    assert run("anomalies", "--json", "--policy", ACME, "--day", "2026-11-12").document()["anomalies"]


def test_a_day_that_is_none_is_refused(tmp_path: Path) -> None:
    """--day takes a date and says so."""
    ended = run("anomalies", "--policy", ACME, "--ledger", f"sqlite:///{tmp_path / 'l.db'}", "--day", "yesterday")
    assert ended.code == 2
    assert "%Y-%m-%d" in ended.err


LONG = MemoryLedger(CLOCK := Clock())
for note in range(3_500):
    CLOCK.now = FIRST + timedelta(minutes=note)
    LONG.record(f"note{note}", "outcome", {}, {})


@settings(max_examples=15, deadline=None)
@given(minute=st.integers(-5, 3_600))
def test_entries_since_an_instant_are_complete(minute: int) -> None:
    """From any instant on, no entry is missing, and at most one step's worth of older ones comes with them."""
    instant = FIRST + timedelta(minutes=minute)
    found = [entry.seq for entry in entries_since(LONG, instant)]
    wanted = [entry.seq for entry in LONG.entries() if entry.parsed().at >= instant]
    assert found[len(found) - len(wanted) :] == wanted
    assert len(found) <= max(2 * len(wanted), 1000)
