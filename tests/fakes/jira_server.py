"""A strict stand-in for the one endpoint of Jira Cloud's REST API v3 that is used: authentication, keys, fields, and faults."""

import base64
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

EMAIL, TOKEN = "qa@acme.test", "jira-token-for-tests"
_PATH = re.compile(r"/rest/api/3/issue/([A-Z][A-Z0-9_]*-\d+)")


class JiraServer:
    """The fake on 127.0.0.1. ``faults`` are answers (status, headers, body) given before any other; ``seen`` the requests' paths."""

    def __init__(self, issues: dict[str, dict[str, Any]]) -> None:
        self.issues, self.faults, self.seen = issues, list[tuple[int, dict[str, str], bytes]](), list[str]()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
                """Keep quiet."""

            def do_GET(self) -> None:
                """Answer one request."""
                server.seen.append(self.path)
                status, headers, body = server.answer(self.path, self.headers.get("Authorization") or "")
                self.send_response_only(status)
                for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """What ``JIRA_BASE_URL`` has to be."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
        """Return what Jira would say, in the words of its documentation."""
        if self.faults:
            return self.faults.pop(0)
        if authorization != "Basic " + base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode():
            return 401, {}, b'{"errorMessages":["You do not have the permission to see the specified issue."]}'
        parts = urlsplit(path)
        match = _PATH.fullmatch(parts.path)
        issue = self.issues.get(match[1]) if match else None
        if issue is None:
            return 404, {}, b'{"errorMessages":["Issue does not exist or you do not have permission to see it."],"errors":{}}'
        wanted = parse_qs(parts.query).get("fields", ["*all"])[0].split(",")
        fields = {name: value for name, value in issue.items() if name in wanted or "*all" in wanted}
        return 200, {}, json.dumps({"id": "1", "key": match[1] if match else "", "fields": fields}).encode()

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
