"""Reading requests and usage: every token in one bucket, nothing of unknown price let through."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.errors import BudgetGateError, ProviderError, UnsupportedUsage, UsageError
from budget_gate.core.message_streams import StreamMeter
from budget_gate.core.messages_api import RequestFacts, read_json_object, read_usage, request_facts
from budget_gate.core.usage import Usage

BODY: dict[str, Any] = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
USAGE: dict[str, Any] = {"input_tokens": 7, "output_tokens": 3}


def facts(**fields: Any) -> RequestFacts:
    """Return the facts of a request with fields changed."""
    return request_facts({**BODY, **fields})


def test_a_plain_request() -> None:
    """A plain request is standard, uncached, unstreamed and searches nothing."""
    plain = RequestFacts(
        "claude-haiku-4-5", 100, is_streamed=False, is_cached=False, has_hour_cache=False, web_searches=0, variant="standard"
    )
    assert facts() == plain


@pytest.mark.parametrize(
    "fields",
    [
        {"cache_control": {"type": "ephemeral"}},
        {"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]},
        {"tools": [{"name": "t", "input_schema": {}, "cache_control": {"type": "ephemeral", "ttl": "5m"}}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]}]},
    ],
)
def test_a_cache_mark_is_found_wherever_it_is(fields: dict[str, Any]) -> None:
    """A cache mark anywhere makes every prompt token possibly a cache write, for five minutes by default."""
    found = facts(**fields)
    assert found.is_cached
    assert not found.has_hour_cache


def test_an_hour_of_cache_is_told_apart() -> None:
    """``ttl: 1h`` is the dearer kind; a null mark is none."""
    assert facts(cache_control={"type": "ephemeral", "ttl": "1h"}).has_hour_cache
    assert not facts(cache_control=None).is_cached


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"container": "c"}, "container"),
        ({"mcp_servers": [{}]}, "mcp_servers"),
        ({"fallbacks": []}, "fallbacks"),
        ({"thread": {}}, "thread"),
        ({"anything_new": 1}, "anything_new"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"speed": "ludicrous"}, "speed"),
        ({"speed": ["fast"]}, "speed"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "max_uses"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": True}]}, "max_uses"),
        ({"tools": [{"type": "web_search_20260318", "name": "web_search", "max_uses": 1}]}, "allowed_callers"),
        ({"tools": [{"type": "web_fetch_20260318", "name": "web_fetch", "max_uses": 1}]}, "web_fetch_20260318"),
        ({"tools": [{"type": "code_execution_20250825", "name": "code"}]}, "code_execution_20250825"),
        ({"tools": [{"type": "mcp_toolset"}]}, "mcp_toolset"),
        ({"messages": [{"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}]}, "container_upload"),
        ({"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": "u"}}]}]}, "document"),
        ({"messages": [{"role": "user", "content": [{"type": ["text"]}]}]}, "text"),
    ],
)
def test_what_has_no_known_price_is_refused_by_name(fields: dict[str, Any], named: str) -> None:
    """A field, tool or content of unknown price raises, naming it."""
    with pytest.raises(UnsupportedUsage, match=named):
        facts(**fields)


def test_nested_content_is_looked_into() -> None:
    """A document hidden in a tool result is refused like any other."""
    pdf = {"type": "document", "source": {"type": "base64", "data": ""}}
    with pytest.raises(UnsupportedUsage):
        facts(messages=[{"role": "user", "content": [{"type": "tool_result", "content": [pdf]}]}])


def test_searches_add_up_and_fast_is_a_variant() -> None:
    """Bounded searches and fast processing are priced, not refused."""
    tools = [
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        {"type": "web_search_20260318", "name": "more", "max_uses": 3, "allowed_callers": ["direct"]},
        {"name": "own", "input_schema": {}},
        {"type": "bash_20250124", "name": "bash"},
    ]
    found = facts(tools=tools, speed="fast", stream=True, container=None)
    assert (found.web_searches, found.variant, found.is_streamed) == (5, "fast", True)


@pytest.mark.parametrize(
    "fields", [{"model": ""}, {"model": 5}, {"max_tokens": None}, {"max_tokens": True}, {"max_tokens": -1}, {"max_tokens": 1.5}]
)
def test_what_is_no_request_is_wrong_usage(fields: dict[str, Any]) -> None:
    """A request without a model or an answer length is the caller's mistake."""
    with pytest.raises(UsageError):
        facts(**fields)


