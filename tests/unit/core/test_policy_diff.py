"""Differences between policies: none is hidden, none is invented."""

from datetime import date
from decimal import Decimal

import pytest

from budget_gate.core.policy import (
    AlertRoute,
    AnomalyRule,
    Bounds,
    Budget,
    Condition,
    Degradation,
    Escalation,
    ExemptionRule,
    Inventory,
    Limit,
    Policy,
    Tiers,
    ValueLine,
    Workflow,
)
from budget_gate.core.policy_diff import diff_policies
from budget_gate.core.prices import DatedPrice, Rate
from budget_gate.core.scopes import ORG, Scope

PAYMENTS = Budget(Scope("team", "payments"), (Limit("usd", 350_000_000_000, "month"),), owner="lead")
ORGANIZATION = Budget(ORG, (Limit("usd", 800_000_000_000, "month"), Limit("tokens", 10_000, "day")))
CI = Workflow("ci", "code_review", "small", escalate=Escalation("medium", Condition(6_000, ("**/auth/**",))))
PRICE = DatedPrice(date(2026, 1, 1), Rate(Decimal("0.80")), Rate(Decimal(4)))
OLD = Policy(
    "acme",
    "UTC",
    {"small": "claude-haiku-4-5", "medium": "claude-sonnet-4-6"},
    (ORGANIZATION, PAYMENTS),
    {"ci": CI},
    alerts=(AlertRoute(("warn", "stop"), ("slack",)),),
    anomaly=AnomalyRule(Decimal(3), 7, "16:00", 1_000_000_000),
    exemptions=ExemptionRule(("@acme/finops",), 100_000_000_000, 7),
    value=(ValueLine("QA", Decimal(90), Decimal(70)),),
    prices={"own": (PRICE,)},
)


def with_budget(budget: Budget) -> Policy:
    """Return the old policy with another budget for payments."""
    return OLD._replace(budgets=(ORGANIZATION, budget))


def with_workflow(workflow: Workflow) -> Policy:
    """Return the old policy with another workflow."""
    return OLD._replace(workflows={"ci": workflow})


