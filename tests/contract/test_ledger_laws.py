"""Laws 1, 2, 3, 5 and 6 of the ledger, one process at a time: what is taken, what is refused, and what is never lost."""

from datetime import timedelta
from typing import Any

import pytest
from contract.ledgers import Store
from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd

from budget_gate.core.amounts import ZERO, Amount, CounterValue, Unit
from budget_gate.core.charges import Charge
from budget_gate.core.errors import UnknownReservation, UsageError
from budget_gate.core.money import COUNT_MAX
from budget_gate.core.policy import Mode
from budget_gate.core.reservations import BudgetState, Refused
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.verify import verify

MONTH = charge(ORG, "month", line(100))


def _only(ledger: Ledger, *charges: Charge) -> BudgetState:
    (state,) = ledger.read(charges, "UTC")
    return state


def _parts(state: BudgetState) -> tuple[int, int, int]:
    return state.posted, state.pending, state.held


@pytest.mark.parametrize(
    ("stop", "keep_back", "asked", "is_admitted"),
    [
        (100, 0, 100, True),
        (100, 0, 101, False),
        (150, 0, 150, True),
        (150, 0, 151, False),
        (100, 20, 80, True),
        (100, 20, 81, False),
        (0, 0, 0, True),
        (0, 0, 1, False),
    ],
)
def test_admission_ends_at_the_line(ledger: Ledger, stop: int, keep_back: int, asked: int, *, is_admitted: bool) -> None:
    """Law 1: what fits under the stop line, less what is kept back, is admitted to the last nano-dollar, and nothing more."""
    decision = ledger.reserve(request("k", usd(asked), charge(ORG, "month", line(100, stop=stop, keep_back=keep_back))))
    assert isinstance(decision, Refused) is not is_admitted


@pytest.mark.parametrize("unit", ["usd", "tokens", "requests"])
def test_every_unit_is_limited(ledger: Ledger, unit: Unit) -> None:
    """Law 1: dollars, tokens and requests are each counted against limits of their own unit."""
    limited = charge(ORG, "day", line(10, unit))
    amount = Amount(**{"nano_usd" if unit == "usd" else unit: 10})
    admitted(ledger.reserve(request("a", amount, limited)))
    refused = ledger.reserve(request("b", Amount(1, 1, 1), limited))
    assert isinstance(refused, Refused)
    assert [each.unit for each in refused.refused_by] == [unit]


@pytest.mark.parametrize("part", ["posted", "pending", "held"])
def test_all_three_parts_count(ledger: Ledger, part: str) -> None:
    """Law 1: what is spent, promised or possibly billed counts alike, and the refusal says which of them is in the way."""
    first = admitted(ledger.reserve(request("a", usd(60), MONTH)))
    if part == "posted":
        ledger.settle("s", first.reservation, actual(usd(60)))
    if part == "held":
        ledger.hold("h", first.reservation, "connection lost")
    refused = ledger.reserve(request("b", usd(41), MONTH))
    assert isinstance(refused, Refused)
    (why,) = refused.refused_by
    assert (why.scope, why.per, why.unit, why.needed, why.left) == (ORG, "month", "usd", 41, 40)
    assert why.reason == {"posted": "spent", "pending": "pending", "held": "held"}[part]
    assert why.owner == "owner@acme.test"
    assert why.resets_at == _only(ledger, MONTH).resets_at
    assert admitted(ledger.reserve(request("c", usd(40), MONTH))).granted == usd(40)


@pytest.mark.parametrize("mode", ["advise", "observe"])
def test_watching_limits_refuse_nothing(ledger: Ledger, mode: Mode) -> None:
    """Law 1 binds enforced limits: advise and observe only count."""
    watched = charge(ORG, "month", line(100, mode=mode))
    first = admitted(ledger.reserve(request("a", usd(1000), watched)))
    ledger.settle("s", first.reservation, actual(usd(1000)))
    assert _parts(_only(ledger, watched)) == (1000, 0, 0)


