"""Leases: one reservation for a whole task, never over, exact to the end, and settled even for a process that was killed."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd
from hypothesis import given, settings
from hypothesis import strategies as st

from budget_gate.core.amounts import Amount
from budget_gate.core.errors import LedgerUnavailable
from budget_gate.core.policy import Bounds
from budget_gate.core.reservations import Actual, Admitted, Refused, ReserveRequest, Waiting
from budget_gate.core.scopes import ORG, Scope
from budget_gate.core.usage import Usage
from budget_gate.ledger.lease import LeasedLedger, task_bound
from budget_gate.ledger.lease_closing import settle_left_open
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.ledger.verify import verify

MONTH = charge(ORG, "month", line(1000))
TASK = charge(Scope("task", "review/7"), "lifetime", line(200), line(500, "tokens"), line(10, "requests"))
BOUND = task_bound(Bounds(hard_tokens=500, nano_usd=200, steps=10))


class Counted(MemoryLedger):
    """A ledger that counts its operations, and goes away before or after the one that a test names."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[str] = []
        self.fails_at, self.fails_after = 0, 0

    def _write(self, step: Any) -> Any:
        name = step.__qualname__.split(".")[1]
        if name in {"read", "show"}:
            return super()._write(step)
        self.operations.append(name)
        if len(self.operations) == self.fails_at:
            raise LedgerUnavailable("away")
        answer = super()._write(step)
        if len(self.operations) == self.fails_after:
            raise LedgerUnavailable("answer lost")
        return answer


def _leased(inner: MemoryLedger, journal: Path | None = None, **more: Any) -> LeasedLedger:
    return LeasedLedger(inner, BOUND, journal=journal, **more)


