"""What ``doctor`` says of a Redis server, for what the server says of itself: real servers with real settings."""

import contextlib
from collections.abc import Iterator

import pytest
from fakes.redis_groups import admin
from fakes.redis_server import RedisServer

from budget_gate.ledger.health import Finding
from budget_gate.ledger.redis import RedisLedger
from budget_gate.ledger.redis_connect import ServerHealth
from budget_gate.ledger.redis_health import findings


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A server whose settings these tests change."""
    with RedisServer() as started:
        yield started


def examined(url: str) -> dict[str, Finding]:
    """Return what a ledger says of its server, by name."""
    with contextlib.closing(RedisLedger(url, organization="acme")) as ledger:
        return {each.name: each for each in ledger.examine()}


@pytest.mark.parametrize(
    ("settings", "eviction", "persistence"),
    [
        ({"maxmemory-policy": "noeviction", "save": "", "appendonly": "no"}, "ok", "warning"),
        ({"maxmemory-policy": "allkeys-lru", "save": "3600 1", "appendonly": "no"}, "fault", "warning"),
        ({"maxmemory-policy": "volatile-ttl", "save": "", "appendonly": "yes"}, "ok", "ok"),
    ],
)
def test_eviction_and_persistence_are_judged(
    server: RedisServer, settings: dict[str, str], eviction: str, persistence: str
) -> None:
    """A server that may drop keys is a fault, one that may forget at a restart a warning, each with what to set."""
    client = admin(server)
    for name, value in settings.items():
        client.config_set(name, value)
    client.close()
    found = examined(server.url())
    assert (found["eviction"].outcome, found["persistence"].outcome) == (eviction, persistence)
    if persistence == "warning":
        assert "appendonly" in found["persistence"].text


def test_what_a_user_may_not_ask_is_said_to_be_unknown(server: RedisServer) -> None:
    """A user without INFO and CONFIG is told what to see to, and nothing fails."""
    client = admin(server)
    client.execute_command("ACL", "SETUSER", "few", "on", ">pw", "~*", "-@all", "+evalsha", "+eval")
    client.close()
    found = examined(f"redis://few:pw@127.0.0.1:{server.port}/0")
    assert [found[name].outcome for name in ("eviction", "persistence")] == ["warning", "warning"]
    assert "noeviction" in found["eviction"].text


def test_snapshots_alone_are_a_warning() -> None:
    """What came after the last snapshot is lost in a crash, and the line says how to do better."""
    health = ServerHealth("noeviction", "3600 1", is_appending=False, replicas=1, version="7.2.4")
    said = {each.name: each for each in findings("redis://host", health)}
    assert "snapshots only" in said["persistence"].text
    assert said["server"].text == "version 7.2.4, 1 replicas connected"