def test_the_lowest_of_two_limits_decides(ledger: Ledger) -> None:
    """Law 1: should a scope have two limits of one unit and period, both hold, in whichever order they are written."""
    for number, limits in enumerate([(line(50), line(100)), (line(100), line(50))]):
        both = charge(Scope("team", f"t{number}"), "month", *limits)
        assert isinstance(ledger.reserve(request(f"a{number}", usd(51), both)), Refused)
        admitted(ledger.reserve(request(f"b{number}", usd(50), both)))


def test_a_refusal_takes_nothing_anywhere(ledger: Ledger) -> None:
    """Law 2: when the last of many limits refuses, none of the others has counted anything, and every refusing one is named."""
    wide = [charge(Scope("team", f"t{index}"), "month", line(1000)) for index in range(12)]
    narrow = [charge(Scope("user", "ada"), "day", line(5)), charge(Scope("feature", "x"), "week", line(3, "tokens"))]
    decision = ledger.reserve(request("k", usd(10, 10, 1), *wide, *narrow))
    assert isinstance(decision, Refused)
    assert [each.scope.text for each in decision.refused_by] == ["user/ada", "feature/x"]
    assert all(_parts(state) == (0, 0, 0) for state in ledger.read([*wide, *narrow], "UTC"))
    assert all(row.value == CounterValue() for row in ledger.counters())


def test_settle_gives_back_what_was_not_used(ledger: Ledger) -> None:
    """Law 3: settling replaces the reserved amount by the true one in every unit and every counter."""
    charges = (MONTH, charge(TEAM, "day", line(50, "tokens")))
    taken = admitted(ledger.reserve(request("a", usd(90, 40, 1), *charges)))
    assert [_parts(state) for state in taken.budgets] == [(0, 90, 0), (0, 40, 0)]
    settled = ledger.settle("s", taken.reservation, actual(usd(7, 3, 1)))
    assert (settled.state, settled.cost, settled.overrun, settled.replayed) == ("posted", usd(7, 3, 1), ZERO, False)
    assert [_parts(state) for state in settled.budgets] == [(7, 0, 0), (3, 0, 0)]
    assert {row.value for row in ledger.counters()} == {CounterValue(posted=usd(7, 3, 1))}


def test_an_overrun_passes_the_line_by_the_difference(ledger: Ledger) -> None:
    """Laws 1 and 5: a call that cost more than it reserved is posted in full, past the line, and reported as an overrun."""
    taken = admitted(ledger.reserve(request("a", usd(100, 10), MONTH)))
    settled = ledger.settle("s", taken.reservation, actual(usd(130, 9)))
    assert (settled.cost, settled.overrun) == (usd(130, 9), usd(30))
    assert _parts(_only(ledger, MONTH)) == (130, 0, 0)
    (last,) = [entry.parsed() for entry in ledger.entries() if entry.parsed().kind == "post"]
    assert last.body["overrun"] == [30, 0, 0]


def test_amounts_are_exact_at_both_ends(ledger: Ledger) -> None:
    """Law 3: one nano-dollar is not lost beside nine million dollars."""
    wide = charge(ORG, "month", line(COUNT_MAX))
    taken = admitted(ledger.reserve(request("a", usd(COUNT_MAX - 1), wide)))
    ledger.settle("s", taken.reservation, actual(usd(COUNT_MAX - 1)))
    assert isinstance(ledger.reserve(request("b", usd(2), wide)), Refused)
    admitted(ledger.reserve(request("c", usd(1), wide)))
    assert _parts(_only(ledger, wide)) == (COUNT_MAX - 1, 1, 0)
    assert verify(ledger).ok


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": usd(COUNT_MAX + 1)},
        {"amount": usd(0, COUNT_MAX + 1)},
        {"amount": usd(-1)},
        {"minimum": usd(11)},
        {"minimum": usd(-1)},
        {"ttl_seconds": 0},
        {"zone": "Europe/Atlantis"},
        {"zone": "../../etc/passwd"},
        {"key": ""},
        {"key": "k" * 1001},
        {"key": "nul\0"},
        {"labels": {"user": "\ud800"}},
        {"charges": (charge(Scope("user", "nul\0"), "day"),)},
        {"charges": (charge(Scope("user", ""), "day"),)},
        {"charges": (charge(Scope("team/a", "b"), "day"),)},
        {"charges": (MONTH, MONTH)},
        {"charges": (charge(ORG, "month", line(COUNT_MAX + 1)),)},
    ],
    ids=str,
)
def test_what_cannot_be_counted_is_a_usage_error(ledger: Ledger, wrong: dict[str, Any]) -> None:
    """Law 3: amounts past what every backend counts exactly, and names that none can store, never reach the books."""
    with pytest.raises(UsageError):
        ledger.reserve(request("k", usd(10), MONTH)._replace(**wrong))
    assert ledger.head() == 0


