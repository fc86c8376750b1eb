"""Anomalies: what trips each measure and what does not, and which cause is named with which share."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from fakes.organization import FIRST_DAY, Organization

from budget_gate.analytics.anomaly import DEFAULT_RULE, Cause, explain, find_anomalies, may_judge
from budget_gate.analytics.daily import Series
from budget_gate.analytics.spending import Spend, SpendState
from budget_gate.core.amounts import Amount
from budget_gate.core.policy import AnomalyRule
from budget_gate.core.usage import Usage

USD = 10**9
MONDAY = date(2026, 9, 7)
RULE = AnomalyRule(Decimal(3), 7, "16:00", USD)


def judged(values: list[int], scope: str = "team/payments", first: date = MONDAY) -> tuple[str, ...]:
    """Return which measures trip on the last day of a series of dollars."""
    series = Series(first, tuple(value * USD for value in values))
    found = find_anomalies({scope: series}, RULE, series.after - timedelta(days=1))
    return found[0].measures if found else ()


def test_the_rule_of_the_policy_is_what_a_pencil_says() -> None:
    """More than three times the seven-day mean trips the ratio; exactly three times does not, nor anything below the floor."""
    assert judged([10] * 7 + [31]) == ("ratio",)
    assert judged([10] * 7 + [30]) == ()
    assert find_anomalies({"team/a": Series(MONDAY, (1,) * 7 + (USD - 1,))}, RULE, MONDAY + timedelta(days=7)) == ()


def test_a_scope_in_its_first_week_is_not_judged() -> None:
    """The first busy day of a new team is no anomaly: six days are not a mean."""
    assert judged([0, 0, 0, 0, 0, 1, 90]) == ()


def test_mondays_and_growth_do_not_trip_the_score_but_a_wild_day_does() -> None:
    """Ten weeks of work that rests at weekends and grows: no Monday stands out, a Wednesday of double the usual does."""
    weeks = [[100 + 6 * week + step for step in (0, 4, 2, 3, 1)] + [2, 1] for week in range(10)]
    flat = [value for week in weeks for value in week]
    assert judged([*flat, 165]) == ()
    assert judged([*flat, 163, 166, 330]) == ("score",)


def test_on_simulated_years_the_score_is_believed_more_often_than_the_ratio() -> None:
    """On held-out organizations the score finds three incidents of four and raises fewer false alarms than the ratio."""
    found = {"score": 0, "ratio": 0}
    false = {"score": 0, "ratio": 0}
    incidents = calm = 0
    for seed in range(12):
        organization = Organization(seed, days=150)
        rows: dict[str, list[int]] = {team.name: [] for team in organization.teams}
        wild = set()
        for number, team, count, incident in organization.counts():
            rows[team.name].append(sum(int(organization._rng.lognormvariate(17.5, 0.7)) for _ in range(count)))
            if incident and rows[team.name][-1] >= USD:
                wild.add((team.name, number))
        series = {f"team/{name}": Series(FIRST_DAY, tuple(values)) for name, values in rows.items()}
        for number in range(40, 150):
            measures = {
                each.scope.removeprefix("team/"): each.measures
                for each in find_anomalies(series, DEFAULT_RULE, FIRST_DAY + timedelta(days=number))
            }
            for name in rows:
                is_wild = (name, number) in wild
                incidents, calm = incidents + is_wild, calm + (not is_wild)
                for measure in measures.get(name, ()):
                    (found if is_wild else false)[measure] += 1
    print(f"{incidents} incidents, found {found}; {calm} calm days, false alarms {false}")  # noqa: T201 (pytest -s)
    assert found["score"] >= 0.75 * incidents
    assert false["score"] < 0.005 * calm
    assert false["score"] < false["ratio"]


def row(day: date, nano_usd: int, state: SpendState = "posted", **labels: str) -> Spend:
    """Return a row of spending."""
    at = datetime.combine(day, time(12), UTC)
    return Spend(1, at, day.isoformat(), f"{day:%Y-%m}", "r", state, Amount(nano_usd), Usage(), labels, {})


def test_causes_carry_their_share_of_the_excess() -> None:
    """Of 70 dollars above the mean, the pull request that spent 63 of them out of nothing is named with 90 %."""
    today = MONDAY + timedelta(days=7)
    (anomaly,) = find_anomalies({"team/payments": Series(MONDAY, (*(10 * USD,) * 7, 80 * USD))}, RULE, today)
    rows = [row(MONDAY + timedelta(days=day), 10 * USD, team="payments", user="alice", pr="1", model="m") for day in range(7)]
    rows += [
        row(today, 63 * USD, team="payments", user="alice", pr="7", model="m", project="acme/shop"),
        row(today, 17 * USD, team="payments", user="bob", pr="8", model="m", workflow="w"),
        row(today, 99 * USD, team="search", user="eve", pr="9", model="m"),
        row(today, 99 * USD, "pending", team="payments", user="eve", pr="9", model="m"),
    ]
    causes = explain([anomaly], iter(rows), RULE, today).causes["team/payments"]
    assert causes == (
        Cause("model", "m", 70 * USD, 10_000),
        Cause("pr", "acme/shop#7", 63 * USD, 9_000),
        Cause("user", "alice", 53 * USD, 7_571),
        Cause("workflow", "w", 17 * USD, 2_428),
    )


def test_a_day_is_judged_from_the_hour_of_the_policy_on() -> None:
    """At 15:59 the running day is not judged, at 16:00 it is."""
    assert [may_judge(RULE, time(15, 59)), may_judge(RULE, time(16))] == [False, True]
