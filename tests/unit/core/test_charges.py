"""Charges: each counter once, each limit on the right counter, and lines where the policy puts them."""

from typing import get_args

from hypothesis import example, given
from hypothesis import strategies as st

from budget_gate.core.amounts import UNITS
from budget_gate.core.attribution import Attribution
from budget_gate.core.charges import REPORT_PERIODS, Charge, budget_for, charges_for
from budget_gate.core.money import share_of
from budget_gate.core.periods import CALENDAR_PERIODS
from budget_gate.core.policy import Bounds, Budget, Limit, Mode, Policy, Tiers, Workflow
from budget_gate.core.scopes import NAMED_KINDS, ORG, Scope

NAMES = st.sampled_from(["", "a", "b", "a/b", "a%2Fb", "*", "é"])
ATTRIBUTIONS = st.builds(
    Attribution, workflow=NAMES.filter(bool), team=NAMES, project=NAMES, user=NAMES, session=NAMES, task=NAMES, feature=NAMES
)
SHARES = st.tuples(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(1, 20_000)).map(
    lambda shares: Tiers(*sorted(shares))
)
BUDGETS = st.builds(
    Budget,
    scope=st.one_of(st.just(ORG), st.builds(Scope, st.sampled_from(NAMED_KINDS), NAMES.filter(bool))),
    limits=st.lists(
        st.builds(Limit, st.sampled_from(UNITS), st.integers(1, 10**15), st.sampled_from(CALENDAR_PERIODS)),
        min_size=1,
        unique_by=lambda limit: (limit.unit, limit.per),
        max_size=4,
    ).map(tuple),
    tiers=SHARES,
    mode=st.sampled_from(get_args(Mode)),
    keep_back=st.integers(0, 9_999),
    owner=st.sampled_from(["", "boss"]),
)
BOUNDS = st.builds(
    Bounds,
    *(st.none() | st.integers(1, 10**6) for _ in Bounds._fields),
)
WORKFLOWS = st.builds(
    Workflow,
    name=NAMES.filter(bool),
    agent=st.just("custom"),
    model=st.just("small"),
    task=BOUNDS,
    session=BOUNDS,
    critical=st.booleans(),
)
POLICIES = st.lists(BUDGETS, max_size=6, unique_by=lambda budget: budget.scope).map(
    lambda budgets: Policy("acme", "UTC", {"small": "m"}, tuple(budgets), {})
)


def plain_policy(*budgets: Budget) -> Policy:
    """Return a policy of these budgets and nothing else."""
    return Policy("acme", "UTC", {"small": "m"}, budgets, {})


def by_counter(charges: tuple[Charge, ...]) -> dict[tuple[str, str], Charge]:
    """Return the charges by what they count on."""
    return {(charge.scope.text, charge.per): charge for charge in charges}


CI = Workflow("ci", "custom", "small")


@given(POLICIES, ATTRIBUTIONS, WORKFLOWS)
def test_each_counter_once_widest_first(policy: Policy, attribution: Attribution, workflow: Workflow) -> None:
    """No counter is charged twice, whatever the names; the organization comes first, and reports get their periods."""
    charges = charges_for(policy, attribution, "small", workflow)
    counters = [(charge.scope.text, charge.per) for charge in charges]
    assert len(set(counters)) == len(counters)
    assert charges[0].scope == ORG
    for scope in attribution.budget_scopes("small"):
        assert {(scope.text, per) for per in REPORT_PERIODS} <= set(counters)
    assert all(charge.scope.name for charge in charges if charge.scope != ORG)


@given(POLICIES, ATTRIBUTIONS, WORKFLOWS)
def test_every_limit_of_a_touched_scope_is_there_once(policy: Policy, attribution: Attribution, workflow: Workflow) -> None:
    """Each limit of each budget that applies becomes exactly one line, and no other limit does."""
    expected = sorted(
        (scope.text, limit.per, limit.unit, limit.amount)
        for scope in attribution.budget_scopes("small")
        if (budget := budget_for(policy, scope)) is not None
        for limit in budget.limits
    )
    found = sorted(
        (charge.scope.text, charge.per, line.unit, line.limit)
        for charge in charges_for(policy, attribution, "small", workflow)
        if charge.per != "lifetime"
        for line in charge.limits
    )
    assert found == expected


