"""Law 12's patience: ask, wait in the queue while only pending amounts are in the way, then take one last try.

Backends only answer ``Waiting``; how long to go on and how to sleep is here, once for all of them.
"""

import random
from collections.abc import Callable

from budget_gate.core.reservations import Admitted, Refused, ReserveRequest
from budget_gate.ledger.interface import Ledger


def reserve_waiting(
    ledger: Ledger,
    request: ReserveRequest,
    wait_seconds: float,
    *,
    sleep: Callable[[float], None],
    monotonic: Callable[[], float],
) -> Admitted | Refused:
    """Reserve, waiting up to ``wait_seconds`` in arrival order; the last try clamps to what is left, else is refused.

    A caller interrupted while waiting leaves the queue, so that nobody waits behind it.
    """
    deadline = monotonic() + wait_seconds
    patient = request._replace(may_wait=True)
    try:
        while (left_seconds := deadline - monotonic()) > 0:
            decision = ledger.reserve(patient)
            if isinstance(decision, Admitted | Refused):
                return decision
            sleep(min(decision.retry_seconds * random.uniform(0.5, 1.0), left_seconds))  # noqa: S311 (jitter, no secret)
    except BaseException:
        ledger.leave_queue(request.key)
        raise
    decision = ledger.reserve(request._replace(may_wait=False))
    assert isinstance(decision, Admitted | Refused), "a last try is never told to wait"
    return decision
