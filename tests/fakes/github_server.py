"""A strict stand-in for the part of GitHub's REST API that budget-gate uses: state in memory, refusals in the real one's words.

In a test::

    with GitHubServer(state) as server:
        client = GitHubClient(server.token(), server.url, "acme/shop")

As a program: ``python tests/fakes/github_server.py --state state.json --port-file port.txt``. The state file may hold
``repository``, ``tokens``, ``pulls``, ``comments``, ``review_comments``, ``check_runs``, ``git`` and ``faults``, in the forms of ``State``
and ``Fault``. What is refused, and in which words, follows docs.github.com and answers quoted in public issue threads; nothing
here was recorded from github.com.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

if __package__:
    from fakes.github_state import Refusal, State, problem
else:  # run as a program
    from github_state import Refusal, State, problem


@dataclass
class Fault:
    """One thing that goes wrong with requests of ``verb`` whose path matches ``path``, ``times`` times, after ``skip`` of them.

    ``kind``: ``before`` (answer ``status`` without performing), ``after`` (perform, then answer ``status``), ``drop`` (perform,
    then cut the connection), ``rate`` (secondary rate limit with ``retry_after``), ``slow`` (wait ``seconds``, then perform),
    ``barrier`` (wait until ``times`` such requests have arrived, then perform them all), ``redirect`` (to another host) or
    ``page`` (a proxy's page in place of JSON).
    """

    verb: str
    path: str
    kind: str
    status: int = 502
    times: int = 1
    skip: int = 0
    seconds: float = 0.0
    retry_after: str = "1"
    gate: threading.Barrier | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Make the meeting point that a barrier needs."""
        if self.kind == "barrier":
            self.gate = threading.Barrier(self.times)

    def meets(self, verb: str, path: str) -> bool:
        """Return whether this fault strikes a request, and count it."""
        if self.verb != verb or not re.search(self.path, path) or not self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


class GitHubServer:
    """The fake, serving on 127.0.0.1 from a thread. ``requests`` records verb and path with query of every request, in order."""

    def __init__(self, state: State | dict[str, Any] | None = None, *, prefix: str = "", port: int = 0) -> None:
        given = dict(state) if isinstance(state, dict) else {}
        self.faults = [Fault(**each) for each in given.pop("faults", [])]
        self.state = state if isinstance(state, State) else State.from_json(given)
        self.prefix = prefix
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.lock = threading.Lock()
        self.clock_offset_seconds = 0.0
        server = self

        class Handler(_Handler):
            github = server

        self._http = _Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """The base address of the API, as ``GITHUB_API_URL`` has it."""
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    def token(self, login: str = "github-actions[bot]", permission: str = "write") -> str:
        """Return the token of an account, as the state has it."""
        return next(t for t, who in self.state.tokens.items() if (who["login"], who["permission"]) == (login, permission))

    def writes(self) -> list[tuple[str, str]]:
        """Return the requests that were not mere reads."""
        return [each for each in self.requests if each[0] != "GET" and not each[1].endswith("/graphql")]

    def set_time(self, instant: datetime) -> None:
        """Make the ``Date`` of every answer run on from ``instant``."""
        self.clock_offset_seconds = instant.timestamp() - time.time()

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    """Threads that end with the program, and clients that may hang up."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what is a fault of this fake; a client that went away is none."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    github: GitHubServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every second small answer waits 40 ms for an acknowledgement

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Keep quiet."""

    def do_GET(self) -> None:
        """Answer any verb; the others are the same function."""
        body = self._body()
        path = urlsplit(self.path).path
        with self.github.lock:
            self.github.requests.append((self.command, self.path))
            self.github.bodies.append(body)
            fault = next((each for each in self.github.faults if each.meets(self.command, path)), None)
        if fault and self._strikes_before(fault):
            return
        with self.github.lock:
            status, data, headers = self._answer(path, body)
        if fault and fault.kind == "drop":
            self.close_connection = True
            self.connection.close()
            return
        if fault and fault.kind == "after":
            self._send(fault.status, {"message": "Server Error"})
            return
        self._send(status, data, headers)

    do_POST = do_PATCH = do_DELETE = do_PUT = do_GET  # noqa: N815 - the names are the base class's

    def _strikes_before(self, fault: Fault) -> bool:
        """Do what a fault does before a request is performed; return whether that ends it."""
        if fault.kind == "before":
            self._send(fault.status, {"message": "Server Error"})
            return True
        if fault.kind == "redirect":
            self._send(301, {"message": "Moved Permanently"}, {"Location": "https://elsewhere.test/"})
            return True
        if fault.kind == "page":
            self._send(fault.status, b"<html>Sign in</html>")
            return True
        if fault.kind == "rate":
            message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
            after = {"retry-after": fault.retry_after} if fault.retry_after else {}
            self._send(403, problem(message), after)
            return True
        if fault.gate:
            fault.gate.wait(timeout=20)
        time.sleep(fault.seconds)
        return False

    def _body(self) -> Any:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            return json.loads(raw) if raw else None
        except ValueError:
            return ...

    def _answer(self, path: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        who = self.github.state.tokens.get(token) if scheme.lower() in ("token", "bearer") else None
        if who is None:
            return 401, problem("Bad credentials", 401), {}
        if body is ...:
            return 400, problem("Problems parsing JSON", 400), {}
        prefix = self.github.prefix
        graphql = f"{prefix.removesuffix('/v3')}/graphql"
        if path == graphql:
            return self.github.state.graphql(who, body)
        if prefix and not path.startswith(f"{prefix}/"):
            return 404, problem("Not Found", 404), {}
        query = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
        accept = self.headers.get("Accept") or ""
        try:
            answer = self.github.state.route(self.command, path.removeprefix(prefix), query, body, who, accept, self.github.url)
        except Refusal as refusal:
            return refusal.status, refusal.body, {}
        status, data, is_list = answer
        return self._page(status, data, query) if is_list else (status, data, {})

    def _page(self, status: int, data: Any, query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        """Cut a list to the page that was asked for, 30 items unless told, 100 at most, with GitHub's ``Link`` header."""
        key = next((name for name, value in data.items() if isinstance(value, list)), "") if isinstance(data, dict) else ""
        items = data[key] if key else data
        size = min(max(int(query.get("per_page", "30")), 1), 100)
        page, last = max(int(query.get("page", "1")), 1), max(-(-len(items) // size), 1)
        shown = items[(page - 1) * size : page * size]
        links = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        wanted = [
            name for name in links if (name in ("next", "last") and page < last) or (name in ("prev", "first") and page > 1)
        ]
        base = f"{self.github.url}{urlsplit(self.path).path.removeprefix(self.github.prefix)}"
        link = ", ".join(f'<{base}?{urlencode({**query, "page": links[name]})}>; rel="{name}"' for name in wanted)
        return status, {**data, key: shown} if key else shown, {"Link": link} if link else {}

    def _send(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        is_raw = isinstance(data, bytes)
        raw = data if is_raw else b"" if data is None else json.dumps(data).encode()
        kind = "application/vnd.github.diff; charset=utf-8" if is_raw else "application/json; charset=utf-8"
        rate = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4990", "X-RateLimit-Reset": "4102444800"}
        rate["Date"] = self.date_time_string(time.time() + self.github.clock_offset_seconds)
        self.send_response_only(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(raw)), **rate, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)


def main() -> None:
    """Serve until told to stop, leaving the final state beside the given one when asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--state", type=Path, help="JSON file with the state to begin with")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", type=Path, help="where to write the port, once it answers")
    parser.add_argument("--dump", type=Path, help="where to write state and requests at the end")
    parser.add_argument("--prefix", default="", help="path of the API, such as /api/v3")
    chosen = parser.parse_args()
    state = json.loads(chosen.state.read_text("utf-8")) if chosen.state else {}
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with GitHubServer(state, prefix=chosen.prefix, port=chosen.port) as server:
        print(server.port, flush=True)  # noqa: T201 - the port is this program's product
        if chosen.port_file:
            unfinished = chosen.port_file.with_suffix(".part")
            unfinished.write_text(str(server.port))
            unfinished.rename(chosen.port_file)
        stopped.wait()
        if chosen.dump:
            chosen.dump.write_text(json.dumps({**server.state.to_json(), "requests": server.requests}, indent=1))


if __name__ == "__main__":
    main()
