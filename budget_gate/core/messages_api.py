"""What Anthropic Messages JSON means to a budget: what a request can cost, and what an answer used.

Shared by our provider, the drop-in client and a proxy, so that all of them price alike. What a request's text weighs in tokens is
``core.tokens``; streams are ``core.message_streams``. Sources: https://platform.claude.com/docs/en/api/messages, and the types of
the official SDK 2.12 (``anthropic/types/usage.py``, ``message_create_params.py`` and their beta twins).

A key that is not known to be free, or to be priced, is refused by name: a guess is not a price.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from budget_gate.core.errors import ProviderError, UnsupportedUsage, UsageError
from budget_gate.core.prices import Variant
from budget_gate.core.usage import Usage

TOKENS_MOST = 1_000_000_000
"""No single call can use as many; a larger count is garbage, not a bill."""

WEB_SEARCHES_MOST = 1_000

_FREE_REQUEST_KEYS = frozenset(
    {
        *("model", "max_tokens", "messages", "system", "tools", "tool_choice", "stop_sequences", "stream", "metadata"),
        *("cache_control", "service_tier", "speed", "inference_geo", "output_config", "diagnostics"),
        # Thinking is output: max_tokens bounds it (API reference, "thinking").
        "thinking",
        # Sampling: removed from the API version of 2026-10-21, harmless to the price before it.
        *("temperature", "top_p", "top_k"),
    }
)

_CLIENT_TOOL_PREFIXES = ("bash_", "text_editor_", "memory_", "computer_", "browser_toolset_")
"""Tools of Anthropic's that run on the caller's side: they cost the tokens of their definitions and nothing else."""

_CONTENT_KINDS = (
    *("text", "image", "document", "search_result", "thinking", "redacted_thinking", "tool_use", "tool_result"),
    *("server_tool_use", "web_search_tool_result", "web_search_result", "tool_reference"),
)
"""Kinds of content block whose tokens are bounded by what the request itself contains. An image is bounded by its kind."""

_HARMLESS_GEOGRAPHIES = (None, "", "global", "not_available")
"""Any other place is billed at a multiple of the price (pricing page, "Data residency pricing"), which no price here carries."""


class RequestFacts(NamedTuple):
    """What a Messages request says about its own cost. ``is_cached``: any prompt token may be billed at a cache-write rate."""

    model: str
    max_tokens: int
    is_streamed: bool
    is_cached: bool
    has_hour_cache: bool
    web_searches: int
    variant: Variant


def request_facts(body: Mapping[str, Any]) -> RequestFacts:
    """Return the facts of a complete request.

    Raises ``UnsupportedUsage`` for whatever has no bound or no known price, and ``UsageError`` for what is no request at all.
    """
    for key, value in body.items():
        if value is not None and key not in _FREE_REQUEST_KEYS:
            raise UnsupportedUsage(f"the request field {key!r} has no known price; leave it out")
    model, max_tokens = body.get("model"), body.get("max_tokens")
    if not isinstance(model, str) or not model:
        raise UsageError("the request names no model; set `model` to a text")
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or not 0 <= max_tokens <= TOKENS_MOST:
        raise UsageError("the request has no answer length; set `max_tokens` to a number of tokens")
    _check_content(body)
    marks = [mark for mark in _cache_marks(body) if mark is not None]
    return RequestFacts(
        model=model,
        max_tokens=max_tokens,
        is_streamed=body.get("stream") is True,
        is_cached=bool(marks),
        has_hour_cache=any(isinstance(mark, Mapping) and mark.get("ttl") == "1h" for mark in marks),
        web_searches=_web_searches(body.get("tools")),
        variant=_variant(body),
    )


def _variant(body: Mapping[str, Any]) -> Variant:
    """Return which price list the request asks for.

    ``service_tier`` is not one: priority capacity is paid beforehand; counting it at the standard price is not less.
    """
    geography = body.get("inference_geo")
    if geography not in _HARMLESS_GEOGRAPHIES:
        raise UnsupportedUsage(
            f"`inference_geo: {geography}` is billed at a multiple of the price; leave it out, or write `global`"
        )
    speed = body.get("speed")
    if speed not in (None, "standard", "fast"):
        raise UnsupportedUsage(f"`speed: {speed}` has no known price; leave it out")
    return "fast" if speed == "fast" else "standard"


def _web_searches(tools: object) -> int:
    """Return the most web searches a request may make; raise for server tools whose cost has no bound."""
    searches = 0
    for tool in tools if isinstance(tools, list | tuple) else ():
        kind = tool.get("type") if isinstance(tool, Mapping) else None
        if kind is None or kind == "custom" or str(kind).startswith(_CLIENT_TOOL_PREFIXES):
            continue
        if not str(kind).startswith("web_search_"):
            raise UnsupportedUsage(f"the server tool {kind!r} can cost more than a request shows; remove it")
        # From 2026 on, searching may run code that reads more than it shows, unless only the model itself may call it.
        if kind != "web_search_20250305" and tool.get("allowed_callers") != ["direct"]:
            raise UnsupportedUsage(f"the tool {kind!r} can run code; write `allowed_callers: [direct]`, or web_search_20250305")
        uses = tool.get("max_uses")
        if isinstance(uses, bool) or not isinstance(uses, int) or not 0 <= uses <= WEB_SEARCHES_MOST:
            raise UnsupportedUsage(f"web searches need `max_uses` (0 to {WEB_SEARCHES_MOST}) to have a bound; set it on {kind!r}")
        searches += uses
    return searches


def _check_content(body: Mapping[str, Any]) -> None:
    """Raise for content whose tokens cannot be bounded from the request alone."""
    for block in content_blocks(body):
        kind = block.get("type")
        if kind not in _CONTENT_KINDS:
            raise UnsupportedUsage(f"content of kind {kind!r} has no known bound; send text or images")
        source = block.get("source")
        if kind == "document" and (not isinstance(source, Mapping) or source.get("type") not in ("text", "content")):
            # A compressed page holds any amount of text, and a link or file id shows nothing at all.
            raise UnsupportedUsage("a PDF, linked or uploaded document has no bound; send its text instead")


def content_blocks(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every content block of a request, nested ones included (tool results, documents). Iterative: depth costs no stack."""
    waiting: list[Any] = [body.get("system")]
    messages = body.get("messages")
    listed = messages if isinstance(messages, list | tuple) else ()
    waiting.extend(message.get("content") for message in listed if isinstance(message, Mapping))
    while waiting:
        content = waiting.pop()
        for block in content if isinstance(content, list | tuple) else ():
            if isinstance(block, Mapping):
                yield block
                source = block.get("source")
                waiting.append(block.get("content"))
                waiting.append(source.get("content") if isinstance(source, Mapping) else None)