def test_every_kind_of_token_has_its_bucket() -> None:
    """Each wire count lands in one bucket, and the buckets add up to what was billed."""
    raw = {
        **USAGE,
        "cache_read_input_tokens": 11,
        "cache_creation_input_tokens": 13,
        "cache_creation": {"ephemeral_5m_input_tokens": 8, "ephemeral_1h_input_tokens": 5},
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 4},
        "output_tokens_details": {"thinking_tokens": 2},
        "iterations": [{"type": "message", "input_tokens": 7, "output_tokens": 3}],
        "service_tier": "standard",
        "speed": "standard",
        "inference_geo": "global",
        "a_note": "text is no count",
        "nothing": None,
        "zero": {"deep": [0, 0.0, False]},
    }
    assert read_usage(raw) == Usage(7, 3, 11, 8, 5, 2)


def test_cache_writes_without_a_breakdown() -> None:
    """A bare sum of cache writes is the default five minutes, unless the request asked for an hour; nothing is lost."""
    raw = {**USAGE, "cache_creation_input_tokens": 9}
    hour = facts(cache_control={"type": "ephemeral", "ttl": "1h"})
    assert read_usage(raw).cache_write_5m_tokens == 9
    assert read_usage(raw, hour).cache_write_1h_tokens == 9
    partly = {**raw, "cache_creation": {"ephemeral_1h_input_tokens": 4}}
    assert read_usage(partly) == Usage(7, 3, 0, 5, 4)


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"dream_tokens": 1}, "dream_tokens"),
        ({"nested": {"deep": [{"tokens": 2}]}}, "nested"),
        ({"cache_creation": {"ephemeral_24h_input_tokens": 3}}, "ephemeral_24h_input_tokens"),
        ({"server_tool_use": {"code_execution_requests": 1}}, "code_execution_requests"),
        ({"iterations": [{"type": "compaction", "input_tokens": 5}]}, "compaction"),
        ({"iterations": [{"type": "advisor_message"}]}, "advisor_message"),
        ({"inference_geo": "us"}, "us"),
        ({"speed": "fast"}, "fast"),
        ({"speed": {}}, "speed"),
        ({"service_tier": "gold"}, "gold"),
    ],
)
def test_a_count_of_unknown_price_is_named(raw: dict[str, Any], named: str) -> None:
    """Usage that no known price covers raises, naming it."""
    with pytest.raises(UnsupportedUsage, match=named):
        read_usage({**USAGE, **raw})


def test_fast_is_fine_when_it_was_asked_for() -> None:
    """Fast processing is billed as such only if the request was reserved as such."""
    assert read_usage({**USAGE, "speed": "fast"}, facts(speed="fast")) == Usage(7, 3)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        "usage",
        {},
        {"input_tokens": 1},
        {**USAGE, "input_tokens": True},
        {**USAGE, "input_tokens": -1},
        {**USAGE, "input_tokens": 1.0},
        {**USAGE, "input_tokens": "7"},
        {**USAGE, "output_tokens": 10**30},
        {**USAGE, "cache_creation": 5},
        {**USAGE, "server_tool_use": [1]},
        {**USAGE, "cache_creation_input_tokens": 1, "cache_creation": {"ephemeral_5m_input_tokens": 2}},
    ],
)
def test_what_is_no_usage_is_a_provider_error(raw: object) -> None:
    """Counts of a wrong type or size, and contradictions, are no usage."""
    with pytest.raises(ProviderError):
        read_usage(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [*USAGE, "cache_creation", "server_tool_use", "iterations", "speed", "inference_geo", "service_tier", "new"]
)


@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_hostile_usage_raises_only_our_errors(raw: dict[str, Any]) -> None:
    """Whatever JSON comes as usage, it is read or refused by an error of ours."""
    try:
        read = read_usage({**USAGE, **raw})
    except BudgetGateError:
        return
    assert min(read) >= 0


@pytest.mark.parametrize("text", [b"", b"[]", b"7", b"\xff", b"{", b"[" * 200_000, b'{"a": ' * 100_000])
def test_what_is_no_json_object_is_a_provider_error(text: bytes) -> None:
    """Broken, bare and endlessly nested JSON is refused, never a crash."""
    with pytest.raises(ProviderError):
        read_json_object(text)


