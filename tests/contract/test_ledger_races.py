"""The laws under contention: eight real processes on one store, and calls that wait for each other."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from contract.ledgers import Backend, Store
from contract.racing import (
    PROCESSES,
    Racers,
    close_a_month,
    deliver,
    die_waiting,
    reserve_from_many,
    reserve_the_same,
    reserve_until_refused,
    resolve_at_odds,
    serve,
    settle_the_same,
    spend,
    sweep_all,
    verify_among_writers,
)
from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd

from budget_gate.core.reservations import Admitted
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.archive import KIND, read_archive
from budget_gate.ledger.verify import verify


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    """Eight processes, started once for all races."""
    started = Racers()
    yield started
    started.close()


def test_eight_processes_admit_exactly_the_limit(shared_backend: Backend, shared_store: Store, racers: Racers) -> None:
    """Laws 1 and 2: of eight processes racing for a limit worth 100 calls (25 on a branch), exactly as many are admitted, every time."""
    rounds, limit = 2 if shared_backend.is_slow else 20, 100 * shared_backend.in_flight // 64
    for number in range(rounds):
        admissions = racers.run(shared_store.opener(), reserve_until_refused, Scope("team", f"round{number}"), limit)
        assert sum(admissions) == limit
    assert verify(shared_store.ledger).ok


def test_many_limits_are_taken_together(shared_backend: Backend, shared_store: Store, racers: Racers) -> None:
    """Law 2: processes that take overlapping sets of limits fill each counter with exactly what was admitted, none too far."""
    charges = [charge(Scope("team", f"t{index}"), "month", line(12 + index)) for index in range(6)]
    calls = 6 if shared_backend.is_slow else 20
    answers = racers.run(shared_store.opener(), reserve_from_many, charges, calls)
    taken = Counter(scope for answer in answers for scopes in answer for scope in scopes)
    for state in shared_store.ledger.read(charges, "UTC"):
        assert state.posted + state.pending + state.held == taken[state.scope.text] <= state.limit
    assert verify(shared_store.ledger).ok


def test_concurrent_duplicates_count_once(shared_store: Store, racers: Racers) -> None:
    """Law 4: eight processes sending the same keys at once get the same answers, and each key counts once."""
    month = charge(ORG, "month", line(105))
    keys = [f"k{number}" for number in range(12)]
    answers = racers.run(shared_store.opener(), reserve_the_same, keys, month)
    for answer in zip(*answers, strict=True):
        assert len({(type(each), getattr(each, "reservation", "")) for each in answer}) == 1
        assert sum(not each.replayed for each in answer) == 1
    names = [each.reservation for each in answers[0] if isinstance(each, Admitted)]
    assert len(names) == 10
    resolutions = racers.run(shared_store.opener(), settle_the_same, names)
    for resolution in zip(*resolutions, strict=True):
        assert {(each.state, each.cost) for each in resolution} == {("posted", usd(3))}
        assert sum(not each.replayed for each in resolution) == 1
    (state,) = shared_store.ledger.read([month], "UTC")
    assert (state.posted, state.pending, state.held) == (30, 0, 0)
    assert verify(shared_store.ledger).ok


def test_processes_at_odds_leave_the_true_cost(shared_store: Store, racers: Racers) -> None:
    """Law 5: when processes settle, void and hold the same reservations at once, the cost stands, once."""
    month = charge(ORG, "month", line(100))
    names = [admitted(shared_store.ledger.reserve(request(f"k{n}", usd(10), month))).reservation for n in range(8)]
    racers.run(shared_store.opener(), resolve_at_odds, names)
    (state,) = shared_store.ledger.read([month], "UTC")
    assert (state.posted, state.pending, state.held) == (24, 0, 0)
    assert verify(shared_store.ledger).ok


def test_a_tier_is_crossed_by_one_process(shared_store: Store, racers: Racers) -> None:
    """Law 11: whichever process crosses a tier, exactly one is told, and exactly one of them delivers its alert."""
    team = charge(TEAM, "month", line(24))
    crossed = racers.run(shared_store.opener(), spend, team, 3)
    assert sorted(tier for each in crossed for tier in each) == ["alert", "stop", "warn"]
    for number in range(10):
        small = charge(Scope("team", f"t{number}"), "month", line(1))
        admitted(shared_store.ledger.reserve(request(f"more{number}", usd(1), small)))
    for each in list(shared_store.ledger.open_reservations()):
        shared_store.ledger.hold(f"hold{each.key}", each.reservation, "lost")
    claimed = Counter(name for each in racers.run(shared_store.opener(), deliver, 6) for name in each)
    assert len(claimed) == 33
    assert set(claimed.values()) == {1}


def test_sweeping_at_once_holds_each_once(shared_store: Store, racers: Racers) -> None:
    """Law 6: processes that sweep together turn each expired reservation into one hold."""
    month = charge(ORG, "month", line(100))
    for number in range(30):
        admitted(shared_store.ledger.reserve(request(f"k{number}", usd(1), month, ttl_seconds=60)))
    shared_store.set_time(shared_store.ledger.now() + timedelta(seconds=120))
    assert sum(racers.run(shared_store.opener(), sweep_all)) == 30
    (state,) = shared_store.ledger.read([month], "UTC")
    assert (state.posted, state.pending, state.held) == (0, 0, 30)
    assert verify(shared_store.ledger).ok


def test_processes_that_died_waiting_block_nobody(shared_store: Store, racers: Racers) -> None:
    """Law 12: seven processes that died in the queue do not keep the next request out."""
    month = charge(ORG, "month", line(100))
    first = admitted(shared_store.ledger.reserve(request("first", usd(90), month, ttl_seconds=3600)))
    racers.run(shared_store.opener(), die_waiting, month)
    shared_store.set_time(shared_store.ledger.now() + timedelta(seconds=60))
    shared_store.ledger.void("v", first.reservation, "not sent")
    assert admitted(shared_store.ledger.reserve(request("next", usd(100), month))).granted == usd(100)


def test_nobody_affordable_is_refused(shared_backend: Backend, shared_store: Store, racers: Racers) -> None:
    """Law 12: of 400 calls, 64 at a time in eight processes, a cap worth 100 true costs serves exactly 100 (a quarter on a branch)."""
    threads, limit = shared_backend.in_flight // PROCESSES, 100 * shared_backend.in_flight // 64
    served = racers.run(shared_store.opener(), serve, threads, 400 // 64 + 1, limit)
    assert sum(served) == limit
    (state,) = shared_store.ledger.read([charge(ORG, "month", line(limit))], "UTC")
    assert (state.posted, state.pending, state.held) == (limit, 0, 0)
    assert verify(shared_store.ledger).ok


def test_nobody_affordable_is_refused_among_threads(backend: Backend, store: Store) -> None:
    """Law 12 within one process: 64 threads (16 on a branch) on one ledger serve exactly what the cap is worth."""
    limit = 100 * backend.in_flight // 64
    assert serve(store.ledger, 0, backend.in_flight, 400 // 64 + 1, limit) == limit
    assert verify(store.ledger).ok


def test_verify_works_while_others_write(shared_store: Store, racers: Racers) -> None:
    """Law 10: a ledger in use verifies as whole: what is written meanwhile is not mistaken for a broken sum."""
    assert racers.run(shared_store.opener(), verify_among_writers, 8) == [""] * PROCESSES


def test_eight_runners_close_a_month_once(shared_store: Store, racers: Racers) -> None:
    """Whoever comes first writes a budget's note; all eight answer the same figures, and the ledger has each note once."""
    shared_store.set_time(datetime(2026, 10, 31, tzinfo=UTC))
    for number in range(20):
        scope = charge(Scope("team", f"t{number}"), "month")
        taken = admitted(shared_store.ledger.reserve(request(f"r{number}", usd(number + 1), scope)))
        shared_store.ledger.settle(f"r{number}", taken.reservation, actual(usd(number + 1)))
    shared_store.set_time(datetime(2026, 11, 1, tzinfo=UTC))
    answers = racers.run(shared_store.opener(), close_a_month)
    notes = [entry.parsed().body["key"] for entry in shared_store.ledger.entries() if entry.parsed().kind == KIND]
    assert len(notes) == len(set(notes)) == 20
    assert len(answers) == PROCESSES
    assert sum(written for written, _ in answers) == 20
    final = read_archive(shared_store.ledger, "2026-10").figures
    assert sum(each.value.posted.nano_usd for each in final) == 210
    assert all(figures == final for _, figures in answers)
    assert verify(shared_store.ledger).ok