def _cache_marks(body: Mapping[str, Any]) -> Iterator[object]:
    """Yield the value of every ``cache_control`` anywhere in the request.

    One inside a tool's own data is no mark; taking it for one only makes the worst case dearer.
    """
    waiting: list[Any] = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            if "cache_control" in value:
                yield value["cache_control"]
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)


def read_json_object(text: bytes | str) -> dict[str, Any]:
    """Return the JSON object in ``text``; raises ``ProviderError`` for anything else, however it is wrong."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise ProviderError("what came back is not JSON") from None
    if not isinstance(value, dict):
        raise ProviderError("what came back is not a JSON object")
    return value


_READ_KEYS = frozenset(
    {
        *("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation"),
        *("server_tool_use", "service_tier", "speed", "inference_geo", "iterations"),
        # A breakdown of output_tokens, which "remains the inclusive, authoritative total used for billing" (SDK).
        "output_tokens_details",
    }
)
_CACHE_LIFETIMES = frozenset({"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"})
_SERVER_TOOLS = frozenset({"web_search_requests", "web_fetch_requests"})
"""Fetches are billed by the tokens they bring, which are in ``input_tokens``; searches by their number as well."""


def read_usage(raw: object, request: RequestFacts | None = None) -> Usage:
    """Return what the wire's ``usage`` object says, every token in one bucket. ``request`` is what was asked, where it is known.

    Raises ``ProviderError`` for what is no usage, and ``UnsupportedUsage`` naming a count whose price is not known.
    """
    if not isinstance(raw, Mapping):
        raise ProviderError("the answer carries no usage")
    if raw.get("input_tokens") is None or raw.get("output_tokens") is None:
        raise ProviderError("the usage lacks input_tokens or output_tokens")
    _refuse_unknown(raw, _READ_KEYS, "usage")
    _check_how_served(raw, request)
    _check_iterations(raw.get("iterations"))
    five_minutes, one_hour = _cache_writes(raw, request)
    server = _mapping(raw, "server_tool_use")
    _refuse_unknown(server, _SERVER_TOOLS, "usage.server_tool_use")
    return Usage(
        input_tokens=_count(raw, "input_tokens"),
        output_tokens=_count(raw, "output_tokens"),
        cache_read_tokens=_count(raw, "cache_read_input_tokens"),
        cache_write_5m_tokens=five_minutes,
        cache_write_1h_tokens=one_hour,
        web_searches=_count(server, "web_search_requests"),
    )


def _cache_writes(raw: Mapping[str, Any], request: RequestFacts | None) -> tuple[int, int]:
    """Return the tokens written to the five-minute and to the one-hour cache.

    Where the answer gives only their sum, five minutes is the API's default, unless the request asked for an hour somewhere.
    """
    total = _count(raw, "cache_creation_input_tokens")
    by_lifetime = _mapping(raw, "cache_creation")
    _refuse_unknown(by_lifetime, _CACHE_LIFETIMES, "usage.cache_creation")
    five_minutes = _count(by_lifetime, "ephemeral_5m_input_tokens")
    one_hour = _count(by_lifetime, "ephemeral_1h_input_tokens")
    rest = total - five_minutes - one_hour
    if rest < 0 and raw.get("cache_creation_input_tokens") is not None:
        raise ProviderError("the usage contradicts itself: cache_creation adds up to more than cache_creation_input_tokens")
    rest = max(rest, 0)
    if request is not None and request.has_hour_cache:
        return five_minutes, one_hour + rest
    return five_minutes + rest, one_hour


def _check_how_served(raw: Mapping[str, Any], request: RequestFacts | None) -> None:
    """Raise if the call was served in a way that is billed by another price list than the request's."""
    geography = raw.get("inference_geo")
    if geography not in _HARMLESS_GEOGRAPHIES:
        raise UnsupportedUsage(f"the answer was served in {geography!r}, which is billed at a multiple of the price")
    speed, asked = raw.get("speed"), request.variant if request is not None else "standard"
    if speed not in (None, "standard") and not (speed == "fast" and asked == "fast"):
        raise UnsupportedUsage(f"the answer was served at speed {speed!r}, which was not asked for")
    if raw.get("service_tier") not in (None, "standard", "priority", "batch"):
        raise UnsupportedUsage(f"the answer was served on the tier {raw['service_tier']!r}, whose price is not known")


