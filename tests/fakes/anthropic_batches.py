"""The fake API's message batches: made, worked off when a test says so, and read line by line.

After https://platform.claude.com/docs/en/build-with-claude/batch-processing and the SDK's types; nothing here was recorded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

if __package__:
    from fakes.anthropic_rules import Refusal, refusal_of_body
else:  # run as a program
    from anthropic_rules import Refusal, refusal_of_body

PATH = "/v1/messages/batches"
DAY = "2026-11-2{}T10:00:00Z"


@dataclass
class Batch:
    """One batch; ``outcomes`` says how its requests ended, those left out succeeded."""

    name: str
    requests: list[dict[str, Any]]
    status: str = "in_progress"
    outcomes: dict[str, str] = field(default_factory=dict)


class BatchStore:
    """All batches of a fake API. ``message_for`` answers one request; ``cut_at`` cuts the next reading of results after so many bytes."""

    def __init__(self, message_for: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self._message_for = message_for
        self.batches: dict[str, Batch] = {}
        self.cut_at: int | None = None

    def refusal(self, body: Any) -> Refusal | None:
        """Judge the body of a create."""
        requests = body.get("requests") if isinstance(body, dict) and set(body) == {"requests"} else None
        if not isinstance(requests, list) or not 1 <= len(requests) <= 100_000:
            return Refusal(400, "invalid_request_error", "requests: Field required")
        names = [each.get("custom_id") for each in requests]
        if any(set(each) != {"custom_id", "params"} for each in requests) or len(names) != len(set(names)):
            return Refusal(400, "invalid_request_error", "requests: custom_id must be unique")
        if any(each["params"].get("stream") for each in requests):
            return Refusal(400, "invalid_request_error", "requests: stream is not supported in batches")
        return None

    def create(self, body: dict[str, Any]) -> Batch:
        """Make a batch. It stays in progress until ``end``."""
        batch = Batch(f"msgbatch_fake{len(self.batches) + 1:02d}", body["requests"])
        self.batches[batch.name] = batch
        return batch

    def end(self, name: str = "", **outcomes: str) -> None:
        """Let a batch (the latest, unless named) be worked off; ``outcomes`` are by custom id: errored, canceled, expired or another."""
        batch = self.batches[name] if name else list(self.batches.values())[-1]
        batch.status, batch.outcomes = "ended", dict(outcomes)

    def document(self, batch: Batch, url: str) -> dict[str, Any]:
        """Return a batch as the API shows it."""
        is_over = batch.status == "ended"
        kinds = [self._outcome(batch, each) for each in batch.requests]
        counts = {kind: kinds.count(kind) if is_over else 0 for kind in ("succeeded", "errored", "canceled", "expired")}
        return {
            "id": batch.name,
            "type": "message_batch",
            "processing_status": batch.status,
            "request_counts": {"processing": 0 if is_over else len(kinds), **counts},
            "created_at": DAY.format(6),
            "expires_at": DAY.format(7),
            "ended_at": DAY.format(6) if is_over else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": f"{url}{PATH}/{batch.name}/results" if is_over else None,
        }

    def answer(self, method: str, path: str, url: str) -> dict[str, Any] | Iterator[bytes] | Refusal:
        """Return what any request but a create gets: a document, or the lines of a results file."""
        if path == PATH:
            shown = [self.document(each, url) for each in reversed(self.batches.values())]
            return {"data": shown, "has_more": False, "first_id": None, "last_id": None}
        name, _, part = path.removeprefix(f"{PATH}/").partition("/")
        batch = self.batches.get(name)
        match method, part, batch:
            case "GET", "", Batch():
                return self.document(batch, url)
            case "GET", "results", Batch(status="ended"):
                return self._lines(batch)
            case "POST", "cancel", Batch():
                batch.status = "canceling"
                return self.document(batch, url)
            case "DELETE", "", Batch(status="ended"):
                del self.batches[name]
                return {"id": name, "type": "message_batch_deleted"}
        return Refusal(404, "not_found_error", "Not found")

    def _outcome(self, batch: Batch, request: dict[str, Any]) -> str:
        refusal = refusal_of_body(request["params"], "2023-06-01", counting=False)
        return batch.outcomes.get(request["custom_id"], "errored" if refusal else "succeeded")

    def _lines(self, batch: Batch) -> Iterator[bytes]:
        """Yield the results, the last request first: no order is promised."""
        for request in reversed(batch.requests):
            kind = self._outcome(batch, request)
            result: dict[str, Any] = {"type": kind}
            if kind == "succeeded":
                message = self._message_for(request["params"])
                result["message"] = {**message, "usage": {**message["usage"], "service_tier": "batch"}}
            if kind == "errored":
                error = {"type": "invalid_request_error", "message": "scripted"}
                result["error"] = {"type": "error", "error": error, "request_id": "req_fake"}
            yield json.dumps({"custom_id": request["custom_id"], "result": result}).encode() + b"\n"