def _call(ledger: LeasedLedger, key: str, amount: int, cost: int, *, tokens: int = 10) -> None:
    """Make one call."""
    taken = admitted(ledger.reserve(request(key, usd(amount, tokens, 1), MONTH, TASK)))
    paid = Actual(usd(cost, tokens // 2, 1), Usage(tokens // 2 - 1, 1), {"model": "small", "request_id": f"of {key}"})
    ledger.settle(key, taken.reservation, paid)


def _parts(ledger: Any, each: Any = MONTH) -> tuple[int, int, int]:
    (state, *_) = ledger.read([each], "UTC")
    return state.posted, state.pending, state.held


def test_a_task_of_ten_calls_costs_one_reserve_and_one_settle() -> None:
    """However many calls a task makes, the inner ledger is asked twice; it then holds their exact sum."""
    inner = Counted()
    ledger = _leased(inner)
    for number in range(10):
        _call(ledger, f"k{number}", 20, 7 + number)
    assert _parts(ledger) == (7 * 10 + 45, 0, 0)
    ledger.finish()
    assert inner.operations == ["reserve", "settle"]
    assert _parts(inner) == (115, 0, 0)
    (state,) = [row.value for row in inner.counters() if row.scope == "org"]
    assert state.posted == Amount(115, 50, 10)
    assert verify(inner).ok


def test_the_entry_of_a_lease_tells_of_its_calls() -> None:
    """Tokens by kind are added up, what all calls share is said once, and each call's cost and details are kept."""
    inner = MemoryLedger()
    ledger = _leased(inner)
    _call(ledger, "a", 20, 5)
    _call(ledger, "b", 30, 6)
    ledger.finish()
    body = list(inner.entries())[-1].parsed().body
    assert body["usage"] == Usage(8, 2)._asdict()
    assert body["details"]["model"] == "small"
    assert "request_id" not in body["details"]
    calls = json.loads(body["details"]["calls"])
    assert [(each["cost_nano_usd"], each["request_id"]) for each in calls] == [(5, "of a"), (6, "of b")]
    assert body["overrun"] == [0, 0, 0]


def test_budgets_are_shown_as_if_there_were_no_lease() -> None:
    """Between the calls a reader here sees what was spent and what is under way, not the lease."""
    inner = MemoryLedger()
    other = admitted(inner.reserve(request("other", usd(100), MONTH)))
    inner.settle("other", other.reservation, actual(usd(100)))
    ledger = _leased(inner)
    _call(ledger, "a", 20, 5)
    taken = admitted(ledger.reserve(request("b", usd(30), MONTH, TASK)))
    assert [(state.posted, state.pending) for state in taken.budgets[:2]] == [(105, 30), (5, 30)]
    assert _parts(inner) == (100, 200, 0)
    assert ledger.hold("h", taken.reservation, "lost").budgets[0].held == 30
    assert _parts(ledger) == (105, 0, 30)


def test_a_lease_is_clamped_to_what_is_left_and_another_one_taken() -> None:
    """Near the end of a budget a lease gets what is left; a call it cannot hold settles it and asks again, never past the line."""
    inner = Counted()
    full = admitted(inner.reserve(request("full", usd(950), MONTH)))
    inner.settle("full", full.reservation, actual(usd(950)))
    ledger = _leased(inner)
    inner.operations.clear()
    _call(ledger, "a", 40, 5)
    assert _parts(inner) == (950, 50, 0)
    _call(ledger, "b", 40, 30)
    assert inner.operations == ["reserve"]
    refused = ledger.reserve(request("c", usd(40), MONTH, TASK))
    assert isinstance(refused, Refused)
    assert [(each.scope, each.reason, each.left) for each in refused.refused_by] == [(ORG, "spent", 15)]
    taken = admitted(ledger.reserve(request("d", usd(40), MONTH, TASK, minimum=usd(10))))
    assert taken.granted.nano_usd == 15
    ledger.settle("d", taken.reservation, actual(usd(15)))
    ledger.finish()
    assert _parts(inner) == (1000, 0, 0)
    assert verify(inner).ok


def test_the_bounds_of_a_task_hold() -> None:
    """A task that used up its own bound is refused by it, by name, over as many leases as it takes."""
    inner = MemoryLedger()
    ledger = _leased(inner)
    for number in range(9):
        _call(ledger, f"k{number}", 20, 20)
    refused = ledger.reserve(request("more", usd(30, 10, 1), MONTH, TASK))
    assert isinstance(refused, Refused)
    assert [(each.scope.kind, each.unit, each.left) for each in refused.refused_by] == [("task", "usd", 20)]
    _call(ledger, "last", 20, 20)
    refused = ledger.reserve(request("eleventh", usd(0, 0, 1), MONTH, TASK))
    assert isinstance(refused, Refused)
    assert [each.unit for each in refused.refused_by] == ["requests"]


def test_a_lease_is_not_what_makes_a_call_wait() -> None:
    """Where others' pending amounts leave no room for the whole task, the lease is only as large as the call that fits."""
    inner = Counted()
    admitted(inner.reserve(request("others", usd(900), MONTH)))
    ledger = _leased(inner)
    taken = admitted(ledger.reserve(request("k", usd(60), MONTH, TASK, may_wait=True)))
    assert taken.granted == usd(60)
    assert _parts(inner) == (0, 960, 0)
    assert isinstance(ledger.reserve(request("l", usd(60), MONTH, TASK, may_wait=True)), Waiting)
    ledger.leave_queue("l")
    admitted(inner.reserve(request("third", usd(40), MONTH)))


def test_a_task_without_bounds_is_measured_by_its_first_call() -> None:
    """Without a bound in dollars, tokens or steps, a lease is for a few calls like the first."""
    first = request("k", usd(30, 200, 1), MONTH)
    assert task_bound(Bounds())(first) == Amount(150, 1000, 5)
    assert task_bound(Bounds(steps=3, hard_tokens=400))(first) == Amount(90, 400, 3)
    assert task_bound(Bounds(nano_usd=7))(first) == Amount(7, 1000, 5)
    ledger = _leased(inner := MemoryLedger())
    assert admitted(ledger.reserve(request("large", usd(300), MONTH))).granted == usd(300)
    assert _parts(inner)[1] == 300


def test_calls_of_other_budgets_have_another_lease() -> None:
    """A call on another account, or on a model tier with a budget of its own, is not paid from this account's lease."""
    inner = MemoryLedger()
    ledger = _leased(inner)
    admitted(ledger.reserve(request("a", usd(10), MONTH)))
    admitted(ledger.reserve(request("b", usd(10), MONTH, charge(TEAM, "month", line(50)))))
    assert len(list(inner.open_reservations())) == 2
    assert _parts(inner, charge(TEAM, "month", line(50)))[1] == 50


class _Clock:
    """A clock that tests move: the ledger's, and the process's own."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> datetime:
        return datetime(2026, 11, 24, 23, 30, tzinfo=UTC) + timedelta(seconds=self.seconds)


def test_a_call_counts_in_the_period_it_was_made_in() -> None:
    """Law 8: a lease ends with its period: the first call after midnight takes a new one, which counts in the new day."""
    clock = _Clock()
    inner, day = MemoryLedger(clock=clock), charge(ORG, "day", line(1000))
    ledger = _leased(inner, monotonic=lambda: clock.seconds)
    for key in ("before", "after"):
        taken = admitted(ledger.reserve(request(key, usd(20), day)))
        ledger.settle(key, taken.reservation, actual(usd(7)))
        clock.seconds += 45 * 60
    ledger.finish()
    assert [(row.label, row.value.posted.nano_usd) for row in inner.counters()] == [("2026-11-24", 7), ("2026-11-25", 7)]


def test_a_resting_lease_makes_room_for_others() -> None:
    """In a long conversation the lease of an earlier task is settled when the next task takes its own, and not kept to the end."""
    clock = _Clock()
    inner = MemoryLedger(clock=clock)
    ledger = _leased(inner, monotonic=lambda: clock.seconds)
    for number in range(3):
        task = charge(Scope("task", f"chat/{number}"), "lifetime", line(200))
        taken = admitted(ledger.reserve(request(f"k{number}", usd(20), MONTH, task)))
        ledger.settle(f"k{number}", taken.reservation, actual(usd(7)))
        assert _parts(inner) == (7 * number, 200, 0)
        clock.seconds += 90


def test_repeated_keys_count_once() -> None:
    """Law 4: repeating a reserve, a settle, a void or a hold of a leased call answers the same and counts once."""
    inner = MemoryLedger()
    ledger = _leased(inner)
    asked = request("k", usd(20), MONTH, TASK)
    first = admitted(ledger.reserve(asked))
    again = admitted(ledger.reserve(asked))
    assert (again.reservation, again.granted, again.replayed) == (first.reservation, first.granted, True)
    assert ledger.settle("s", first.reservation, actual(usd(5))).replayed is False
    assert ledger.settle("s", first.reservation, actual(usd(5))).replayed is True
    assert ledger.void("v", first.reservation, "late").state == "posted"
    ledger.finish()
    ledger.finish()
    assert _parts(inner) == (5, 0, 0)


@pytest.mark.parametrize(("ending", "parts"), [("settle", (8, 0, 0)), ("void", (3, 0, 0)), ("nothing", (3, 0, 20))])
def test_what_comes_after_the_lease_is_not_lost(ending: str, parts: tuple[int, int, int]) -> None:
    """Law 5: a call still open when its lease ends is held; its true end, should it come, still counts, once."""
    inner = MemoryLedger()
    ledger = _leased(inner)
    _call(ledger, "a", 20, 3)
    taken = admitted(ledger.reserve(request("b", usd(20), MONTH, TASK)))
    ledger.finish()
    assert _parts(inner) == (3, 0, 20)
    for _ in range(2):
        if ending == "settle":
            ledger.settle("b", taken.reservation, actual(usd(5)))
        if ending == "void":
            ledger.void("b", taken.reservation, "not sent")
    assert _parts(inner) == parts
    assert verify(inner).ok


def test_a_voided_call_may_still_cost() -> None:
    """Law 5: a cost that turns up after the call was voided and the lease ended is posted."""
    inner = MemoryLedger()
    ledger = _leased(inner)
    taken = admitted(ledger.reserve(request("a", usd(20), MONTH, TASK)))
    ledger.void("v", taken.reservation, "not sent")
    ledger.finish()
    assert _parts(inner) == (0, 0, 0)
    ledger.settle("a", taken.reservation, actual(usd(5)))
    assert _parts(inner) == (5, 0, 0)


def _killed(inner: MemoryLedger, journal: Path) -> None:
    """Do what a job does before it is killed: two calls paid for, one voided, one under way."""
    ledger = _leased(inner, journal)
    _call(ledger, "a", 20, 5)
    _call(ledger, "b", 20, 6)
    taken = admitted(ledger.reserve(request("c", usd(20), MONTH, TASK)))
    ledger.void("c", taken.reservation, "not sent")
    admitted(ledger.reserve(request("d", usd(20), MONTH, TASK)))


def test_a_killed_job_is_settled_from_its_journal(tmp_path: Path) -> None:
    """Law 6: whoever comes later posts what the journal knows and holds what it does not; doing so again changes nothing."""
    inner, journal = MemoryLedger(), tmp_path / "leases.jsonl"
    _killed(inner, journal)
    assert _parts(inner) == (0, 200, 0)
    kept = journal.read_text()
    assert settle_left_open(journal, inner) == 1
    assert _parts(inner) == (11, 0, 20)
    assert not journal.exists()
    assert settle_left_open(journal, inner) == 0
    journal.write_text(kept + '["settled","lease/a","ha')  # a copy of the journal, and the half line of a kill
    assert settle_left_open(journal, inner) == 1
    assert _parts(inner) == (11, 0, 20)
    assert verify(inner).ok


@pytest.mark.parametrize("lost", ["before", "after"])
@pytest.mark.parametrize("operation", [1, 2, 3, 4])
def test_closing_may_be_cut_off_anywhere(tmp_path: Path, lost: str, operation: int) -> None:
    """However far settling from the journal got, doing it again completes it, and every amount counts once."""
    inner, journal = Counted(), tmp_path / "leases.jsonl"
    _killed(inner, journal)
    at = len(inner.operations) + operation
    inner.fails_at, inner.fails_after = (at, 0) if lost == "before" else (0, at)
    try:
        settle_left_open(journal, inner)
    except LedgerUnavailable:
        assert settle_left_open(journal, inner) == 1
    assert _parts(inner) == (11, 0, 20)
    assert verify(inner).ok


def test_a_lease_whose_answer_was_lost_is_given_back(tmp_path: Path) -> None:
    """A lease that was taken but never known to be is voided from the journal; one that never was taken is forgotten."""
    for fails in ("fails_at", "fails_after"):
        inner, journal = Counted(), tmp_path / f"{fails}.jsonl"
        setattr(inner, fails, 1)
        with pytest.raises(LedgerUnavailable):
            _leased(inner, journal).reserve(request("k", usd(20), MONTH, TASK))
        assert settle_left_open(journal, inner) == 1
        assert _parts(inner) == (0, 0, 0)
        assert not journal.exists()


def test_a_failure_at_the_end_is_reported_and_made_good_later(tmp_path: Path) -> None:
    """A ledger that is away when the job ends takes away no result: it is said, and the journal settles it afterwards."""
    inner, journal, said = Counted(), tmp_path / "leases.jsonl", list[str]()
    ledger = _leased(inner, journal, on_problem=said.append)
    _call(ledger, "a", 20, 5)
    inner.fails_at = len(inner.operations) + 1
    ledger.close()
    assert len(said) == 1
    assert "away" in said[0]
    assert settle_left_open(journal, inner) == 1
    assert _parts(inner) == (5, 0, 0)


def test_a_journal_of_another_ledger_is_left_alone(tmp_path: Path) -> None:
    """Leases are settled on the ledger that granted them and on no other."""

    class Elsewhere(MemoryLedger):
        @property
        def url(self) -> str:
            return "github://acme/elsewhere"

    inner, journal = MemoryLedger(), tmp_path / "leases.jsonl"
    _killed(inner, journal)
    assert settle_left_open(journal, Elsewhere()) == 0
    assert journal.exists()


def test_the_journal_is_for_its_owner_only(tmp_path: Path) -> None:
    """The journal can be read by nobody but its owner."""
    journal = tmp_path / "deep" / "leases.jsonl"
    _killed(MemoryLedger(), journal)
    assert journal.stat().st_mode & 0o077 == 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "reserve", "settle", "void", "hold", "finish"]),
        st.integers(0, 2),
        st.integers(0, 60),
        st.integers(0, 99),
    ),
    max_size=40,
)


@settings(max_examples=60)
@given(steps=STEPS)
def test_leases_keep_the_laws(steps: list[tuple[str, int, int, int]]) -> None:
    """Laws 1, 3 and 5 through leases: jobs that share a budget never pass it, and in the end it holds exactly what they spent."""
    inner, limited = MemoryLedger(), charge(ORG, "month", line(150))
    bound: Callable[[ReserveRequest], Amount] = task_bound(Bounds(nano_usd=70, steps=4))
    jobs = [LeasedLedger(inner, bound) for _ in range(3)]
    taken: list[tuple[LeasedLedger, Admitted]] = []
    ends: dict[str, tuple[str, int]] = {}
    late = 0  # costs that turned up after their call was voided: law 5 lets these pass the line
    for number, (step, job, amount, which) in enumerate(steps):
        if step == "finish":
            jobs[job].finish()
        elif step == "reserve":
            decision = jobs[job].reserve(request(f"{job}-{number}", usd(amount), limited, minimum=usd(amount // 2)))
            if isinstance(decision, Admitted):
                taken.append((jobs[job], decision))
                ends[decision.reservation] = "held", decision.granted.nano_usd
        elif taken:
            ledger, decision = taken[which % len(taken)]
            cost = min(amount, decision.granted.nano_usd)
            before = ends[decision.reservation][0]
            if step == "settle" and before != "posted":
                ledger.settle(f"m{number}", decision.reservation, actual(usd(cost)))
                late += cost if before == "voided" else 0
                ends[decision.reservation] = "posted", cost
            if step == "void" and before == "held":
                ledger.void(f"m{number}", decision.reservation, "not sent")
                ends[decision.reservation] = "voided", 0
            if step == "hold":
                ledger.hold(f"m{number}", decision.reservation, "lost")
        assert sum(_parts(inner, limited)) <= 150 + late
    for ledger in jobs:
        ledger.finish()
    sums = Counter({"posted": 0, "held": 0})
    for state, amount in ends.values():
        sums[state] += amount
    assert _parts(inner, limited) == (sums["posted"], 0, sums["held"])
    assert verify(inner).ok
