"""The cost of a pull request: everything of it, nothing of others, and equal to a recount of the raw entries."""

import pytest
from fakes.history import PROJECT, random_history, record, recount, spend
from fakes.ledger_requests import charge, line, request, usd

from budget_gate.analytics.outcomes import PullName
from budget_gate.analytics.pr_costs import read_pulls
from budget_gate.core.scopes import ORG
from budget_gate.ledger.memory import MemoryLedger

SEVEN = PullName(PROJECT, "7")


def test_every_workflow_run_and_fate_of_one_pull_request() -> None:
    """Posted and held are counted, held apart; pending is shown; voided, other projects and other numbers are not there."""
    ledger = MemoryLedger()
    spend(ledger, "a", 400, pr="7", run="1")
    spend(ledger, "b", 300, pr="7", run="2", workflow="qa_test_gen", tier="medium")
    spend(ledger, "c", 200, pr="7", run="2", end="hold", project="Acme/Shop")
    spend(ledger, "d", 100, pr="7", end="leave")
    spend(ledger, "e", 50, pr="7", end="void")
    spend(ledger, "f", 7, pr="8")
    spend(ledger, "g", 7, pr="7", project="acme/other")
    cost = read_pulls(ledger.entries(), [SEVEN]).costs[SEVEN]
    assert [part.nano_usd for part in (cost.posted, cost.held, cost.pending, cost.total)] == [700, 200, 100, 900]
    assert (cost.calls, cost.runs) == (3, 2)
    assert [(each.name, each.amount.nano_usd) for each in cost.by_workflow] == [("ci_cd_review", 600), ("qa_test_gen", 300)]
    assert [(each.name, each.calls) for each in cost.by_model] == [("claude-haiku-4-5", 2), ("claude-sonnet-4-6", 1)]


def test_refusals_are_counted_and_cost_nothing() -> None:
    """A call that a budget kept out is counted as refused under its pull request."""
    ledger = MemoryLedger()
    ledger.reserve(request("a", usd(5000), charge(ORG, "month", line(1000)), labels={"project": PROJECT, "pr": "7"}))
    cost = read_pulls(ledger.entries(), [SEVEN]).costs[SEVEN]
    assert (cost.refused, cost.total.nano_usd) == (1, 0)


def test_a_pull_request_without_ai_work_is_there_with_nothing() -> None:
    """Nothing attributed is a cost of nothing, not an absence; and outcomes are found in the same pass."""
    ledger = MemoryLedger()
    record(ledger, "7", "merged", ledger.now())
    read = read_pulls(ledger.entries(), [SEVEN])
    assert read.costs[SEVEN].total.nano_usd == 0
    assert [event.pull for event in read.events] == [SEVEN]


@pytest.mark.parametrize("seed", range(5))
def test_costs_equal_a_recount_of_the_raw_entries(seed: int) -> None:
    """On a random history every pull request's posted and held dollars, and both breakdowns, equal the sums of its raw entries."""
    ledger = random_history(seed)
    raws = list(recount(ledger))
    numbers = {raw.labels["pr"] for raw in raws if "pr" in raw.labels}
    costs = read_pulls(ledger.entries(), [PullName(PROJECT, number) for number in numbers]).costs
    assert len(costs) > 20
    for pull, cost in costs.items():
        mine = [raw for raw in raws if raw.labels.get("pr") == pull.pr]
        assert (cost.posted.nano_usd, cost.held.nano_usd) == (sum(raw.posted for raw in mine), sum(raw.held for raw in mine))
        for lines in (cost.by_workflow, cost.by_model):
            assert sum(each.amount.nano_usd for each in lines) == cost.total.nano_usd
        by_tier = {each.name: each.amount.nano_usd for each in cost.by_model}
        for model, nano_usd in by_tier.items():
            assert nano_usd == sum(raw.posted + raw.held for raw in mine if raw.labels["model"] == model)