@given(BUDGETS, st.booleans())
def test_lines(budget: Budget, critical: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """Only ``enforce`` refuses; what is kept back lowers the admission line for uncritical workflows, and nothing else."""
    workflow = CI._replace(critical=critical)
    attribution = Attribution(
        "ci", **{} if budget.scope.kind in ("org", "model", "workflow") else {budget.scope.kind: budget.scope.name}
    )
    if budget.scope.kind == "workflow":
        attribution = attribution._replace(workflow=budget.scope.name)
    tier = budget.scope.name if budget.scope.kind == "model" else "small"
    charges = charges_for(plain_policy(budget), attribution, tier, workflow)
    lines = [line for charge in charges if charge.per != "lifetime" for line in charge.limits]
    assert len(lines) == len(budget.limits)
    for line in lines:
        stop = share_of(line.limit, budget.tiers.stop)
        assert line.stop_line == stop
        assert (line.warn_line, line.alert_line) == (
            share_of(line.limit, budget.tiers.warn),
            share_of(line.limit, budget.tiers.alert),
        )
        assert line.owner == budget.owner
        if budget.mode != "enforce":
            assert line.admission_line is None
        else:
            assert line.admission_line == (stop if critical else stop - share_of(stop, budget.keep_back))
        assert [name for name, _ in line.tier_lines] == ([] if budget.mode == "observe" else ["warn", "alert", "stop"])


def test_keep_back_in_numbers() -> None:
    """800 dollars with 20 % kept back stop uncritical work at 640 dollars and critical work at 800."""
    budget = Budget(ORG, (Limit("usd", 800_000_000_000, "month"),), keep_back=2_000)
    for critical, line in ((False, 640_000_000_000), (True, 800_000_000_000)):
        charges = by_counter(charges_for(plain_policy(budget), Attribution("ci"), "small", CI._replace(critical=critical)))
        assert charges["org", "month"].limits[0].admission_line == line


def test_a_wildcard_gives_each_name_its_own_counter() -> None:
    """``user/*`` limits every user apart; no counter is called ``user/*``."""
    budget = Budget(Scope("user", "*"), (Limit("usd", 10, "day"),))
    for user in ("ann", "bob", "a/b"):
        charges = by_counter(charges_for(plain_policy(budget), Attribution("ci", user=user), "small", CI))
        assert charges[f"user/{user}", "day"].limits[0].limit == 10
        assert ("user/*", "day") not in charges
    without = charges_for(plain_policy(budget), Attribution("ci"), "small", CI)
    assert not any(charge.limits for charge in without)


def test_ones_own_budget_wins_over_the_wildcard() -> None:
    """A budget that names a user replaces the one for every user, wherever each stands in the file."""
    everybody = Budget(Scope("user", "*"), (Limit("usd", 10, "day"),))
    own = Budget(Scope("user", "ann"), (Limit("usd", 50, "day"), Limit("requests", 7, "hour")))
    for order in ((everybody, own), (own, everybody)):
        policy = plain_policy(*order)
        assert budget_for(policy, Scope("user", "ann")) == own
        assert budget_for(policy, Scope("user", "bob")) == everybody
        assert budget_for(policy, Scope("team", "ann")) is None
        charges = by_counter(charges_for(policy, Attribution("ci", user="ann"), "small", CI))
        assert [line.limit for line in charges["user/ann", "day"].limits] == [50]
        assert [line.limit for line in charges["user/ann", "hour"].limits] == [7]


def test_bounds_of_task_and_session() -> None:
    """Hard bounds stop a task and a session for their whole life; soft ones do not, and nobody is alerted of either."""
    workflow = CI._replace(task=Bounds(10, 20, 30, 40), session=Bounds(hard_tokens=200))
    charges = by_counter(charges_for(plain_policy(), Attribution("ci", task="t", session="s"), "small", workflow))
    assert [(line.unit, line.admission_line) for line in charges["task/ci/t", "lifetime"].limits] == [
        ("usd", 30),
        ("tokens", 20),
        ("requests", 40),
    ]
    assert [(line.unit, line.admission_line) for line in charges["session/ci/s", "lifetime"].limits] == [("tokens", 200)]
    assert all(line.owner == "" for line in charges["task/ci/t", "lifetime"].limits)
    without = charges_for(plain_policy(), Attribution("ci"), "small", workflow)
    assert not any(charge.per == "lifetime" for charge in without)


SLASHED = st.text(alphabet="a/%2F", min_size=1, max_size=5)


@given(st.tuples(SLASHED, SLASHED), st.tuples(SLASHED, SLASHED))
@example(("a/a", "a"), ("a", "a/a"))
@example(("a%2Fa", "a"), ("a/a", "a"))
def test_tasks_of_two_workflows_never_share_a_counter(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Workflow and task name a counter together, and no slash in either makes two of them one."""

    def counter(pair: tuple[str, str]) -> str:
        charges = charges_for(plain_policy(), Attribution(pair[0], task=pair[1]), "small", CI._replace(name=pair[0]))
        return next(charge.scope.text for charge in charges if charge.scope.kind == "task")

    assert (counter(one) == counter(other)) == (one == other)


@given(ATTRIBUTIONS)
def test_labels_are_what_is_known(attribution: Attribution) -> None:
    """Labels hold each known field under its name, and no empty one."""
    labels = attribution.labels()
    assert all(labels.values())
    assert Attribution(**{"workflow": "", **labels}) == attribution
