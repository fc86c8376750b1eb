"""How a kind of Redis server is reached: one, behind sentinels, or a cluster; in the clear or over TLS.

The only place that knows the difference. All it hands out speaks ``execute_command``; failures are translated by ``redis``.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from budget_gate.core.errors import UsageError
from budget_gate.ledger.redis_address import SENTINEL_FORM, Address, parse_address, safe_url
from budget_gate.ledger.redis_wire import Command

if TYPE_CHECKING:
    from redis import Redis
    from redis.cluster import RedisCluster

    Client = Redis | RedisCluster

Answer = TypeVar("Answer")
P = ParamSpec("P")

CONNECT_SECONDS = 5.0
"""How long a connection may take to open."""

ANSWER_SECONDS = 10.0
"""How long an answer may take."""

RETRIES = 3
"""How often a call is sent again when its connection failed. Safe: keys make every operation count once."""

FAILOVER_SECONDS = 10.0
"""How long a call is sent again where another server takes over when one fails, or while a cluster moves the ledger's slot."""

PAUSE_SECONDS = 0.05
"""Between two tries, where another server may take over."""

FORMS = (
    "redis://HOST:PORT/DATABASE, rediss://, redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DATABASE or redis+cluster://HOST:PORT"
)


class ServerHealth(NamedTuple):
    """What a server says about keeping what it is told. Empty text and None: it does not let us ask.

    ``saves`` is its snapshot schedule (``CONFIG GET save``), ``is_appending`` whether it keeps an append-only file.
    """

    eviction: str = ""
    saves: str | None = None
    is_appending: bool | None = None
    replicas: int = 0
    version: str = ""

    @property
    def forgets_at_restart(self) -> bool:
        """True when the server is known to write nothing to disk."""
        return self.is_appending is False and self.saves == ""


def opener(url: str) -> Callable[[], "Client"]:
    """Return what makes the client for a URL; nothing is sent before it is called.

    Raises ``UsageError`` for a URL of no known form.
    """
    scheme = url.partition(":")[0].lower()
    if scheme == "redis+sentinel":
        watched = service_address(url)
        return lambda: _behind_sentinels(watched)
    if scheme == "redis+cluster":
        address = parse_address(url)
        return lambda: _cluster(address)
    client = _single(url)
    return lambda: client


def service_address(url: str) -> Address:
    """Return the address of a ``redis+sentinel://`` URL. Raises ``UsageError`` if it names no service."""
    address = parse_address(url)
    if not address.service:
        raise UsageError(f"{safe_url(url)} names no service; write {SENTINEL_FORM}")
    return address


def _single(url: str) -> "Redis":
    import redis

    try:
        return redis.Redis.from_url(url, **_common(RETRIES))
    except (ValueError, TypeError):
        raise UsageError(f"{safe_url(url)} is not a Redis URL; write {FORMS}") from None


def _common(retries: int) -> dict[str, Any]:
    from redis.retry import Retry

    return client_options(Retry, retries)


def client_options(retry: Callable[..., Any], retries: int) -> dict[str, Any]:
    """Return what every client is told. ``retry`` makes the client's own retrying: a blocking or an asyncio one."""
    from redis.backoff import ExponentialWithJitterBackoff

    return {
        "decode_responses": True,
        "protocol": 2,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "health_check_interval": 30,
        "retry": retry(ExponentialWithJitterBackoff(cap=1.0, base=0.05), retries),
    }


def _behind_sentinels(address: Address) -> "Redis":
    """Return a client of whichever server the sentinels call the primary, asked anew at every connection."""
    from redis import sentinel

    group: Any = sentinel.Sentinel  # the client's own types are incomplete
    asking, data = sentinel_options(address, _common(0))
    client: Redis = group(address.servers, sentinel_kwargs=asking, **data).master_for(address.service)
    return client


