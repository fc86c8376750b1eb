"""The asyncio shell of the Redis ledger as a ``Ledger``: a loop in a thread answers what that shell offers, the blocking one the rest.

So the contract suite can be run over it. Both shells share one idea of the clock, which tests move.
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from fakes.redis_server import fresh_organization, shared_server

from budget_gate.core.charges import Charge
from budget_gate.core.reservations import Actual, BudgetState, Decision, Reservation, ReserveRequest, Resolution
from budget_gate.ledger.redis import RedisLedger
from budget_gate.ledger.redis_asyncio import AsyncRedisLedger

Answer = TypeVar("Answer")


class LoopedRedisLedger(RedisLedger):
    """A ``Ledger`` whose spending operations go through ``AsyncRedisLedger``, from any number of threads at once."""

    def __init__(self, url: str, *, organization: str, clock_offset_seconds: float = 0.0) -> None:
        super().__init__(url, organization=organization, clock_offset_seconds=clock_offset_seconds)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._awaited = AsyncRedisLedger(url, organization=organization)
        self._awaited._calls = self._calls

    def now(self) -> datetime:
        """Return the server's clock."""
        return self._wait(self._awaited.now())

    def reserve(self, request: ReserveRequest) -> Decision:
        """Take an amount from all limits, or nothing."""
        return self._wait(self._awaited.reserve(request))

    def leave_queue(self, key: str) -> None:
        """Give up a place."""
        self._wait(self._awaited.leave_queue(key))

    def settle(self, key: str, reservation: str, actual: Actual) -> Resolution:
        """Post what a call cost."""
        return self._wait(self._awaited.settle(key, reservation, actual))

    def void(self, key: str, reservation: str, reason: str) -> Resolution:
        """Release a reservation."""
        return self._wait(self._awaited.void(key, reservation, reason))

    def hold(self, key: str, reservation: str, reason: str) -> Resolution:
        """Keep the reserved amount counted."""
        return self._wait(self._awaited.hold(key, reservation, reason))

    def read(self, charges: Sequence[Charge], zone: str) -> tuple[BudgetState, ...]:
        """Return how limits stand."""
        return self._wait(self._awaited.read(charges, zone))

    def show(self, reservation: str) -> Reservation:
        """Return one reservation."""
        return self._wait(self._awaited.show(reservation))

    def close(self) -> None:
        """Hang up both, and end the loop."""
        super().close()
        if not self._loop.is_closed():
            self._wait(self._awaited.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _wait(self, operation: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(operation, self._loop).result()


class LoopedOpener(NamedTuple):
    """Opens the same organization's ledger from another process, with a moved clock."""

    url: str
    organization: str
    offset_seconds: float = 0.0

    def __call__(self) -> LoopedRedisLedger:
        """Open it."""
        return LoopedRedisLedger(self.url, organization=self.organization, clock_offset_seconds=self.offset_seconds)


class LoopedStore:
    """An organization of its own on the shared server, or on what another URL names."""

    def __init__(self, url: str = "") -> None:
        self._opener = LoopedOpener(url or shared_server().url(), fresh_organization())
        self.ledger = self._opener()

    def set_time(self, instant: datetime) -> None:
        """Move the clock of this handle, and of those opened later."""
        offset_seconds = (instant - datetime.now(UTC)).total_seconds()
        self._opener = self._opener._replace(offset_seconds=offset_seconds)
        self.ledger._calls.move_clock(offset_seconds)

    def opener(self) -> LoopedOpener:
        """Return a way to the same organization."""
        return self._opener

    def close(self) -> None:
        """Hang up; what was stored stays until the server ends."""
        self.ledger.close()
