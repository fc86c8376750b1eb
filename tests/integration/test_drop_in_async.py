"""The SDK's asynchronous client behind the gate: the same promises, kept without blocking the event loop."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import anthropic
import pytest
from fakes.anthropic_server import AnthropicServer, Behaviour
from fakes.open_gates import ASK, ends, opened, spent, write_policy

from budget_gate.client import Gate
from budget_gate.core.amounts import ZERO
from budget_gate.core.errors import BudgetRefused, ProviderError


@pytest.fixture
def server() -> Iterator[AnthropicServer]:
    """A fake API."""
    with AnthropicServer() as running:
        yield running


@pytest.fixture
def gate(server: AnthropicServer, tmp_path: Path) -> Iterator[Gate]:
    """A gate of five dollars before the fake API."""
    with opened(tmp_path, server.url) as made:
        yield made


def test_a_message_is_answered_and_paid_for(gate: Gate, tmp_path: Path) -> None:
    """The client is the SDK's own; what a message cost is on the books and in ``last_call`` of the task that asked."""

    async def ask() -> int:
        async with gate.async_anthropic() as client:
            assert isinstance(client, anthropic.AsyncAnthropic)
            await client.messages.create(**ASK)
            assert gate.last_call is not None
            return gate.last_call.cost_nano_usd

    assert asyncio.run(ask()) == spent(tmp_path).posted.nano_usd > 0


def test_a_streamed_message_is_settled_at_its_end(gate: Gate, tmp_path: Path) -> None:
    """The text comes in pieces, and the counts of the last event are what is posted."""

    async def ask() -> list[str]:
        async with gate.async_anthropic() as client, client.messages.stream(**ASK) as stream:
            return [text async for text in stream.text_stream]

    pieces = asyncio.run(ask())
    assert len(pieces) > 1
    assert "".join(pieces) == "All is well: nothing to report."
    assert ends(tmp_path) == (True, False, False)


def test_a_stream_passes_as_it_comes(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """The first words are there while the answer is still being written; left unread, it is held."""
    server.queue(Behaviour("stall_stream", events=4, seconds=30))

    async def ask() -> tuple[bool, bool, bool]:
        async with gate.async_anthropic() as client:
            events = await client.messages.create(**ASK, stream=True)
            assert (await anext(events)).type == "message_start"
            meanwhile = ends(tmp_path)
            await events.close()
            server.closing.set()
            return meanwhile

    assert asyncio.run(ask()) == (False, True, False)
    assert ends(tmp_path) == (False, False, True)


def test_a_stream_is_ended_at_the_deadline(server: AnthropicServer, tmp_path: Path) -> None:
    """A stream that falls silent raises when the time is up, and is held."""
    server.queue(Behaviour("stall_stream", events=4, seconds=30))

    async def ask(gate: Gate) -> None:
        async with gate.async_anthropic(max_retries=0) as client:
            async for _ in await client.messages.create(**ASK, stream=True):
                pass

    with opened(tmp_path, server.url, deadline_seconds=1.5) as gate:
        started = time.monotonic()
        with pytest.raises(Exception, match=r"deadline|timed out"):
            asyncio.run(ask(gate))
        assert time.monotonic() - started < 8
    assert ends(tmp_path) == (False, False, True)


def test_the_sdk_retries_and_each_attempt_is_metered(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """An overload is voided, a lost connection held, the answer posted; ``last_call`` counts all three."""
    server.queue(Behaviour("status", status=529, headers={"retry-after-ms": "1"}), Behaviour("reset"), Behaviour("answer"))

    async def ask() -> tuple[int, int]:
        async with gate.async_anthropic(max_retries=2) as client:
            await client.messages.create(**ASK)
            assert gate.last_call is not None
            return gate.last_call.attempts, gate.last_call.cost_nano_usd

    attempts, cost_nano_usd = asyncio.run(ask())
    value = spent(tmp_path)
    assert attempts == len(server.messages) == 3
    assert cost_nano_usd == value.posted.nano_usd + value.held.nano_usd
    assert ends(tmp_path) == (True, False, True)


def test_a_refusal_sends_nothing(server: AnthropicServer, tmp_path: Path) -> None:
    """Where a budget refuses, ``BudgetRefused`` is raised, and no byte reaches the API; nor does it where nobody meters."""
    write_policy(tmp_path, usd="0.000001")

    async def ask(gate: Gate) -> None:
        async with gate.async_anthropic() as client:
            with pytest.raises(BudgetRefused, match="org per month"):
                await client.messages.create(**ASK)
            with pytest.raises(BudgetRefused, match="org per month"):
                await client.messages.batches.create(requests=[{"custom_id": "a", "params": ASK}])
            with pytest.raises(ProviderError, match="would not be metered"):
                await client.post("/v1/complete", body={}, cast_to=object)

    with opened(tmp_path, server.url) as gate:
        asyncio.run(ask(gate))
    assert {seen.path for seen in server.requests} <= {"/v1/messages/count_tokens"}


def test_a_cancelled_request_is_on_the_books(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """A task that is cancelled while it waits for its answer leaves a hold; the loop goes on."""
    server.queue(Behaviour("stall", seconds=30))

    async def ask() -> None:
        async with gate.async_anthropic() as client:
            task = asyncio.ensure_future(client.messages.create(**ASK))
            await asyncio.to_thread(server.arrived.wait, 30)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            server.closing.set()

    asyncio.run(ask())
    assert ends(tmp_path) == (False, False, True)


def test_sixty_four_at_once_never_pass_the_cap(server: AnthropicServer, tmp_path: Path) -> None:
    """Of 64 calls at once some are answered and the others refused, and what was spent stays below the cap at every moment."""
    cap = 4_000_000
    write_policy(tmp_path, usd="0.004")
    seen: list[int] = []

    async def ask(client: anthropic.AsyncAnthropic) -> bool:
        try:
            await client.messages.create(**ASK)
        except BudgetRefused:
            return False
        value = spent(tmp_path)
        seen.append(value.posted.nano_usd + value.pending.nano_usd + value.held.nano_usd)
        return True

    async def ask_all(gate: Gate) -> list[bool]:
        async with gate.async_anthropic(max_retries=0) as client:
            return await asyncio.gather(*(ask(client) for _ in range(64)))

    with opened(tmp_path, server.url, wait_seconds=3) as gate:
        answered = asyncio.run(ask_all(gate))
    value = spent(tmp_path)
    assert 0 < sum(answered) == len(server.messages) == value.posted.requests
    assert max(seen) <= cap
    assert (value.pending, value.held) == (ZERO, ZERO)
    assert value.posted.nano_usd <= cap
