"""The asyncio shell of the Redis ledger, where it differs from the blocking one: many tasks, cancelled tasks, its own connections."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
import redis.asyncio
from fakes.ledger_requests import actual, admitted, charge, line, request, usd
from fakes.redis_server import RedisServer, fresh_organization, shared_server

from budget_gate.core.errors import LedgerError, LedgerUnavailable, UsageError
from budget_gate.core.reservations import Admitted, Waiting
from budget_gate.core.scopes import ORG
from budget_gate.ledger import redis_asyncio_connect
from budget_gate.ledger.redis import RedisLedger
from budget_gate.ledger.redis_asyncio import AsyncRedisLedger
from budget_gate.ledger.verify import verify

SECRET = "hunter2"
LIMITED = charge(ORG, "month", line(100))
Answer = TypeVar("Answer")


def use(
    url: str,
    work: Callable[[AsyncRedisLedger], Awaitable[Answer]],
    *,
    organization: str = "acme",
    warn: Callable[[str], None] = lambda _: None,
) -> Answer:
    """Run some work with a ledger in a loop of its own, and close the ledger."""

    async def main() -> Answer:
        ledger = AsyncRedisLedger(url, organization=organization, warn=warn)
        try:
            return await work(ledger)
        finally:
            await ledger.close()

    return asyncio.run(main())


def test_tasks_that_wait_hold_no_connection_and_are_all_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty tasks wait for one that has everything; when it settles for little, all that fit are admitted, over one connection."""
    monkeypatch.setattr(redis_asyncio_connect, "CONNECTIONS_MOST", 1)

    async def wait_together(ledger: AsyncRedisLedger) -> int:
        first = admitted(await ledger.reserve(request("first", usd(100), LIMITED)))
        order: list[str] = []

        async def patient(key: str) -> None:
            decision = await ledger.reserve_waiting(request(key, usd(2), LIMITED), 30)
            assert isinstance(decision, Admitted)
            order.append(key)
            await ledger.settle(key, decision.reservation, actual(usd(1)))

        tasks = [asyncio.create_task(patient(f"k{number}")) for number in range(50)]
        assert isinstance(await ledger.reserve(request("probe", usd(100), LIMITED, may_wait=True)), Waiting)
        await ledger.leave_queue("probe")
        assert not order
        await ledger.settle("first", first.reservation, actual(usd(10)))
        await asyncio.gather(*tasks)
        return len(order)

    organization = fresh_organization()
    assert use(shared_server().url(), wait_together, organization=organization) == 50
    with contextlib.closing(RedisLedger(shared_server().url(), organization=organization)) as ledger:
        assert ledger.read([LIMITED], "UTC")[0].posted == 60


def test_a_cancelled_wait_leaves_the_queue() -> None:
    """Nobody stands behind a task that is gone: who comes next is first, at once."""

    async def give_up(ledger: AsyncRedisLedger) -> int:
        admitted(await ledger.reserve(request("most", usd(99), LIMITED)))
        waiting = asyncio.create_task(ledger.reserve_waiting(request("gone", usd(50), LIMITED), 30))
        while not isinstance(behind := await ledger.reserve(request("behind", usd(50), LIMITED, may_wait=True)), Waiting) or (
            behind.ahead == 0 and not waiting.done()
        ):
            await ledger.leave_queue("behind")
            await asyncio.sleep(0.01)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        again = await ledger.reserve(request("behind", usd(50), LIMITED, may_wait=True))
        assert isinstance(again, Waiting)
        return again.ahead

    assert use(shared_server().url(), give_up, organization=fresh_organization()) == 0


def test_of_many_tasks_at_once_exactly_the_affordable_are_admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """400 tasks for a limit worth 100 share a few connections; all of them get an answer, and the books are whole."""
    monkeypatch.setattr(redis_asyncio_connect, "CONNECTIONS_MOST", 4)
    organization = fresh_organization()

    async def rush(ledger: AsyncRedisLedger) -> int:
        asked = (ledger.reserve(request(f"k{number}", usd(1), LIMITED)) for number in range(400))
        decisions = await asyncio.gather(*asked)
        taken = [each for each in decisions if isinstance(each, Admitted)]
        done = (ledger.settle(each.reservation, each.reservation, actual(usd(1))) for each in taken)
        assert {each.state for each in await asyncio.gather(*done)} == {"posted"}
        return len(taken)

    assert use(shared_server().url(), rush, organization=organization) == 100
    with contextlib.closing(RedisLedger(shared_server().url(), organization=organization)) as ledger:
        assert ledger.read([LIMITED], "UTC")[0].posted == 100
        assert verify(ledger).ok


