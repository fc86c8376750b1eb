"""Where a call goes when its model is overloaded."""

import pytest

from budget_gate.core.policy import Condition, Degradation, Escalation, Policy, Workflow
from budget_gate.core.routing import Route, fallback_route

POLICY = Policy("acme", "UTC", {"small": "haiku", "medium": "sonnet", "large": "opus", "twin": "haiku"}, (), {})
REVIEW = Workflow("review", "code_review", "small", escalate=Escalation("medium", Condition()), output_tokens={"medium": 2_048})


def fallback(workflow: Workflow, tier: str) -> Route | None:
    """Return the fallback from a tier of the policy."""
    return fallback_route(POLICY, workflow, Route(tier, POLICY.models[tier], 1_024, "why"))


@pytest.mark.parametrize(
    ("workflow", "tier", "wanted"),
    [
        (REVIEW, "medium", "small"),
        (REVIEW, "small", "medium"),
        (REVIEW._replace(escalate=Escalation("large", Condition()), simple="medium"), "large", "medium"),
        (REVIEW._replace(model="medium", degrade=Degradation("small", 8_000)), "medium", "small"),
        (REVIEW._replace(escalate=None), "small", None),
        (REVIEW._replace(escalate=None, simple="twin"), "small", None),
    ],
)
def test_the_nearest_tier_that_the_workflow_names_cheaper_first(workflow: Workflow, tier: str, wanted: str | None) -> None:
    """Only tiers of the workflow count, only on another model; a dearer one only where there is no cheaper."""
    found = fallback(workflow, tier)
    assert (found.tier if found else None) == wanted


def test_the_fallback_says_why_and_allows_its_own_answer_length() -> None:
    """The reason keeps the first choice's reason, and the longest answer is that of the new tier."""
    found = fallback(REVIEW, "small")
    assert found == Route("medium", "sonnet", 2_048, "why; small was overloaded, so medium took over")
