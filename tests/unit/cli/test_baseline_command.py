"""``baseline``: a proposal that loads, a change in words, a replay, and a file that is never overwritten."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes.command_line import ACME, run
from fakes.golden import assert_golden
from fakes.organization import Clock, Organization

from budget_gate import bootstrap
from budget_gate.config.policy_file import load_policy
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.memory import MemoryLedger


@pytest.fixture
def lived(monkeypatch: pytest.MonkeyPatch) -> MemoryLedger:
    """A ledger in which one small team has worked for a month."""
    clock = Clock()
    ledger = MemoryLedger(clock)
    Organization(5, days=30, teams=1).write(ledger, clock)
    clock.now = datetime(2026, 1, 31, 9, tzinfo=UTC)
    monkeypatch.setattr(bootstrap, "open_ledger", lambda *_: ledger)
    return ledger


def test_the_written_policy_loads_and_is_what_was_proposed(lived: MemoryLedger, tmp_path: Path) -> None:
    """The file has the proposed limits, keeps everything else of the policy, and a second run does not overwrite it."""
    path = tmp_path / "proposed.yml"
    document = run("baseline", "--policy", ACME, "--write", str(path), "--json").document()
    before, after = load_policy(ACME), load_policy(path)
    assert after._replace(budgets=()) == before._replace(budgets=())
    proposed = {each["scope"]: each for each in document["proposals"]}
    org = next(budget for budget in after.budgets if budget.scope == ORG)
    assert [limit.per for limit in org.limits] == ["day", "month"]
    assert org.owner == "vp-engineering@acme.test"
    assert f"{org.limits[0].amount / 10**9:.2f}" == proposed["org"]["day_usd"]
    marketing = Scope("team", "marketing")
    assert [each for each in after.budgets if each.scope == marketing] == [
        each for each in before.budgets if each.scope == marketing
    ]
    assert Scope("team", "team0") in [budget.scope for budget in after.budgets]
    again = run("baseline", "--policy", ACME, "--write", str(path))
    assert again.code == 2
    assert "not overwritten" in again.err
    assert load_policy(path) == after


def test_the_replay_adds_up(lived: MemoryLedger) -> None:
    """Refused calls are some of the calls, each limit that refused is named, and each example says what, whose and by which limit."""
    document = run("baseline", "--policy", ACME, "--days", "30", "--json").document()
    past = document["replay"]
    assert 0 < past["refused_calls"] < past["calls"]
    assert past["refused_calls"] <= sum(past["by_limit"].values())
    assert past["examples"][0]["labels"]["team"] == "team0"
    assert past["examples"][0]["refused_by"] in past["by_limit"]


def test_baseline_for_people(lived: MemoryLedger) -> None:
    """The proposal as people read it, with the YAML to copy."""
    assert_golden("baseline.txt", run("baseline", "--policy", ACME).out)


def test_nothing_spent_proposes_nothing() -> None:
    """An empty ledger says to observe first."""
    ended = run("baseline", "--policy", ACME, "--ledger", "memory://")
    assert ended.code == 0
    assert "nothing to propose" in ended.out


def test_a_policy_that_would_not_load_is_not_written(
    lived: MemoryLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should a name come up that a policy file cannot hold, the command says so and writes nothing."""
    path = tmp_path / "proposed.yml"
    monkeypatch.setattr("budget_gate.config.policy_text.budgets_text", lambda _: "budgets: 7\n")
    ended = run("baseline", "--policy", ACME, "--write", str(path), "--json")
    assert ended.code == 2
    assert "would not load" in ended.err
    assert not path.exists()
