"""Races for Redis: what each process does, in a module that a spawned process can import."""

import multiprocessing
from collections.abc import Callable
from typing import Any

import redis
from fakes.ledger_requests import charge, line, request, usd

from budget_gate.core.reservations import Admitted
from budget_gate.ledger.redis import RedisLedger

LIMIT = 100
PROCESSES = 8
ROUNDS = 20


def admitted_together(run: Callable[..., int], url: str, name: str) -> int:
    """Return how many rounds were admitted in all, with every process doing its rounds at the same time."""
    context = multiprocessing.get_context("forkserver")  # one process imports, and all others are copies of it
    context.set_forkserver_preload(["fakes.redis_race"])
    together = context.Barrier(PROCESSES)
    admitted: Any = context.Queue()
    arguments = [(run, url, name, number, together, admitted) for number in range(PROCESSES)]
    processes = [context.Process(target=_run, args=each) for each in arguments]
    for process in processes:
        process.start()
    total = sum(admitted.get(timeout=60) for _ in processes)
    for process in processes:
        process.join()
        process.close()
    admitted.close()
    admitted.join_thread()
    return total


def _run(run: Callable[..., int], url: str, name: str, number: int, together: Any, admitted: Any) -> None:
    together.wait(timeout=60)
    admitted.put(run(url, name, number))


def reserve_calls(url: str, organization: str, number: int) -> int:
    """Reserve one call a round through our ledger, under a limit of ``LIMIT`` calls; return how many were admitted."""
    ledger = RedisLedger(url, organization=organization)
    limited = charge(*_ORG_MONTH, line(LIMIT, "requests"))
    decisions = [ledger.reserve(request(f"{number}-{turn}", usd(0, 0, 1), limited)) for turn in range(ROUNDS)]
    ledger.close()
    return sum(isinstance(decision, Admitted) for decision in decisions)


def check_then_add(url: str, key: str, number: int) -> int:
    """Do what must not be done: read the counter, compare, and add in a second step; return how many were admitted."""
    client = redis.Redis.from_url(url)
    admitted = 0
    for _ in range(ROUNDS):
        if int(client.get(key) or 0) < LIMIT:
            client.incr(key)
            admitted += 1
    client.close()
    return admitted


_ORG_MONTH = (charge().scope, charge().per)
