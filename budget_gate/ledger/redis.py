"""The ledger in Redis 6.2 or later, or Valkey: any number of machines, one script call per operation.

This is the blocking shell: it connects, sends scripts, and translates failures. What is sent and how replies read is in
``redis_calls`` and ``redis_replies``; the scripts are in ``lua/``; why it is built so is in docs/decisions/0005-redis.md.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from budget_gate.core.audit import Entry
from budget_gate.core.charges import Charge
from budget_gate.core.errors import KeyReused, UsageError
from budget_gate.core.reservations import Actual, BudgetState, Decision, Reservation, ReserveRequest, Resolution
from budget_gate.ledger.interface import CounterRow, Delivery, NewNote
from budget_gate.ledger.redis_calls import Call, Calls, Operation
from budget_gate.ledger.redis_problems import check_eviction, problem, safe_url

if TYPE_CHECKING:
    from redis import Redis

CONNECT_SECONDS = 5.0
"""How long a connection may take to open."""

ANSWER_SECONDS = 10.0
"""How long an answer may take."""

RETRIES = 3
"""How often a call is sent again when its connection failed. Safe: keys make every operation count once."""

Answer = TypeVar("Answer")
Row = TypeVar("Row")


def connect(url: str) -> "Redis":
    """Return a client for ``redis://`` and ``rediss://``; it connects at its first command.

    Raises ``UsageError`` for a URL that is none of these. The one place that knows how a kind of server is reached.
    """
    import redis
    from redis.backoff import ExponentialWithJitterBackoff
    from redis.retry import Retry

    try:
        return redis.Redis.from_url(
            url,
            decode_responses=True,
            protocol=2,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            health_check_interval=30,
            retry=Retry(ExponentialWithJitterBackoff(cap=1.0, base=0.05), RETRIES),
        )
    except (ValueError, TypeError):
        raise UsageError(f"{safe_url(url)} is not a Redis URL; write redis://HOST:PORT/DATABASE") from None


class RedisLedger:
    """One organization's ledger on a Redis server. Safe to share between threads, and across a fork."""

    def __init__(self, url: str, *, organization: str, clock_offset_seconds: float = 0.0) -> None:
        """Name the server; nothing is sent before the first operation. ``clock_offset_seconds`` moves the clock in tests.

        Raises ``UsageError`` for a URL or an organization that cannot be.
        """
        self._url = safe_url(url)
        self._calls = Calls(organization, clock_offset_seconds)
        self._client = connect(url)
        self._execute: Callable[..., Any] = self._client.execute_command
        self._is_checked = False

    def __repr__(self) -> str:
        return f"RedisLedger({self._url!r})"

    @property
    def url(self) -> str:
        """Where it is, without user and password."""
        return self._url

    def now(self) -> datetime:
        """Return the server's clock."""
        return self._run(self._calls.head())[1]

    def reserve(self, request: ReserveRequest) -> Decision:
        """Check every limit and take the amount from all of them, or take nothing."""
        return self._run(self._calls.reserve(request))

    def leave_queue(self, key: str) -> None:
        """Give up the place of a waiting reserve."""
        self._run(self._calls.leave_queue(key))

    def settle(self, key: str, reservation: str, actual: Actual) -> Resolution:
        """Post what a call cost, in the period of its reservation."""
        return self._run(self._calls.settle(key, reservation, actual))

    def void(self, key: str, reservation: str, reason: str) -> Resolution:
        """Release a reservation for which nothing was bought."""
        return self._run(self._calls.release("void", key, reservation, reason))

    def hold(self, key: str, reservation: str, reason: str) -> Resolution:
        """Keep the reserved amount counted, because it may have been billed."""
        return self._run(self._calls.release("hold", key, reservation, reason))

    def read(self, charges: Sequence[Charge], zone: str) -> tuple[BudgetState, ...]:
        """Return how each limit of the charges stands now."""
        return self._run(self._calls.read(charges, zone))

    def show(self, reservation: str) -> Reservation:
        """Return one reservation."""
        return self._run(self._calls.show(reservation))

    def open_reservations(self) -> Iterator[Reservation]:
        """Yield what is pending or held, oldest first."""
        return self._paged(self._calls.open_page, "0")

    def sweep(self, most: int) -> int:
        """Turn up to ``most`` expired pending reservations into holds."""
        return self._run(self._calls.sweep(most))

    def record(self, key: str, kind: str, labels: Mapping[str, str], details: Mapping[str, str]) -> Entry:
        """Append a note that moves no money, once per key."""
        return self._run(self._calls.record(key, kind, labels, details))

    def record_missing(self, notes: Sequence[NewNote]) -> None:
        """Append those of some notes whose key was never used, one by one: each is one short script."""
        known = self.notes([each.key for each in notes]) if notes else ()
        for note, entry in zip(notes, known, strict=True):
            if entry is None:
                with suppress(KeyReused):  # somebody else was first, in between
                    self.record(*note)

    def notes(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        """Return the note under each key, None where there is none."""
        return self._run(self._calls.notes(keys))

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield entries in order."""
        return self._paged(self._calls.entry_page, str(after))

    def head(self) -> int:
        """Return the newest entry's sequence number."""
        return self._run(self._calls.head())[0]

    def counters(self, labels: Sequence[str] = ()) -> Iterator[CounterRow]:
        """Yield every counter, or those with certain labels."""
        return self._paged(lambda behind: self._calls.counter_page(behind, labels), "0")

    def claim_deliveries(self, claimant: str, most: int, lease_seconds: int) -> tuple[Delivery, ...]:
        """Claim messages that nobody holds."""
        return self._run(self._calls.claim(claimant, most, lease_seconds))

    def acknowledge(self, delivery: str, claimant: str) -> bool:
        """Mark a message as delivered by its claimant."""
        return self._run(self._calls.acknowledge(delivery, claimant))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._client.connection_pool.disconnect()

    def _paged(self, page: Callable[[str], Operation[tuple[str, list[Row]]]], behind: str) -> Iterator[Row]:
        while True:
            last, rows = self._run(page(behind))
            yield from rows
            if last == behind:
                return
            behind = last

    def _run(self, operation: Operation[Answer]) -> Answer:
        """Send what an operation wants to say, and hand it the replies, until it has its answer."""
        reply: Sequence[Any] | None = None  # what starts a generator
        while True:
            try:
                call = operation.send(reply)
            except StopIteration as done:
                answer: Answer = done.value
                return answer
            with self._translated():
                reply = self._send(call)

    def _send(self, call: Call) -> Sequence[Any]:
        """Run a script by its digest; send its text only when the server does not know it yet."""
        from redis.exceptions import NoScriptError

        if not self._is_checked:
            self._check_server()
        words = (len(call.keys), *call.keys, *call.arguments)
        try:
            reply: Sequence[Any] = self._execute("EVALSHA", call.script.sha, *words)
        except NoScriptError:
            reply = self._execute("EVAL", call.script.text, *words)
        return reply

    def _check_server(self) -> None:
        """Refuse a server that may drop keys. One that does not let us ask is taken at its operator's word."""
        from redis.exceptions import NoPermissionError, ResponseError

        try:
            memory = self._execute("INFO", "memory")
        except (NoPermissionError, ResponseError):
            memory = {}
        check_eviction(self._url, str(memory.get("maxmemory_policy", "")))
        self._is_checked = True

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn every failure of the client into ours. The cause stays, for ``--debug``; its text is not repeated unread."""
        from redis.exceptions import ConnectionError as RedisConnectionError
        from redis.exceptions import RedisError
        from redis.exceptions import TimeoutError as RedisTimeoutError

        try:
            yield
        except (RedisConnectionError, RedisTimeoutError, OSError) as error:
            raise problem(self._url, f"{type(error).__name__}: {error}", is_connection=True) from error
        except (RedisError, UnicodeError) as error:
            raise problem(self._url, f"{type(error).__name__}: {error}", is_connection=False) from error
