"""Processes that die or race in the middle of calls: the ledger stays exact, and what may have been billed stays counted."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from fakes.batch_crash import books, read_results
from fakes.gate_setup import INPUT_NANO, OUTPUT_NANO, START, SimulatedTime, assert_exact, counted, kinds

from budget_gate.gate.batch_notes import unread_batches
from budget_gate.ledger.sqlite import SqliteLedger

ROOT = Path(__file__).parents[2]


def child(code: str) -> "subprocess.Popen[bytes]":
    """Start a Python process that runs ``code`` with the tests' helpers at hand."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests"), *sys.path])
    return subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path})


def test_killed_between_any_two_steps_the_ledger_accounts_for_the_call(tmp_path: Path) -> None:
    """Killed at every step in turn, a call leaves nothing pending after its deadline and nothing that was sent uncounted."""
    step, is_finished, held_counts = 0, False, []
    while not is_finished:
        step += 1
        path = tmp_path / f"ledger-{step}.db"
        process = child(f"from fakes.gate_setup import crash_child; crash_child({str(path)!r}, {step})")
        status = process.wait(60)
        assert status in {0, -signal.SIGKILL}
        is_finished = status == 0
        ledger = SqliteLedger(path, clock=SimulatedTime(START + timedelta(days=1)))
        assert_exact(ledger)
        ledger.sweep(100)
        assert_exact(ledger)
        value = counted(ledger)
        entries = kinds(ledger)
        ends = [kind for kind in entries if kind in {"post", "void", "hold", "expire"}]
        assert value.pending == (0, 0, 0)
        assert len(ends) == entries.count("reserve")
        assert value.held.requests == entries.count("hold") + entries.count("expire")
        assert value.posted.requests == entries.count("post")
        held_counts.append(value.held.requests)
        ledger.close()
    assert step > 12
    assert max(held_counts) == 2
    assert (entries.count("void"), entries.count("hold"), entries.count("post")) == (1, 1, 1)


def test_a_review_killed_between_any_two_steps_leaves_a_ledger_that_verifies(tmp_path: Path) -> None:
    """Killed at every step in turn, a whole review leaves a whole ledger; the one call that was under way, if any, becomes a hold."""
    step, is_finished, held_counts = 0, False, []
    while not is_finished:
        step += 1
        path = tmp_path / f"ledger-{step}.db"
        process = child(f"from fakes.review_crash import review_child; review_child({str(path)!r}, {step})")
        status = process.wait(60)
        assert status in {0, -signal.SIGKILL}
        is_finished = status == 0
        ledger = SqliteLedger(path, clock=SimulatedTime(START + timedelta(days=1)))
        assert_exact(ledger)
        under_way = counted(ledger).pending.requests
        assert ledger.sweep(100) == under_way <= 1
        assert_exact(ledger)
        value = counted(ledger)
        assert (value.pending, value.held.requests) == ((0, 0, 0), under_way)
        held_counts.append(under_way)
        ledger.close()
    assert step > 12
    assert 0 < sum(held_counts) < step
    assert held_counts[-1] == 0


def test_a_batch_killed_between_any_two_steps_is_settled_by_whoever_reads_its_results(tmp_path: Path) -> None:
    """Killed at every step in turn, a batch is nothing, or held under no name, or settled exactly by another process, once."""
    step, is_finished, ends = 0, False, set()
    while not is_finished:
        step += 1
        path = tmp_path / f"ledger-{step}.db"
        process = child(f"from fakes.batch_crash import batch_child; batch_child({str(path)!r}, {step})")
        status = process.wait(60)
        assert status in {0, -signal.SIGKILL}
        is_finished = status == 0
        later = SimulatedTime(START + timedelta(days=2))
        ledger = SqliteLedger(path, clock=later)
        assert_exact(ledger)
        ledger.sweep(100)
        unread = unread_batches(ledger)
        for _ in range(2):
            read_results(books(ledger, later))
            assert_exact(ledger)
        value = counted(ledger)
        assert value.pending == (0, 0, 0)
        assert [each.batch for each in unread_batches(ledger)] == [each.batch for each in unread if not each.batch]
        if value.posted.requests:
            assert value.posted == (3 * (100 * INPUT_NANO + 20 * OUTPUT_NANO), 360, 3)
        ends.add((value.posted.requests, value.held.requests))
        ledger.close()
    assert step > 7
    assert ends == {(0, 0), (0, 3), (3, 0)}
    assert (value.posted.requests, unread) == (3, ())


def test_processes_racing_for_one_budget_never_pass_it(tmp_path: Path) -> None:
    """Four processes that want three times what is left end at or under the limit, with every nano-dollar accounted for."""
    path = tmp_path / "ledger.db"
    SqliteLedger(path).close()
    limit_nano_usd = 8_000_000
    racers = [
        child(f"from fakes.gate_setup import race_child; race_child({str(path)!r}, 'racer-{n}', 6, {limit_nano_usd})")
        for n in range(4)
    ]
    assert [racer.wait(120) for racer in racers] == [0, 0, 0, 0]
    ledger = SqliteLedger(path)
    value = counted(ledger, per="year")
    assert_exact(ledger)
    assert value.pending == (0, 0, 0)
    assert value.held == (0, 0, 0)
    assert 0 < value.posted.nano_usd <= limit_nano_usd
    assert "refuse" in kinds(ledger)
    ledger.close()
