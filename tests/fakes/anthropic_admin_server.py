"""Anthropic's usage and cost reports on loopback: strict about headers and query, paged, with a script of failures."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ADMIN_KEY = "sk-ant-admin01-not-a-real-key"
USAGE = "/v1/organizations/usage_report/messages"
COST = "/v1/organizations/cost_report"
GROUPS = {USAGE: "model service_tier", COST: "description"}


class AdminServer:
    """What the server reports and how it fails: ``failures`` are statuses used up one by one (0: hang up), then it answers."""

    def __init__(self) -> None:
        self.results: dict[str, list[dict[str, Any]]] = {USAGE: [], COST: []}
        self.failures: list[int] = []
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.redirect_to = ""
        self.page_size = 2
        self.url = ""
        self.days: list[str] | None = None
        """The days that come back, each with the same results on its first page; None: the one that was asked for."""
        self.is_next_page_missing = False

    def answer(self, path: str, query: dict[str, str], headers: Any) -> tuple[int, Any]:
        """Return status and body for one request; what the real service would refuse is refused."""
        if headers.get("x-api-key") != ADMIN_KEY:
            return 401, {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}
        if path not in GROUPS:
            return 404, {"type": "error", "error": {"type": "not_found_error", "message": "Not Found"}}
        wanted = {"starting_at", "ending_at", "bucket_width", "group_by[]"}
        is_right = headers.get("anthropic-version") == "2023-06-01" and wanted <= set(query) <= wanted | {"page"}
        if not is_right or query["group_by[]"] != GROUPS[path] or query["bucket_width"] != "1d":
            return 400, {"type": "error", "error": {"type": "invalid_request_error", "message": str(query)}}
        start = int(query.get("page", "page_0").removeprefix("page_"))
        results = self.results[path]
        end = start + self.page_size
        days = [query["starting_at"][:10]] if self.days is None else self.days
        buckets = [{"starting_at": f"{day}T00:00:00Z", "ending_at": "", "results": results[start:end]} for day in days]
        has_more = end < len(results)
        next_page = f"page_{end}" if has_more and not self.is_next_page_missing else None
        return 200, {"data": buckets, "has_more": has_more, "next_page": next_page}


@contextmanager
def admin_server() -> Iterator[AdminServer]:
    """Run the server for as long as the test needs it."""
    server = AdminServer()

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def do_GET(self) -> None:
            """Answer by the script."""
            parts = urlsplit(self.path)
            query: dict[str, str] = {}
            for name, value in parse_qsl(parts.query, strict_parsing=True):
                query[name] = f"{query[name]} {value}" if name in query else value
            server.seen.append((parts.path, query))
            status, body = server.answer(parts.path, query, self.headers)
            if server.failures:
                status, body = server.failures.pop(0), {"type": "error"}
            if not status:
                self.close_connection = True
                return
            text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("location", server.redirect_to)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server.url = f"http://127.0.0.1:{listener.server_address[1]}"
        thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
