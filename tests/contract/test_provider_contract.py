"""What every provider promises, run over each: the real one against a server on loopback, and the scripted one."""

from collections.abc import Iterator
from typing import Any

import pytest
from fakes.anthropic_server import AnthropicServer
from fakes.recording_meter import REFUSED, RecordingMeter

from budget_gate.core.errors import LedgerUnavailable
from budget_gate.core.messages_api import read_usage
from budget_gate.providers.anthropic import AnthropicProvider
from budget_gate.providers.interface import Answer, Failed, Provider
from budget_gate.providers.scripted import ScriptedProvider

TOOL = {
    "name": "report",
    "description": "Report findings.",
    "input_schema": {"type": "object", "properties": {"findings": {"type": "array"}}, "required": ["findings"]},
}
BODY: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 200,
    "system": "You review code.",
    "messages": [{"role": "user", "content": "Please look at this change. " * 20}],
    "tools": [TOOL],
    "tool_choice": {"type": "tool", "name": "report"},
}


@pytest.fixture(params=["anthropic", "scripted"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """One provider after the other."""
    if request.param == "scripted":
        yield ScriptedProvider()
        return
    with AnthropicServer() as server:
        real = AnthropicProvider(server.key, server.url)
        real.warm_up().join()
        yield real
        real.close()


def test_an_answer_is_one_settled_attempt(provider: Provider) -> None:
    """An answer settles its only attempt with the usage that it returns."""
    meter = RecordingMeter()
    answer = provider.send(BODY, meter, deadline_seconds=120)
    assert isinstance(answer, Answer)
    assert meter.ends == ["settle"]
    assert meter.attempts[0].usage == answer.usage == read_usage(answer.message["usage"])
    assert answer.attempts == 1
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0


def test_the_forced_tool_is_called_with_valid_input(provider: Provider) -> None:
    """A request that forces a tool is answered by a call of it whose input has what the schema requires."""
    answer = provider.send(BODY, RecordingMeter(), deadline_seconds=120)
    assert isinstance(answer, Answer)
    (block,) = answer.message["content"]
    assert (block["type"], block["name"], block["input"]) == ("tool_use", "report", {"findings": []})


def test_a_streamed_request_gives_the_same_message(provider: Provider) -> None:
    """Streaming changes how an answer arrives, not what it says or used."""
    plain = provider.send(BODY, RecordingMeter(), deadline_seconds=120)
    streamed = provider.send({**BODY, "stream": True}, meter := RecordingMeter(), deadline_seconds=120)
    assert isinstance(plain, Answer)
    assert isinstance(streamed, Answer)
    assert streamed.message["content"] == plain.message["content"]
    assert streamed.usage.output_tokens == plain.usage.output_tokens
    assert meter.ends == ["settle"]


def test_a_refusal_is_returned_and_nothing_else_begun(provider: Provider) -> None:
    """A refusal by the meter comes back as it is."""
    assert provider.send(BODY, RecordingMeter(admits=0), deadline_seconds=120) is REFUSED


def test_the_answer_is_no_longer_than_admitted(provider: Provider) -> None:
    """What the meter shortened is what is sent: the answer stays within the admitted length."""
    meter = RecordingMeter(clamp=3)
    answer = provider.send(BODY, meter, deadline_seconds=120)
    assert isinstance(answer, Answer)
    assert answer.usage.output_tokens <= 3


def test_no_deadline_no_attempt(provider: Provider) -> None:
    """A deadline that has passed is a failure that bought nothing."""
    meter = RecordingMeter()
    failed = provider.send(BODY, meter, deadline_seconds=0)
    assert isinstance(failed, Failed)
    assert failed.kind == "deadline"
    assert "settle" not in meter.ends
    assert "hold" not in meter.ends


def test_a_failing_meter_is_not_hidden(provider: Provider) -> None:
    """What the meter raises reaches the caller as it is, and stops the call at its first attempt."""

    class Down(RecordingMeter):
        def begin(self, body: Any) -> Any:
            super().begin(body)
            raise LedgerUnavailable("the ledger is away")

    meter = Down()
    with pytest.raises(LedgerUnavailable):
        provider.send(BODY, meter, deadline_seconds=120)
    assert len(meter.attempts) == 1


def test_counting_is_free_and_plausible(provider: Provider) -> None:
    """A count is a positive number, larger for a longer prompt, and needs no meter."""
    longer = {**BODY, "messages": [{"role": "user", "content": "Please look at this change. " * 200}]}
    short, long = provider.count_tokens(BODY), provider.count_tokens(longer)
    assert short is not None
    assert long is not None
    assert 0 < short < long


def test_the_caller_keeps_its_request(provider: Provider) -> None:
    """Sending changes nothing in the request that was handed in."""
    body = {**BODY, "messages": [dict(message) for message in BODY["messages"]]}
    provider.send(body, RecordingMeter(clamp=5), deadline_seconds=120)
    assert body == BODY


ASK: dict[str, Any] = {**{key: value for key, value in BODY.items() if not key.startswith("tool")}, "max_tokens": 400}


def test_text_is_handed_on_as_it_comes_and_metered_alike(provider: Provider) -> None:
    """The pieces add up to the answer's text, and the attempt ends as it does without anybody listening."""
    pieces: list[str] = []
    listened = provider.send(ASK, heard := RecordingMeter(), deadline_seconds=120, on_text=pieces.append)
    plain = provider.send(ASK, RecordingMeter(), deadline_seconds=120)
    assert isinstance(listened, Answer)
    assert isinstance(plain, Answer)
    assert "".join(pieces) == listened.message["content"][0]["text"] == plain.message["content"][0]["text"]
    assert (heard.ends, listened.usage.output_tokens) == (["settle"], plain.usage.output_tokens)


def test_a_listener_that_fails_is_no_way_out(provider: Provider) -> None:
    """Who stops listening has bought something all the same: the attempt is held, or settled where its counts had come."""

    def stop(_text: str) -> None:
        raise KeyboardInterrupt

    meter = RecordingMeter()
    with pytest.raises(KeyboardInterrupt):
        provider.send(ASK, meter, deadline_seconds=120, on_text=stop)
    assert meter.ends in (["hold"], ["settle"])