@pytest.mark.parametrize("amount", [usd(-1), usd(COUNT_MAX + 1)])
def test_impossible_costs_are_usage_errors(ledger: Ledger, amount: Amount) -> None:
    """Law 3: a cost below zero, or past what is exact, is not posted; the reservation stays open for the true one."""
    taken = admitted(ledger.reserve(request("a", usd(10), MONTH)))
    with pytest.raises(UsageError):
        ledger.settle("s", taken.reservation, actual(amount))
    assert ledger.show(taken.reservation).state == "pending"


MOVES = [
    ("settle", "posted", (3, 0, 0)),
    ("void", "voided", (0, 0, 0)),
    ("hold", "held", (0, 0, 10)),
    ("settle settle", "posted", (3, 0, 0)),
    ("settle void", "posted", (3, 0, 0)),
    ("settle hold", "posted", (3, 0, 0)),
    ("void settle", "posted", (3, 0, 0)),
    ("void void", "voided", (0, 0, 0)),
    ("void hold", "voided", (0, 0, 0)),
    ("hold settle", "posted", (3, 0, 0)),
    ("hold void", "voided", (0, 0, 0)),
    ("hold hold", "held", (0, 0, 10)),
    ("hold void settle", "posted", (3, 0, 0)),
    ("void settle void", "posted", (3, 0, 0)),
    ("void settle settle", "posted", (3, 0, 0)),
]


@pytest.mark.parametrize(("moves", "state", "parts"), MOVES, ids=[moves for moves, _, _ in MOVES])
def test_a_reservation_is_resolved_once(ledger: Ledger, moves: str, state: str, parts: tuple[int, int, int]) -> None:
    """Laws 3 and 5: whatever order settle, void and hold arrive in, the first true cost stands once, and sums agree."""
    taken = admitted(ledger.reserve(request("a", usd(10), MONTH)))
    for number, move in enumerate(moves.split()):
        if move == "settle":
            answer = ledger.settle(f"k{number}", taken.reservation, actual(usd(3)))
        else:
            answer = getattr(ledger, move)(f"k{number}", taken.reservation, "because")
    assert answer.state == state
    assert answer.cost == (usd(3) if state == "posted" else ZERO)
    assert _parts(_only(ledger, MONTH)) == parts
    shown = ledger.show(taken.reservation)
    assert (shown.state, shown.cost, shown.granted) == (state, answer.cost, usd(10))
    assert (shown.resolved_at is None) is (state == "held")
    assert [each.reservation for each in ledger.open_reservations()] == ([taken.reservation] if state == "held" else [])
    assert verify(ledger).ok


def test_settling_twice_keeps_the_first_cost(ledger: Ledger) -> None:
    """Law 5: a second settle under another key changes nothing and answers with what stands."""
    taken = admitted(ledger.reserve(request("a", usd(10), MONTH)))
    ledger.settle("first", taken.reservation, actual(usd(12)))
    again = ledger.settle("second", taken.reservation, actual(usd(99)))
    assert (again.state, again.cost, again.overrun, again.replayed) == ("posted", usd(12), usd(2), True)
    assert _parts(_only(ledger, MONTH)) == (12, 0, 0)


def test_settling_after_the_limit_was_lowered(ledger: Ledger) -> None:
    """Law 5: what was reserved under a higher limit is posted in full after the limit was lowered."""
    taken = admitted(ledger.reserve(request("a", usd(90), MONTH)))
    lowered = charge(ORG, "month", line(10))
    assert isinstance(ledger.reserve(request("b", usd(1), lowered)), Refused)
    assert ledger.settle("s", taken.reservation, actual(usd(80))).cost == usd(80)
    assert _parts(_only(ledger, lowered)) == (80, 0, 0)


