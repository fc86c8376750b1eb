"""Strict stand-ins on loopback for a Slack incoming webhook and PagerDuty's Events API v2: they refuse what the real ones refuse.

In a test::

    with AlertServices() as services:
        services.queue("slack", Behaviour("status", status=429, headers={"Retry-After": "1"}))
        SlackNotifier(services.slack_url).deliver(message)
        services.slack[0]["blocks"]
"""

import json
import socket
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

WEBHOOK_PATH = "/services/T000/B000/secretwebhookpart"
ROUTING_KEY = "0123456789abcdef0123456789abcdef"


class Behaviour(NamedTuple):
    """What to do with one request: ``status`` (answer with it), ``reset`` (cut the connection) or ``stall`` (for ``seconds``)."""

    kind: str
    status: int = 500
    headers: Mapping[str, str] = MappingProxyType({})
    body: str = ""
    seconds: float = 0.0


class AlertServices:
    """Both services on one port; what they accepted, and what they refused and why."""

    def __init__(self) -> None:
        self.slack: list[dict[str, Any]] = []
        self.pagerduty: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.seen: dict[str, int] = defaultdict(int)
        self._behaviours: dict[str, deque[Behaviour]] = defaultdict(deque)
        self._lock = threading.Lock()
        services = self

        class Handler(_Handler):
            """Knows its services."""

            owner = services

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._base = f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def slack_url(self) -> str:
        """The webhook."""
        return f"{self._base}{WEBHOOK_PATH}"

    @property
    def events_url(self) -> str:
        """Where events are posted."""
        return f"{self._base}/v2/enqueue"

    @property
    def open_incidents(self) -> set[str]:
        """The dedup keys that were triggered and not resolved."""
        found: set[str] = set()
        for event in self.pagerduty:
            (found.add if event["event_action"] == "trigger" else found.discard)(event["dedup_key"])
        return found

    def queue(self, service: str, *behaviours: Behaviour) -> None:
        """Make the next requests to a service end so."""
        self._behaviours[service].extend(behaviours)

    def next_behaviour(self, service: str) -> Behaviour | None:
        """Take the next one."""
        with self._lock:
            self.seen[service] += 1
            return self._behaviours[service].popleft() if self._behaviours[service] else None

    def take(self, service: str, body: Any) -> tuple[int, str]:
        """Judge a request; return status and body of the answer."""
        fault = slack_fault(body) if service == "slack" else pagerduty_fault(body)
        with self._lock:
            if fault:
                self.refused.append(fault)
                return 400, fault if service == "slack" else json.dumps({"status": "invalid event", "errors": [fault]})
            if service == "slack":
                self.slack.append(body)
                return 200, "ok"
            self.pagerduty.append(body)
            return 202, json.dumps({"status": "success", "message": "Event processed", "dedup_key": body["dedup_key"]})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def slack_fault(body: Any) -> str:
    """Return Slack's word for what is wrong with a webhook's body, or empty text."""
    if not isinstance(body, dict) or not (body.get("text") or body.get("blocks")):
        return "no_text"
    blocks = body.get("blocks", [])
    if len(blocks) > 50 or len(body.get("text", "")) > 40_000:
        return "invalid_blocks"
    try:
        parsed = [Block.parse(block) for block in blocks]
        if any(block is None for block in parsed):
            return "invalid_blocks"
        for block in parsed:
            assert block is not None
            block.to_dict()  # the library's own rules
    except SlackObjectFormationError:
        return "invalid_blocks"
    return "" if all(_is_block(block) for block in blocks) else "invalid_blocks"


def _is_block(block: dict[str, Any]) -> bool:
    if block["type"] == "header":
        return block["text"]["type"] == "plain_text" and _is_text(block["text"], 150)
    if block["type"] != "section" or not (block.get("text") or block.get("fields")):
        return False
    fields = block.get("fields", [])
    return (
        len(fields) <= 10
        and all(_is_text(field, 2_000) for field in fields)
        and ("text" not in block or _is_text(block["text"], 3_000))
    )


def _is_text(text: dict[str, Any], limit: int) -> bool:
    allowed = {"type", "text", "emoji"} if text["type"] == "plain_text" else {"type", "text", "verbatim"}
    return set(text) <= allowed and 1 <= len(text["text"].encode("utf-16-le")) // 2 <= limit


def pagerduty_fault(body: Any) -> str:
    """Return what PagerDuty would say is wrong with an event, or empty text."""
    if not isinstance(body, dict) or body.get("routing_key") != ROUTING_KEY:
        return "Invalid routing key"
    if body.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
        return "'event_action' is invalid"
    if len(body.get("dedup_key", "")) > 255:
        return "Length of 'dedup_key' is incorrect (should be between 0 and 255)"
    if body["event_action"] != "trigger":
        return "" if body.get("dedup_key") else "'dedup_key' is missing or blank"
    payload = body.get("payload", {})
    missing = [name for name in ("summary", "source", "severity") if not payload.get(name)]
    if missing:
        return f"'payload.{missing[0]}' is missing or blank"
    if payload["severity"] not in {"critical", "error", "warning", "info"}:
        return "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"
    return "Length of 'payload.summary' is incorrect" if len(payload["summary"]) > 1024 else ""


class _Handler(BaseHTTPRequestHandler):
    owner: AlertServices
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer as queued, else strictly."""
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service = {WEBHOOK_PATH: "slack", "/v2/enqueue": "pagerduty"}.get(self.path)
        if service is None:
            self._answer(404, "no_service", {})
            return
        behaviour = self.owner.next_behaviour(service)
        if behaviour is None:
            self._answer(*self._judged(service, content), {})
        elif behaviour.kind == "status":
            self._answer(behaviour.status, behaviour.body, behaviour.headers)
        else:
            if behaviour.kind == "stall":
                time.sleep(behaviour.seconds)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True

    def _judged(self, service: str, content: bytes) -> tuple[int, str]:
        if not self.headers.get("Content-Type", "").startswith("application/json"):
            return 400, "invalid_payload"
        try:
            return self.owner.take(service, json.loads(content))
        except ValueError:
            return 400, "invalid_payload"

    def _answer(self, status: int, body: str, headers: Mapping[str, str]) -> None:
        content = body.encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content)), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 (the name of the base class)
        """Say nothing."""
