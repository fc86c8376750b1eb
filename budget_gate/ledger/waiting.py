"""Law 12's patience: ask, wait in the queue while only pending amounts are in the way, then take one last try.

Backends only answer ``Waiting``; how long to go on is here, once for all of them, and how to ask and sleep is the caller's: blocking,
or awaited. A caller interrupted while waiting leaves the queue, so that nobody waits behind it.
"""

import random
from collections.abc import Awaitable, Callable, Generator
from typing import Protocol

from budget_gate.core.reservations import Admitted, Decision, Refused, ReserveRequest
from budget_gate.ledger.interface import Ledger

Steps = Generator[ReserveRequest | float, Decision | None, Admitted | Refused]
"""Yields what to ask the ledger, and is sent its decision; or yields how many seconds to sleep."""


class AwaitedLedger(Protocol):
    """What waiting asks of a ledger on asyncio."""

    def reserve(self, request: ReserveRequest, /) -> Awaitable[Decision]:
        """Check every limit and take the amount from all of them, or take nothing."""
        ...

    def leave_queue(self, key: str, /) -> Awaitable[None]:
        """Give up the place of a waiting reserve."""
        ...


def reserve_waiting(
    ledger: Ledger,
    request: ReserveRequest,
    wait_seconds: float,
    *,
    sleep: Callable[[float], None],
    monotonic: Callable[[], float],
) -> Admitted | Refused:
    """Reserve, waiting up to ``wait_seconds`` in arrival order; the last try clamps to what is left, else is refused."""
    steps = _steps(request, wait_seconds, monotonic)
    try:
        step = next(steps)
        while True:
            if isinstance(step, ReserveRequest):
                step = steps.send(ledger.reserve(step))
            else:
                sleep(step)
                step = next(steps)
    except StopIteration as done:
        decided: Admitted | Refused = done.value
        return decided
    except BaseException:
        ledger.leave_queue(request.key)
        raise


async def reserve_awaited(
    ledger: AwaitedLedger,
    request: ReserveRequest,
    wait_seconds: float,
    *,
    sleep: Callable[[float], Awaitable[None]],
    monotonic: Callable[[], float],
) -> Admitted | Refused:
    """Reserve as ``reserve_waiting`` does, on asyncio: a task that waits holds neither a thread nor a connection."""
    steps = _steps(request, wait_seconds, monotonic)
    try:
        step = next(steps)
        while True:
            if isinstance(step, ReserveRequest):
                step = steps.send(await ledger.reserve(step))
            else:
                await sleep(step)
                step = next(steps)
    except StopIteration as done:
        decided: Admitted | Refused = done.value
        return decided
    except BaseException:
        await ledger.leave_queue(request.key)
        raise


def _steps(request: ReserveRequest, wait_seconds: float, monotonic: Callable[[], float]) -> Steps:
    deadline = monotonic() + wait_seconds
    patient = request._replace(may_wait=True)
    while (left_seconds := deadline - monotonic()) > 0:
        decision = yield patient
        assert decision is not None, "who asks is sent the decision"
        if isinstance(decision, Admitted | Refused):
            return decision
        yield min(decision.retry_seconds * random.uniform(0.5, 1.0), left_seconds)  # noqa: S311 (jitter, no secret)
    decision = yield request._replace(may_wait=False)
    assert isinstance(decision, Admitted | Refused), "a last try is never told to wait"
    return decision
