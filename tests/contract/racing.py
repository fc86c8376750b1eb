"""Eight processes for races, and what each of them does: here, not in test files, so that a process can import it."""

import multiprocessing
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from typing import Any, TypeVar

from contract.ledgers import Opener
from fakes.ledger_requests import actual, admitted, charge, line, request, usd

from budget_gate.core.charges import Charge
from budget_gate.core.policy import Policy
from budget_gate.core.reservations import Admitted, Decision, Resolution
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.archive import Figures, close_month, month_to_close
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.verify import verify
from budget_gate.ledger.waiting import reserve_waiting

PROCESSES = 8

Found = TypeVar("Found")
_start: list[Barrier] = []


def _keep(barrier: Barrier) -> None:
    _start.append(barrier)


def _race(opener: Opener, run: Callable[..., Found], number: int, arguments: tuple[Any, ...]) -> Found:
    ledger = opener()
    try:
        _start[0].wait(timeout=60)
        return run(ledger, number, *arguments)
    finally:
        ledger.close()


class Racers:
    """Eight processes that start each race together."""

    def __init__(self, seconds_most: float = 120) -> None:
        self._seconds_most = seconds_most
        context = multiprocessing.get_context("spawn")
        self._barrier = context.Barrier(PROCESSES)
        self._pool = ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_keep, initargs=(self._barrier,))

    def run(self, opener: Opener, run: Callable[..., Found], *arguments: Any) -> list[Found]:
        """Run a function as (a ledger of its own, the racer's number, arguments) in all processes; return their answers."""
        races = [self._pool.submit(_race, opener, run, number, arguments) for number in range(PROCESSES)]
        return [race.result(timeout=self._seconds_most) for race in races]

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown()


def reserve_until_refused(ledger: Ledger, number: int, scope: Scope, limit: int) -> int:
    """Take one at a time until refused; return how often it was admitted."""
    limited = charge(scope, "month", line(limit))
    count = 0
    while isinstance(ledger.reserve(request(f"{scope.name}-{number}-{count}", usd(1), limited)), Admitted):
        count += 1
    return count


def reserve_from_many(ledger: Ledger, number: int, charges: Sequence[Charge], calls: int) -> list[tuple[str, ...]]:
    """Ask random sets of limits for one; settle, void or hold some; return the scopes of each admission."""
    choose = random.Random(number)
    taken = []
    for call in range(calls):
        wanted = choose.sample(charges, 3)
        decision = ledger.reserve(request(f"{number}-{call}", usd(1), *wanted))
        if not isinstance(decision, Admitted):
            continue
        taken.append(tuple(each.scope.text for each in wanted))
        if call % 4 == 0:
            ledger.settle(f"{number}-{call}", decision.reservation, actual(usd(1)))
        if call % 4 == 1:
            ledger.hold(f"{number}-{call}", decision.reservation, "lost")
    return taken


def reserve_the_same(ledger: Ledger, number: int, keys: Sequence[str], each: Charge) -> list[Decision]:
    """Send the same requests as everybody else."""
    return [ledger.reserve(request(key, usd(10), each)) for key in keys]


def settle_the_same(ledger: Ledger, number: int, reservations: Sequence[str]) -> list[Resolution]:
    """Settle the same reservations as everybody else, under the same keys."""
    return [ledger.settle(name, name, actual(usd(3))) for name in reservations]


def resolve_at_odds(ledger: Ledger, number: int, reservations: Sequence[str]) -> None:
    """Settle, void or hold the same reservations as everybody else, under keys of its own."""
    for name in reservations:
        if number % 3 == 0:
            ledger.settle(f"{name}-{number}", name, actual(usd(3)))
        elif number % 3 == 1:
            ledger.void(f"{name}-{number}", name, "not sent")
        else:
            ledger.hold(f"{name}-{number}", name, "lost")


