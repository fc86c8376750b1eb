"""The admission rule as a table: what is left, who is in the way, and what the answer is."""

from datetime import UTC, datetime

import pytest
from fakes.ledger_requests import TEAM, charge, line, request, usd
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.admission import Counted, Grant, Refuse, Wait, decide
from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.charges import LimitLine
from budget_gate.core.periods import window_at
from budget_gate.core.scopes import ORG, Scope

WINDOW = window_at("month", "UTC", datetime(2026, 5, 13, tzinfo=UTC))


def _counted(posted: int, pending: int, held: int, *lines: LimitLine, scope: Scope = ORG) -> Counted:
    value = CounterValue(usd(posted), usd(pending), usd(held))
    return Counted(charge(scope, "month", *(lines or (line(100),))), WINDOW, value)


GRANT, WAIT = "grant", "wait"


@pytest.mark.parametrize(
    ("parts", "asked", "minimum", "may_wait", "answer"),
    [
        ((0, 0, 0), 100, None, False, GRANT + " 100"),
        ((0, 0, 0), 101, None, False, "spent"),
        ((0, 0, 0), 101, 100, False, GRANT + " 100"),
        ((0, 0, 0), 101, 100, True, GRANT + " 100"),
        ((30, 30, 30), 10, None, False, GRANT + " 10"),
        ((30, 30, 30), 11, None, False, "pending"),
        ((30, 30, 30), 11, None, True, WAIT),
        ((30, 30, 30), 11, 10, True, WAIT),
        ((30, 30, 30), 11, 10, False, GRANT + " 10"),
        ((30, 30, 30), 40, None, True, WAIT),
        ((30, 30, 30), 41, None, True, "held"),
        ((30, 30, 30), 41, 40, True, WAIT),
        ((30, 30, 30), 70, None, True, "held"),
        ((30, 30, 30), 71, None, True, "spent"),
        ((100, 0, 0), 0, None, False, GRANT + " 0"),
        ((150, 0, 0), 0, None, False, "spent"),
        ((150, 0, 0), 1, 0, False, "spent"),
        ((0, 150, 0), 1, 0, True, WAIT),
        ((0, 150, 0), 1, 0, False, "pending"),
    ],
)
def test_one_limit(parts: tuple[int, int, int], asked: int, minimum: int | None, may_wait: object, answer: str) -> None:
    """Against one limit of 100, each request is granted, clamped, told to wait, or refused for the reason that stays."""
    wanted = request("k", usd(asked), minimum=None if minimum is None else usd(minimum), may_wait=bool(may_wait))
    verdict = decide(wanted, [_counted(*parts)])
    if isinstance(verdict, Refuse):
        assert [each.reason for each in verdict.refused_by] == [answer]
    elif isinstance(verdict, Wait):
        assert answer == WAIT
        assert verdict.blocked == ((0, "usd"),)
    else:
        assert answer == f"{GRANT} {verdict.amount.nano_usd}"


def test_a_refusal_names_every_limit_in_the_way() -> None:
    """Each refusing limit is named once, with what was needed, what is left, when it resets and whom to ask."""
    counted = [_counted(95, 0, 0), _counted(0, 0, 0, scope=TEAM), _counted(99, 0, 0, scope=Scope("user", "ada"))]
    verdict = decide(request("k", usd(10)), counted)
    assert isinstance(verdict, Refuse)
    assert [(each.scope.text, each.needed, each.left) for each in verdict.refused_by] == [("org", 10, 5), ("user/ada", 10, 1)]
    assert {(each.resets_at, each.owner) for each in verdict.refused_by} == {(WINDOW.ends_at, "owner@acme.test")}


def test_what_stays_comes_before_what_passes() -> None:
    """A limit that refuses for good is named alone: waiting for the others would not help."""
    verdict = decide(request("k", usd(10), may_wait=True), [_counted(0, 95, 0), _counted(95, 0, 0, scope=TEAM)])
    assert isinstance(verdict, Refuse)
    assert [(each.scope, each.reason) for each in verdict.refused_by] == [(TEAM, "spent")]


@pytest.mark.parametrize(
    ("may_wait", "is_queued", "verdict"),
    [(True, False, Wait), (True, True, Wait), (False, True, Grant), (False, False, Refuse)],
)
def test_the_queue_comes_first(may_wait: object, is_queued: object, verdict: type) -> None:
    """While others wait, a request that fits waits too; on its last try it goes in only if it had waited itself."""
    wanted = request("k", usd(10), may_wait=bool(may_wait))
    answer = decide(wanted, [_counted(0, 20, 0)], queue=[(0, "usd")], is_queued=bool(is_queued))
    assert isinstance(answer, verdict)


def test_a_waiter_queues_only_where_it_is_kept_out() -> None:
    """The places to queue at are the tight limits and those with a queue, each once."""
    counted = [_counted(0, 95, 0), _counted(0, 0, 0, scope=TEAM), _counted(0, 0, 0, scope=Scope("user", "ada"))]
    verdict = decide(request("k", usd(10), may_wait=True), counted, queue=[(0, "usd"), (2, "usd")])
    assert verdict == Wait(((0, "usd"), (2, "usd")))


def test_limits_that_watch_are_never_in_the_way() -> None:
    """Advising and observing limits neither refuse nor clamp."""
    watched = _counted(500, 500, 500, line(100, mode="advise"), line(10, mode="observe"))
    assert decide(request("k", usd(10), minimum=usd(1)), [watched]) == Grant(usd(10))


counts = st.integers(0, 120)


@given(
    st.lists(st.tuples(counts, counts, counts, st.integers(0, 200)), min_size=1, max_size=4),
    counts,
    counts,
    st.booleans(),
    st.booleans(),
)
def test_no_grant_passes_a_line(
    limits: list[tuple[int, int, int, int]],
    asked: int,
    spare: int,
    may_wait: bool,  # noqa: FBT001 (drawn by hypothesis)
    is_queued: bool,  # noqa: FBT001 (drawn by hypothesis)
) -> None:
    """Law 1: whatever the state, a grant fits under every line, lies between minimum and amount, and a refusal has a reason."""
    counted = [
        _counted(posted, pending, held, line(top), scope=Scope("team", str(index)))
        for index, (posted, pending, held, top) in enumerate(limits)
    ]
    minimum = max(asked - spare, 0)
    wanted = request("k", usd(asked), minimum=usd(minimum), may_wait=may_wait)
    verdict = decide(wanted, counted, is_queued=is_queued)
    if isinstance(verdict, Grant):
        assert minimum <= verdict.amount.nano_usd <= asked
        assert all(posted + pending + held + verdict.amount.nano_usd <= top for posted, pending, held, top in limits)
    elif isinstance(verdict, Wait):
        assert may_wait
        assert any(limits[index][1] for index, _ in verdict.blocked)
    else:
        for each in verdict.refused_by:
            posted, pending, held, top = limits[int(each.scope.name)]
            taken = {"spent": posted, "held": posted + held, "pending": posted + held + pending}[each.reason]
            assert minimum > top - taken
            assert each.left == max(top - posted - pending - held, 0)


def test_units_are_clamped_apart() -> None:
    """Tokens and dollars are clamped each to their own limits; requests without a limit stay as asked."""
    counted = [_counted(50, 0, 0, line(100), line(70, "tokens"))]
    wanted = request("k", Amount(60, 80, 1), minimum=Amount(1, 1, 1))
    assert decide(wanted, counted) == Grant(Amount(50, 70, 1))
