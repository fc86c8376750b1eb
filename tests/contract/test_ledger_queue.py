"""Law 12: whoever only pending amounts keep out waits in order of arrival, is clamped to what is left, and is refused last."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from contract.ledgers import Store
from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd

from budget_gate.core.amounts import Amount
from budget_gate.core.reservations import Admitted, Refused, ReserveRequest, Waiting
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.interface import WAITER_TTL_SECONDS, Ledger
from budget_gate.ledger.verify import verify
from budget_gate.ledger.waiting import reserve_waiting

MONTH = charge(ORG, "month", line(100))
DEATH = timedelta(seconds=WAITER_TTL_SECONDS * 30)


def _patient(key: str, amount: int, minimum: int | None = None) -> ReserveRequest:
    return request(key, usd(amount), MONTH, may_wait=True, minimum=None if minimum is None else usd(minimum))


def _waits(ledger: Ledger, asked: ReserveRequest, ahead: int) -> None:
    decision = ledger.reserve(asked)
    assert isinstance(decision, Waiting), decision
    assert decision.ahead == ahead
    assert 0 < decision.retry_seconds <= 0.25


def _reasons(decision: object) -> list[str]:
    assert isinstance(decision, Refused), decision
    return [each.reason for each in decision.refused_by]


def test_pending_amounts_make_a_request_wait(ledger: Ledger) -> None:
    """Waiting writes no entry and takes nothing; once the others have settled for less, the request is admitted in full."""
    first = admitted(ledger.reserve(_patient("first", 90)))
    _waits(ledger, _patient("second", 20), ahead=0)
    _waits(ledger, _patient("second", 20), ahead=0)
    assert ledger.head() == 1
    ledger.settle("s", first.reservation, actual(usd(80)))
    assert admitted(ledger.reserve(_patient("second", 20))).granted == usd(20)


def test_waiters_are_served_in_order_of_arrival(ledger: Ledger) -> None:
    """A later request, however small, does not pass an earlier one, and the first waiter is told to hurry the most."""
    first = admitted(ledger.reserve(_patient("first", 90)))
    for ahead, key in enumerate(["a", "b", "c"]):
        _waits(ledger, _patient(key, 50), ahead)
    _waits(ledger, _patient("tiny", 1), ahead=3)
    ledger.void("v", first.reservation, "not sent")
    _waits(ledger, _patient("tiny", 1), ahead=3)
    _waits(ledger, _patient("c", 50), ahead=2)
    assert admitted(ledger.reserve(_patient("a", 50)))
    _waits(ledger, _patient("c", 50), ahead=1)
    assert admitted(ledger.reserve(_patient("b", 50)))
    _waits(ledger, _patient("c", 50), ahead=0)


def test_the_impatient_do_not_pass_the_queue(ledger: Ledger) -> None:
    """A request that will not wait is refused as pending while others wait, even if it would fit beside what is taken."""
    admitted(ledger.reserve(_patient("first", 90)))
    _waits(ledger, _patient("waiter", 20), ahead=0)
    assert _reasons(ledger.reserve(request("impatient", usd(5), MONTH))) == ["pending"]
    assert admitted(ledger.reserve(request("elsewhere", usd(5), charge(TEAM, "month", line(10)))))


def test_the_last_try_takes_what_is_free(ledger: Ledger) -> None:
    """At the end of its patience a request takes what is left down to its minimum, instead of being refused."""
    admitted(ledger.reserve(_patient("first", 90)))
    _waits(ledger, _patient("second", 50, minimum=10), ahead=0)
    last = ledger.reserve(_patient("second", 50, minimum=10)._replace(may_wait=False))
    assert admitted(last).granted == usd(10)
    assert verify(ledger).ok


def test_the_last_try_passes_those_still_waiting(ledger: Ledger) -> None:
    """Who waited to the end of its patience takes what is free, even if an earlier, larger request goes on waiting."""
    admitted(ledger.reserve(_patient("first", 90)))
    _waits(ledger, _patient("large", 50), ahead=0)
    _waits(ledger, _patient("small", 5), ahead=1)
    assert admitted(ledger.reserve(_patient("small", 5)._replace(may_wait=False))).granted == usd(5)
    _waits(ledger, _patient("large", 50), ahead=0)


def test_the_last_try_is_refused_below_the_minimum(ledger: Ledger) -> None:
    """A last try for which not even the minimum is free is refused as pending, and leaves the queue."""
    admitted(ledger.reserve(_patient("first", 90)))
    _waits(ledger, _patient("second", 50, minimum=11), ahead=0)
    assert _reasons(ledger.reserve(_patient("second", 50, minimum=11)._replace(may_wait=False))) == ["pending"]
    assert admitted(ledger.reserve(request("third", usd(10), MONTH)))


@pytest.mark.parametrize(("left", "amount", "minimum", "granted"), [(40, 50, 10, 40), (40, 50, 40, 40), (40, 40, 10, 40)])
def test_grants_are_clamped_to_what_is_left(ledger: Ledger, left: int, amount: int, minimum: int, granted: int) -> None:
    """With nothing pending there is nothing to wait for: the answer is clamped at once."""
    spent = admitted(ledger.reserve(_patient("spent", 100 - left)))
    ledger.settle("s", spent.reservation, actual(usd(100 - left)))
    assert admitted(ledger.reserve(_patient("k", amount, minimum))).granted == usd(granted)


def test_clamping_looks_at_every_limit(ledger: Ledger) -> None:
    """Each unit is clamped to the tightest of its limits; units without a limit keep what was asked."""
    limits = (charge(ORG, "month", line(100), line(900, "tokens")), charge(TEAM, "day", line(70), line(2000, "tokens")))
    asked = request("k", Amount(120, 1000, 1), *limits, minimum=Amount(1, 1, 1))
    assert admitted(ledger.reserve(asked)).granted == Amount(70, 900, 1)


@pytest.mark.parametrize("part", ["spent", "held"])
def test_hopeless_requests_do_not_wait(ledger: Ledger, part: str) -> None:
    """What would not fit even if all pending came back for nothing is refused at once, with the reason that stays."""
    first = admitted(ledger.reserve(_patient("first", 60)))
    admitted(ledger.reserve(_patient("pending", 30)))
    if part == "spent":
        ledger.settle("s", first.reservation, actual(usd(60)))
    else:
        ledger.hold("h", first.reservation, "connection lost")
    assert _reasons(ledger.reserve(_patient("k", 41))) == [part]
    _waits(ledger, _patient("possible", 40), ahead=0)


def test_a_dead_waiter_blocks_nobody(store: Store) -> None:
    """A waiter that stopped asking loses its place to those behind it; when it comes back it is admitted if it fits."""
    first = admitted(store.ledger.reserve(request("first", usd(90), MONTH, may_wait=True, ttl_seconds=3600)))
    _waits(store.ledger, _patient("dead", 50), ahead=0)
    _waits(store.ledger, _patient("alive", 50), ahead=1)
    store.set_time(store.ledger.now() + DEATH)
    _waits(store.ledger, _patient("alive", 50), ahead=0)
    store.ledger.void("v", first.reservation, "not sent")
    assert admitted(store.ledger.reserve(_patient("alive", 50)))
    assert admitted(store.ledger.reserve(_patient("dead", 50)))


def test_many_dead_waiters_block_nobody(store: Store) -> None:
    """However many waiters died, the next request is not kept out by them, though each admission clears only a few away."""
    first = admitted(store.ledger.reserve(request("first", usd(90), MONTH, may_wait=True, ttl_seconds=3600)))
    for number in range(60):
        _waits(store.ledger, _patient(f"dead{number}", 50), ahead=number)
    store.set_time(store.ledger.now() + DEATH)
    store.ledger.void("v", first.reservation, "not sent")
    assert admitted(store.ledger.reserve(_patient("alive", 50)))


def test_leaving_the_queue_lets_the_next_one_in(ledger: Ledger) -> None:
    """A waiter that gives up blocks nobody any more; leaving without a place is harmless."""
    first = admitted(ledger.reserve(_patient("first", 90)))
    _waits(ledger, _patient("quitter", 50), ahead=0)
    _waits(ledger, _patient("next", 50), ahead=1)
    ledger.leave_queue("quitter")
    ledger.leave_queue("nobody")
    ledger.void("v", first.reservation, "not sent")
    assert admitted(ledger.reserve(_patient("next", 50)))


def test_unrelated_budgets_do_not_queue_together(ledger: Ledger) -> None:
    """A request that one budget keeps out waits there only: nobody waits behind it at its other budgets."""
    team, other = charge(TEAM, "month", line(100)), charge(Scope("team", "other"), "month", line(100))
    org = charge(ORG, "month", line(1000))
    admitted(ledger.reserve(request("first", usd(90), org, team, may_wait=True)))
    waiter = ledger.reserve(request("waiter", usd(50), org, team, may_wait=True))
    assert isinstance(waiter, Waiting)
    assert admitted(ledger.reserve(request("neighbour", usd(50), org, other, may_wait=True)))
    assert admitted(ledger.reserve(request("impatient", usd(50), org, other)))


def test_a_unit_has_a_queue_of_its_own(ledger: Ledger) -> None:
    """Waiting for tokens keeps nobody from the dollars of the same scope and period."""
    dollars, both = charge(ORG, "month", line(1000)), charge(ORG, "month", line(1000), line(100, "tokens"))
    admitted(ledger.reserve(request("first", usd(1, 90), both)))
    assert isinstance(ledger.reserve(request("waiter", usd(1, 50), both, may_wait=True)), Waiting)
    assert admitted(ledger.reserve(request("dollars", usd(50, 50), dollars)))


def test_a_watching_limit_makes_nobody_wait(ledger: Ledger) -> None:
    """A limit that refuses nothing has no queue, even at a counter where others wait."""
    admitted(ledger.reserve(_patient("first", 90)))
    _waits(ledger, _patient("waiter", 50), ahead=0)
    assert admitted(ledger.reserve(request("k", usd(50), charge(ORG, "month", line(100, mode="advise")))))


def test_raising_the_limit_serves_the_queue(ledger: Ledger) -> None:
    """Laws 7 and 12: a waiter that asks again under a raised limit is admitted, without anything having been settled."""
    admitted(ledger.reserve(_patient("first", 90)))
    _waits(ledger, _patient("waiter", 50), ahead=0)
    assert admitted(ledger.reserve(request("waiter", usd(50), charge(ORG, "month", line(140)), may_wait=True)))


class _Time:
    """Time that passes only by sleeping, and moves the ledger's clock with it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seconds = 0.0
        self.on_sleep: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.store.set_time(self.store.ledger.now() + timedelta(seconds=seconds))
        self.on_sleep()


