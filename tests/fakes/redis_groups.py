"""Groups of real servers: a primary and a replica watched by sentinels, and a cluster of two nodes. Small, and quick to fail over."""

import atexit
import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import redis
from fakes.redis_server import RedisServer

SERVICE = "ledger"
SLOTS = 16384

_PROMPT = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")


_shared = contextlib.ExitStack()
"""What this test process has started once for all its tests; stopped when the process ends."""


@functools.cache
def shared_group() -> "SentinelGroup":
    """Return this test process's servers behind a sentinel."""
    atexit.register(_shared.close)
    return _shared.enter_context(sentinel_group())


@functools.cache
def shared_cluster() -> "Cluster":
    """Return this test process's cluster."""
    atexit.register(_shared.close)
    return _shared.enter_context(cluster())


def until(is_so: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
    """Wait until something is so; fails by saying what never came."""
    over = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < over, f"waited {seconds} seconds for: {what}"
        time.sleep(0.02)


def admin(server: RedisServer) -> "redis.Redis":
    """Return a client that may do anything; the caller closes it."""
    return redis.Redis.from_url(server.url(), decode_responses=True, protocol=2)


class SentinelGroup(NamedTuple):
    """A primary, its replica, and one sentinel that takes it for dead after a third of a second."""

    primary: RedisServer
    replica: RedisServer
    sentinel: RedisServer

    def url(self, user_info: str = "") -> str:
        """Return the ledger's address."""
        return f"redis+sentinel://{user_info}127.0.0.1:{self.sentinel.port}/{SERVICE}/0"

    def primary_port(self) -> int:
        """Return the port of the server that the sentinel calls the primary."""
        client = admin(self.sentinel)
        try:
            return int(client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)[1])
        finally:
            client.close()

    def replica_has_everything(self) -> bool:
        """Whether the replica has acknowledged all that the primary wrote."""
        client = admin(self.primary)
        try:
            info = client.info("replication")
        finally:
            client.close()
        return bool(info["connected_slaves"]) and info["slave0"]["offset"] == info["master_repl_offset"]


@contextlib.contextmanager
def sentinel_group(flavour: str = "") -> Iterator[SentinelGroup]:
    """Start a group, the replica in step; stop it when the block ends."""
    with contextlib.ExitStack() as stack:
        primary = stack.enter_context(RedisServer(flavour, options=_PROMPT))
        follow = ("--replicaof", "127.0.0.1", str(primary.port))
        replica = stack.enter_context(RedisServer(flavour, options=(*_PROMPT, *follow)))
        sentinel = stack.enter_context(RedisServer(flavour, options=("--sentinel",), is_sentinel=True))
        client = admin(sentinel)
        client.execute_command("SENTINEL", "MONITOR", SERVICE, "127.0.0.1", primary.port, 1)
        client.execute_command("SENTINEL", "SET", SERVICE, "down-after-milliseconds", 300)
        client.execute_command("SENTINEL", "SET", SERVICE, "failover-timeout", 1000)
        group = SentinelGroup(primary, replica, sentinel)
        until(group.replica_has_everything, "the replica to be in step")
        until(lambda: bool(client.execute_command("SENTINEL", "REPLICAS", SERVICE)), "the sentinel to know the replica")
        client.close()
        yield group


class Cluster(NamedTuple):
    """Two primaries; the first has every slot, until one is moved."""

    nodes: tuple[RedisServer, RedisServer]

    def url(self, user_info: str = "") -> str:
        """Return the ledger's address."""
        return f"redis+cluster://{user_info}127.0.0.1:{self.nodes[0].port}"

    def begin_move(self, slot: int) -> None:
        """Declare that a slot is on its way from the first node to the second."""
        with _both(self) as (source, target):
            target.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", source.execute_command("CLUSTER MYID"))
            source.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", target.execute_command("CLUSTER MYID"))

    def move_keys(self, slot: int, most: int) -> int:
        """Move up to ``most`` keys of the slot; return how many there were."""
        with _both(self) as (source, _):
            keys = source.execute_command("CLUSTER GETKEYSINSLOT", slot, most)
            for key in keys:
                source.execute_command("MIGRATE", "127.0.0.1", self.nodes[1].port, key, 0, 5000)
            return len(keys)

    def end_move(self, slot: int) -> None:
        """Give the slot to the second node."""
        with _both(self) as (source, target):
            name = target.execute_command("CLUSTER MYID")
            for node in (target, source):
                node.execute_command("CLUSTER SETSLOT", slot, "NODE", name)


@contextlib.contextmanager
def _both(cluster: Cluster) -> Iterator[tuple["redis.Redis", "redis.Redis"]]:
    clients = [admin(node) for node in cluster.nodes]
    try:
        yield clients[0], clients[1]
    finally:
        for client in clients:
            client.close()


@contextlib.contextmanager
def cluster(flavour: str = "") -> Iterator[Cluster]:
    """Start a cluster whose nodes know each other; stop it when the block ends."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no")
    with RedisServer(flavour, options=options) as first, RedisServer(flavour, options=options) as second:
        both = Cluster((first, second))
        with _both(both) as clients:
            clients[0].execute_command("CLUSTER ADDSLOTS", *range(SLOTS))
            clients[0].execute_command("CLUSTER SET-CONFIG-EPOCH", 1)
            clients[1].execute_command("CLUSTER SET-CONFIG-EPOCH", 2)
            clients[0].execute_command("CLUSTER MEET", "127.0.0.1", second.port)
            for client in clients:
                until(lambda client=client: _is_ready(client), "the cluster to form")
        yield both


def _is_ready(client: "redis.Redis") -> bool:
    info = client.execute_command("CLUSTER INFO")
    nodes = str(client.execute_command("CLUSTER NODES"))
    return info["cluster_state"] == "ok" and info["cluster_known_nodes"] == "2" and "handshake" not in nodes
