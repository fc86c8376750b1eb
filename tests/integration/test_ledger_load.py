"""Load: eight processes over 500 scopes, every nano-dollar accounted for. ``BUDGET_GATE_LOAD=200000`` runs the full count."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from contract.ledgers import BACKENDS, Backend
from contract.racing import PROCESSES, Racers, work_through

from budget_gate.ledger.verify import verify

OPERATIONS = int(os.environ.get("BUDGET_GATE_LOAD", "2000"))
SCOPES = 500
SHARED = [backend for backend in BACKENDS if backend.is_shared and not backend.is_slow]


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    """Eight processes."""
    started = Racers(seconds_most=60 + OPERATIONS / 50)
    yield started
    started.close()


@pytest.mark.timeout(300 + OPERATIONS / 20)
@pytest.mark.parametrize("backend", SHARED, ids=lambda backend: backend.name)
def test_eight_processes_conserve_every_nano_dollar(backend: Backend, racers: Racers, tmp_path: Path) -> None:
    """What each process was told adds up, scope by scope, to what the ledger holds; nothing is pending and the chain is whole."""
    store = backend.open(tmp_path)
    started = time.monotonic()
    answers = racers.run(store.opener(), work_through, OPERATIONS // PROCESSES, SCOPES)
    seconds = time.monotonic() - started
    told: Counter[tuple[str, str]] = Counter()
    for sums in answers:
        for scope, (posted, held) in sums.items():
            told[scope, "posted"] += posted
            told[scope, "held"] += held
    stored: Counter[tuple[str, str]] = Counter()
    for row in store.ledger.counters():
        assert row.value.pending == (0, 0, 0)
        stored[row.scope, "posted"] += row.value.posted.nano_usd
        stored[row.scope, "held"] += row.value.held.nano_usd
    assert stored == told
    found = verify(store.ledger)
    assert found.ok
    assert found.entries == OPERATIONS
    print(f"{backend.name}: {OPERATIONS} operations in {seconds:.1f} s, {OPERATIONS / seconds:.0f} a second")  # noqa: T201 (the figure is what the full run is for)
    store.close()
