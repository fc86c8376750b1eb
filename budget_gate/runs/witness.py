"""GitHub as the witness: what becomes of reservations whose CI job is over.

A hold says that a call may have been billed. Where its job left word of the true cost, the hold is settled at it; where the job is
over and left none, the hold stays at its estimate and is reported; where the job still runs, it is left alone.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from budget_gate.core.job_record import read_job_record
from budget_gate.core.reservations import Actual, Reservation
from budget_gate.github.interface import GitHub, RunAttempt
from budget_gate.ledger.interface import Ledger

RUN_DIGITS_MOST = 18
ATTEMPTS_REMEMBERED = 1_000


class Witnessed(NamedTuple):
    """What became of the open reservations of a repository: settled at a record, kept as holds, or of jobs that still run."""

    settled: tuple[Reservation, ...] = ()
    kept: tuple[Reservation, ...] = ()
    running: tuple[Reservation, ...] = ()


def settle_by_witness(ledger: Ledger, github: GitHub, repository: str, most: int) -> Witnessed:
    """Ask GitHub about up to ``most`` holds of jobs of ``repository``, and settle those whose job left word of the cost.

    Repeating it changes nothing more. Raises ``GitHubError`` where GitHub cannot be asked.
    """
    asked = lru_cache(maxsize=ATTEMPTS_REMEMBERED)(github.run_attempt)
    settled, kept, running = [], [], []
    for reservation in _held_by_jobs(ledger, repository, most):
        attempt = asked(*_run_of(reservation))
        if attempt is not None and not attempt.is_over:
            running.append(reservation)
        elif _settled(ledger, reservation, attempt):
            settled.append(reservation)
        else:
            kept.append(reservation)
    return Witnessed(tuple(settled), tuple(kept), tuple(running))


def _held_by_jobs(ledger: Ledger, repository: str, most: int) -> Iterator[Reservation]:
    """Yield holds that a job of the repository left, oldest first; the list is made before anything is settled."""
    found = (each for each in ledger.open_reservations() if each.state == "held" and _is_of(each, repository))
    yield from [each for each, _ in zip(found, range(most), strict=False)]


def _is_of(reservation: Reservation, repository: str) -> bool:
    labels = reservation.labels
    digits = (labels.get("run", ""), labels.get("attempt", ""))
    are_numbers = all(each.isascii() and each.isdecimal() and len(each) <= RUN_DIGITS_MOST for each in digits)
    return are_numbers and labels.get("project", "").casefold() == repository.casefold()


def _run_of(reservation: Reservation) -> tuple[int, int]:
    return int(reservation.labels["run"]), int(reservation.labels["attempt"])


def _settled(ledger: Ledger, reservation: Reservation, attempt: RunAttempt | None) -> bool:
    costs = {each.reservation: each.amount for each in read_job_record(attempt.summary)} if attempt else {}
    amount = costs.get(reservation.reservation)
    if amount is None:
        return False
    details = {"settled_by": "what the job recorded on its check run", "model": reservation.labels.get("model", "")}
    ledger.settle(f"witness/{reservation.reservation}", reservation.reservation, Actual(amount, details=details))
    return True