def _wait(time: _Time, asked: ReserveRequest, seconds: float) -> Admitted | Refused:
    return reserve_waiting(time.store.ledger, asked, seconds, sleep=time.sleep, monotonic=lambda: time.seconds)


def test_waiting_ends_as_soon_as_there_is_room(store: Store) -> None:
    """The waiting loop is admitted at the first try after the others settled."""
    first = admitted(store.ledger.reserve(_patient("first", 90)))
    time = _Time(store)

    def settle() -> None:
        store.ledger.settle("s", first.reservation, actual(usd(5)))

    time.on_sleep = settle
    assert admitted(_wait(time, request("k", usd(50), MONTH), 10)).granted == usd(50)
    assert time.seconds < 0.3


def test_waiting_ends_with_its_patience(store: Store) -> None:
    """The waiting loop asks until its time is up, then clamps, or is refused when nothing is free."""
    admitted(store.ledger.reserve(request("first", usd(90), MONTH, ttl_seconds=3600)))
    time = _Time(store)
    assert admitted(_wait(time, request("clamped", usd(50), MONTH, minimum=usd(1)), 0.3)).granted == usd(10)
    assert 0.29 <= time.seconds <= 0.31
    assert _reasons(_wait(time, request("refused", usd(50), MONTH, minimum=usd(1)), 0.3)) == ["pending"]


def test_an_interrupted_waiter_leaves_the_queue(store: Store) -> None:
    """A caller interrupted while waiting gives up its place, so that nobody waits behind it."""
    admitted(store.ledger.reserve(request("first", usd(90), MONTH, ttl_seconds=3600)))
    time = _Time(store)

    def interrupt() -> None:
        raise KeyboardInterrupt

    time.on_sleep = interrupt
    with pytest.raises(KeyboardInterrupt):
        _wait(time, request("k", usd(50), MONTH), 10)
    assert admitted(store.ledger.reserve(request("next", usd(10), MONTH)))
