"""Daily series: the same from counters as from rows, without gaps, and without what is only promised."""

from datetime import date

from fakes.organization import Clock, Organization

from budget_gate.analytics.anomaly import DEFAULT_RULE, find_anomalies
from budget_gate.analytics.baseline import propose
from budget_gate.analytics.daily import Series, counted_scope, days_from_counters, days_from_rows, series_of
from budget_gate.analytics.spending import spending
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.memory import MemoryLedger


def test_counters_and_rows_give_the_same_days() -> None:
    """Ten simulated days, with crashes: each team's and user's days are equal to the nano-dollar from counters and from rows."""
    clock = Clock()
    ledger = MemoryLedger(clock)
    Organization(3, days=10).write(ledger, clock)
    from_counters = days_from_counters(ledger.counters())
    for label in ("team", "user", "workflow"):
        for name, days in days_from_rows(spending(ledger.entries()), label).items():
            counted = {day: amount for day, amount in from_counters[f"{label}/{name}"].items() if any(amount)}
            assert counted == days


def test_a_day_without_spending_is_a_zero() -> None:
    """A series begins with the first spending and has a number for every day after it, up to the day that is asked for."""
    days = days_from_counters([])
    assert days == {}
    series = Series(date(2026, 11, 1), (5, 0, 7))
    assert (series.on(date(2026, 11, 2)), series.on(date(2026, 11, 3)), series.on(date(2026, 12, 1))) == (0, 7, 0)
    assert series.until(date(2026, 11, 2)).values == (5,)
    assert series.last(2) == Series(date(2026, 11, 2), (0, 7))
    assert series_of({}, "usd", date(2026, 11, 9)).values == ()


def test_a_scope_that_no_policy_could_name_is_still_counted() -> None:
    """A project without an owner, as a script may name it, is read from its counter like any other."""
    assert counted_scope("project/nightly") == Scope("project", "nightly")
    assert counted_scope("user/a/b") == Scope("user", "a/b")
    assert counted_scope("org") == ORG
    series = Series(date(2026, 11, 1), (5 * 10**9,) * 9)
    assert find_anomalies({"project/nightly": series}, DEFAULT_RULE, date(2026, 11, 9)) == ()
    named = propose({"project/nightly": series, "project/acme/shop": series, "team/*": series})
    assert [each.scope.text for each in named] == ["project/acme/shop"]
