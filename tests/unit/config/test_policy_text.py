"""Budgets written as YAML are read back as the same budgets, and the rest of a policy's text is left alone."""

from pathlib import Path

from fakes.command_line import ACME
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.config.policy_file import load_policy, parse_policy
from budget_gate.config.policy_text import budgets_text, with_budgets
from budget_gate.core.policy import Budget, Limit, Tiers
from budget_gate.core.scopes import ORG, Scope


def test_acmes_budgets_survive_being_written() -> None:
    """Every budget of the example policy, tiers and modes included, means the same after a round trip."""
    policy = load_policy(ACME)
    text = with_budgets(Path(ACME).read_text(), policy.budgets)
    assert parse_policy(text) == policy


def test_everything_outside_of_the_budgets_stays_byte_for_byte() -> None:
    """Comments and order before and behind the budgets are kept; comments within them are gone."""
    before = "# ours\nversion: 1  # one\norganization: acme\n"
    behind = "\n# the models\nmodels: {small: claude-haiku-4-5} # small\n"
    text = f"{before}budgets:\n  # the limit\n  - {{scope: org, limits: [{{usd: 5, per: day}}]}}\n{behind}"
    changed = with_budgets(text, [Budget(ORG, (Limit("usd", 7_500_000_001, "month"),))])
    limits = "      - {usd: 7.500000001, per: month}"
    assert changed == f"{before}budgets:\n  - scope: org\n    limits:\n{limits}\n{behind}"
    assert "the limit" not in changed
    last = with_budgets(
        f"{before}models: {{small: claude-haiku-4-5}}\nbudgets: [{{scope: org, limits: [{{usd: 5, per: day}}]}}]\n", []
    )
    assert last.startswith(before)


@given(
    name=st.text(st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp", "Cn", "Co"]), min_size=1, max_size=30).filter(
        lambda name: name.strip() == name and name != "*"
    ),
    nano_usd=st.integers(1, 4_000_000 * 10**9),
    tokens=st.integers(1, 2**52 - 1),
    stop=st.integers(10_000, 20_000),
)
def test_any_name_and_amount_comes_back(name: str, nano_usd: int, tokens: int, stop: int) -> None:
    """Whatever a team is called, quotes, colons and emoji included, and to the nano-dollar."""
    limits = (Limit("usd", nano_usd, "month"), Limit("tokens", tokens, "day"))
    budget = Budget(Scope("team", name), limits, Tiers(8_000, 10_000, stop), "advise", 1_234, name, name)
    text = "version: 1\norganization: acme\nmodels: {small: claude-haiku-4-5}\n" + budgets_text([budget])
    assert parse_policy(text).budgets == (budget,)
