"""A Slack incoming webhook on loopback: refuses what the real one refuses, and can hang up or stay silent when told to."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

from fakes.loopback import Loopback
from slack_sdk.models.blocks import Block

PATH = "/services/T000/B000/hooksecret"


class SlackWebhook(Loopback):
    """Serving on 127.0.0.1 from a thread. ``messages`` holds what was accepted; ``answers`` are played first: a status, or ``drop``."""

    def __init__(self, answers: list[int | str] | None = None) -> None:
        self.messages: list[dict[str, Any]] = []
        self.answers = list(answers or [])
        super().__init__(type("Handler", (_Handler,), {"slack": self}))

    @property
    def url(self) -> str:
        """The webhook's address, the secret in it included."""
        return f"{self.address}{PATH}"


class _Handler(BaseHTTPRequestHandler):
    slack: SlackWebhook

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Keep quiet."""

    def do_POST(self) -> None:
        """Take a message, or refuse it in Slack's words."""
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.slack.lock:
            played = self.slack.answers.pop(0) if self.slack.answers else 200
            problem = "no_service" if self.path != PATH else problem_of(raw)
            if played == 200 and not problem:
                self.slack.messages.append(json.loads(raw))
        if played == "drop":
            self.connection.close()
            return
        status = 400 if problem else int(played)
        self.send_response(status)
        self.end_headers()
        self.wfile.write((problem or ("ok" if status == 200 else "no_service")).encode())


def problem_of(raw: bytes) -> str:
    """Return Slack's word for what is wrong with a message, or empty text. Blocks are judged by slack_sdk's own models."""
    try:
        message = json.loads(raw)
    except ValueError:
        return "invalid_payload"
    if not message.get("text") and not message.get("blocks"):
        return "no_text"
    return "" if blocks_are_valid(message.get("blocks", [])) else "invalid_blocks"


def blocks_are_valid(blocks: list[dict[str, Any]]) -> bool:
    """Return whether blocks are within Slack's limits, as far as slack_sdk's models and Slack's documentation state them."""
    if len(blocks) > 50:
        return False
    for block in blocks:
        parsed = Block.parse(block)
        if parsed is None:
            return False
        parsed.validate_json()
        texts = [block["text"]] if "text" in block else []
        most = 150 if block["type"] == "header" else 3_000
        if any(not 0 < len(each["text"]) <= most for each in texts):
            return False
        fields = block.get("fields", [])
        if len(fields) > 10 or any(not 0 < len(each["text"]) <= 2_000 for each in fields):
            return False
    return True
