"""Faults of the API as drop-in clients meet them: both clients raise the SDK's own errors, and account for every attempt alike."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import pytest
from fakes.anthropic_server import AnthropicServer, Behaviour
from fakes.open_gates import ASK, opened, spent

from budget_gate.client import Gate
from budget_gate.core.amounts import ZERO
from budget_gate.core.errors import ProviderError

STREAMED = {**ASK, "stream": True}
ANY = Exception
"""A stream that breaks raises what the HTTP library raises: the SDK wraps nothing there."""


class Fault(NamedTuple):
    """What the API does, how the attempt must end, and what the caller must get (None: no error)."""

    behaviour: Behaviour
    end: str
    error: type[Exception] | None = anthropic.APIStatusError
    body: dict[str, Any] = ASK


FAULTS = {
    "400": Fault(Behaviour("status", status=400), "void", anthropic.BadRequestError),
    "401": Fault(Behaviour("status", status=401), "void", anthropic.AuthenticationError),
    "429": Fault(Behaviour("status", status=429), "void", anthropic.RateLimitError),
    "529": Fault(Behaviour("status", status=529), "void"),
    "529 cut short": Fault(Behaviour("status", status=529, body=b'{"type": "error", "err'), "hold"),
    "500": Fault(Behaviour("status", status=500), "hold", anthropic.InternalServerError),
    "redirect": Fault(Behaviour("status", status=307, headers={"location": "http://127.0.0.1:9/v1/messages"}), "hold"),
    "reset": Fault(Behaviour("reset"), "hold", anthropic.APIConnectionError),
    "cut": Fault(Behaviour("cut"), "hold", anthropic.APIConnectionError),
    "stall": Fault(Behaviour("stall", seconds=20), "hold", anthropic.APITimeoutError),
    "drip": Fault(Behaviour("drip", seconds=0.05), "hold", anthropic.APITimeoutError),
    "compressed": Fault(Behaviour("status", status=200, headers={"content-encoding": "gzip"}), "hold", ProviderError),
    "no usage": Fault(Behaviour("no_usage"), "hold", None),
    "odd usage": Fault(Behaviour(usage={"input_tokens": 1, "output_tokens": 1, "dream_tokens": 7}), "hold", None),
    "streamed 529": Fault(Behaviour("status", status=529), "void", body=STREAMED),
    "stream cut": Fault(Behaviour("cut_stream", events=4), "hold", None, STREAMED),
    "stream without counts": Fault(Behaviour("no_usage"), "hold", None, STREAMED),
    "error in the stream": Fault(Behaviour("error_event", events=4), "hold", anthropic.APIError, STREAMED),
    "silent stream": Fault(Behaviour("stall_stream", events=4, seconds=20), "hold", ANY, STREAMED),
    "dripping stream": Fault(Behaviour("drip", seconds=0.05), "hold", ANY, STREAMED),
}


@pytest.fixture
def server() -> Iterator[AnthropicServer]:
    """A fake API."""
    with AnthropicServer() as running:
        yield running


def ask(gate: Gate, body: dict[str, Any]) -> None:
    """Send one request through the blocking client, and read all of the answer."""
    answer = gate.anthropic(max_retries=0).messages.create(**body)
    if body.get("stream"):
        for _ in answer:
            pass


def ask_asynchronously(gate: Gate, body: dict[str, Any]) -> None:
    """Send one request through the asynchronous client, and read all of the answer."""

    async def run() -> None:
        async with gate.async_anthropic(max_retries=0) as client:
            answer = await client.messages.create(**body)
            if body.get("stream"):
                async for _ in answer:
                    pass

    asyncio.run(run())


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("send", [ask, ask_asynchronously])
def test_a_fault_is_raised_as_ever_and_accounted_for(server: AnthropicServer, tmp_path: Path, send: Any, name: str) -> None:
    """The caller gets what the SDK always raised; the attempt is void only where nothing was bought, else held."""
    fault = FAULTS[name]
    server.queue(fault.behaviour)
    with opened(tmp_path, server.url, deadline_seconds=1.0) as gate:
        if fault.error is None:
            send(gate, fault.body)
        else:
            with pytest.raises(fault.error):
                send(gate, fault.body)
        server.closing.set()
        report = gate.last_call
    value = spent(tmp_path)
    assert len(server.messages) == 1
    assert (value.pending, value.posted) == (ZERO, ZERO)
    assert (value.held != ZERO) == (fault.end == "hold")
    assert report is not None
    assert report.cost_nano_usd == value.held.nano_usd


@pytest.mark.parametrize("send", [ask, ask_asynchronously])
def test_an_api_out_of_reach_costs_nothing(tmp_path: Path, send: Any) -> None:
    """Where nothing listens nothing was written: the reservation is void, and the SDK says that it cannot connect."""
    with opened(tmp_path, "http://127.0.0.1:9") as gate, pytest.raises(anthropic.APIConnectionError):
        send(gate, ASK)
    assert spent(tmp_path).held == ZERO
