"""A process that kills itself at a given step, and a ledger whose notes are steps."""

import os
import signal
from collections.abc import Sequence

from fakes.gate_setup import SimulatedTime

from budget_gate.ledger.interface import NewNote
from budget_gate.ledger.sqlite import SqliteLedger


class Steps:
    """Counts steps, and kills the process at one of them, without a word to anybody. Listens to a gate's events, too."""

    def __init__(self, last: int) -> None:
        self._left = last

    def __call__(self, _event: object = None) -> None:
        """Take a step."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class SteppingLedger(SqliteLedger):
    """A ledger that takes a step before and after it writes down what was learnt."""

    def __init__(self, path: str, time: SimulatedTime, step: Steps) -> None:
        super().__init__(path, clock=time)
        self._step = step

    def record_missing(self, notes: Sequence[NewNote]) -> None:
        """Write notes between two steps."""
        self._step()
        super().record_missing(notes)
        self._step()
