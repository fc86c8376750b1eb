"""Every way a call to the API can go wrong: how each attempt is resolved, what the caller is told, and how long it may take."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from fakes.anthropic_server import AnthropicServer, Behaviour
from fakes.recording_meter import REFUSED, RecordingMeter

from budget_gate.core.errors import LedgerUnavailable, ProviderError
from budget_gate.core.usage import Usage
from budget_gate.providers.anthropic import STREAM_FROM_TOKENS, AnthropicProvider
from budget_gate.providers.interface import Answer, Failed

BODY: dict[str, Any] = {"model": "claude-haiku-4-5", "max_tokens": 200, "messages": [{"role": "user", "content": "Review this."}]}
STREAMED = {**BODY, "stream": True}
DEADLINE_SECONDS = 1.2
SLACK_SECONDS = 0.8
"""For a busy machine; a deadline that is not kept misses by much more."""


@pytest.fixture(scope="module", autouse=True)
def _loaded_sdk() -> None:
    """Load the SDK once, so that deadlines measure calls."""
    AnthropicProvider("key", "http://127.0.0.1:9").warm_up().join()


@pytest.fixture
def server() -> Iterator[AnthropicServer]:
    """A fake API."""
    with AnthropicServer() as running:
        yield running


@pytest.fixture
def provider(server: AnthropicServer) -> Iterator[AnthropicProvider]:
    """The provider under test, pointed at the fake API."""
    made = AnthropicProvider(server.key, server.url)
    made.warm_up().join()
    yield made
    made.close()


class Fault(NamedTuple):
    """A behaviour that repeats, and what must come of it: failure kind and how every attempt ends."""

    behaviour: Behaviour
    kind: str
    end: str
    retries: bool = False
    body: dict[str, Any] = BODY


FAULTS = {
    "400": Fault(Behaviour("status", status=400), "rejected", "void"),
    "401": Fault(Behaviour("status", status=401), "rejected", "void"),
    "403": Fault(Behaviour("status", status=403), "rejected", "void"),
    "404": Fault(Behaviour("status", status=404), "rejected", "void"),
    "408 of a gateway": Fault(Behaviour("status", status=408, body=b"<html>"), "rejected", "hold", retries=True),
    "413 of a gateway": Fault(Behaviour("status", status=413, body=b"<html>"), "rejected", "void"),
    "429": Fault(Behaviour("status", status=429), "rate_limited", "void", retries=True),
    "429 for long": Fault(Behaviour("status", status=429, headers={"retry-after": "3600"}), "rate_limited", "void"),
    "429 by date": Fault(
        Behaviour("status", status=429, headers={"retry-after": "Wed, 01 Jan 2070 00:00:00 GMT"}), "rate_limited", "void"
    ),
    "529": Fault(Behaviour("status", status=529), "overloaded", "void", retries=True),
    "529 cut short": Fault(Behaviour("status", status=529, body=b'{"type": "error", "err'), "overloaded", "hold", retries=True),
    "503": Fault(Behaviour("status", status=503), "overloaded", "void", retries=True),
    "503 of a gateway": Fault(Behaviour("status", status=503, body=b"busy"), "overloaded", "hold", retries=True),
    "500": Fault(Behaviour("status", status=500), "broken", "hold", retries=True),
    "502": Fault(Behaviour("status", status=502, body=b"bad gateway"), "broken", "hold", retries=True),
    "504": Fault(Behaviour("status", status=504), "broken", "hold", retries=True),
    "500 not to be retried": Fault(Behaviour("status", status=500, headers={"x-should-retry": "false"}), "broken", "hold"),
    "redirect": Fault(Behaviour("status", status=307, headers={"location": "http://127.0.0.1:9/v1/messages"}), "broken", "hold"),
    "204": Fault(Behaviour("status", status=202), "broken", "hold"),
    "reset": Fault(Behaviour("reset"), "broken", "hold", retries=True),
    "cut": Fault(Behaviour("cut"), "broken", "hold", retries=True),
    "garbage": Fault(Behaviour("garbage"), "broken", "hold"),
    "no usage": Fault(Behaviour("no_usage"), "broken", "hold"),
    "odd usage": Fault(Behaviour(usage={"input_tokens": 1, "output_tokens": 1, "dream_tokens": 7}), "broken", "hold"),
    "compressed": Fault(Behaviour("status", status=200, headers={"content-encoding": "gzip"}), "broken", "hold"),
    "stall": Fault(Behaviour("stall", seconds=30), "deadline", "hold"),
    "drip": Fault(Behaviour("drip", seconds=0.05), "deadline", "hold"),
    "streamed 529": Fault(Behaviour("status", status=529), "overloaded", "void", retries=True, body=STREAMED),
    "streamed 500": Fault(Behaviour("status", status=500), "broken", "hold", retries=True, body=STREAMED),
    "stream that is no stream": Fault(Behaviour("garbage"), "broken", "hold", body=STREAMED),
    "stream cut at once": Fault(Behaviour("cut_stream", events=0), "broken", "hold", body=STREAMED),
    "stream cut": Fault(Behaviour("cut_stream", events=4), "broken", "hold", body=STREAMED),
    "stream without final counts": Fault(Behaviour("no_usage"), "broken", "hold", body=STREAMED),
    "error in the stream": Fault(Behaviour("error_event", events=4), "broken", "hold", body=STREAMED),
    "stream that falls silent": Fault(Behaviour("stall_stream", events=4, seconds=30), "deadline", "hold", body=STREAMED),
    "stream that drips": Fault(Behaviour("drip", seconds=0.05), "deadline", "hold", body=STREAMED),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_accounted_for_within_the_deadline(server: AnthropicServer, provider: AnthropicProvider, name: str) -> None:
    """A lasting fault ends in its kind of failure, every attempt resolved alike, no later than the deadline."""
    fault = FAULTS[name]
    server.queue(*[fault.behaviour] * 5)
    meter = RecordingMeter()
    started = time.monotonic()
    result = provider.send(fault.body, meter, deadline_seconds=DEADLINE_SECONDS)
    took = time.monotonic() - started
    assert isinstance(result, Failed)
    assert (result.kind, set(meter.ends)) == (fault.kind, {fault.end})
    assert result.attempts == len(meter.attempts) == len(server.messages)
    assert (len(meter.attempts) > 1) == fault.retries
    assert took < DEADLINE_SECONDS + SLACK_SECONDS


@pytest.mark.parametrize("kind", ["stall", "drip"])
def test_a_deadline_is_used_up_before_it_is_called_one(server: AnthropicServer, provider: AnthropicProvider, kind: str) -> None:
    """A slow server is given all of the time there is."""
    server.queue(Behaviour(kind, seconds=30 if kind == "stall" else 0.05))
    started = time.monotonic()
    provider.send(BODY, RecordingMeter(), deadline_seconds=DEADLINE_SECONDS)
    assert time.monotonic() - started > DEADLINE_SECONDS - 0.1


def test_after_a_fault_the_next_attempt_is_metered_by_itself(server: AnthropicServer, provider: AnthropicProvider) -> None:
    """Each attempt is its own: a refused one is void, a lost one held, the answered one settled."""
    server.queue(Behaviour("status", status=529), Behaviour("reset"), Behaviour("answer"))
    meter = RecordingMeter()
    answer = provider.send(BODY, meter, deadline_seconds=120)
    assert isinstance(answer, Answer)
    assert meter.ends == ["void", "hold", "settle"]
    assert answer.attempts == 3


def test_retry_after_is_obeyed(server: AnthropicServer, provider: AnthropicProvider) -> None:
    """A wait that the API asks for, and that fits the deadline, is kept."""
    server.queue(Behaviour("status", status=429, headers={"retry-after": "1"}))
    started = time.monotonic()
    answer = provider.send(BODY, RecordingMeter(), deadline_seconds=120)
    assert isinstance(answer, Answer)
    assert 1.0 <= time.monotonic() - started < 3


def test_a_budget_that_refuses_the_second_attempt_stops_the_sdk(server: AnthropicServer, provider: AnthropicProvider) -> None:
    """The SDK's own retry needs room in the budget; without it no further byte is sent and the refusal comes back."""
    server.queue(*[Behaviour("status", status=500)] * 3)
    meter = RecordingMeter(admits=1)
    assert provider.send(BODY, meter, deadline_seconds=120) is REFUSED
    assert meter.ends == ["hold"]
    assert len(server.messages) == 1


