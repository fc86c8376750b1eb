"""Exemptions: who may ask and decide, and which line they raise."""

from datetime import UTC, datetime, timedelta

import pytest
from fakes.alert_messages import acme
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.attribution import Attribution
from budget_gate.core.charges import budget_for, charges_for
from budget_gate.core.errors import UsageError
from budget_gate.core.exemptions import (
    Exemption,
    Request,
    check_approver,
    check_request,
    extra_nano_usd,
    is_named,
    teams_to_ask,
)
from budget_gate.core.money import COUNT_MAX
from budget_gate.core.policy import ExemptionRule
from budget_gate.core.scopes import ORG, Scope

USD = 10**9
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RULE = ExemptionRule(("@acme/finops", "vp-engineering"), 100 * USD, 7)
ASKED = Request("ex-1", Scope("team", "payments"), "month", 50 * USD, 3, "maya", "release week")


def _exemption(request: Request = ASKED) -> Exemption:
    return Exemption(request, "vp-engineering", NOW, NOW + timedelta(days=request.days))


def test_a_request_within_the_rule_is_taken() -> None:
    """What the policy allows may be asked for, by wildcard budgets' members too."""
    policy = acme()
    assert check_request(policy, ASKED, budget_for(policy, ASKED.scope)) == policy.exemptions
    alice = ASKED._replace(scope=Scope("user", "alice"), per="day")
    assert check_request(policy, alice, budget_for(policy, alice.scope)) == policy.exemptions


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"nano_usd": 100 * USD + 1}, "at most $100.00"),
        ({"nano_usd": 0}, "more than 0"),
        ({"nano_usd": -1}, "more than 0"),
        ({"days": 8}, "write 1 to 7"),
        ({"days": 0}, "write 1 to 7"),
        ({"per": "day"}, "per month"),
        ({"scope": Scope("team", "marketing")}, "has none"),
        ({"scope": Scope("team", "nobody")}, "has none"),
        ({"scope": Scope("user", "*"), "per": "day"}, "user/NAME"),
        ({"requester": "@acme/finops"}, "one person"),
        ({"requester": " "}, "one person"),
        ({"reason": " "}, "--reason"),
    ],
)
def test_what_nobody_could_approve_is_refused_at_once(change: dict[str, object], says: str) -> None:
    """Too much, too long, for no dollar limit, for everybody, by nobody or without a reason: one line says what to write."""
    policy, request = acme(), ASKED._replace(**change)
    with pytest.raises(UsageError) as caught:
        check_request(policy, request, budget_for(policy, request.scope))
    assert says in str(caught.value)


def test_a_policy_without_a_rule_allows_none() -> None:
    """Without `exemptions:` nothing can be asked for."""
    policy = acme()._replace(exemptions=None)
    with pytest.raises(UsageError, match="allows no exemptions"):
        check_request(policy, ASKED, budget_for(policy, ASKED.scope))


def test_approvers_are_named_or_in_a_named_team_and_never_the_requester() -> None:
    """Case does not matter in logins; being in the team does not help with one's own request."""
    check_approver(RULE, "maya", "VP-Engineering", is_in_team=False)
    check_approver(RULE, "maya", "fin", is_in_team=True)
    for requester, approver, is_in_team in (
        ("maya", "bob", False),
        ("Fin", "fin", True),
        ("vp-engineering", "VP-engineering", False),
    ):
        with pytest.raises(UsageError):
            check_approver(RULE, requester, approver, is_in_team=is_in_team)
    assert teams_to_ask(RULE, "bob") == (("acme", "finops"),)
    assert teams_to_ask(RULE, "vp-engineering") == ()
    assert not is_named(RULE, "@acme/finops")


def test_a_line_rises_for_its_scope_and_period_only() -> None:
    """The stop of the exempted limit rises by the amount; its limit, its tiers, its counters and every other line stay."""
    policy = acme()
    attribution, workflow = Attribution("ci_cd_review", team="payments"), policy.workflows["ci_cd_review"]
    before = charges_for(policy, attribution, "small", workflow)
    after = charges_for(policy, attribution, "small", workflow, (_exemption(),))
    assert [each[:2] for each in before] == [each[:2] for each in after]
    changed = [
        (new.scope.text, new.per, new_line.unit, old_line, new_line)
        for old, new in zip(before, after, strict=True)
        for old_line, new_line in zip(old.limits, new.limits, strict=True)
        if old_line != new_line
    ]
    ((scope, per, unit, old_line, new_line),) = changed
    assert (scope, per, unit) == ("team/payments", "month", "usd")
    assert new_line == old_line._replace(stop_line=575 * USD, admission_line=575 * USD)


def test_advising_lines_stay_without_an_admission_line() -> None:
    """An exemption makes no limit refuse that did not."""
    policy = acme()
    advising = tuple(budget._replace(mode="advise") if budget.scope == ORG else budget for budget in policy.budgets)
    exemption = _exemption(ASKED._replace(scope=ORG))
    attribution, workflow = Attribution("ci_cd_review"), policy.workflows["ci_cd_review"]
    charges = charges_for(policy._replace(budgets=advising), attribution, "small", workflow, (exemption,))
    (line,) = next(each.limits for each in charges if (each.scope, each.per) == (ORG, "month"))
    assert (line.admission_line, line.stop_line) == (None, 850 * USD)


@given(
    st.lists(
        st.tuples(st.sampled_from(["payments", "other"]), st.sampled_from(["day", "month"]), st.integers(1, COUNT_MAX)),
        max_size=5,
    )
)
def test_several_exemptions_add_up(given_ones: list[tuple[str, str, int]]) -> None:
    """Exemptions for one limit are summed exactly, and never past what a ledger can count."""
    exemptions = [
        _exemption(ASKED._replace(scope=Scope("team", name), per=per, nano_usd=amount))  # type: ignore[arg-type]
        for name, per, amount in given_ones
    ]
    expected = sum(amount for name, per, amount in given_ones if (name, per) == ("payments", "month"))
    assert extra_nano_usd(exemptions, ASKED.scope, "month") == min(expected, 9_000_000 * USD)


def test_an_exemption_is_in_force_until_its_end() -> None:
    """From the approval on, and not at the end any more."""
    exemption = _exemption()
    instants = (NOW - timedelta(seconds=1), NOW, exemption.until - timedelta(seconds=1), exemption.until)
    assert [exemption.is_in_force(each) for each in instants] == [False, True, True, False]
