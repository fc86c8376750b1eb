"""Slack's Web API on loopback, ``chat.postMessage`` of it: answers in Slack's words, and refuses what the real one refuses."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from fakes.loopback import Loopback
from fakes.slack_webhook import blocks_are_valid

TOKEN = "xoxb-1-bottoken"
CHANNEL = "C0123456789"


class Played(NamedTuple):
    """An answer that is played instead of the usual one: a status, a body as it is sent, and headers."""

    status: int = 200
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    posts_all_the_same: bool = False
    """The message is posted, and the answer does not say so."""

    hangs_up: bool = False


def refusal(word: str) -> Played:
    """Return the answer that names an error."""
    return Played(body=json.dumps({"ok": False, "error": word}))


class SlackApi(Loopback):
    """Serving on 127.0.0.1 from a thread. ``messages`` holds what was posted; answers in ``played`` come first."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.played: list[Played] = []
        self.requests = 0
        self.gate = threading.Event()
        """While it is not set, a request is read and then kept waiting."""

        self.gate.set()
        super().__init__(type("Handler", (_Handler,), {"slack": self}))

    @property
    def url(self) -> str:
        """The API's address."""
        return f"{self.address}/api"

    def take(self, body: dict[str, Any]) -> str:
        """Post a message; return its time, which names it."""
        ts = f"1790000000.{len(self.messages):06d}"
        self.messages.append({**body, "ts": ts})
        return ts

    def problem_of(self, authorization: str, body: Any) -> str:
        """Return Slack's word for what is wrong with a request, or empty text."""
        if authorization != f"Bearer {TOKEN}":
            return "invalid_auth" if authorization else "not_authed"
        if not isinstance(body, dict) or body.get("channel") != CHANNEL:
            return "channel_not_found"
        if "thread_ts" in body and body["thread_ts"] not in {each["ts"] for each in self.messages}:
            return "thread_not_found"
        blocks = body.get("blocks", [])
        if not body.get("text") or sum(len(each.get("text", {}).get("text", "")) for each in blocks) > 13_200:
            return "msg_blocks_too_long"
        return "" if blocks_are_valid(blocks) else "invalid_blocks"


class _Handler(BaseHTTPRequestHandler):
    slack: SlackApi

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Keep quiet."""

    def do_POST(self) -> None:
        """Take a message, or say in Slack's words why not."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        with self.slack.lock:
            self.slack.requests += 1
        self.slack.gate.wait(60)
        with self.slack.lock:
            played = self.slack.played.pop(0) if self.slack.played else None
            word = self.slack.problem_of(self.headers.get("Authorization", ""), body)
            if self.path != "/api/chat.postMessage":
                word = "unknown_method"
            ts = self.slack.take(body) if not word and (played is None or played.posts_all_the_same) else ""
        if played is not None and played.hangs_up:
            self.connection.close()
            return
        answer = json.dumps({"ok": False, "error": word} if word else {"ok": True, "channel": body["channel"], "ts": ts})
        self.send_response(played.status if played else 200)
        for name, value in played.headers if played else ():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write((played.body if played else answer).encode())