def test_a_refused_call_sends_nothing(server: AnthropicServer, provider: AnthropicProvider) -> None:
    """A budget that refuses at once leaves the wire untouched."""
    provider.send(BODY, RecordingMeter(admits=0), deadline_seconds=120)
    assert server.requests == []


@pytest.mark.parametrize("body", [BODY, STREAMED])
def test_the_admitted_bytes_are_the_sent_ones(server: AnthropicServer, provider: AnthropicProvider, body: dict[str, Any]) -> None:
    """What goes over the wire is the request as admitted: shortened, and otherwise the caller's."""
    provider.send(body, RecordingMeter(clamp=77), deadline_seconds=120)
    assert server.messages == [{**body, "max_tokens": 77}]


def test_text_of_any_kind_arrives_unchanged(server: AnthropicServer, provider: AnthropicProvider) -> None:
    """Characters outside ASCII, control characters and quotes survive the re-encoding."""
    body = {**BODY, "messages": [{"role": "user", "content": 'é 预算 🔒 "\\\x01\u2028'}]}
    provider.send(body, RecordingMeter(), deadline_seconds=120)
    assert server.messages == [body]


def test_long_answers_are_streamed_unasked(server: AnthropicServer, provider: AnthropicProvider) -> None:
    """An answer that may take minutes is streamed, and comes back like any other."""
    answer = provider.send({**BODY, "max_tokens": STREAM_FROM_TOKENS + 1}, meter := RecordingMeter(), deadline_seconds=120)
    assert isinstance(answer, Answer)
    assert server.messages[0]["stream"] is True
    assert meter.ends == ["settle"]


