"""Message batches on every backend: one reservation found by the batch's id, days later and through another handle, settled once."""

from datetime import timedelta

import pytest
from contract.ledgers import Store
from fakes.batch_crash import BATCH, NAMES, REQUESTS, USAGE, books, read_results
from fakes.gate_setup import INPUT_NANO, OUTPUT_NANO, START, SimulatedTime, task

from budget_gate.core.reservations import Refused
from budget_gate.gate.batch_notes import reservation_of, unread_batches
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.verify import verify

COST_NANO_USD = len(NAMES) * (USAGE["input_tokens"] * INPUT_NANO + USAGE["output_tokens"] * OUTPUT_NANO)


def created(ledger: Ledger) -> str:
    """Create the batch; return its reservation."""
    attempt = books(ledger, SimulatedTime()).meter(task(), "played").begin({"requests": REQUESTS})
    assert not isinstance(attempt, Refused)
    attempt.accept(BATCH)
    attempt.accept("msgbatch_again")
    found = reservation_of(ledger, BATCH)
    assert found is not None
    assert reservation_of(ledger, "msgbatch_again") is None
    assert (found.state, found.granted.requests) == ("pending", len(NAMES))
    return found.reservation


@pytest.mark.parametrize("is_late", [False, True], ids=["in time", "as a hold"])
def test_a_batch_is_settled_by_its_id_once(store: Store, *, is_late: bool) -> None:
    """Pending or held, the reservation is found by the batch's id and settled at the results' cost; a second reading changes nothing."""
    store.set_time(START)
    reservation = created(store.ledger)
    store.set_time(START + timedelta(hours=27 if is_late else 25))
    store.ledger.sweep(10)
    held = [(each.batch, each.reservation.reservation) for each in unread_batches(store.ledger)]
    assert held == ([(BATCH, reservation)] if is_late else [])
    for _ in range(2):
        read_results(books(store.ledger, SimulatedTime()))
        found = store.ledger.show(reservation)
        assert (found.state, found.cost) == ("posted", (COST_NANO_USD, 360, len(NAMES)))
    assert unread_batches(store.ledger) == ()
    posts = [entry for entry in (each.parsed() for each in store.ledger.entries()) if entry.kind == "post"]
    assert [entry.body["details"]["variant"] for entry in posts] == ["batch"]
    assert verify(store.ledger).ok
