"""The one table of ledger backends: every contract test runs over all of them, and a new backend is one row.

A row opens a fresh ``Store``: a ledger on storage of its own, plus the two things a test needs besides: a clock it can set, and
(for backends that several processes share) a picklable way for another process to reach the same storage.

The Redis rows come from ``fakes.redis_server``, imported only when such a row is opened; it must offer
``open_redis_store(folder: Path, delay_seconds: float) -> Store``. The GitHub row comes from ``fakes.github_ledger``.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

from budget_gate.ledger.interface import Ledger


class Opener(Protocol):
    """Opens another handle to the same storage. Picklable, so that another process can call it; the caller closes the ledger."""

    def __call__(self) -> Ledger:
        """Open it."""
        ...


class Store(Protocol):
    """A ledger on fresh storage. Tests use ``store.ledger`` anew after ``set_time``: a backend may have to reopen it."""

    @property
    def ledger(self) -> Ledger:
        """The first handle; closed by ``close``."""
        ...

    def set_time(self, instant: datetime) -> None:
        """Make the ledger's clock show ``instant`` now and run on from there."""
        ...

    def opener(self) -> Opener:
        """Return a way to another handle, whose clock shows what this one's shows at this moment."""
        ...

    def close(self) -> None:
        """Close the ledger and remove its storage."""
        ...


class Backend(NamedTuple):
    """A row: the name in test ids, how to open a fresh store in an empty folder, and whether other processes can reach it.

    ``in_flight`` is how many calls at a time the tests of the queue make; limits that are raced for shrink with it.
    """

    name: str
    open: Callable[[Path], Store]
    is_shared: bool
    is_slow: bool = False
    in_flight: int = 64


class OffsetClock:
    """The system clock, moved by an offset. Picklable; the offset can be changed."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def __call__(self) -> datetime:
        """Return the moved time."""
        return datetime.now(UTC) + self.offset

    def set_time(self, instant: datetime) -> None:
        """Show ``instant`` now."""
        self.offset = instant - datetime.now(UTC)


class MemoryStore:
    """A ledger in this process's memory."""

    def __init__(self) -> None:
        from budget_gate.ledger.memory import MemoryLedger

        self._clock = OffsetClock()
        self.ledger: Ledger = MemoryLedger(clock=self._clock)

    def set_time(self, instant: datetime) -> None:
        """Move the clock."""
        self._clock.set_time(instant)

    def opener(self) -> Opener:
        """No other process reaches this memory."""
        raise AssertionError("the table says that memory is not shared")

    def close(self) -> None:
        """Let it go."""
        self.ledger.close()


class SqliteOpener(NamedTuple):
    """Opens a SQLite ledger by path, with a moved clock."""

    path: Path
    offset: timedelta

    def __call__(self) -> Ledger:
        """Open it."""
        from budget_gate.ledger.sqlite import SqliteLedger

        return SqliteLedger(self.path, clock=OffsetClock(self.offset))


class SqliteStore:
    """A ledger in a SQLite file of its own."""

    def __init__(self, folder: Path) -> None:
        from budget_gate.ledger.sqlite import SqliteLedger

        self.path = folder / "ledger.db"
        self._clock = OffsetClock()
        self.ledger: Ledger = SqliteLedger(self.path, clock=self._clock)

    def set_time(self, instant: datetime) -> None:
        """Move the clock of this handle and of those opened later."""
        self._clock.set_time(instant)

    def opener(self) -> Opener:
        """Return a way to the same file."""
        return SqliteOpener(self.path, self._clock.offset)

    def close(self) -> None:
        """Close the file; the folder is the test's."""
        self.ledger.close()


def _redis_store(folder: Path) -> Store:
    from fakes.redis_server import open_redis_store

    return open_redis_store(folder, delay_seconds=0.0)


def _slow_redis_store(folder: Path) -> Store:
    from fakes.redis_server import open_redis_store

    return open_redis_store(folder, delay_seconds=0.010)


def _redis_asyncio_store(folder: Path) -> Store:
    from fakes.redis_asyncio import LoopedStore

    return LoopedStore()


def _redis_asyncio_sentinel_store(folder: Path) -> Store:
    from fakes.redis_asyncio import LoopedStore
    from fakes.redis_groups import shared_group

    return LoopedStore(shared_group().url())


def _redis_asyncio_cluster_store(folder: Path) -> Store:
    from fakes.redis_asyncio import LoopedStore
    from fakes.redis_groups import shared_cluster

    return LoopedStore(shared_cluster().url())


def _github_store(folder: Path) -> Store:
    from fakes.github_ledger import GitHubStore

    return GitHubStore()


BACKENDS: tuple[Backend, ...] = (
    Backend("memory", lambda folder: MemoryStore(), is_shared=False),
    Backend("sqlite", SqliteStore, is_shared=True),
    Backend("redis", _redis_store, is_shared=True),
    Backend("redis-10ms-away", _slow_redis_store, is_shared=True, is_slow=True),
    Backend("redis-asyncio", _redis_asyncio_store, is_shared=True, is_slow=True),
    Backend("redis-asyncio-sentinel", _redis_asyncio_sentinel_store, is_shared=True, is_slow=True),
    Backend("redis-asyncio-cluster", _redis_asyncio_cluster_store, is_shared=True, is_slow=True),
    Backend("github", _github_store, is_shared=True, is_slow=True, in_flight=16),
)
SHARED_BACKENDS = tuple(backend for backend in BACKENDS if backend.is_shared)
