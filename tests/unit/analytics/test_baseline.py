"""Proposed limits are what their rule says, and the replay refuses what a real ledger under them would have refused."""

from datetime import date, timedelta

from fakes.organization import Clock, Organization
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.analytics.baseline import Proposal, propose, replay, rounded_up
from budget_gate.analytics.daily import Series, days_from_counters, series_of
from budget_gate.analytics.spending import Spend, spending
from budget_gate.core.amounts import Amount
from budget_gate.core.charges import Charge, LimitLine
from budget_gate.core.periods import Per
from budget_gate.core.reservations import Admitted, ReserveRequest
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.memory import MemoryLedger

USD = 10**9
FIRST = date(2026, 1, 1)


def test_the_rule_is_the_95th_percentile_and_a_margin_over_the_mean_month() -> None:
    """Of 60 days with 1 to 60 dollars: 57 dollars a day, and 130 % of 30.50 dollars times 30.4375 days, rounded up to two digits."""
    (found,) = propose({"org": Series(FIRST, tuple(day * USD for day in range(1, 61)))})
    assert (found.busy_day_nano_usd, found.day_nano_usd) == (57 * USD, 57 * USD)
    assert found.mean_month_nano_usd == 928_343_750_000
    assert (found.month_percent, found.month_nano_usd) == (130, 1300 * USD)


def test_few_days_get_the_wider_margin() -> None:
    """With 44 days seen the month's limit is 150 % of the mean month, with 45 it is 130 %."""
    percents = [propose({"team/a": Series(FIRST, (USD,) * days)})[0].month_percent for days in (44, 45)]
    assert percents == [150, 130]


def test_users_share_one_proposal_and_tiers_get_none() -> None:
    """All users together make the budget of user/*; model tiers and features are not budgeted."""
    series = Series(FIRST, (USD,) * 50)
    found = propose({"user/a": series, "user/b": series, "model/small": series, "feature/x": series, "org": series})
    assert [each.scope for each in found] == [ORG, Scope("user", "*")]


@given(st.integers(1, 2**53))
def test_rounding_is_up_to_two_digits(nano_usd: int) -> None:
    """A limit is never below what it was made of, and at most a tenth (or a cent) above it."""
    rounded = rounded_up(nano_usd)
    assert nano_usd <= rounded <= nano_usd + max(nano_usd // 10, 10_000_000)
    assert len(str(rounded).rstrip("0")) <= 2 or rounded % 10_000_000 == 0


def test_the_replay_refuses_what_a_ledger_under_these_limits_refuses() -> None:
    """A real ledger with the proposed limits, asked for every past call at its cost, refuses the same calls by the same limits."""
    clock = Clock()
    past = MemoryLedger(clock)
    Organization(21, days=40).write(past, clock)
    days = days_from_counters(past.counters())
    proposals = propose({scope: series_of(amounts, "usd", FIRST + timedelta(days=40)) for scope, amounts in days.items()})
    rows = list(spending(past.entries()))
    found = replay(iter(rows), proposals, {Scope("user", "*"): 12_000}, FIRST)
    limited = MemoryLedger(clock)
    refused = [row.reservation for row in rows if not fits(limited, clock, row, proposals)]
    assert 0 < found.refused_calls < found.calls == len(rows)
    assert found.refused_calls == len(refused)
    assert [each.reservation for each in found.examples] == refused[: len(found.examples)]


def fits(ledger: MemoryLedger, clock: Clock, row: Spend, proposals: tuple[Proposal, ...]) -> bool:
    """Ask a ledger for a past call at its true cost, with the proposed limits, at the time at which it was made."""
    clock.now = row.at
    limits = {each.scope: each for each in proposals}
    charges = []
    for kind in ("org", "team", "project", "workflow", "user"):
        scope = ORG if kind == "org" else Scope(kind, row.label(kind))
        wanted = limits.get(Scope("user", "*") if kind == "user" else scope)
        if wanted is None:
            continue
        pairs: tuple[tuple[Per, int], ...] = (("day", wanted.day_nano_usd), ("month", wanted.month_nano_usd))
        for per, limit in pairs:
            stop = limit * 12 // 10 if kind == "user" else limit
            charges.append(Charge(scope, per, (LimitLine("usd", limit, stop, limit, limit, stop),)))
    return isinstance(ledger.reserve(ReserveRequest(row.reservation, Amount(row.amount.nano_usd), tuple(charges))), Admitted)