def test_cached_and_searched_usage_is_kept_apart(server: AnthropicServer, provider: AnthropicProvider) -> None:
    """Usage by kind reaches the ledger as the API reported it, streamed or not."""
    usage = {
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_read_input_tokens": 20,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
    }
    server.queue(Behaviour(usage=usage), Behaviour(usage=usage))
    meter = RecordingMeter()
    provider.send(BODY, meter, deadline_seconds=120)
    provider.send(STREAMED, meter, deadline_seconds=120)
    assert [attempt.usage for attempt in meter.attempts] == [Usage(10, 5, 20, 10, 20)] * 2


def test_nothing_was_written_nothing_is_owed(provider: AnthropicProvider) -> None:
    """A connection that is refused voids its attempts, and says that the API could not be reached."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = AnthropicProvider("key", f"http://127.0.0.1:{unused.getsockname()[1]}")
        meter = RecordingMeter()
        result = nowhere.send(BODY, meter, deadline_seconds=DEADLINE_SECONDS)
        nowhere.close()
    assert isinstance(result, Failed)
    assert result.kind == "unreachable"
    assert set(meter.ends) == {"void"}


def test_a_name_that_does_not_exist_voids(provider: AnthropicProvider) -> None:
    """A host that cannot be found is unreachable, and costs nothing."""
    nowhere = AnthropicProvider("key", "http://host.invalid")
    meter = RecordingMeter()
    result = nowhere.send(BODY, meter, deadline_seconds=DEADLINE_SECONDS)
    nowhere.close()
    assert isinstance(result, Failed)
    assert result.kind in {"unreachable", "deadline"}
    assert set(meter.ends) == {"void"}


def test_a_server_that_never_accepts_tls_voids() -> None:
    """A TLS handshake that gets no answer ends at the deadline with nothing owed: no request was written."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        nowhere = AnthropicProvider("key", f"https://127.0.0.1:{deaf.getsockname()[1]}")
        meter = RecordingMeter()
        started = time.monotonic()
        result = nowhere.send(BODY, meter, deadline_seconds=DEADLINE_SECONDS)
        took = time.monotonic() - started
        nowhere.close()
    assert isinstance(result, Failed)
    assert result.kind == "deadline"
    assert meter.ends == ["void"]
    assert took < DEADLINE_SECONDS + SLACK_SECONDS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("body", [BODY, STREAMED])
