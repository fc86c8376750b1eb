"""Reading a streamed Messages answer: server-sent events in, the final usage and the whole message out.

The stream's ``usage`` counts are cumulative: the last one holds, and ``message_start`` carries the input's
(https://platform.claude.com/docs/en/build-with-claude/streaming). What the counts mean is ``messages_api``.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from budget_gate.core.errors import ProviderError
from budget_gate.core.messages_api import RequestFacts, read_json_object, read_usage
from budget_gate.core.usage import Usage

STREAM_BYTES_MOST = 64 * 1024 * 1024
"""More than any answer: 128 000 tokens are about a megabyte of events. What is longer is not read to its end."""

_LINE_END = re.compile(rb"\r\n|\n|\r(?=.)", re.DOTALL)
"""A carriage return at the end of what has arrived may be half of a pair; it waits for the next byte."""

_DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature", "input_json_delta": "partial_json"}
"""Kinds of delta, and the field that each adds text to. Tool input arrives as pieces of JSON text."""


def delta_text(event: object) -> str:
    """Return the piece of text that one event of a stream adds to the answer, or empty text."""
    delta = event.get("delta") if isinstance(event, Mapping) else None
    text = delta.get("text") if isinstance(delta, Mapping) and delta.get("type") == "text_delta" else None
    return text if isinstance(text, str) else ""


class StreamMeter:
    """Fed the bytes of one streamed answer in any pieces, knows what it used and whether it came to its end."""

    def __init__(self, request: RequestFacts | None = None) -> None:
        self._request = request
        self._buffer = bytearray()
        self._searched = 0
        self._fed = 0
        self._data: list[bytes] = []
        self._message: dict[str, Any] | None = None
        self._blocks: dict[int, dict[str, Any]] = {}
        self._pieces: dict[tuple[int, str], list[str]] = {}
        self._usage: dict[str, Any] = {}
        self._has_final_usage = False
        self._has_stopped = False
        self.events = 0
        self.error: tuple[str, str] | None = None
        self.fault = ""

    @property
    def is_complete(self) -> bool:
        """True once the message began, gave its final counts and stopped, with neither an error event nor a fault between."""
        ended = self._message is not None and self._has_final_usage and self._has_stopped
        return ended and self.error is None and not self.fault

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes. Never raises: what cannot be read is kept in ``fault``, an ``error`` event in ``error``."""
        self._fed += len(chunk)
        if self.fault or self._fed > STREAM_BYTES_MOST:
            self.fault = self.fault or "the stream is longer than any answer"
            return
        self._buffer += chunk
        start = 0
        while found := _LINE_END.search(self._buffer, max(self._searched, start)):
            self._take_line(bytes(self._buffer[start : found.start()]))
            start = found.end()
        if start:
            del self._buffer[:start]
        # Looked at already: only a trailing carriage return has to be looked at again.
        self._searched = max(len(self._buffer) - 1, 0)

    def close(self) -> None:
        """Take what was not ended by an empty line: some servers leave the last one out."""
        self._take_line(bytes(self._buffer).rstrip(b"\r"))
        self._buffer.clear()
        self._take_line(b"")

    def usage(self) -> Usage:
        """Return the counts so far. Raises ``ProviderError`` if there are none, ``UnsupportedUsage`` if they have no price."""
        return read_usage(self._usage, self._request)

    def message(self) -> dict[str, Any]:
        """Return the message as a plain answer would have carried it. Raises ``ProviderError`` before the message began."""
        if self._message is None:
            raise ProviderError("the stream carries no message")
        content = [self._block(index) for index in sorted(self._blocks)]
        return {**self._message, "content": content, "usage": self._usage}

    def _take_line(self, line: bytes) -> None:
        """Collect ``data`` lines; an empty line ends the event. Comments and other fields say nothing that counts."""
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
            return
        if not self._data:
            return
        text = b"\n".join(self._data)
        self._data = []
        self.events += 1
        try:
            self._take_event(read_json_object(text))
        except (ProviderError, KeyError, TypeError, ValueError):
            self.fault = self.fault or "an event of the stream cannot be read"

    def _take_event(self, event: Mapping[str, Any]) -> None:
        """Take one event; kinds that are not known are let pass, as the API asks of its clients."""
        kind = event.get("type")
        if kind == "message_start":
            self._message = dict(event["message"])
            self._merge_usage(self._message.get("usage"))
        elif kind == "content_block_start":
            self._blocks[int(event["index"])] = dict(event["content_block"])
        elif kind == "content_block_delta":
            self._take_delta(int(event["index"]), event["delta"])
        elif kind == "message_delta":
            if self._message is not None:
                self._message.update(event.get("delta") or {})
            self._merge_usage(event.get("usage"))
            self._has_final_usage = True
        elif kind == "message_stop":
            self._has_stopped = True
        elif kind == "error":
            error = event.get("error")
            error = error if isinstance(error, Mapping) else {}
            self.error = (str(error.get("type", "error")), str(error.get("message", "")))

    def _merge_usage(self, usage: object) -> None:
        """Let later counts replace earlier ones; what a later event leaves out, or says as null, still holds."""
        if isinstance(usage, Mapping):
            self._usage.update({key: value for key, value in usage.items() if value is not None})

    def _take_delta(self, index: int, delta: Mapping[str, Any]) -> None:
        field = _DELTAS.get(str(delta.get("type")))
        if field is not None:
            self._pieces.setdefault((index, field), []).append(str(delta[field]))
        elif delta.get("type") == "citations_delta":
            block = self._blocks[index]
            block["citations"] = [*(block.get("citations") or []), delta["citation"]]

    def _block(self, index: int) -> dict[str, Any]:
        """Return one content block with its pieces joined.

        Tool input that an answer cut short by ``max_tokens`` left incomplete is empty; its ``stop_reason`` says so.
        """
        block = dict(self._blocks[index])
        for field in ("text", "thinking", "signature"):
            if pieces := self._pieces.get((index, field)):
                block[field] = str(block.get(field) or "") + "".join(pieces)
        if pieces := self._pieces.get((index, "partial_json")):
            try:
                block["input"] = json.loads("".join(pieces))
            except (ValueError, RecursionError):
                block["input"] = {}
        return block