def sentinel_options(address: Address, common: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what clients of the sentinels and what those of the servers they watch are told, a client's ``common`` options in both."""
    transport = _transport(address)
    asking = {
        **common,
        **transport,
        "username": address.options.get("sentinel_username") or None,
        "password": address.options.get("sentinel_password") or None,
    }
    return asking, {**common, **transport, **_login(address), "db": address.database}


def cluster_options(address: Address, common: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a cluster's client is told. One slot holds an organization; a cluster that misses others still serves it."""
    return {"require_full_coverage": False, **common, **_transport(address), **_login(address)}


def _cluster(address: Address) -> "RedisCluster":
    """Return a client of a cluster. Unlike the others it connects at once, to ask who has which slot."""
    from redis import cluster

    node: Any = cluster.ClusterNode  # the client's own types are incomplete
    nodes = [node(host, port) for host, port in address.servers]
    return cluster.RedisCluster(startup_nodes=nodes, **cluster_options(address, _common(RETRIES)))


def _login(address: Address) -> dict[str, Any]:
    return {"username": address.user or None, "password": address.password or None}


def _transport(address: Address) -> dict[str, Any]:
    """Return the TLS options: any of them, or ``ssl=true``, means TLS."""
    files = {name: value for name, value in address.options.items() if name.startswith("ssl_")}
    if not files and address.options.get("ssl") != "true":
        return {}
    return {"ssl": True, **files}


def executor(client: "Client") -> Callable[[Command], Any]:
    """Return what sends one command and answers its reply, patiently where another server may take over."""
    if not _has_others(client):
        return _direct(client)
    plain: Any = client  # the client's own types are incomplete

    def execute(command: Command) -> Any:
        return plain.execute_command(*command.words())

    return _patient(execute)


def _direct(client: "Client") -> Callable[[Command], Any]:
    """Return what sends packed commands over connections of the client's pool, with the client's retries.

    A reserve has some forty words, most of them the same each time, which the client would pack anew. And a connection, once asked of the
    pool, stays with us: the pool would look at its socket before each use, for what the retry after a failure does anyway.
    """
    plain: Any = client  # the client's own types are incomplete
    pool = plain.connection_pool
    idle: list[Any] = []

    def execute(command: Command) -> Any:
        content = [command.packed()]
        connection = _own_connection(idle) or pool.get_connection()

        def exchange() -> Any:
            connection.send_packed_command(content)
            return connection.read_response()

        try:
            return connection.retry.call_with_retry(exchange, lambda _: connection.disconnect())
        finally:
            idle.append(connection)

    return execute


def _own_connection(idle: list[Any]) -> Any:
    """Take one of these connections, any number of threads at once; after a fork those of the parent are left alone."""
    while True:
        try:
            connection = idle.pop()
        except IndexError:
            return None
        if connection.pid == os.getpid():
            return connection


def _has_others(client: "Client") -> bool:
    """Whether another server may take over."""
    from redis.cluster import RedisCluster

    return isinstance(client, RedisCluster) or bool(_sentinels(client))


class Patience:
    """How long one command is sent again where another server may take over. Not within the client: only anew are sentinels asked."""

    def __init__(self) -> None:
        self._until = time.monotonic() + FAILOVER_SECONDS

    def bear(self, error: Exception) -> None:
        """Return when a failure may be over the next time; raise it when it will not, or when the time is over."""
        from redis.exceptions import AuthenticationError, ClusterError, TryAgainError
        from redis.exceptions import ConnectionError as RedisConnectionError
        from redis.exceptions import TimeoutError as RedisTimeoutError

        # Of a slot that is being moved the client says so after half a second of TRYAGAIN; no script ran. It fails with AttributeError
        # when a cluster sends it on to a node without slots, which it has not in its list.
        passing = (RedisConnectionError, RedisTimeoutError, ClusterError, TryAgainError, AttributeError)
        if not isinstance(error, passing) or isinstance(error, AuthenticationError):
            raise error
        if time.monotonic() > self._until:
            if isinstance(error, AttributeError):
                raise ClusterError("TTL exhausted: the slot is on its way to a new node") from error
            raise error


def passing_failures() -> tuple[type[Exception], ...]:
    """Return what ``Patience`` judges: for an ``except`` clause."""
    from redis.exceptions import RedisError

    return (RedisError, AttributeError)


def _patient(send: Callable[P, Answer]) -> Callable[P, Answer]:
    """Return ``send``, tried again with patience."""

    def execute(*arguments: P.args, **named: P.kwargs) -> Answer:
        patience = Patience()
        while True:
            try:
                return send(*arguments, **named)
            except passing_failures() as error:
                patience.bear(error)
            time.sleep(PAUSE_SECONDS)

    return execute


def _sentinels(client: "Client") -> Sequence["Redis"]:
    pool = getattr(client, "connection_pool", None)
    found: Sequence[Redis] = getattr(getattr(pool, "sentinel_manager", None), "sentinels", ())
    return found


def close(client: "Client") -> None:
    """Close a client's connections, those to sentinels too."""
    client.close()
    pool = getattr(client, "connection_pool", None)
    if pool is None:
        return
    pool.disconnect()
    for sentinel in _sentinels(client):
        sentinel.close()


def read_health(client: "Client", key: str) -> ServerHealth:
    """Return what the server that has ``key`` says about itself, in one round trip. What it forbids stays unknown."""
    ask: Callable[[], ServerHealth] = lambda: _ask_health(client, key)  # noqa: E731 (typed)
    return _patient(ask)() if _has_others(client) else ask()


def _ask_health(client: "Client", key: str) -> ServerHealth:
    from redis.cluster import RedisCluster

    node: Any = client  # the client's own types are incomplete
    if isinstance(client, RedisCluster):
        node = client.get_redis_connection(node.get_node_from_key(key))
    with node.pipeline(transaction=False) as pipeline:
        pipeline.execute_command("INFO")
        pipeline.execute_command("CONFIG GET", "save")
        info, saves = pipeline.execute(raise_on_error=False)
    return health_of(info, saves)


def health_of(info: Any, saves: Any) -> ServerHealth:
    """Return what the answers to INFO and to CONFIG GET save tell. Raises a failure that says more than: you may not ask this."""
    _raise_unless_forbidden(info)
    _raise_unless_forbidden(saves)
    known: Mapping[str, Any] = info if isinstance(info, Mapping) else {}
    appending = known.get("aof_enabled")
    return ServerHealth(
        eviction=str(known.get("maxmemory_policy", "")),
        saves=str(saves["save"]) if isinstance(saves, Mapping) and "save" in saves else None,
        is_appending=None if appending is None else bool(int(appending)),
        replicas=int(known.get("connected_slaves", 0)),
        version=str(known.get("redis_version", "")),
    )


def _raise_unless_forbidden(reply: Any) -> None:
    """Raise a failure that says more than: you may not ask this."""
    from redis.exceptions import NoPermissionError, ResponseError

    is_forbidden = isinstance(reply, NoPermissionError) or type(reply) is ResponseError
    if isinstance(reply, Exception) and not is_forbidden:
        raise reply
