"""A message batch from its creation to its settlement, in a process that kills itself at a given step."""

import json
from typing import Any

from fakes.dying import SteppingLedger, Steps
from fakes.gate_setup import BODY, PRICES, SimulatedTime, budget, policy, task

from budget_gate.core.reservations import Refused
from budget_gate.gate.batches import BatchBooks
from budget_gate.gate.events import Listener, ignore
from budget_gate.gate.till import Till
from budget_gate.ledger.interface import Ledger

BATCH = "msgbatch_01"
NAMES = ("a", "b", "c")
USAGE = {"input_tokens": 100, "output_tokens": 20}
REQUESTS: list[dict[str, Any]] = [{"custom_id": name, "params": {**BODY, "model": "small", "max_tokens": 50}} for name in NAMES]
RESULTS = b"".join(
    json.dumps({"custom_id": name, "result": {"type": "succeeded", "message": {"usage": USAGE}}}).encode() + b"\n"
    for name in NAMES
)
"""What the batch's requests came to: each the same."""


def books(ledger: Ledger, time: SimulatedTime, listener: Listener = ignore) -> BatchBooks:
    """Return what admits and settles batches on a ledger."""
    rules = policy(budget())
    till = Till(ledger, "UTC", "block", listener, sleep=time.sleep, monotonic=time.monotonic, clock=time)
    return BatchBooks(rules, PRICES, till, key_prefix="run", wait_seconds=0)


def read_results(kept: BatchBooks) -> None:
    """Read the results of the batch to their end, as they come."""
    reading = kept.reading(BATCH)
    reading.find()
    for at in range(0, len(RESULTS), 50):
        reading.feed(RESULTS[at : at + 50])
    reading.end()


def batch_child(path: str, step: int) -> None:
    """Create the batch on the ledger at ``path`` and read its results; die at step ``step``. With fewer steps it ends as usual."""
    count_step = Steps(step)
    time = SimulatedTime()
    ledger = SteppingLedger(path, time, count_step)
    kept = books(ledger, time, count_step)
    attempt = kept.meter(task(), "played").begin({"requests": REQUESTS})
    assert not isinstance(attempt, Refused)
    count_step()
    attempt.accept(BATCH)
    count_step()
    read_results(kept)
    count_step()
    ledger.close()
