"""How the asyncio shell reaches a kind of Redis server: one, behind sentinels, or a cluster. What is awaited of ``redis_connect``.

A ``Link`` belongs to the event loop that uses it first; it connects when it is used.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from budget_gate.core.errors import UsageError
from budget_gate.ledger.redis_address import Address, parse_address, safe_url
from budget_gate.ledger.redis_connect import (
    ANSWER_SECONDS,
    FORMS,
    PAUSE_SECONDS,
    RETRIES,
    Patience,
    ServerHealth,
    client_options,
    cluster_options,
    health_of,
    passing_failures,
    sentinel_options,
    service_address,
)
from budget_gate.ledger.redis_wire import Command

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Answer = TypeVar("Answer")

CONNECTIONS_MOST = 32
"""Commands that one ledger has under way; tasks beyond that wait. A server runs one script at a time anyway."""


class Link(Protocol):
    """A way to the server or servers of one ledger."""

    client: Any
    """The client underneath."""

    async def execute(self, command: Command) -> Any:
        """Send one command and return its reply; raises what the client raises."""
        ...

    async def health(self, key: str, /) -> ServerHealth:
        """Return what the server that has ``key`` says about itself."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


def link(url: str) -> Link:
    """Return the way to the servers that a URL names. Raises ``UsageError`` for a URL of no known form."""
    scheme = url.partition(":")[0].lower()
    if scheme == "redis+sentinel":
        return _SentinelLink(service_address(url))
    if scheme == "redis+cluster":
        return _ClusterLink(parse_address(url))
    if scheme not in {"redis", "rediss"}:
        raise _not_an_address(url)
    return _DirectLink(url)


def _not_an_address(url: str) -> UsageError:
    return UsageError(f"{safe_url(url)} is not a Redis URL; write {FORMS}")