def test_an_interrupted_call_is_held(
    server: AnthropicServer, provider: AnthropicProvider, body: dict[str, Any], number: int
) -> None:
    """An interrupt during a call holds its attempt and goes on to the caller as it is."""

    def leave(*_: object) -> None:
        raise SystemExit(143)

    server.queue(Behaviour("stall_stream" if body is STREAMED else "stall", seconds=30, events=3))
    previous = signal.signal(signal.SIGTERM, leave)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), number))
    timer.start()
    meter = RecordingMeter()
    try:
        with pytest.raises(KeyboardInterrupt if number == signal.SIGINT else SystemExit):
            provider.send(body, meter, deadline_seconds=120)
    finally:
        timer.join()
        signal.signal(signal.SIGTERM, previous)
    assert meter.ends == ["hold"]


@pytest.mark.parametrize("body", [BODY, STREAMED])
def test_a_ledger_that_fails_afterwards_is_not_retried(
    server: AnthropicServer, provider: AnthropicProvider, body: dict[str, Any]
) -> None:
    """When settling fails, the failure reaches the caller and the call is not made again."""

    def away(_how: str) -> None:
        raise LedgerUnavailable("gone")

    with pytest.raises(LedgerUnavailable):
        provider.send(body, RecordingMeter(on_end=away), deadline_seconds=120)
    assert len(server.messages) == 1


def test_calls_in_threads_do_not_mix(server: AnthropicServer, provider: AnthropicProvider) -> None:
    """Threads that share a provider each see their own meter and their own answer."""
    meters = [RecordingMeter(clamp=index + 1) for index in range(8)]
    answers: list[Any] = [None] * 8

    def call(index: int) -> None:
        answers[index] = provider.send(BODY, meters[index], deadline_seconds=120)

    threads = [threading.Thread(target=call, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(meter.ends == ["settle"] for meter in meters)
    assert [answer.usage for answer in answers] == [meter.attempts[0].usage for meter in meters]
    assert sorted(body["max_tokens"] for body in server.messages) == list(range(1, 9))


def test_the_key_is_sent_and_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """The key authenticates, and is in no text: not the representation, the log, nor an error that quotes it."""
    key = "sk-ant-api03-very-secret"
    quoting = b'{"type": "error", "error": {"type": "authentication_error", "message": "no such key sk-ant-api03-very-secret"}}'
    with AnthropicServer(key=key) as server, caplog.at_level("DEBUG"):
        server.queue(Behaviour("status", status=401, body=quoting))
        provider = AnthropicProvider(key, server.url)
        failed = provider.send(BODY, RecordingMeter(), deadline_seconds=120)
        answer = provider.send(BODY, RecordingMeter(), deadline_seconds=120)
        provider.close()
    assert isinstance(failed, Failed)
    assert isinstance(answer, Answer)
    assert "secret" not in failed.text + repr(provider) + str(provider) + caplog.text


def test_a_request_that_is_no_json_is_an_error_of_ours(provider: AnthropicProvider) -> None:
    """A body that cannot be written as JSON raises our error, before anything is admitted."""
    meter = RecordingMeter()
    with pytest.raises(ProviderError, match="could not be sent"):
        provider.send({**BODY, "metadata": {"user_id": object()}}, meter, deadline_seconds=120)
    assert meter.attempts == []


@pytest.mark.parametrize("address", ["http://[nonsense", "http://host:port", "ftp://host", "host", "", "http://h\u00fc..st"])
def test_a_bad_address_stays_our_own_error(address: str) -> None:
    """An address that leads nowhere is an error or a failure of ours, and costs nothing."""
    meter = RecordingMeter()
    provider = AnthropicProvider("key", address)
    try:
        result = provider.send(BODY, meter, deadline_seconds=DEADLINE_SECONDS)
    except ProviderError:
        result = None
    provider.close()
    assert result is None or (isinstance(result, Failed) and result.kind in {"unreachable", "deadline"})
    assert set(meter.ends) <= {"void"}


def test_counting_never_fails_a_call(server: AnthropicServer, provider: AnthropicProvider) -> None:
    """A count that cannot be had is None, and a count asks for nothing that the endpoint refuses."""
    assert provider.count_tokens({**STREAMED, "stop_sequences": ["x"]}) is not None
    assert "max_tokens" not in server.requests[0].body
    assert provider.count_tokens({**BODY, "model": "claude-unheard-of"}) is None
    assert AnthropicProvider("wrong", server.url).count_tokens(BODY) is None
    assert AnthropicProvider("key", "http://127.0.0.1:9").count_tokens(BODY) is None
