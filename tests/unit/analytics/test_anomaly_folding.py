"""Folding: what is one cause, what are two, and that nothing is lost."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.analytics.anomaly import Anomaly
from budget_gate.analytics.anomaly_folding import Folded, fold

DAY = date(2026, 11, 24)
USD = 10**9
Rows = list[tuple[tuple[str, ...], int]]


def folded(rows: Rows) -> tuple[Folded, ...]:
    """Fold what some spending of today, each under several scopes, would make anomalous; every dollar of it is excess."""
    excess: dict[str, int] = {}
    shared: dict[tuple[str, str], int] = {}
    for scopes, usd in rows:
        for scope in scopes:
            excess[scope] = excess.get(scope, 0) + usd * USD
            for other in scopes:
                if other != scope:
                    shared[scope, other] = shared.get((scope, other), 0) + usd * USD
    anomalies = [Anomaly(scope, DAY, nano_usd + 5, 5, None, 9.0, None, ("ratio",)) for scope, nano_usd in excess.items()]
    return fold(anomalies, shared)


def told(rows: Rows) -> list[str]:
    """Return the scopes that alerts are told under."""
    return [each.anomaly.scope for each in folded(rows)]


BOT = ("user/bot", "team/payments", "workflow/review", "model/small")


def test_one_loop_is_one_cause_under_its_most_specific_scope() -> None:
    """User, team, workflow and model of the same spending are told under the user, the others named as the same, with their shares."""
    (found,) = folded([(BOT, 60), (("team/payments", "model/small"), 20)])
    assert found.anomaly.scope == "user/bot"
    assert found.twins == ("team/payments", "workflow/review", "model/small")
    shares = {each.anomaly.scope: (each.share_basis_points, each.is_wider) for each in found.named}
    assert shares == {"team/payments": (7_500, True), "workflow/review": (10_000, True), "model/small": (7_500, True)}


def test_two_loops_through_one_workflow_are_two_causes() -> None:
    """The workflow and the model that both have in common are named in each and told in none."""
    rows: Rows = [(BOT, 50), (("user/dan", "team/search", "workflow/review", "model/small"), 40)]
    assert told(rows) == ["user/bot", "user/dan"]
    named = [{each.anomaly.scope for each in found.named} for found in folded(rows)]
    assert named == [{"team/payments", "workflow/review", "model/small"}, {"team/search", "workflow/review", "model/small"}]


def test_what_everybody_does_is_the_workflows_cause() -> None:
    """Ten users whose days grew through one workflow are one alert of that workflow, not ten."""
    rows: Rows = [((f"user/u{number}", f"team/t{number % 5}", "workflow/review", "model/small"), 10) for number in range(10)]
    (found,) = folded(rows)
    assert found.anomaly.scope == "workflow/review"
    assert found.twins == ("model/small",)
    assert {each.anomaly.scope for each in found.named if not each.is_wider} == {
        *(f"user/u{number}" for number in range(10)),
        *(f"team/t{number}" for number in range(5)),
    }


def test_a_small_loop_beside_a_large_one_stands_alone() -> None:
    """A loop of a tenth of another's size that shares only workflow and model with it is told on its own."""
    rows: Rows = [(BOT, 90), (("user/dan", "team/search", "workflow/review", "model/small"), 9)]
    assert told(rows) == ["user/bot", "user/dan"]


def test_causes_that_share_nothing_stay_apart() -> None:
    """Without common spending every anomaly is told; without anomalies nothing is."""
    assert told([(("user/a",), 3), (("team/b",), 2), (("model/c",), 1)]) == ["user/a", "team/b", "model/c"]
    assert fold((), {}) == ()


@pytest.mark.parametrize("excess", [0, -1])
def test_a_day_below_its_mean_folds_nothing(excess: int) -> None:
    """The score may trip on a day whose excess over the mean is nothing: shares of it are nothing, and nobody divides by it."""
    anomalies = [Anomaly(scope, DAY, 5 + excess, 5, 1, 1.0, 9.0, ("score",)) for scope in ("user/a", "team/b")]
    assert len(fold(anomalies, {("user/a", "team/b"): 5, ("team/b", "user/a"): 5})) == 2


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3), st.integers(0, 1), st.integers(1, 1000)),
        min_size=1,
        max_size=25,
    )
)
def test_nothing_is_lost_and_nothing_is_told_twice(rows: list[tuple[int, int, int, int, int]]) -> None:
    """Whatever was spent, every anomalous scope is told or named, told scopes are distinct, and shares lie between nothing and all."""
    spent: Rows = [((f"user/{u}", f"team/{t}", f"workflow/{w}", f"model/{m}"), usd) for u, t, w, m, usd in rows]
    found = folded(spent)
    scopes = {scope for each, _ in spent for scope in each}
    heads = [each.anomaly.scope for each in found]
    assert len(set(heads)) == len(heads)
    assert scopes == {*heads, *(named.anomaly.scope for each in found for named in each.named)}
    assert not set(heads) & {scope for each in found for scope in each.twins}
    assert all(0 <= named.share_basis_points <= 10_000 for each in found for named in each.named)