def test_a_cancelled_task_leaves_no_answer_to_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever a task is cancelled, the next operation reads its own reply, and the cancelled key counts at most once."""
    monkeypatch.setattr(redis_asyncio_connect, "CONNECTIONS_MOST", 1)
    organization = fresh_organization()
    wide = charge(ORG, "month", line(1000))

    async def interrupt(ledger: AsyncRedisLedger) -> None:
        for number in range(30):
            task = asyncio.create_task(ledger.reserve(request(f"cut{number}", usd(1), wide)))
            for _ in range(number % 10):
                await asyncio.sleep(0)  # one more step of the task each time
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            shown = admitted(await ledger.reserve(request(f"next{number}", usd(2), wide)))
            assert (await ledger.show(shown.reservation)).key == f"next{number}"
        for number in range(30):
            admitted(await ledger.reserve(request(f"cut{number}", usd(1), wide)))
        assert (await ledger.read([wide], "UTC"))[0].pending == 30 + 60

    use(shared_server().url(), interrupt, organization=organization)


def test_an_answer_that_does_not_come_in_time_is_asked_for_again_and_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that pauses for longer than an answer may take is asked anew, with several tasks under way, and after a time without any."""
    monkeypatch.setattr(redis_asyncio_connect, "ANSWER_SECONDS", 0.2)
    wide = charge(ORG, "month", line(1000))

    async def pause(ledger: AsyncRedisLedger) -> None:
        for turn in range(2):
            admitted(await ledger.reserve(request(f"before {turn}", usd(1), wide)))
            with redis.Redis.from_url(server.url()) as admin:
                admin.execute_command("CLIENT PAUSE", 500)
            await asyncio.gather(*(ledger.reserve(request(f"{turn} {number}", usd(1), wide)) for number in range(8)))
            await asyncio.sleep(0.3)  # its connections' timers have ended
        assert (await ledger.read([wide], "UTC"))[0].pending == 18

    with RedisServer() as server:
        use(server.url(), pause)


def test_an_answer_that_never_comes_is_an_outage_and_a_cancelled_wait_stays_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last try the ledger is unavailable and the task goes on; a task that somebody cancels meanwhile is cancelled."""
    monkeypatch.setattr(redis_asyncio_connect, "ANSWER_SECONDS", 0.05)

    async def ask(ledger: AsyncRedisLedger) -> None:
        await ledger.now()
        with redis.Redis.from_url(server.url()) as admin:
            admin.execute_command("CLIENT PAUSE", 3000)
        task = asyncio.create_task(ledger.now())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(LedgerUnavailable):
            await ledger.now()
        current = asyncio.current_task()
        assert current is not None
        assert current.cancelling() == 0
        await asyncio.sleep(0)

    with RedisServer() as server:
        use(server.url(), ask)


def test_tasks_cancelled_while_they_wait_for_a_connection_lose_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many tasks over two connections some are cancelled at every step; the others are all served, and so is whoever comes later."""
    monkeypatch.setattr(redis_asyncio_connect, "CONNECTIONS_MOST", 2)
    monkeypatch.setattr(redis_asyncio_connect, "ANSWER_SECONDS", 2)

    async def crowd(ledger: AsyncRedisLedger) -> None:
        await ledger.now()
        for steps in range(12):
            tasks = [asyncio.create_task(ledger.now()) for _ in range(20)]
            for _ in range(steps):
                await asyncio.sleep(0)
            for task in tasks[1::3]:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(each, datetime) for at, each in enumerate(ended) if at % 3 != 1)
        assert len(await asyncio.gather(*(ledger.now() for _ in range(20)))) == 20

    use(shared_server().url(), crowd, organization=fresh_organization())