EVENTS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {
            "id": "m",
            "type": "message",
            "content": [],
            "usage": {"input_tokens": 9, "cache_read_input_tokens": 4, "output_tokens": 1},
        },
    },
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Grüße, "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "预算"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "n", "input": {}}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a": [1,'}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": " 2]}"}},
    {"type": "something_new", "tokens": 1},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 20}},
    {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 25, "input_tokens": None}},
    {"type": "message_stop"},
]


def wire(events: list[dict[str, Any]], end: str = "\n") -> bytes:
    """Return events as they go over the wire."""
    return "".join(f"event: {event['type']}{end}data: {json.dumps(event)}{end}{end}" for event in events).encode()


def metered(data: bytes, size: int = 1_000_000) -> StreamMeter:
    """Return a meter that was fed the data in pieces."""
    meter = StreamMeter()
    for at in range(0, len(data), size):
        meter.feed(data[at : at + size])
    meter.close()
    return meter


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
def test_a_stream_reads_the_same_in_any_pieces(end: str, size: int) -> None:
    """The final counts are cumulative, and neither chunking nor line ends change them or the message."""
    meter = metered(b": a comment" + end.encode() * 2 + wire(EVENTS, end), size)
    assert meter.is_complete
    assert meter.usage() == Usage(9, 25, 4)
    message = meter.message()
    assert message["content"] == [
        {"type": "text", "text": "Grüße, 预算"},
        {"type": "tool_use", "id": "t", "name": "n", "input": {"a": [1, 2]}},
    ]
    assert message["stop_reason"] == "tool_use"
    assert meter.events == len(EVENTS)


@pytest.mark.parametrize("kept", range(len(EVENTS)))
def test_a_stream_cut_anywhere_is_not_complete(kept: int) -> None:
    """Without its last event a stream is no answer, whatever it counted before."""
    assert not metered(wire(EVENTS[:kept])).is_complete


def test_a_stream_without_final_counts_is_not_complete() -> None:
    """A message that stops without its final counts cannot be billed by its first ones."""
    assert not metered(wire([event for event in EVENTS if event["type"] != "message_delta"])).is_complete


def test_an_error_event_ends_a_stream() -> None:
    """An error in the stream is kept, and the answer is not complete even if it goes on."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    meter = metered(wire([*EVENTS[:4], error, *EVENTS[4:]]))
    assert meter.error == ("overloaded_error", "Overloaded")
    assert not meter.is_complete


def test_an_event_over_several_data_lines() -> None:
    """Data on several lines is one event."""
    stop = b'event: message_stop\ndata: {"type":\ndata: "message_stop"}\n\n'
    assert metered(wire(EVENTS[:-1]) + stop).is_complete


def test_a_last_line_without_an_end() -> None:
    """A stream that closes right behind its last event is complete."""
    assert metered(wire(EVENTS).rstrip(b"\n")).is_complete


@pytest.mark.parametrize(
    "junk", [b"data: {oops}\n\n", b'data: {"type": "content_block_delta", "index": "x"}\n\n', b"data: []\n\n"]
)
def test_an_event_that_cannot_be_read_is_a_fault(junk: bytes) -> None:
    """An unreadable event spoils the stream: nobody knows what it counted."""
    meter = metered(wire(EVENTS[:4]) + junk + wire(EVENTS[4:]))
    assert meter.fault
    assert not meter.is_complete


def test_a_cut_tool_input_is_empty() -> None:
    """Tool input that ``max_tokens`` cut short is no JSON; it comes back empty, and the counts stand."""
    events = [event for event in EVENTS if event.get("delta") != EVENTS[8]["delta"]]
    meter = metered(wire(events))
    assert meter.is_complete
    assert meter.message()["content"][1]["input"] == {}


def test_an_endless_line_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream longer than any answer is a fault, and what follows is not kept."""
    monkeypatch.setattr("budget_gate.core.message_streams.STREAM_BYTES_MOST", 10_000)
    meter = StreamMeter()
    for _ in range(100):
        meter.feed(b"data: " + b"x" * 1_000)
    assert meter.fault
    assert len(meter._buffer) <= 11_000


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_hostile_bytes_never_raise(chunks: list[bytes]) -> None:
    """Whatever arrives, feeding raises nothing and is no complete answer."""
    meter = StreamMeter()
    for chunk in chunks:
        meter.feed(chunk)
    meter.close()
    assert not meter.is_complete
