"""How a kind of Redis server is reached: one, behind sentinels, or a cluster; in the clear or over TLS.

The only place that knows the difference. All it hands out speaks ``execute_command``; failures are translated by ``redis``.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from budget_gate.core.errors import UsageError
from budget_gate.ledger.redis_address import Address, parse_address, safe_url
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

_PAUSE_SECONDS = 0.05

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
        address = parse_address(url)
        if not address.service:
            raise UsageError(f"{safe_url(url)} names no service; write redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DATABASE")
        return lambda: _behind_sentinels(address)
    if scheme == "redis+cluster":
        address = parse_address(url)
        return lambda: _cluster(address)
    client = _single(url)
    return lambda: client


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
    transport = _transport(address)
    asking = {
        **_common(0),
        **transport,
        "username": address.options.get("sentinel_username") or None,
        "password": address.options.get("sentinel_password") or None,
    }
    data = {**_common(0), **transport, **_login(address), "db": address.database}
    client: Redis = group(address.servers, sentinel_kwargs=asking, **data).master_for(address.service)
    return client


def _cluster(address: Address) -> "RedisCluster":
    """Return a client of a cluster. Unlike the others it connects at once, to ask who has which slot."""
    from redis import cluster

    node: Any = cluster.ClusterNode  # the client's own types are incomplete
    nodes = [node(host, port) for host, port in address.servers]
    # One slot holds an organization; a cluster that misses others still serves it.
    return cluster.RedisCluster(
        startup_nodes=nodes, require_full_coverage=False, **_common(RETRIES), **_transport(address), **_login(address)
    )


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
    """Return what sends over a connection of the client's pool, with the client's retries, a command that is packed already.

    A reserve has some thirty words, most of them the same each time; the client would pack them all anew.
    """
    plain: Any = client  # the client's own types are incomplete
    pool = plain.connection_pool

    def execute(command: Command) -> Any:
        content = command.packed()
        connection = pool.get_connection()

        def exchange() -> Any:
            connection.send_packed_command([content])
            return connection.read_response()

        try:
            return connection.retry.call_with_retry(exchange, lambda _: connection.disconnect())
        finally:
            pool.release(connection)

    return execute


def _has_others(client: "Client") -> bool:
    """Whether another server may take over."""
    from redis.cluster import RedisCluster

    return isinstance(client, RedisCluster) or bool(_sentinels(client))


def _patient(send: Callable[P, Answer]) -> Callable[P, Answer]:
    """Return ``send``, tried again from its start: only so are sentinels asked anew (within a call the client does not)."""
    from redis.exceptions import AuthenticationError, ClusterError, TryAgainError
    from redis.exceptions import ConnectionError as RedisConnectionError
    from redis.exceptions import TimeoutError as RedisTimeoutError

    def execute(*arguments: P.args, **named: P.kwargs) -> Answer:
        until = time.monotonic() + FAILOVER_SECONDS
        while True:
            try:
                return send(*arguments, **named)
            except AuthenticationError:
                raise
            except (RedisConnectionError, RedisTimeoutError, ClusterError, TryAgainError):
                # Of a slot that is being moved the client says so after half a second of TRYAGAIN; no script ran.
                if time.monotonic() > until:
                    raise
            except AttributeError as error:
                # It fails so when a cluster sends it on to a node without slots, which it has not in its list.
                if time.monotonic() > until:
                    raise ClusterError("TTL exhausted: the slot is on its way to a new node") from error
            time.sleep(_PAUSE_SECONDS)

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