@pytest.mark.parametrize(
    ("new", "line"),
    [
        (
            with_budget(PAYMENTS._replace(limits=(Limit("usd", 400_500_000_000, "month"),))),
            "budgets[team/payments]: usd per month 350 -> 400.5",
        ),
        (with_budget(PAYMENTS._replace(mode="observe")), "budgets[team/payments]: mode enforce -> observe"),
        (with_budget(PAYMENTS._replace(tiers=Tiers(8_250, 10_000, 10_000))), "budgets[team/payments]: warn 80% -> 82.5%"),
        (with_budget(PAYMENTS._replace(keep_back=2_000)), "budgets[team/payments]: keep_back 0% -> 20%"),
        (with_budget(PAYMENTS._replace(owner="")), "budgets[team/payments]: owner lead -> nothing"),
        (with_budget(PAYMENTS._replace(cost_center="X1")), "budgets[team/payments]: cost_center nothing -> X1"),
        (OLD._replace(budgets=(ORGANIZATION,)), "budgets[team/payments]: removed"),
        (OLD._replace(organization="zen"), "organization acme -> zen"),
        (OLD._replace(timezone="Europe/Berlin"), "timezone UTC -> Europe/Berlin"),
        (OLD._replace(on_outage="allow"), "ledger.on_outage block -> allow"),
        (OLD._replace(models={"medium": "claude-sonnet-4-6", "small": "x"}), "models: small claude-haiku-4-5 -> x"),
        (with_workflow(CI._replace(agent="custom")), "workflows[ci]: agent code_review -> custom"),
        (with_workflow(CI._replace(critical=True)), "workflows[ci]: critical false -> true"),
        (with_workflow(CI._replace(simple="small")), "workflows[ci]: simple nothing -> small"),
        (with_workflow(CI._replace(on_exceed="block")), "workflows[ci]: on_exceed comment -> block"),
        (with_workflow(CI._replace(min_severity="high")), "workflows[ci]: min_severity info -> high"),
        (with_workflow(CI._replace(drafts="review")), "workflows[ci]: drafts skip -> review"),
        (with_workflow(CI._replace(bots=("renovate", "dependabot"))), "workflows[ci]: bots skip -> [dependabot, renovate]"),
        (with_workflow(CI._replace(output_tokens={"small": 9})), "workflows[ci]: output_tokens.small nothing -> 9"),
        (with_workflow(CI._replace(task=Bounds(nano_usd=500_000_000))), "workflows[ci]: task.usd nothing -> 0.5"),
        (with_workflow(CI._replace(session=Bounds(steps=5))), "workflows[ci]: session.steps nothing -> 5"),
        (
            with_workflow(CI._replace(escalate=Escalation("medium", Condition(6_000, ("**/auth/**", "b"))))),
            "workflows[ci]: escalate.paths [**/auth/**] -> [**/auth/**, b]",
        ),
        (OLD._replace(workflows={}), "workflows[ci]: removed"),
        (
            OLD._replace(alerts=(AlertRoute(("warn", "stop"), ("slack",)), AlertRoute(("stop",), ("email",)))),
            "alerts: stop [slack] -> [email, slack]",
        ),
        (OLD._replace(anomaly=AnomalyRule(Decimal("2.5"), 7, "16:00", 1_000_000_000)), "anomaly: ratio 3 -> 2.5"),
        (
            OLD._replace(exemptions=ExemptionRule(("@acme/finops", "eve"), 100_000_000_000, 7)),
            "exemptions: approvers [@acme/finops] -> [@acme/finops, eve]",
        ),
        (
            OLD._replace(value=(ValueLine("QA", Decimal(90), Decimal(75)),)),
            "value: QA 90 hours per month at 70 dollars -> 90 hours per month at 75 dollars",
        ),
        (OLD._replace(prices={"own": (PRICE._replace(output=Rate(Decimal(5))),)}), "prices[own]: from 2026-01-01 output 4 -> 5"),
        (OLD._replace(prices={}), "prices[own]: removed"),
    ],
)
def test_each_change_is_one_line(new: Policy, line: str) -> None:
    """One changed field is one line that says from what to what."""
    assert diff_policies(OLD, new) == [line]


def test_what_is_added_says_what_it_allows() -> None:
    """A new budget or workflow lists everything it says, and a part that ended says so field by field."""
    assert diff_policies(OLD._replace(budgets=(ORGANIZATION,)), OLD) == [
        "budgets[team/payments]: added (usd per month 350, warn 80%, alert 100%, stop 100%, mode enforce, keep_back 0%, owner lead)"
    ]
    lines = diff_policies(OLD, OLD._replace(exemptions=None))
    assert lines == [
        "exemptions: approvers [@acme/finops] -> nothing",
        "exemptions: max_usd 100 -> nothing",
        "exemptions: max_days 7 -> nothing",
    ]
    degraded = with_workflow(CI._replace(degrade=Degradation("small", 8_000), estimate=Inventory(1, 2, 3)))
    assert "workflows[ci]: degrade.when_used_over nothing -> 80%" in diff_policies(OLD, degraded)
    assert "workflows[ci]: estimate.turns nothing -> 1" in diff_policies(OLD, degraded)


def test_what_means_the_same_is_no_difference() -> None:
    """Order and spelling change nothing, and a policy does not differ from itself."""
    same = OLD._replace(
        budgets=(PAYMENTS, ORGANIZATION._replace(limits=ORGANIZATION.limits[::-1])),
        alerts=(AlertRoute(("stop",), ("slack",)), AlertRoute(("warn",), ("slack",))),
        anomaly=AnomalyRule(Decimal("3.00"), 7, "16:00", 1_000_000_000),
        models=dict(reversed(list(OLD.models.items()))),
    )
    assert diff_policies(OLD, same) == []
    assert diff_policies(OLD, OLD) == []
