"""Routing: the order of the rules, the reasons given, and what never happens whatever the input."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budget_gate.core.errors import UsageError
from budget_gate.core.policy import Condition, Degradation, Escalation, Mode, Policy, Workflow
from budget_gate.core.reservations import BudgetState
from budget_gate.core.routing import DEFAULT_OUTPUT_TOKENS, Facts, candidate_tiers, choose_route
from budget_gate.core.scopes import ORG, Scope, parse_scope

MODELS = {"small": "model-s", "medium": "model-m", "large": "model-l"}
POLICY = Policy(organization="acme", timezone="UTC", models=MODELS, budgets=(), workflows={})
WHEN = Condition(input_tokens_over=6000, paths=("**/auth/**",), keywords=("security",), labels=("risky",))
REVIEW = Workflow(
    name="review",
    agent="code_review",
    model="small",
    escalate=Escalation("medium", WHEN),
    degrade=Degradation("small", 8_000),
    output_tokens={"medium": 2048},
)


def state(used: int, *, limit: int = 100, scope: Scope = ORG, mode: Mode = "enforce", pending: int = 0) -> BudgetState:
    """Return a budget of which ``used`` out of ``limit`` is posted."""
    return BudgetState(scope, "day", "usd", mode, limit, limit, used, pending, 0, "", datetime(2026, 1, 1, tzinfo=UTC), "")


def test_without_cause_the_usual_tier_is_used() -> None:
    """A call with nothing special about it goes to the workflow's own tier with the default answer length."""
    route = choose_route(POLICY, REVIEW, Facts(input_tokens=6000), ())
    assert (route.tier, route.model, route.max_output_tokens) == ("small", "model-s", DEFAULT_OUTPUT_TOKENS)
    assert route.reason == "the usual tier of this workflow"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (Facts(input_tokens=6001), "6,001 input tokens"),
        (Facts(paths=("README.md", "src/auth/login.py")), "`**/auth/**`"),
        (Facts(text="A Security fix"), "`security`"),
        (Facts(labels=("Risky",)), "`risky`"),
    ],
)
def test_any_one_condition_escalates_and_is_named(facts: Facts, said: str) -> None:
    """Each condition alone raises the tier, and the reason names it in the policy's words."""
    route = choose_route(POLICY, REVIEW, facts, ())
    assert (route.tier, route.max_output_tokens) == ("medium", 2048)
    assert said in route.reason


def test_reason_never_quotes_the_pull_request() -> None:
    """The reason quotes the policy's glob, not the path: paths are the pull request's text."""
    route = choose_route(POLICY, REVIEW, Facts(paths=("auth/<img src=x>.py",)), ())
    assert "img" not in route.reason


def test_simple_label_lowers_and_escalation_still_wins_over_it() -> None:
    """``simple`` picks the workflow's simple tier; a condition for escalating overrides it."""
    workflow = REVIEW._replace(model="medium", simple="small", escalate=Escalation("large", WHEN))
    assert choose_route(POLICY, workflow, Facts(labels=("Simple",)), ()).tier == "small"
    assert choose_route(POLICY, workflow, Facts(labels=("simple", "risky")), ()).tier == "large"
    assert choose_route(POLICY, workflow, Facts(), ()).tier == "medium"


def test_degradation_wins_over_escalation() -> None:
    """Once an enforced budget is used past the share, the cheaper tier is used whatever asked for the dearer one."""
    hot = (state(10), state(81, scope=parse_scope("user/ann")))
    route = choose_route(POLICY, REVIEW, Facts(input_tokens=9000), hot)
    assert route.tier == "small"
    assert route.reason == "lowered to small to spare the budget: user/ann has used 81% of its usd per day (over 80%)"


