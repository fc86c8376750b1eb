"""The Redis ledger for programs that run on asyncio: the same scripts and the same failures as ``redis``, awaited.

For one server, sentinels and clusters, in the clear or over TLS (``redis_asyncio_connect``), and for what a running agent asks of a
ledger. Looking after the books is the blocking shell's: several at a time can be used on one ledger, they are the same to the server.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from budget_gate.core.charges import Charge
from budget_gate.core.reservations import (
    Actual,
    Admitted,
    BudgetState,
    Decision,
    Refused,
    Reservation,
    ReserveRequest,
    Resolution,
)
from budget_gate.ledger.redis_address import safe_url
from budget_gate.ledger.redis_asyncio_connect import link
from budget_gate.ledger.redis_calls import Calls, Operation
from budget_gate.ledger.redis_shell import Running, failures, judge_server, say_nothing
from budget_gate.ledger.redis_wire import Command
from budget_gate.ledger.waiting import reserve_awaited

Answer = TypeVar("Answer")


class AsyncRedisLedger:
    """One organization's ledger on a Redis server. Safe to share between the tasks of one event loop, and only there."""

    def __init__(
        self, url: str, *, organization: str, clock_offset_seconds: float = 0.0, warn: Callable[[str], None] = say_nothing
    ) -> None:
        """Name the server; nothing is sent before the first operation. Arguments are those of ``RedisLedger``.

        Raises ``UsageError`` for a URL or an organization that cannot be.
        """
        self._url = safe_url(url)
        self._calls = Calls(organization, clock_offset_seconds)
        self._link = link(url)
        self._opening = asyncio.Lock()
        self._warn = warn
        self._execute: Callable[[Command], Awaitable[Any]] = self._first_execute

    def __repr__(self) -> str:
        return f"AsyncRedisLedger({self._url!r})"

    @property
    def url(self) -> str:
        """Where it is, without user and password."""
        return self._url

    async def now(self) -> datetime:
        """Return the server's clock."""
        return (await self._run(self._calls.head()))[1]

    async def reserve(self, request: ReserveRequest) -> Decision:
        """Check every limit and take the amount from all of them, or take nothing.

        If the task is cancelled meanwhile, the amount may have been taken: repeat it under the same key, or leave it to its deadline.
        """
        return await self._run(self._calls.reserve(request))

    async def reserve_waiting(self, request: ReserveRequest, wait_seconds: float) -> Admitted | Refused:
        """Reserve, waiting up to ``wait_seconds`` in arrival order while only what others reserved is in the way; see ``waiting``.

        A task that waits sleeps in its loop. If it is cancelled, it leaves the queue.
        """
        return await reserve_awaited(self, request, wait_seconds, sleep=asyncio.sleep, monotonic=time.monotonic)

    async def leave_queue(self, key: str) -> None:
        """Give up the place of a waiting reserve."""
        await self._run(self._calls.leave_queue(key))

    async def settle(self, key: str, reservation: str, actual: Actual) -> Resolution:
        """Post what a call cost, in the period of its reservation."""
        return await self._run(self._calls.settle(key, reservation, actual))

    async def void(self, key: str, reservation: str, reason: str) -> Resolution:
        """Release a reservation for which nothing was bought."""
        return await self._run(self._calls.release("void", key, reservation, reason))

    async def hold(self, key: str, reservation: str, reason: str) -> Resolution:
        """Keep the reserved amount counted, because it may have been billed."""
        return await self._run(self._calls.release("hold", key, reservation, reason))

    async def read(self, charges: Sequence[Charge], zone: str) -> tuple[BudgetState, ...]:
        """Return how each limit of the charges stands now."""
        return await self._run(self._calls.read(charges, zone))

    async def show(self, reservation: str) -> Reservation:
        """Return one reservation."""
        return await self._run(self._calls.show(reservation))

    async def close(self) -> None:
        """Close the connections."""
        await self._link.close()

    async def _run(self, operation: Operation[Answer]) -> Answer:
        """Send what an operation wants to say until it has its answer."""
        running = Running(self._url, operation)
        while running.command is not None:
            try:
                reply = await self._execute(running.command)
            except failures() as error:
                running.fail(error)
            else:
                running.take(reply)
        return running.answer

    async def _first_execute(self, command: Command) -> Any:
        """Look at the server once, and send; from then on commands are sent without a detour."""
        async with self._opening:
            if self._execute == self._first_execute:
                judge_server(self._url, await self._link.health(self._calls.head_key), self._warn)
                self._execute = self._link.execute
        return await self._link.execute(command)
