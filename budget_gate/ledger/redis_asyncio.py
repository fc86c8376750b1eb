"""The Redis ledger for programs that run on asyncio: the same scripts and the same failures as ``redis``, awaited.

For one server, in the clear or over TLS, and for what a running agent asks of a ledger. Sentinel, Cluster and looking after the
books are the blocking shell's: several at a time can be used on one ledger, they are the same to the server.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from budget_gate.core.charges import Charge
from budget_gate.core.errors import UsageError
from budget_gate.core.reservations import Actual, BudgetState, Decision, Reservation, ReserveRequest, Resolution
from budget_gate.ledger.redis_address import safe_url
from budget_gate.ledger.redis_calls import Calls, Operation
from budget_gate.ledger.redis_connect import ANSWER_SECONDS, RETRIES, client_options, health_of
from budget_gate.ledger.redis_shell import Running, failures, judge_server, say_nothing
from budget_gate.ledger.redis_wire import Command

if TYPE_CHECKING:
    from redis.asyncio import Redis

Answer = TypeVar("Answer")

CONNECTIONS_MOST = 32
"""Connections that one ledger opens; tasks beyond that wait for one to be free. A server runs one script at a time anyway."""


class AsyncRedisLedger:
    """One organization's ledger on a Redis server. Safe to share between the tasks of one event loop, and only there."""

    def __init__(
        self, url: str, *, organization: str, clock_offset_seconds: float = 0.0, warn: Callable[[str], None] = say_nothing
    ) -> None:
        """Name the server; nothing is sent before the first operation. Arguments are those of ``RedisLedger``.

        Raises ``UsageError`` for a URL or an organization that cannot be, and for a Sentinel or a cluster.
        """
        self._url = safe_url(url)
        self._calls = Calls(organization, clock_offset_seconds)
        self._client: Any = _client(url)  # the client's own types are incomplete
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
        await self._client.aclose()

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
                await self._check_server()
                self._execute = self._send
        return await self._send(command)

    async def _send(self, command: Command) -> Any:
        """Send over a connection of the client's pool, with the client's retries, a command that is packed already."""
        pool, content = self._client.connection_pool, command.packed()
        connection = await pool.get_connection()

        async def exchange() -> Any:
            await connection.send_packed_command([content])
            return await connection.read_response()

        try:
            return await connection.retry.call_with_retry(exchange, lambda _: connection.disconnect())
        finally:
            await pool.release(connection)

    async def _check_server(self) -> None:
        async with self._client.pipeline(transaction=False) as pipeline:
            pipeline.execute_command("INFO")
            pipeline.execute_command("CONFIG GET", "save")
            info, saves = await pipeline.execute(raise_on_error=False)
        judge_server(self._url, health_of(info, saves), self._warn)


def _client(url: str) -> "Redis":
    """Return the client of one server; it connects when it is used, in the loop that uses it."""
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry

    scheme = url.partition(":")[0].lower()
    if scheme not in {"redis", "rediss"}:
        raise UsageError(f"{safe_url(url)} is not for asyncio; write redis://HOST:PORT/DATABASE or rediss://, or use RedisLedger")
    limits: dict[str, Any] = {"max_connections": CONNECTIONS_MOST, "timeout": ANSWER_SECONDS}
    try:
        return Redis.from_pool(BlockingConnectionPool.from_url(url, **limits, **client_options(Retry, RETRIES)))
    except (ValueError, TypeError):
        raise UsageError(f"{safe_url(url)} is not a Redis URL; write redis://HOST:PORT/DATABASE or rediss://") from None
