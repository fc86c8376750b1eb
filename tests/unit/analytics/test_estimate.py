"""The estimate: the figures that the Acme policy is known for, the what-if flags, and sums that add up."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from fakes.command_line import ACME, ROOT, run
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.analytics.estimate import CENT_NANO_USD, Estimate, WhatIf, estimate_month
from budget_gate.config.policy_file import load_policy
from budget_gate.config.price_file import load_prices
from budget_gate.core.errors import UsageError
from budget_gate.core.prices import DatedPrice, Rate

POLICY = load_policy(ROOT / "examples/acme/budget-gate.yml", prices=load_prices())
AT = datetime(2026, 11, 24, tzinfo=UTC)
PRICES_SECTION = """
prices:
  claude-haiku-4-5:
    - {from: 2026-01-01, input: "0.80", output: "4.00", cache_read: "0.08", cache_write_5m: "1.00", cache_write_1h: "1.60"}
  claude-sonnet-4-6:
    - {from: 2026-01-01, input: "3.00", output: "15.00", cache_read: "0.30", cache_write_5m: "3.75", cache_write_1h: "6.00"}
"""


def _price(plain: str, output: str) -> tuple[DatedPrice, ...]:
    return (DatedPrice(date(2026, 1, 1), Rate(Decimal(plain)), Rate(Decimal(output))),)


PRICES = load_prices({"claude-haiku-4-5": _price("0.80", "4.00"), "claude-sonnet-4-6": _price("3.00", "15.00")})


def _estimate(**changes: object) -> Estimate:
    return estimate_month(POLICY, PRICES, AT, WhatIf(**changes))  # type: ignore[arg-type]


def test_acme_costs_what_it_is_known_to_cost() -> None:
    """At 3.00/15.00 (medium) and 0.80/4.00 (small) Acme's workflows cost 1.02, 5.53, 0.94 and 0.42 dollars, 7.91 in all.

    Every workflow runs on its usual tier, turns multiply calls, each month is rounded up to a cent, and the total adds those up.
    """
    found = _estimate()
    assert [(each.name, each.tier, each.calls, each.cost_nano_usd // CENT_NANO_USD) for each in found.workflows] == [
        ("ci_cd_review", "small", 160, 102),
        ("dev_assistant", "small", 288 * 8, 553),
        ("qa_test_gen", "medium", 16, 94),
        ("pm_assistant", "small", 48 * 6, 42),
    ]
    assert (found.total_nano_usd, found.headroom_nano_usd) == (791 * CENT_NANO_USD, 79_209 * CENT_NANO_USD)
    assert found.utilization_basis_points == 99


def test_the_command_prints_the_contracts_document(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With those rates under `prices:` the command's JSON has names, models, tokens, dollars as strings, headroom and utilization."""
    policy = tmp_path_factory.mktemp("estimate") / "policy.yml"
    policy.write_text((ROOT / "examples/acme/budget-gate.yml").read_text() + PRICES_SECTION)
    document = run("estimate", "--policy", str(policy), "--json").document()
    assert [each["cost_usd"] for each in document["workflows"]] == ["1.02", "5.53", "0.94", "0.42"]
    assert (document["total_usd"], document["headroom_usd"], document["utilization_percent"]) == ("7.91", "792.09", 0.99)
    first = document["workflows"][0]
    assert (first["model"], first["input_tokens"], first["output_tokens"]) == ("claude-haiku-4-5", 752_000, 104_000)
    assert "$7.91" in run("estimate", "--policy", str(policy)).out


def test_ten_times_the_work() -> None:
    """--scale multiplies every workflow's calls and tokens; cents are rounded once, after scaling."""
    found = _estimate(scale=Decimal(10))
    assert [each.cost_nano_usd // CENT_NANO_USD for each in found.workflows] == [1018, 5530, 936, 415]
    assert found.workflows[0].input_tokens == 7_520_000


def test_another_tier_and_more_pull_requests() -> None:
    """--model moves one workflow, --prs sets the runs of code reviews only."""
    found = _estimate(tiers={"ci_cd_review": "medium"}, pulls=400)
    assert (found.workflows[0].model, found.workflows[0].calls) == ("claude-sonnet-4-6", 400)
    assert found.workflows[0].cost_nano_usd == (400 * (4700 * 3000 + 650 * 15000))
    assert found.workflows[1:] == _estimate().workflows[1:]


@given(st.decimals(0, 1000, places=2), st.integers(0, 10_000))
def test_an_estimate_adds_up_and_never_says_too_little(scale: Decimal, pulls: int) -> None:
    """The total is the sum of whole cents, and no workflow is shown below what its calls cost exactly."""
    found = _estimate(scale=scale, pulls=pulls)
    assert found.total_nano_usd == sum(each.cost_nano_usd for each in found.workflows)
    for each in found.workflows:
        rate_in, rate_out = (3000, 15000) if each.tier == "medium" else (800, 4000)
        exact = each.input_tokens * rate_in + each.output_tokens * rate_out
        assert each.cost_nano_usd % CENT_NANO_USD == 0
        assert 0 <= each.cost_nano_usd - exact < CENT_NANO_USD


def test_a_policy_without_a_monthly_limit_has_no_headroom() -> None:
    """Without a limit of dollars per month for the organization headroom and utilization are unknown, not zero."""
    found = estimate_month(POLICY._replace(budgets=POLICY.budgets[1:]), PRICES, AT)
    assert (found.headroom_nano_usd, found.utilization_basis_points) == (None, None)


@pytest.mark.parametrize("tiers", [{"nobody": "small"}, {"ci_cd_review": "huge"}])
def test_a_change_must_name_what_the_policy_has(tiers: dict[str, str]) -> None:
    """An unknown workflow or tier lists those there are."""
    with pytest.raises(UsageError, match=r"its (workflows|tiers): "):
        _estimate(tiers=tiers)


@pytest.mark.parametrize("arguments", [("--scale", "-1"), ("--scale", "1e9"), ("--model", "ci_cd_review"), ("--prs", "-1")])
def test_a_wrong_flag_is_one_line(arguments: tuple[str, str]) -> None:
    """A flag that cannot be right exits 2 and is named."""
    ended = run("estimate", "--policy", ACME, *arguments)
    assert ended.code == 2
    assert arguments[0] in ended.err
