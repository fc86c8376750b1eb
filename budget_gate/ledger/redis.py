"""The ledger in Redis 6.2 or later, or Valkey: any number of machines, one script call per operation.

This is the blocking shell; ``redis_asyncio`` is the other, ``redis_shell`` what both do alike. How a kind of server is reached is in
``redis_connect``, what is sent and how replies read in ``redis_calls`` and ``redis_replies``; the scripts are in ``lua/``; why it is
built so is in docs/decisions/0005-redis.md.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from budget_gate.core.audit import Entry
from budget_gate.core.charges import Charge
from budget_gate.core.errors import KeyReused
from budget_gate.core.reservations import Actual, BudgetState, Decision, Reservation, ReserveRequest, Resolution
from budget_gate.ledger.interface import CounterRow, Delivery, NewNote
from budget_gate.ledger.redis_address import safe_url
from budget_gate.ledger.redis_calls import PAGE, Calls, Operation
from budget_gate.ledger.redis_connect import ServerHealth, close, executor, opener, read_health
from budget_gate.ledger.redis_shell import Running, failures, judge_server, say_nothing, translated
from budget_gate.ledger.redis_wire import Command

if TYPE_CHECKING:
    from budget_gate.ledger.health import Finding
    from budget_gate.ledger.moving import Record
    from budget_gate.ledger.redis_connect import Client

Answer = TypeVar("Answer")
Row = TypeVar("Row")


class RedisLedger:
    """One organization's ledger on a Redis server. Safe to share between threads, and across a fork."""

    def __init__(
        self, url: str, *, organization: str, clock_offset_seconds: float = 0.0, warn: Callable[[str], None] = say_nothing
    ) -> None:
        """Name the server; nothing is sent before the first operation. ``clock_offset_seconds`` moves the clock in tests.

        ``warn`` is told, at first use, what an operator should know and no operation depends on. Raises ``UsageError`` for a URL or
        an organization that cannot be.
        """
        self._url = safe_url(url)
        self._calls = Calls(organization, clock_offset_seconds)
        self._open = opener(url)
        self._opening = threading.Lock()
        self._warn = warn
        self._execute: Callable[[Command], Any] = self._first_execute

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

    def dump(self) -> Iterator["Record"]:
        """Yield everything that is stored."""
        from budget_gate.ledger import redis_moving

        page: list[Entry] = []
        for entry in self.entries():
            page.append(entry)
            if len(page) == PAGE:
                yield from self._run(redis_moving.dump_page(self._calls, page))
                page = []
        yield from self._run(redis_moving.dump_page(self._calls, page))
        yield from self.counters()
        behind = 0
        while messages := self._run(redis_moving.message_page(self._calls, behind)):
            yield from messages
            behind += len(messages)

    def load(self, records: Iterable["Record"], behind: int = 0) -> None:
        """Store records over what is there. If it is cut off, the ledger stays closed until the same load is run again."""
        from secrets import token_hex

        from budget_gate.ledger import redis_moving

        self._run(redis_moving.Loader(self._calls, behind, token_hex(8)).load(records))

    def health(self) -> ServerHealth:
        """Return what the server says about itself, as far as it lets us ask."""
        try:
            return read_health(self._client, self._calls.head_key)
        except failures() as error:
            raise translated(self._url, error) from error

    def examine(self) -> "Sequence[Finding]":
        """Return what there is to say about the server."""
        from budget_gate.ledger.redis_health import findings

        return findings(self._url, self.health())

    def close(self) -> None:
        """Close the connections."""
        with self._opening:
            if "_client" in self.__dict__:
                close(self._client)

    @cached_property
    def _client(self) -> "Client":
        return self._open()

    def _paged(self, page: Callable[[str], Operation[tuple[str, list[Row]]]], behind: str) -> Iterator[Row]:
        while True:
            last, rows = self._run(page(behind))
            yield from rows
            if last == behind:
                return
            behind = last

    def _run(self, operation: Operation[Answer]) -> Answer:
        """Send what an operation wants to say until it has its answer."""
        running = Running(self._url, operation)
        while running.command is not None:
            try:
                reply = self._execute(running.command)
            except failures() as error:
                running.fail(error)
            else:
                running.take(reply)
        return running.answer

    def _first_execute(self, command: Command) -> Any:
        """Connect, look at the server once, and send; from then on commands are sent without a detour."""
        with self._opening:
            execute = executor(self._client)
            if self._execute == self._first_execute:
                judge_server(self._url, read_health(self._client, self._calls.head_key), self._warn)
                self._execute = execute
        return execute(command)
