"""The asyncio shell of the Redis ledger, where it differs from the blocking one: many tasks, cancelled tasks, its own connections."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
import redis
from fakes.ledger_requests import actual, admitted, charge, line, request, usd
from fakes.redis_server import RedisServer, fresh_organization, shared_server

from budget_gate.core.errors import LedgerError, LedgerUnavailable, UsageError
from budget_gate.core.reservations import Admitted
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
