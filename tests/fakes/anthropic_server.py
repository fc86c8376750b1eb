"""A strict stand-in for Anthropic's Messages API on loopback: answers, streams and counts; refuses what the real one refuses.

In a test::

    with AnthropicServer() as server:
        server.queue(Behaviour("status", status=529), Behaviour("answer"))
        provider = AnthropicProvider(server.key, server.url)

As a program: ``python tests/fakes/anthropic_server.py --port-file port.txt`` (prints its port too).
What it refuses, and in which words, is ``anthropic_rules``.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

if __package__:
    from fakes.anthropic_batches import PATH as BATCHES
    from fakes.anthropic_batches import BatchStore
    from fakes.anthropic_rules import BODY_BYTES_MOST, Refusal, refusal_of_body, refusal_of_headers
else:  # run as a program
    from anthropic_batches import PATH as BATCHES
    from anthropic_batches import BatchStore
    from anthropic_rules import BODY_BYTES_MOST, Refusal, refusal_of_body, refusal_of_headers

KEY = "sk-ant-api03-fake-key-for-tests"
PAID = ("/v1/messages", BATCHES)
STATUS_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


@dataclass
class Behaviour:
    """What to do with one Messages request, or one creation of a batch, by ``kind``.

    ``answer``; ``status`` (an error of ``status``; ``headers`` and ``body`` may be given); ``reset`` (before an answer);
    ``cut`` (part of the answer, then a reset); ``stall`` (read the request, then say nothing for ``seconds``); ``drip`` (one byte
    of the answer every ``seconds``); ``garbage`` (200, not JSON); ``no_usage``; ``cut_stream`` (close after ``events`` events);
    ``error_event`` (an ``error`` event after ``events`` events); ``stall_stream`` (silent after ``events`` events).
    """

    kind: str = "answer"
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    seconds: float = 0.05
    events: int = 2
    usage: dict[str, Any] | None = None


@dataclass
class Seen:
    """One request as it arrived, and when (seconds since 1970)."""

    path: str
    headers: dict[str, str]
    body: Any
    at: float = field(default_factory=time.time)


class AnthropicServer:
    """The server, its script and what it saw. Behaviours are used up in order; after them it answers."""

    def __init__(self, answer: Callable[[dict[str, Any]], list[dict[str, Any]]] | None = None, key: str = KEY) -> None:
        self.answer = answer or default_answer
        self.key = key
        self.requests: list[Seen] = []
        self.batches = BatchStore(lambda body: message_for(body, self.answer(body), None, len(self.requests)))
        self._behaviours: list[Behaviour] = []
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self.arrived = threading.Event()
        self._http = _Http(("127.0.0.1", 0), _handler_for(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """What ``ANTHROPIC_BASE_URL`` has to be."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def messages(self) -> list[Any]:
        """The bodies of the Messages requests, in order of arrival."""
        return [seen.body for seen in self.requests if seen.path == "/v1/messages"]

    def queue(self, *behaviours: Behaviour) -> None:
        """Add to the script."""
        with self._lock:
            self._behaviours.extend(behaviours)

    def take(self, seen: Seen) -> Behaviour:
        """Record a request; return what to do with it. Only what is paid for is scripted."""
        with self._lock:
            self.requests.append(seen)
            self.arrived.set()
            return self._behaviours.pop(0) if self._behaviours and seen.path in PAID and seen.body is not None else Behaviour()

    def start(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop, and wait for what is still being served."""
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


class _Http(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left is not an error of the server's."""


def default_answer(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a call of the forced tool with the least input its schema accepts, or a sentence."""
    choice = body.get("tool_choice") or {}
    if choice.get("type") != "tool":
        return [{"type": "text", "text": "All is well: nothing to report."}]
    tool = next(tool for tool in body["tools"] if tool["name"] == choice["name"])
    return [{"type": "tool_use", "id": "toolu_fake01", "name": tool["name"], "input": least(tool.get("input_schema", {}))}]


def least(schema: dict[str, Any]) -> Any:
    """Return the least value a schema accepts."""
    if "const" in schema or "enum" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    kind = schema.get("type")
    if kind == "object":
        return {name: least(schema.get("properties", {}).get(name, {})) for name in schema.get("required", ())}
    if kind == "array":
        return [least(schema.get("items", {})) for _ in range(schema.get("minItems", 0))]
    return {"string": "x" * schema.get("minLength", 0), "boolean": False}.get(str(kind), schema.get("minimum", 0))


def tokens_of(value: Any) -> int:
    """Return a plausible count for any JSON: four bytes to a token."""
    return max(len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")) // 4, 1)


def message_for(body: dict[str, Any], content: list[dict[str, Any]], usage: dict[str, Any] | None, serial: int) -> dict[str, Any]:
    """Return the answer as one message. Its output is never longer than was asked for."""
    counted = {
        "input_tokens": tokens_of([body.get("system"), body["messages"], body.get("tools")]),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": min(tokens_of(content), body["max_tokens"]),
        "service_tier": "standard",
        "inference_geo": "not_available",
        "speed": "standard",
        "output_tokens_details": {"thinking_tokens": 0},
    }
    is_tool = any(block["type"] == "tool_use" for block in content)
    return {
        "id": f"msg_fake{serial:04d}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": "tool_use" if is_tool else "end_turn",
        "stop_sequence": None,
        "usage": usage if usage is not None else counted,
    }


def events_of(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the events in which the API streams a message: counts so far first, their final values in ``message_delta``."""
    usage = message["usage"]
    begun = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield {"type": "message_start", "message": begun}
    yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        if block["type"] == "tool_use":
            pieces, delta = json.dumps(block["input"]), ("input_json_delta", "partial_json")
            start = {**block, "input": {}}
        else:
            pieces, delta = block["text"], ("text_delta", "text")
            start = {**block, "text": ""}
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for at in range(0, len(pieces), 12):
            yield {"type": "content_block_delta", "index": index, "delta": {"type": delta[0], delta[1]: pieces[at : at + 12]}}
        yield {"type": "content_block_stop", "index": index}
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": usage["output_tokens"]}}
    yield {"type": "message_stop"}


def encode_event(event: dict[str, Any]) -> bytes:
    """Return an event as it goes over the wire."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _handler_for(server: AnthropicServer) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        fake = server

    return Handler


class _Handler(BaseHTTPRequestHandler):
    fake: AnthropicServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        """Say nothing."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.fake.take(Seen(path, headers, None))
        refusal = refusal_of_headers({"content-type": "application/json", **headers}, (self.fake.key,))
        found = refusal or self.fake.batches.answer(self.command, path, self.fake.url)
        if isinstance(found, Refusal):
            self._refuse(found)
        elif isinstance(found, dict):
            self._send(200, json.dumps(found).encode())
        else:
            self._results(found)

    def do_DELETE(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        length = int(self.headers.get("content-length") or 0)
        if length > BODY_BYTES_MOST:
            self.close_connection = True
            self._refuse(Refusal(413, "request_too_large", "Request exceeds the maximum allowed number of bytes."))
            return
        raw = self.rfile.read(length)
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        headers = {name.lower(): value for name, value in self.headers.items()}
        if path.startswith(f"{BATCHES}/"):
            self.do_GET()
            return
        behaviour = self.fake.take(Seen(path, headers, body))
        if path == BATCHES:
            self._create(behaviour, body, refusal_of_headers(headers, (self.fake.key,)) or self.fake.batches.refusal(body))
            return
        if path not in {"/v1/messages", "/v1/messages/count_tokens"}:
            self._refuse(Refusal(404, "not_found_error", "Not found"))
            return
        counting = path.endswith("/count_tokens")
        refusal = refusal_of_headers(headers, (self.fake.key,))
        refusal = refusal or refusal_of_body(body, headers["anthropic-version"], counting=counting)
        if refusal:
            self._refuse(refusal)
        elif counting:
            self._send(
                200, json.dumps({"input_tokens": tokens_of([body.get("system"), body["messages"], body.get("tools")])}).encode()
            )
        else:
            self._behave(behaviour, body)

    def _behave(self, behaviour: Behaviour, body: dict[str, Any]) -> None:
        message = message_for(body, self.fake.answer(body), behaviour.usage, len(self.fake.requests))
        if behaviour.kind == "no_usage":
            del message["usage"]
        if behaviour.kind == "status":
            kind = STATUS_KINDS.get(behaviour.status, "api_error")
            self._refuse(Refusal(behaviour.status, kind, "scripted"), behaviour.headers, behaviour.body)
        elif behaviour.kind == "reset":
            self._reset()
        elif behaviour.kind == "stall":
            self.fake.closing.wait(behaviour.seconds)
            self.close_connection = True
        elif behaviour.kind == "garbage":
            self._send(200, b"<html>not JSON</html>")
        elif body.get("stream") and behaviour.kind in {"answer", "drip", "cut_stream", "error_event", "stall_stream", "no_usage"}:
            self._stream(behaviour, message)
        else:
            self._plain(behaviour, json.dumps(message).encode())

    def _create(self, behaviour: Behaviour, body: dict[str, Any], refusal: Refusal | None) -> None:
        if refusal:
            self._refuse(refusal)
        elif behaviour.kind == "status":
            kind = STATUS_KINDS.get(behaviour.status, "api_error")
            self._refuse(Refusal(behaviour.status, kind, "scripted"), behaviour.headers, behaviour.body)
        elif behaviour.kind == "reset":
            self._reset()
        elif behaviour.kind == "garbage":
            self._send(200, b"<html>not JSON</html>")
        else:  # made, even if its answer is lost
            batch = self.fake.batches.create(body)
            self._plain(behaviour, json.dumps(self.fake.batches.document(batch, self.fake.url)).encode())

    def _results(self, lines: Iterator[bytes]) -> None:
        """Send a results file as it is made, of a length that nobody says beforehand; ``cut_at`` ends it early, once."""
        cut_at, self.fake.batches.cut_at = self.fake.batches.cut_at, None
        self.close_connection = True
        self._head(200, {"content-type": "application/x-jsonl", "transfer-encoding": "chunked", "connection": "close"})
        sent = 0
        for line in lines:
            part = line if cut_at is None else line[: max(cut_at - sent, 0)]
            sent += len(part)
            if part:
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            if len(part) < len(line):
                self.wfile.flush()
                return
        self.wfile.write(b"0\r\n\r\n")

    def _plain(self, behaviour: Behaviour, content: bytes) -> None:
        if behaviour.kind == "cut":
            self._head(200, {"content-type": "application/json", "content-length": str(len(content))})
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            time.sleep(0.05)  # so that what was written is read before the reset overtakes it
            self._reset()
        elif behaviour.kind == "drip":
            self._head(200, {"content-type": "application/json", "content-length": str(len(content))})
            self._drip(content, behaviour.seconds)
        else:
            self._send(200, content)

    def _stream(self, behaviour: Behaviour, message: dict[str, Any]) -> None:
        self.close_connection = True
        self._head(200, {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", "connection": "close"})
        if behaviour.kind == "no_usage":
            message = {**message, "usage": {"input_tokens": None, "output_tokens": 1}}
        for index, event in enumerate(events_of(message)):
            if behaviour.kind in {"cut_stream", "error_event", "stall_stream"} and index == behaviour.events:
                if behaviour.kind == "error_event":
                    error = {"type": "overloaded_error", "message": "Overloaded"}
                    self.wfile.write(encode_event({"type": "error", "error": error}))
                elif behaviour.kind == "stall_stream":
                    self.fake.closing.wait(behaviour.seconds)
                return
            if behaviour.kind == "drip":
                self._drip(encode_event(event), behaviour.seconds)
            else:
                self.wfile.write(encode_event(event))
                self.wfile.flush()

    def _drip(self, content: bytes, seconds: float) -> None:
        for byte in content:
            if self.fake.closing.wait(seconds):
                return
            self.wfile.write(bytes((byte,)))
            self.wfile.flush()

    def _reset(self) -> None:
        """Cut the connection hard: with nothing lingering, the other side sees a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _refuse(self, refusal: Refusal, headers: dict[str, str] | None = None, body: bytes | None = None) -> None:
        error = {"type": refusal.kind, "message": refusal.message}
        envelope = {"type": "error", "error": error, "request_id": self._request_id()}
        self._send(refusal.status, json.dumps(envelope).encode() if body is None else body, headers)

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self._head(status, {"content-type": "application/json", "content-length": str(len(content)), **(headers or {})})
        self.wfile.write(content)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"request-id": self._request_id(), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _request_id(self) -> str:
        return f"req_fake{len(self.fake.requests):04d}"


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="A fake Messages API.")
    parser.add_argument("--port-file", type=Path)
    options = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    with AnthropicServer() as server:
        if options.port_file:
            options.port_file.write_text(str(server.port))
        print(server.port, flush=True)  # noqa: T201  # the program's product
        stop.wait()


if __name__ == "__main__":
    main()