def _check_iterations(iterations: object) -> None:
    """Raise if the breakdown by iteration shows tokens that the totals leave out, or that another model made.

    Iterations of kind ``message`` are in the totals; ``compaction`` is not, and advisor and fallback models have prices of their
    own (SDK, ``beta_iterations_usage.py``).
    """
    for each in iterations if isinstance(iterations, list | tuple) else ():
        kind = each.get("type") if isinstance(each, Mapping) else each
        if kind != "message":
            raise UnsupportedUsage(f"the usage counts an iteration of kind {kind!r}, whose price is not known")


def _refuse_unknown(raw: Mapping[str, Any], known: frozenset[str], place: str) -> None:
    for key, value in raw.items():
        if key not in known and _holds_a_number(value):
            raise UnsupportedUsage(f"{place}.{key} counts something whose price is not known")


def _holds_a_number(value: object) -> bool:
    """True if there is a number other than zero anywhere inside. Texts and nulls are notes, not counts."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, int | float) and not isinstance(each, bool) and each != 0:
            return True
        if isinstance(each, Mapping):
            waiting.extend(each.values())
        elif isinstance(each, list | tuple):
            waiting.extend(each)
    return False


def _mapping(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = raw.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ProviderError(f"usage.{key} is not an object")
    return value


def _count(raw: Mapping[str, Any], key: str) -> int:
    value = raw.get(key)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= TOKENS_MOST:
        raise ProviderError(f"usage.{key} is not a count")
    return value
