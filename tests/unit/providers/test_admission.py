"""Asking for admission in a thread: who leaves while waiting gives back what comes."""

import asyncio
import json
import threading
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from fakes.anthropic_server import AnthropicServer
from fakes.recording_meter import RecordedAttempt, RecordingMeter

from budget_gate.core.reservations import Refused
from budget_gate.providers.anthropic_async import Admission, AsyncMeteredTransport
from budget_gate.providers.anthropic_wire import Call

BODY: dict[str, Any] = {"model": "claude-haiku-4-5", "max_tokens": 10, "messages": [{"role": "user", "content": "Hello."}]}


def admission_of(meter: RecordingMeter) -> Admission:
    """Return a request for admission that nobody has made yet."""
    content = json.dumps(BODY).encode()
    return Admission(Call(meter, 60), httpx2.Request("POST", "http://127.0.0.1:9/v1/messages", content=content), content)


class SlowMeter(RecordingMeter):
    """Admits when it is told to."""

    def __init__(self) -> None:
        super().__init__(on_end=lambda _how: self.ended.set())
        self.asked, self.may_admit, self.ended = threading.Event(), threading.Event(), threading.Event()

    def begin(self, body: Mapping[str, Any]) -> RecordedAttempt | Refused:
        """Wait, and admit."""
        self.asked.set()
        assert self.may_admit.wait(30)
        return super().begin(body)


def test_what_is_granted_after_leaving_is_given_back() -> None:
    """An admission that comes when nobody waits any more is void; so is one that had just come."""
    for leaves_first in (True, False):
        meter = RecordingMeter()
        admission = admission_of(meter)
        steps = [admission.abandon, admission.ask] if leaves_first else [admission.ask, admission.abandon]
        for step in steps:
            step()
        assert meter.ends == ["void"]


def test_leaving_a_refusal_changes_nothing() -> None:
    """A refusal grants nothing that could be given back."""
    meter = RecordingMeter(admits=0)
    admission = admission_of(meter)
    assert isinstance(admission.ask(), Refused)
    admission.abandon()
    assert meter.attempts == []


def test_a_task_cancelled_while_it_waits_sends_nothing_and_keeps_nothing() -> None:
    """The task ends at once; when the ledger admits it later, the reservation is given back and no request is made."""
    meter = SlowMeter()

    async def ask(url: str) -> None:
        transport = AsyncMeteredTransport(lambda _request: Call(meter, 60))
        request = httpx2.Request("POST", f"{url}/v1/messages", json=BODY)
        task = asyncio.ensure_future(transport.handle_async_request(request))
        await asyncio.to_thread(meter.asked.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert meter.attempts == []
        meter.may_admit.set()
        await asyncio.to_thread(meter.ended.wait, 30)
        await transport.aclose()

    with AnthropicServer() as server:
        asyncio.run(ask(server.url))
        assert server.requests == []
    assert meter.ends == ["void"]
