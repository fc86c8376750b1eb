"""Budgets written as YAML are read back as the same budgets, and the rest of a policy's text is left alone."""

import difflib
from collections.abc import Sequence
from pathlib import Path

import pytest
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


def _changed(text: str, budgets: Sequence[Budget]) -> list[str]:
    """Return the lines that went and came, of a policy's text with other budgets."""
    lines = difflib.unified_diff(text.splitlines(), with_budgets(text, budgets).splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def test_only_the_changed_limits_of_acme_change() -> None:
    """A raised amount, a new limit and a new budget touch their own lines; comments and `20M` within the budgets stay."""
    text = Path(ACME).read_text()
    org, payments, *others = parse_policy(text).budgets
    day = Limit("usd", 2_500_000_000, "day")
    org = org._replace(limits=(day, Limit("usd", 640_010_000_000, "month")))
    payments = payments._replace(limits=(day, *payments.limits))
    added = Budget(Scope("team", "new: one"), (day,))
    assert _changed(text, [org, payments, *others, added]) == [
        "-    limits: [{usd: 800, per: month}]",
        "+    limits: [{usd: 2.50, per: day}, {usd: 640.01, per: month}]",
        "-    limits: [{usd: 350, per: month}, {tokens: 20M, per: month}]",
        "+    limits: [{usd: 2.50, per: day}, {usd: 350, per: month}, {tokens: 20M, per: month}]",
        "+  - scope: 'team/new: one'",
        "+    limits:",
        "+      - {usd: 2.50, per: day}",
    ]
    assert with_budgets(text, parse_policy(text).budgets) == text


@pytest.mark.parametrize(
    "budgets",
    [
        "budgets: [{scope: org, limits: [{usd: 5.00, per: day}]}] # b",
        "budgets:\n- scope: org # o\n  limits:\n  - usd: 5 # five\n    per: day\n\n# next",
        "budgets:\n    - limits: # l\n        - {per: day, usd: 5} # five\n      scope: org",
    ],
)
def test_every_form_of_a_list_is_changed_in_place(budgets: str) -> None:
    """Flow and block lists, any indentation, any order of keys, with and without a line end at the end of the file."""
    for end in ("", "\n", "\ntimezone: UTC\n"):
        text = f"version: 1\norganization: acme\nmodels: {{small: claude-haiku-4-5}}\n{budgets}{end}"
        after = (
            Budget(ORG, (Limit("usd", 70 * 10**9, "month"), Limit("usd", 6 * 10**9, "day"))),
            Budget(Scope("team", "a"), (Limit("usd", 10**9, "day"),)),
        )
        changed = with_budgets(text, after)
        assert {budget.scope: set(budget.limits) for budget in parse_policy(changed).budgets} == {
            budget.scope: set(budget.limits) for budget in after
        }
        for comment in ("# b", "# o", "# l", "# five", "# next"):
            assert changed.count(comment) == text.count(comment)


def test_what_takes_more_than_limits_writes_the_budgets_anew() -> None:
    """Comments and order before and behind the budgets are kept; comments within them are gone where a limit goes."""
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