def test_a_forgotten_reservation_becomes_a_hold(store: Store) -> None:
    """Law 6: past its deadline a pending reservation is held at its full amount; before it, it stays pending."""
    taken = admitted(store.ledger.reserve(request("a", usd(60), MONTH, ttl_seconds=600)))
    start = store.ledger.now()
    store.set_time(start + timedelta(seconds=500))
    assert store.ledger.sweep(10) == 0
    store.set_time(start + timedelta(seconds=700))
    assert store.ledger.sweep(10) == 1
    assert store.ledger.sweep(10) == 0
    assert store.ledger.show(taken.reservation).state == "held"
    assert _parts(_only(store.ledger, MONTH)) == (0, 0, 60)
    assert [entry.parsed().kind for entry in store.ledger.entries()] == ["reserve", "expire"]
    assert verify(store.ledger).ok


def test_admissions_sweep_for_themselves(store: Store) -> None:
    """Law 6: no daemon is needed: the next admission turns what has expired into holds, and counts it as such."""
    admitted(store.ledger.reserve(request("a", usd(60), MONTH, ttl_seconds=60)))
    store.set_time(store.ledger.now() + timedelta(seconds=120))
    refused = store.ledger.reserve(request("b", usd(60), MONTH))
    assert isinstance(refused, Refused)
    assert [each.reason for each in refused.refused_by] == ["held"]


def test_settling_after_expiry_posts_the_true_amount(store: Store) -> None:
    """Laws 5 and 6: a call that comes back after its deadline is settled as if nothing had happened."""
    taken = admitted(store.ledger.reserve(request("a", usd(60), MONTH, ttl_seconds=60)))
    store.set_time(store.ledger.now() + timedelta(days=2))
    store.ledger.sweep(10)
    assert store.ledger.settle("s", taken.reservation, actual(usd(11))).state == "posted"
    assert store.ledger.settle("s", taken.reservation, actual(usd(11))).cost == usd(11)
    assert verify(store.ledger).ok


def test_sweeping_is_bounded(store: Store) -> None:
    """Law 6: a sweep does at most what it was asked to, oldest deadline first, and the next one goes on."""
    for number in range(7):
        admitted(store.ledger.reserve(request(f"k{number}", usd(1), MONTH, ttl_seconds=60 + number)))
    store.set_time(store.ledger.now() + timedelta(seconds=300))
    assert [store.ledger.sweep(3) for _ in range(4)] == [3, 3, 1, 0]
    assert [each.key for each in store.ledger.open_reservations()] == [f"k{number}" for number in range(7)]


def test_an_unknown_reservation_is_an_error(ledger: Ledger) -> None:
    """A reservation that this ledger never made cannot be settled, voided, held or shown."""
    with pytest.raises(UnknownReservation):
        ledger.settle("s", "res_none", actual(usd(1)))
    with pytest.raises(UnknownReservation):
        ledger.void("v", "res_none", "x")
    with pytest.raises(UnknownReservation):
        ledger.hold("h", "res_none", "x")
    with pytest.raises(UnknownReservation):
        ledger.show("res_none")
    assert ledger.head() == 0


def test_a_request_without_limits_is_counted(ledger: Ledger) -> None:
    """Law 7's ground: scopes without a limit are counted too, so that a limit added later finds what was spent."""
    taken = admitted(ledger.reserve(request("a", usd(70), charge(ORG, "month"))))
    ledger.settle("s", taken.reservation, actual(usd(70)))
    assert isinstance(ledger.reserve(request("b", usd(31), MONTH)), Refused)
    nothing = admitted(ledger.reserve(request("c", usd(5))))
    assert ledger.void("v", nothing.reservation, "no counters").state == "voided"
    assert ledger.settle("s2", nothing.reservation, actual(usd(5))).cost == usd(5)
    assert verify(ledger).ok