class _Turns:
    """Lets so many tasks at a time pass."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(CONNECTIONS_MOST)

    @asynccontextmanager
    async def one(self) -> "AsyncIterator[None]":
        """Hold a turn, having waited for it as long as an answer may take."""
        try:
            await asyncio.wait_for(self._free.acquire(), ANSWER_SECONDS)
        except TimeoutError:
            raise ConnectionError("no connection came free") from None
        try:
            yield
        finally:
            self._free.release()


class _DirectLink:
    """One server: packed commands over connections of the client's pool, with the client's retries. See ``redis_connect``."""

    def __init__(self, url: str) -> None:
        from redis.asyncio import Redis

        try:
            self.client: Any = Redis.from_url(url, **_common(RETRIES))
        except (ValueError, TypeError):
            raise _not_an_address(url) from None
        self._connections = _Connections(self.client.connection_pool)

    async def execute(self, command: Command) -> Any:
        """Send one command."""
        content = [command.packed()]
        watched = self._connections.idle() or await self._connections.one()
        try:
            return await watched.exchange(content)
        finally:
            self._connections.give_back(watched)

    async def health(self, _key: str) -> ServerHealth:
        """Ask the server."""
        return await _ask_health(self.client)

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()


class _Connections:
    """Connections that were asked of the client's pool and stay with us, so many at most: to take one needs no look at its socket.

    When all are in use, tasks get them in the order in which they asked.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._idle: list[_Watched] = []
        self._opened = 0
        self._waiting: deque[asyncio.Future[_Watched | None]] = deque()

    def idle(self) -> "_Watched | None":
        """Take one that nobody uses; there is none while a task waits."""
        return self._idle.pop() if self._idle else None

    async def one(self) -> "_Watched":
        """Open one, or wait for one as long as an answer may take."""
        while self._opened >= CONNECTIONS_MOST:
            if (found := await self._handed_on()) is not None:
                return found
        self._opened += 1
        try:
            connection = await self._pool.get_connection()
        except BaseException:
            self._opened -= 1
            self.give_back(None)
            raise
        connection.socket_timeout = None  # the client would start a task for each sending to time it
        return _Watched(connection)

    async def _handed_on(self) -> "_Watched | None":
        """Wait for what another task gives back: a connection, or None for leave to open one."""
        place: asyncio.Future[_Watched | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                self.give_back(place.result())
            place.cancel()
            if isinstance(error, TimeoutError):
                raise ConnectionError("no connection came free") from None
            raise

    def give_back(self, watched: "_Watched | None") -> None:
        """Hand a connection on to whoever waits longest, or keep it."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(watched)
                return
        if watched is not None:
            self._idle.append(watched)


class _Watched:
    """A connection that stays with us, on which no answer may take longer than ``ANSWER_SECONDS``.

    Its timer runs on from one command to the next and is looked at when it ends; one for each command, as the client and
    ``asyncio.timeout`` have, took a tenth of the time of a reserve.
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._task: asyncio.Task[Any] | None = None
        self._answer_by = 0.0
        self._is_timed = self._is_late = False

    async def exchange(self, content: list[bytes]) -> Any:
        """Send and read; where the connection failed, again over a new one, with the client's retries."""
        try:
            return await self._once(content)
        except _connection_failures():
            await self.connection.disconnect()
        return await self.connection.retry.call_with_retry(lambda: self._once(content), lambda _: self.connection.disconnect())

    async def _once(self, content: list[bytes]) -> Any:
        """Send and read. Raises the client's ``TimeoutError`` when there is no answer in time, disconnected."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        cancelled_before = task.cancelling()
        self._task, self._answer_by, self._is_late = task, loop.time() + ANSWER_SECONDS, False
        if not self._is_timed:
            self._look(loop)
        try:
            await self.connection.send_packed_command(content)
            return await self.connection.read_response()
        except asyncio.CancelledError:
            await self.connection.disconnect(nowait=True)
            # Somebody else may have cancelled the task in the same moment: that is theirs to see.
            if self._is_late and task.uncancel() <= cancelled_before:
                raise _no_answer() from None
            raise
        finally:
            self._task = None

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look whether the command under way, if there is one, is late; if not, look again when it would be."""
        seconds_left = self._answer_by - loop.time()
        self._is_timed = self._task is not None and seconds_left > 0
        if self._is_timed:
            loop.call_later(seconds_left, self._look, loop)
        elif self._task is not None:
            self._is_late = True
            self._task.cancel()


def _connection_failures() -> tuple[type[Exception], ...]:
    """Return what the client's own retrying retries: for an ``except`` clause."""
    from redis.exceptions import ConnectionError as RedisConnectionError
    from redis.exceptions import TimeoutError as RedisTimeoutError

    return (RedisConnectionError, RedisTimeoutError)


def _no_answer() -> Exception:
    from redis.exceptions import TimeoutError as RedisTimeoutError

    return RedisTimeoutError("no answer in time")


class _SentinelLink:
    """Whichever server the sentinels call the primary, asked anew at every connection."""

    def __init__(self, address: Address) -> None:
        from redis.asyncio import sentinel

        asking, data = sentinel_options(address, _common(0))
        kind: Any = sentinel.Sentinel  # the client's own types are incomplete
        self._group = kind(address.servers, sentinel_kwargs=asking, **data)
        self.client: Any = self._group.master_for(address.service)
        self._turns = _Turns()

    async def execute(self, command: Command) -> Any:
        """Send one command, again while another server takes over."""
        async with self._turns.one():
            return await _patiently(lambda: self.client.execute_command(*command.words()))

    async def health(self, _key: str) -> ServerHealth:
        """Ask the primary."""
        return await _patiently(lambda: _ask_health(self.client))

    async def close(self) -> None:
        """Close the connections, those to sentinels too."""
        await self.client.aclose()
        await self.client.connection_pool.disconnect()
        for each in self._group.sentinels:
            await each.aclose()


class _ClusterLink:
    """A cluster: its client asks who has which slot before the first command."""

    def __init__(self, address: Address) -> None:
        from redis.asyncio import cluster

        nodes: Any = [cluster.ClusterNode(host, port) for host, port in address.servers]
        self.client: Any = cluster.RedisCluster(startup_nodes=nodes, **cluster_options(address, _common(RETRIES)))
        self._turns = _Turns()

    async def execute(self, command: Command) -> Any:
        """Send one command to the node that has the ledger, again while another takes over."""
        async with self._turns.one():
            return await _patiently(lambda: self.client.execute_command(*command.words()))

    async def health(self, key: str) -> ServerHealth:
        """Ask the node that has the key."""
        return await _patiently(lambda: self._ask(key))

    async def _ask(self, key: str) -> ServerHealth:
        from redis.exceptions import ResponseError

        await self.client.initialize()
        node, answers = self.client.get_node_from_key(key), []
        for words in (("INFO",), ("CONFIG GET", "save")):
            try:
                answers.append(await node.execute_command(*words))
            except ResponseError as error:
                answers.append(error)
        return health_of(*answers)

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()


def _common(retries: int) -> dict[str, Any]:
    from redis.asyncio.retry import Retry

    return client_options(Retry, retries)


async def _ask_health(client: Any) -> ServerHealth:
    async with client.pipeline(transaction=False) as pipeline:
        pipeline.execute_command("INFO")
        pipeline.execute_command("CONFIG GET", "save")
        info, saves = await pipeline.execute(raise_on_error=False)
    return health_of(info, saves)


async def _patiently(send: Callable[[], Awaitable[Answer]]) -> Answer:
    """Await ``send``, again with patience where another server may take over."""
    patience = Patience()
    while True:
        try:
            return await send()
        except passing_failures() as error:
            patience.bear(error)
        await asyncio.sleep(PAUSE_SECONDS)
