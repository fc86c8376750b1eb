"""The ledger without a server: files on the branch ``budget-gate`` of a repository, moved by compare-and-swap.

Every operation reads the branch, runs the same rules as the other ledgers in memory, and puts the outcome on top of exactly the
commit it read. If somebody else was first, it reads again, decides anew and tries again. What the files are is ``github_files``,
how GitHub is asked is ``github_store``. Decision 0010 says what that costs, and why jobs use it through a lease.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from budget_gate.core.audit import Entry, microseconds
from budget_gate.core.branch_files import BranchFiles
from budget_gate.core.errors import LedgerError, LedgerUnavailable
from budget_gate.core.reservations import Actual, Decision, Reservation, ReserveRequest, Resolution
from budget_gate.ledger import github_files as files
from budget_gate.ledger.admitting import Patience
from budget_gate.ledger.booked import Answer, BookedLedger, Step, system_clock
from budget_gate.ledger.github_books import GitHubBooks, MissingFiles, counters_on
from budget_gate.ledger.github_store import GitHubStore
from budget_gate.ledger.github_tidying import tidy
from budget_gate.ledger.interface import CounterRow, Delivery, NewNote

if TYPE_CHECKING:
    from budget_gate.ledger.health import Finding
    from budget_gate.ledger.moving import Record

CLOCK_SECONDS = 300.0
"""How long the server's clock is carried on by this machine's before it is asked again; decisions always ask."""

STALE_READS_MOST = 6
"""How often a read is repeated that shows less than this process has seen before."""

_TOLD_EXACTLY = timedelta(seconds=1)

FILES_AT_ONCE = 50
"""Files that a paging reader fetches with one request."""


class Pace(NamedTuple):
    """How patient the ledger is: seconds between the tries of one waiter, and between the tries of a write that lost a race."""

    patience: Patience = Patience(
        waiter_ttl_seconds=90.0, first_retry_seconds=4.0, more_retry_seconds=2.0, most_retry_seconds=15.0
    )
    race_seconds: float = 1.0
    race_seconds_most: float = 12.0
    tries_most: int = 40


PACE = Pace()
"""For github.com, where a write takes seconds."""


class GitHubLedger(BookedLedger):
    """A ledger on a branch. Safe to share between threads, which take turns."""

    def __init__(
        self,
        store: GitHubStore,
        *,
        pace: Pace = PACE,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(self._server_clock, patience=pace.patience)
        self._store = store
        self._pace = pace
        self._sleep = sleep
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._foreseen: tuple[str, ...] = ()
        self._newest = ""
        self._seen = 0
        self._clock_read: tuple[datetime, float] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"github://{self._store.repository}"

    def reserve(self, request: ReserveRequest) -> Decision:
        """Check every limit and take the amount from all of them, or take nothing."""
        lifetimes = [files.shelf_path(each.scope.text) for each in request.charges if each.per == "lifetime"]
        with self._foreseeing(request.key, more=lifetimes):
            return super().reserve(request)

    def settle(self, key: str, reservation: str, actual: Actual) -> Resolution:
        """Post what a call cost, in the period of its reservation."""
        with self._foreseeing(key, reservation):
            return super().settle(key, reservation, actual)

    def void(self, key: str, reservation: str, reason: str) -> Resolution:
        """Release a reservation for which nothing was bought."""
        with self._foreseeing(key, reservation):
            return super().void(key, reservation, reason)

    def hold(self, key: str, reservation: str, reason: str) -> Resolution:
        """Keep the reserved amount counted, because it may have been billed."""
        with self._foreseeing(key, reservation):
            return super().hold(key, reservation, reason)

    def show(self, reservation: str) -> Reservation:
        """Return one reservation."""
        with self._foreseeing(reservation):
            return super().show(reservation)

    def record(self, key: str, kind: str, labels: Mapping[str, str], details: Mapping[str, str]) -> Entry:
        """Append a note that moves no money, once per key."""
        with self._foreseeing(key):
            return super().record(key, kind, labels, details)

    def record_missing(self, notes: Sequence[NewNote]) -> None:
        """Append those of some notes whose key was never used, with one commit."""
        with self._foreseeing(*(each.key for each in notes)):
            super().record_missing(notes)

    def notes(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        """Return the note under each key, None where there is none."""
        with self._foreseeing(*keys):
            return super().notes(keys)

    def open_reservations(self) -> Iterator[Reservation]:
        """Yield what is pending or held, oldest first."""
        books = self._books(self._read(()))
        return (each.shown() for each in books.reservations.values())

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield entries in order, all as of one commit."""
        snapshot = self._read(())
        written = self._books(snapshot).entry_files
        behind = [each.first for each in written[1:]] + [after + 2]
        wanted = [each.path for each, following in zip(written, behind, strict=False) if following > after + 1]
        yield from (entry for entry in self._entries_of(snapshot, wanted) if entry.seq > after)

    def head(self) -> int:
        """Return the newest entry's sequence number."""
        return self._books(self._read(())).seq

    def counters(self, labels: Sequence[str] = ()) -> Iterator[CounterRow]:
        """Yield every counter, or those with certain labels: those at hand, and those that were put away and not brought back."""
        begins = tuple(labels) or ("",)
        snapshot = self._read(())
        at_hand = self._books(snapshot).counters
        yield from (CounterRow(*name, value) for name, value in at_hand.items() if name.label.startswith(begins))
        if snapshot.commit:
            shelves = [path for path in self._store.paths(snapshot) if files.may_hold(path, labels)]
            for path, text in self._texts(snapshot, shelves):
                away = counters_on(path, text).items()
                yield from (
                    CounterRow(*name, value) for name, value in away if name not in at_hand and name.label.startswith(begins)
                )

    def claim_deliveries(self, claimant: str, most: int, lease_seconds: int) -> tuple[Delivery, ...]:
        """Claim messages that nobody holds."""

        def claim(books: GitHubBooks, now: datetime) -> tuple[Delivery, ...]:
            free = [
                (number, each)
                for number, each in books.outbox.items()
                if not each.is_delivered and each.claimed_until <= microseconds(now)
            ][:most]
            until = microseconds(now + timedelta(seconds=lease_seconds))
            for number, each in free:
                books.outbox[number] = each._replace(attempt=each.attempt + 1, claimant=claimant, claimed_until=until)
            return tuple(Delivery(str(number), each.payload, each.attempt + 1) for number, each in free)

        return self._swap(claim)

    def acknowledge(self, delivery: str, claimant: str) -> bool:
        """Mark a message as delivered by its claimant."""

        def mark(books: GitHubBooks, _now: datetime) -> bool:
            number = int(delivery) if delivery.isascii() and delivery.isdecimal() else 0
            message = books.outbox.get(number)
            if message is None or message.claimant != claimant:
                return False
            books.outbox[number] = message._replace(is_delivered=True)
            return True

        return self._swap(mark)

    def dump(self) -> Iterator["Record"]:
        """Yield everything that is stored, all as of one commit."""
        from budget_gate.ledger import github_moving

        snapshot = self._read(())
        books = self._books(snapshot)
        paths = self._store.paths(snapshot) if snapshot.commit else []
        entries = self._entries_of(snapshot, [each.path for each in books.entry_files])
        yield from github_moving.dump(books, entries, self._texts(snapshot, filter(github_moving.is_put_away, paths)))

    def load(self, records: Iterable["Record"], behind: int = 0) -> None:
        """Store records over what is there, with one commit."""
        from budget_gate.ledger import github_moving

        with self._lock:
            snapshot = self._read(())
            paths = self._store.paths(snapshot) if snapshot.commit else []
            books = GitHubBooks(dict(self._texts(snapshot, paths)), snapshot.now, has_all=True)
            github_moving.load(books, self.url, records, behind)
            changes = books.changes()
            if changes and not self._store.commit(snapshot, changes, f"Entries up to {books.seq}, from another ledger"):
                raise LedgerError(f"{self.url}: somebody wrote to it meanwhile, so nothing was stored; stop the runners first")
            self._seen = max(self._seen, books.seq)

    def examine(self) -> "Sequence[Finding]":
        """Return whether the branch can be written, as far as GitHub says so without a write."""
        from budget_gate.ledger.github_health import writable

        return (writable(self._store.repository, self._store.may_write()),)

    def close(self) -> None:
        """Close the connection."""
        self._store.close()

    def _write(self, step: Step[Answer]) -> Answer:
        return self._swap(step)

    def _look(self, step: Step[Answer]) -> Answer:
        with self._lock:
            return self._run(step, self._read(self._foreseen))[0]

    def _swap(self, step: Callable[[GitHubBooks, datetime], Answer]) -> Answer:
        """Read, run, put: again from the start, with a fresh look at every limit, whenever somebody else was first."""

        def run_and_tidy(books: GitHubBooks, now: datetime) -> tuple[Answer, GitHubBooks]:
            answer = step(books, now)
            if books.changes():
                tidy(books, now)
            return answer, books

        with self._lock:
            for lost in range(self._pace.tries_most):
                self._pause(lost)
                (answer, books), snapshot = self._run(run_and_tidy, self._read((*self._foreseen, self._newest_entries())))
                changes = books.changes()
                self._newest = books.entry_files[-1].path if books.entry_files else ""
                if not changes or self._store.commit(snapshot, changes, f"Entry {books.seq}"):
                    self._seen = max(self._seen, books.seq)
                    return answer
        raise LedgerUnavailable(
            f"{self.url}: {self._pace.tries_most} tries lost the race for the branch; too many jobs write at once, so run again"
        )

    def _run(self, step: Callable[[GitHubBooks, datetime], Answer], snapshot: BranchFiles) -> tuple[Answer, BranchFiles]:
        """Run a step on a snapshot; fetch what it turns out to need, and run it again."""
        while True:
            try:
                return step(self._books(snapshot), snapshot.now), snapshot
            except MissingFiles as missing:
                more = self._store.read(missing.paths, snapshot.commit).texts if snapshot.commit else {}
                none = dict.fromkeys(missing.paths, "")
                snapshot = snapshot._replace(texts={**snapshot.texts, **none, **more})

    def _books(self, snapshot: BranchFiles) -> GitHubBooks:
        return GitHubBooks(snapshot.texts, snapshot.now)

    def _read(self, paths: Iterable[str]) -> BranchFiles:
        """Read the branch; again, should a lagging copy of it answer that lacks what this process has seen there before."""
        wanted = [files.STATE, *dict.fromkeys(path for path in paths if path)]
        for number in range(STALE_READS_MOST):
            self._pause(number)
            snapshot = self._store.read(wanted)
            self._read_clock(snapshot.now)
            if snapshot.commit and not snapshot.texts[files.STATE]:
                raise LedgerError(
                    f"{self.url}: its branch budget-gate is not a ledger; rename that branch, or name another ledger"
                )
            seq = self._books(snapshot).seq
            if seq >= self._seen:
                self._seen = seq
                return snapshot
        raise LedgerUnavailable(f"{self.url}: the branch went back behind entry {self._seen}; run again, and see `ledger verify`")

    def _texts(self, snapshot: BranchFiles, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield files of a snapshot in the order asked, a batch at a time."""
        waiting = list(paths)
        while waiting:
            batch, waiting = waiting[:FILES_AT_ONCE], waiting[FILES_AT_ONCE:]
            texts = self._store.read(batch, snapshot.commit).texts
            yield from ((path, texts[path]) for path in batch)

    def _entries_of(self, snapshot: BranchFiles, paths: Iterable[str]) -> Iterator[Entry]:
        for path, text in self._texts(snapshot, paths):
            yield from files.parsed_entries(path, text)

    @contextmanager
    def _foreseeing(self, *keys: str, more: Sequence[str] = ()) -> Iterator[None]:
        """Have the next read bring the shelves of some keys too, so that it is the only one."""
        with self._lock:
            self._foreseen = (*map(files.shelf_path, keys), *more)
            try:
                yield
            finally:
                self._foreseen = ()

    def _newest_entries(self) -> str:
        """Return the file that an entry will probably be appended to: as far as this process knows, today's."""
        clock = self._clock_read[0] if self._clock_read else system_clock()
        today = files.day_path(clock.date().isoformat())
        return self._newest if self._newest[: len(today) - len(".jsonl")] == today.removesuffix(".jsonl") else today

    def _pause(self, lost: int) -> None:
        """Wait before another try, longer the more often the race was lost, never the same for two jobs."""
        if lost:
            most = min(self._pace.race_seconds * 2 ** min(lost - 1, 10), self._pace.race_seconds_most)
            self._sleep(random.uniform(0, most))  # noqa: S311 (jitter, no secret)

    def _read_clock(self, told: datetime) -> None:
        """Take in the server's clock, told in whole seconds: one carried on into that very second does not go back to its start."""
        carried = self._carried_on()
        if carried is None or not told <= carried < told + _TOLD_EXACTLY:
            self._clock_read = told, self._monotonic()

    def _carried_on(self) -> datetime | None:
        if self._clock_read is None:
            return None
        told, at = self._clock_read
        return told + timedelta(seconds=self._monotonic() - at)

    def _server_clock(self) -> datetime:
        """Return the server's clock, carried on by this machine's for a while."""
        with self._lock:
            if self._clock_read is None or self._monotonic() - self._clock_read[1] > CLOCK_SECONDS:
                self._read(())
            carried = self._carried_on()
            assert carried is not None
            return carried