@pytest.mark.parametrize(
    "cool",
    [
        state(80),
        state(100, mode="advise"),
        state(100, mode="observe"),
        state(100, scope=Scope("task", "review/7")),
        state(100, scope=Scope("session", "review/7")),
        state(100, scope=Scope("model", "large")),
        state(10, pending=90),
    ],
    ids=["at the share", "advised", "observed", "task bound", "session bound", "another tier", "only pending"],
)
def test_only_enforced_budgets_of_the_call_past_the_share_degrade(cool: BudgetState) -> None:
    """A budget at the share, without force, of a bound or of another tier leaves the route alone."""
    assert choose_route(POLICY, REVIEW, Facts(input_tokens=9000), (cool,)).tier == "medium"


def test_share_is_compared_exactly() -> None:
    """A hair past the share degrades: the comparison does not round."""
    hair = state(800_001, limit=1_000_000)
    assert choose_route(POLICY, REVIEW, Facts(input_tokens=9000), (hair,)).tier == "small"


def test_a_limit_of_nothing_degrades() -> None:
    """A budget of zero is used up before anything was spent."""
    assert choose_route(POLICY, REVIEW, Facts(input_tokens=9000), (state(0, limit=0),)).tier == "small"


def test_unknown_tier_is_a_usage_error() -> None:
    """A tier the policy does not have is named, with those it has."""
    with pytest.raises(UsageError, match=r"'huge'.*small, medium, large"):
        choose_route(POLICY, REVIEW._replace(model="huge", escalate=None, degrade=None), Facts(), ())


tiers = st.sampled_from(list(MODELS))
conditions = st.builds(
    Condition,
    input_tokens_over=st.none() | st.integers(0, 100),
    paths=st.lists(st.sampled_from(["**", "a/*", "*.py"]), max_size=2).map(tuple),
    keywords=st.lists(st.text(max_size=4), max_size=2).map(tuple),
    labels=st.lists(st.sampled_from(["x", "y"]), max_size=2).map(tuple),
)
workflows = st.builds(
    Workflow,
    name=st.just("w"),
    agent=st.just("custom"),
    model=tiers,
    simple=st.just("") | tiers,
    escalate=st.none() | st.builds(Escalation, tiers, conditions),
    degrade=st.none() | st.builds(Degradation, tiers, st.integers(0, 10_000)),
    output_tokens=st.dictionaries(tiers, st.integers(1, 9999)),
)
facts_made = st.builds(
    Facts,
    input_tokens=st.integers(0, 200),
    paths=st.lists(st.sampled_from(["a/b", "x.py", "a/b/c"]), max_size=3).map(tuple),
    text=st.text(max_size=20),
    labels=st.lists(st.sampled_from(["x", "simple", "z"]), max_size=3).map(tuple),
)
states = st.lists(st.integers(0, 200).map(state) | st.integers(0, 200).map(lambda used: state(used, mode="advise")), max_size=4)


@settings(deadline=None)
@given(workflow=workflows, facts=facts_made, budgets=states)
def test_routes_are_deterministic_and_among_the_candidates(workflow: Workflow, facts: Facts, budgets: list[BudgetState]) -> None:
    """Any input gives one of the workflow's tiers with its model and length, and the same answer every time."""
    route = choose_route(POLICY, workflow, facts, budgets)
    assert route == choose_route(POLICY, workflow, facts, list(budgets))
    assert route.tier in candidate_tiers(workflow)
    assert route.model == MODELS[route.tier]
    assert route.max_output_tokens == workflow.output_tokens.get(route.tier, DEFAULT_OUTPUT_TOKENS)
    assert route.reason


@settings(deadline=None)
@given(workflow=workflows, facts=facts_made, budgets=states)
def test_budgets_only_ever_make_a_route_cheaper(workflow: Workflow, facts: Facts, budgets: list[BudgetState]) -> None:
    """Pressure on a budget never picks a dearer tier than no pressure would, and full budgets never the tier above ``to``."""
    order = list(MODELS)
    free = choose_route(POLICY, workflow, facts, ())
    pressed = choose_route(POLICY, workflow, facts, budgets)
    assert order.index(pressed.tier) <= order.index(free.tier)
    if workflow.degrade and any(each.mode == "enforce" and each.posted > 100 for each in budgets):
        assert order.index(pressed.tier) <= max(order.index(workflow.degrade.to), 0)
