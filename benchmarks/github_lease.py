"""How many requests a lease on the branch costs, and what ten runners at once come to. Counted on the fake, so exact; run it any time.

Times are of the fake on this machine, with a delay for each request that stands for the way to github.com (--delay, seconds).
Usage: python benchmarks/github_lease.py [--runners 10] [--delay 0.15]
"""

import argparse
import multiprocessing
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

from fakes.github_ledger import GitHubOpener, GitHubStore
from fakes.github_server import Fault
from fakes.ledger_requests import actual, charge, line, request, usd

from budget_gate.core.policy import Bounds
from budget_gate.core.reservations import Admitted
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.github import PACE
from budget_gate.ledger.lease import LeasedLedger, task_bound
from budget_gate.ledger.verify import verify
from budget_gate.ledger.waiting import reserve_waiting

CALLS = 10
LIMIT = 700
"""Room for seven tasks of a hundred at once; each spends forty, so all ten can be served, though not without waiting or small leases."""


def run_task(url: str, runner: int) -> tuple[float, int]:
    """Make ten calls on one lease, in a process of its own; return the seconds it took and how many calls were admitted."""
    started = time.perf_counter()
    ledger = LeasedLedger(GitHubOpener(url, pace=PACE)(), task_bound(Bounds(nano_usd=100, steps=CALLS)))
    charges = (charge(ORG, "month", line(LIMIT)), charge(Scope("task", f"t{runner}"), "lifetime", line(100)))
    served = 0
    for call in range(CALLS):
        asked = request(f"{runner}-{call}", usd(10, 10, 1), *charges)
        decision = reserve_waiting(ledger, asked, 120, sleep=time.sleep, monotonic=time.monotonic)
        if isinstance(decision, Admitted):
            ledger.settle(asked.key, decision.reservation, actual(usd(4, 5, 1)))
            served += 1
    ledger.close()
    return time.perf_counter() - started, served


def alone(store: GitHubStore, delay_seconds: float) -> None:
    """Print what one task costs without contention, request by request."""
    store.server.faults.append(Fault("POST", ".*", "slow", times=10**9, seconds=delay_seconds))
    store.server.faults.append(Fault("PATCH", ".*", "slow", times=10**9, seconds=delay_seconds))
    seconds, served = run_task(store.server.url, 99)
    paths = [path.rsplit("/", 1)[-1] for _, path in store.server.requests]
    half = len(paths) // 2
    print(f"one task of {served} calls: {len(paths)} requests in {seconds:.2f} s (with {delay_seconds:g} s for each)")
    print(f"  lease:  {half} of at most 4  ({', '.join(paths[:half])})")
    print(f"  settle: {len(paths) - half} of at most 4  ({', '.join(paths[half:])})")
    print(f"  without a lease the same task would have sent {CALLS * 8}")


def together(store: GitHubStore, runners: int) -> None:
    """Print how several runners at once came out."""
    store.server.requests.clear()
    with multiprocessing.get_context("spawn").Pool(runners) as pool:
        found = pool.starmap(run_task, [(store.server.url, runner) for runner in range(runners)])
    served = [count for _, count in found]
    spent = {row.scope: row.value for row in store.ledger.counters()}["org"]
    print(
        f"{runners} runners at once: {sum(count == CALLS for count in served)} finished all their calls, {sum(served)} calls in all"
    )
    print(f"  {len(store.server.requests) / runners:.1f} requests each; slowest {max(seconds for seconds, _ in found):.1f} s")
    print(f"  spent {spent.posted.nano_usd} of {LIMIT}, pending {spent.pending.nano_usd}, held {spent.held.nano_usd}")
    print(f"  over the line: {'no' if spent.posted.nano_usd <= LIMIT else 'YES'}; verify: {verify(store.ledger).ok}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runners", type=int, default=10)
    parser.add_argument("--delay", type=float, default=0.15)
    chosen = parser.parse_args()
    store = GitHubStore()
    alone(store, chosen.delay)
    together(store, chosen.runners)
    store.close()


if __name__ == "__main__":
    main()