def spend(ledger: Ledger, number: int, each: Charge, calls: int) -> list[str]:
    """Reserve and settle one at a time; return the tiers that this process crossed."""
    crossed = []
    for call in range(calls):
        taken = admitted(ledger.reserve(request(f"{number}-{call}", usd(1), each)))
        crossed += [it.tier for it in ledger.settle(f"{number}-{call}", taken.reservation, actual(usd(1))).crossed]
    return crossed


def deliver(ledger: Ledger, number: int, claims: int) -> list[str]:
    """Claim messages two at a time, acknowledging each; return what was claimed."""
    claimed = []
    for _ in range(claims):
        for each in ledger.claim_deliveries(f"worker-{number}", 2, 60):
            assert ledger.acknowledge(each.delivery, f"worker-{number}")
            claimed.append(each.delivery)
    return claimed


def sweep_all(ledger: Ledger, number: int) -> int:
    """Sweep a few at a time until nothing is left; return how many this process turned into holds."""
    total = 0
    while (done := ledger.sweep(5)) > 0:
        total += done
    return total


def serve(ledger: Ledger, number: int, threads: int, calls: int, limit: int) -> int:
    """Make calls that reserve ten times what they use, several at once; return how many were served."""
    limited = charge(ORG, "month", line(limit))
    served: list[str] = []

    def work(thread: int) -> None:
        for call in range(calls):
            asked = request(f"{number}-{thread}-{call}", usd(10), limited, minimum=usd(1))
            decision = reserve_waiting(ledger, asked, 60, sleep=time.sleep, monotonic=time.monotonic)
            if isinstance(decision, Admitted):
                time.sleep(0.002)  # the call itself
                ledger.settle(asked.key, decision.reservation, actual(usd(1)))
                served.append(asked.key)

    workers = [threading.Thread(target=work, args=(thread,)) for thread in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return len(served)


def die_waiting(ledger: Ledger, number: int, each: Charge) -> None:
    """Join the queue and die there, without a word; the last racer only looks on."""
    if number == PROCESSES - 1:
        return
    ledger.reserve(request(f"dead-{number}", usd(50), each, may_wait=True))


def verify_among_writers(ledger: Ledger, number: int, calls: int) -> str:
    """Verify, as one of two, while the others write; return the problem found."""
    if number >= 2:
        spend(ledger, number, charge(ORG, "month", line(10_000)), calls)
        return ""
    problems = [verify(ledger).problem for _ in range(2)]
    return "; ".join(problem for problem in problems if problem)


def close_a_month(ledger: Ledger, number: int) -> tuple[int, tuple[Figures, ...]]:
    """Close the month that ended; return how many notes this process wrote, and what it answered."""
    policy = Policy("acme", "UTC", {}, (), {})
    archive = close_month(policy, ledger, month_to_close(policy, ledger.now()), f"racer {number}")
    return archive.written, archive.figures


def work_through(ledger: Ledger, number: int, operations: int, scopes: int) -> dict[str, tuple[int, int]]:
    """Reserve, then settle, hold or void, so many operations over so many scopes; return posted and held nano-dollars per scope."""
    choose = random.Random(number)
    sums: dict[str, tuple[int, int]] = {}
    for call in range(operations // 2):
        names = [f"s{choose.randrange(scopes)}" for _ in range(2)]
        charges = [charge(Scope("team", name), "lifetime", line(10**15)) for name in dict.fromkeys(names)]
        amount, cost, fate = choose.randrange(1, 10**6), choose.randrange(1, 10**6), choose.random()
        taken = admitted(ledger.reserve(request(f"{number}-{call}", usd(amount, 1, 1), *charges)))
        posted, held = 0, 0
        if fate < 0.8:
            ledger.settle(f"{number}-{call}", taken.reservation, actual(usd(cost, 1, 1)))
            posted = cost
        elif fate < 0.9:
            ledger.hold(f"{number}-{call}", taken.reservation, "cut off")
            held = amount
        else:
            ledger.void(f"{number}-{call}", taken.reservation, "not sent")
        for each in charges:
            before = sums.get(each.scope.text, (0, 0))
            sums[each.scope.text] = (before[0] + posted, before[1] + held)
    return sums