def test_a_connection_handed_to_a_task_that_is_cancelled_goes_to_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled in the very step in which it got the connection, a task passes it on, and the last one leaves it for whoever comes."""
    monkeypatch.setattr(redis_asyncio_connect, "CONNECTIONS_MOST", 1)

    async def hand_on() -> bool:
        pool = redis.asyncio.Redis.from_url(shared_server().url()).connection_pool
        connections = redis_asyncio_connect._Connections(pool)
        only = await connections.one()
        cancelled, waiting = (asyncio.create_task(connections.one()) for _ in range(2))
        await asyncio.sleep(0)
        connections.give_back(only)
        cancelled.cancel()
        assert await waiting is only
        assert cancelled.cancelled()
        connections.give_back(only)
        await only.connection.disconnect()
        return connections.idle() is only

    assert asyncio.run(hand_on())


def test_tasks_that_wait_for_a_connection_learn_at_once_that_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no connection can be opened, the tasks that stand in line for the first one try by themselves, and do not wait in vain."""
    monkeypatch.setattr(redis_asyncio_connect, "CONNECTIONS_MOST", 1)
    monkeypatch.setattr(redis_asyncio_connect, "ANSWER_SECONDS", 60)

    async def ask(ledger: AsyncRedisLedger) -> None:
        ledger._execute = ledger._link.execute  # as after a first look at a server
        async with asyncio.timeout(30):
            found = await asyncio.gather(*(ledger.now() for _ in range(5)), return_exceptions=True)
        assert [type(each) for each in found] == [LedgerUnavailable] * 5

    use("redis://127.0.0.1:1/0", ask)


def test_a_server_that_forgot_the_scripts_is_told_them_again() -> None:
    """After SCRIPT FLUSH an operation sends the text, and its answer is the same."""

    async def forget(ledger: AsyncRedisLedger) -> None:
        taken = admitted(await ledger.reserve(request("one", usd(5), LIMITED)))
        with redis.Redis.from_url(server.url()) as admin:
            admin.script_flush()
        assert (await ledger.void("v", taken.reservation, "not sent")).state == "voided"

    with RedisServer() as server:
        use(server.url(), forget)


def test_what_is_wrong_with_a_server_is_said_as_by_the_blocking_ledger() -> None:
    """One that is away is unavailable; a wrong password and a server that may drop keys are errors; none of it shows the password."""

    async def ask(ledger: AsyncRedisLedger) -> None:
        await ledger.now()

    with pytest.raises(LedgerUnavailable, match="cannot be reached") as away:
        use(f"redis://ci:{SECRET}@127.0.0.1:1/0", ask)
    with RedisServer(options=("--requirepass", "other")) as server, pytest.raises(LedgerError, match="refuses the user") as wrong:
        use(f"redis://:{SECRET}@127.0.0.1:{server.port}/0", ask)
    assert not isinstance(wrong.value, LedgerUnavailable)
    with RedisServer(options=("--maxmemory-policy", "allkeys-lru")) as server, pytest.raises(LedgerError, match="noeviction"):
        use(server.url(), ask)
    assert SECRET not in f"{away.value} {wrong.value}"


def test_a_server_that_keeps_nothing_is_warned_of_once() -> None:
    """However many operations start together, the line is told once."""
    told: list[str] = []

    async def ask(ledger: AsyncRedisLedger) -> None:
        await asyncio.gather(*(ledger.now() for _ in range(5)))

    use(shared_server().url(), ask, warn=told.append)
    assert len(told) == 1
    assert "keeps nothing on disk" in told[0]


@pytest.mark.parametrize(
    "url", ["redis+sentinel://a:1", "redis+cluster://a:1/main", "unix:///run/redis.sock", f"redis://:{SECRET}@host:port/0"]
)
def test_what_it_cannot_reach_is_wrong_usage(url: str) -> None:
    """An address of no known form is refused in one line that names what can be written, without the password."""
    with pytest.raises(UsageError, match=r"write redis(\+\w+)?://HOST:PORT") as refused:
        AsyncRedisLedger(url, organization="acme")
    assert SECRET not in str(refused.value)


def test_it_does_not_show_the_password() -> None:
    """Neither the address nor the text of the object has what a URL may hide."""

    async def show(ledger: AsyncRedisLedger) -> str:
        return f"{ledger.url} {ledger!r}"

    assert use(f"rediss://ci:{SECRET}@host:6380/0", show) == "rediss://host:6380/0 AsyncRedisLedger('rediss://host:6380/0')"


def test_the_documented_program_spends() -> None:
    """The lines of docs/python.md run as they stand: a reserve that may wait, and its settlement."""
    text = (Path(__file__).parents[3] / "docs/python.md").read_text(encoding="utf-8")
    lines = text.partition("without the SDK's client")[2].partition("```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(compile(lines, "docs/python.md", "exec"), names)  # that is the test
    organization = fresh_organization()
    assert use(shared_server().url(), lambda ledger: names["spend"](ledger, "one"), organization=organization) == "posted"
