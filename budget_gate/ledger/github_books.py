"""The books of a ledger on a branch: loaded from the texts of a snapshot, changed in memory, written back as texts.

Nothing here reads from anywhere: what a step needs and the snapshot lacks is raised as ``MissingFiles``, fetched by the ledger, and
the step begins anew. So foreseeing what will be needed only saves a request, and never decides an answer.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import GENESIS, Entry, chain_hash, compact_json, entry_text, from_microseconds, microseconds
from budget_gate.core.errors import LedgerTooNew
from budget_gate.core.periods import Per
from budget_gate.core.reservations import Crossing, State
from budget_gate.core.scopes import Scope
from budget_gate.ledger import github_files as files
from budget_gate.ledger.books import OpenReservation, Operation, QueuePlace, Waiter
from budget_gate.ledger.github_files import EntryFile
from budget_gate.ledger.interface import SCHEMA_VERSION
from budget_gate.ledger.memory import MemoryBooks
from budget_gate.ledger.placing import CounterName


class MissingFiles(Exception):
    """Stops a step that needs files which were not read; never leaves the ledger."""

    def __init__(self, paths: Sequence[str]) -> None:
        super().__init__(*paths)
        self.paths = tuple(paths)


class OutboxMessage(NamedTuple):
    """A message: who may deliver it until when. A delivered one stays until its claim ends, so that a retry finds it."""

    payload: str
    attempt: int = 0
    claimant: str = ""
    claimed_until: int = 0
    is_delivered: bool = False


class GitHubBooks(MemoryBooks):
    """One snapshot's tables. Implements ``Books``; ``changes`` is what became of them.

    ``has_all`` says that ``texts`` has every file of the snapshot, so that one which is not among them is not there.
    """

    def __init__(self, texts: Mapping[str, str], now: datetime, *, has_all: bool = False) -> None:
        super().__init__()
        self._texts = texts
        self._has_all = has_all
        self._tiers: dict[CounterName, list[Crossing]] = {}
        self.now = now
        self._shelves: dict[str, files.Shelf] = {}
        self._rewritten: dict[str, str | None] = {}
        self._unchanged: dict[CounterName, tuple[CounterValue, tuple[Crossing, ...]]] = {}
        self.outbox: dict[int, OutboxMessage] = {}
        self.entry_files: list[EntryFile] = []
        self.closed: dict[str, str] = {}
        self.tidied = ""
        self.seq, self.last_hash, self._messages_made = 0, GENESIS, 0
        if texts.get(files.STATE):
            self._load(texts[files.STATE])
        self._loaded = self._dumped()

    def text(self, path: str) -> str:
        """Return a file as it stands now. Raises ``MissingFiles`` for one that was not read."""
        if path in self._rewritten:
            return self._rewritten[path] or ""
        self.require([path])
        return self._texts.get(path, "")

    def put_text(self, path: str, text: str | None) -> None:
        """Write a file, or remove it."""
        self._rewritten[path] = text

    def require(self, paths: Sequence[str]) -> None:
        """Raise ``MissingFiles`` for all of these that were not read, so that one more read brings them all."""
        missing = [path for path in dict.fromkeys(paths) if path not in self._texts]
        if missing and not self._has_all:
            raise MissingFiles(missing)

    def shelf(self, path: str) -> files.Shelf:
        """Return a shelf, to read or to change."""
        if path not in self._shelves:
            self._shelves[path] = files.parsed_shelf(path, self.text(path))
        return self._shelves[path]

    def changes(self) -> dict[str, str | None]:
        """Return the files that differ from the snapshot; none of them when nothing happened."""
        texts: dict[str, str | None] = dict(self._rewritten)
        texts |= {path: files.shelf_text(shelf) for path, shelf in self._shelves.items()}
        changed = {path: text for path, text in texts.items() if (text or "") != self._texts.get(path, "")}
        state = self._dumped()
        return changed if state == self._loaded else changed | {files.STATE: state}

    def operation(self, kind: str, key: str) -> Operation | None:
        """Return what was answered to this key before."""
        found = self.shelf(files.shelf_path(key)).get(files.name_of("operation", kind, key))
        return Operation(*found) if found else None

    def put_operation(self, kind: str, key: str, operation: Operation) -> None:
        """Remember an answer."""
        self.shelf(files.shelf_path(key))[files.name_of("operation", kind, key)] = operation

    def values(self, counters: Sequence[CounterName]) -> list[CounterValue]:
        """Return what counters hold."""
        self._fetch(counters)
        return super().values(counters)

    def add(self, counters: Sequence[CounterName], delta: CounterValue) -> None:
        """Add a difference to each counter."""
        self._fetch(counters)
        super().add(counters, delta)

    def reservation(self, reservation: str) -> OpenReservation | None:
        """Return a reservation by id: an open one, or one from its shelf."""
        if reservation in self.reservations:
            return self.reservations[reservation]
        found = self.shelf(files.shelf_path(reservation)).get(files.name_of("reservation", reservation))
        return files.parsed_reservation(found) if found else None

    def move_reservation(self, reservation: str, state: State, cost: Amount, resolved_at: datetime | None) -> None:
        """Change the state of a stored reservation; one that is settled or voided goes to its shelf."""
        stored = self.reservation(reservation)
        assert stored is not None, "only a stored reservation is moved"
        moved = stored._replace(state=state, cost=cost, resolved_at=resolved_at)
        self.replace_reservation(moved)

    def replace_reservation(self, stored: OpenReservation) -> None:
        """Store a reservation in whatever state it is, where that state belongs; an open one keeps its place among the others."""
        name = stored.reservation
        self._pending.pop(name, None)
        if stored.state == "pending":
            self._pending[name] = stored.expires_at
        if stored.state in {"pending", "held"}:
            self.reservations[name] = stored
            return
        self.reservations.pop(name, None)
        self.shelf(files.shelf_path(name))[files.name_of("reservation", name)] = files.reservation_fields(stored)

    def append(self, at: datetime, kind: str, delta: CounterValue, body: Mapping[str, Any]) -> Entry:
        """Append an entry behind the newest one, in the file of its day; a clock that went back does not reorder files."""
        text = entry_text(self.seq + 1, at, kind, delta, body)
        entry = Entry(self.seq + 1, text, chain_hash(self.last_hash, text))
        self.put_entry(entry, at)
        return entry

    def put_entry(self, entry: Entry, at: datetime) -> None:
        """Write an entry that was made at ``at`` behind the newest one, as it is."""
        newest = next((each.day for each in reversed(self.entry_files) if each.day), "")
        day = max(at.date().isoformat(), newest)
        if day != newest or len(self.text(self.entry_files[-1].path).encode()) > files.DAY_FILE_BYTES_MOST:
            started = EntryFile(files.next_path(self.entry_files, day), entry.seq)
            self.entry_files.append(started)
            self._rewritten[started.path] = ""
        path = self.entry_files[-1].path
        self._rewritten[path] = self.text(path) + files.entry_line(entry)
        self.seq, self.last_hash = entry.seq, entry.chain_hash

    def entry(self, seq: int) -> Entry:
        """Return one entry."""
        path = next(each.path for each in reversed(self.entry_files) if each.first <= seq)
        return next(each for each in files.parsed_entries(path, self.text(path)) if each.seq == seq)

    def send(self, payload: str) -> None:
        """Put a message into the outbox."""
        self._messages_made += 1
        self.outbox[self._messages_made] = OutboxMessage(payload)

    @property
    def crossed(self) -> Mapping[Crossing, datetime]:
        """The tiers that were crossed at the counters at hand, and when."""
        return self._crossed

    def cross(self, crossing: Crossing, at: datetime) -> bool:
        """Write down that a tier was crossed."""
        if not super().cross(crossing, at):
            return False
        counter = CounterName(crossing.scope.text, cast("Per", crossing.per), crossing.label)
        self._tiers.setdefault(counter, []).append(crossing)
        return True

    def crossings_of(self, counter: CounterName) -> tuple[Crossing, ...]:
        """Return the tiers that were crossed at a counter."""
        return tuple(self._tiers.get(counter, ()))

    def put_away(self, counter: CounterName) -> None:
        """Move a counter, with the tiers crossed at it, to where it lies until somebody asks for it."""
        crossed = self.crossings_of(counter)
        fields = [[each.unit, each.tier, microseconds(self._crossed.pop(each))] for each in crossed]
        self._tiers.pop(counter, None)
        self.shelf(files.place_of(counter))[files.name_of("counter", *counter)] = [
            files.value_fields(self.counters.pop(counter)),
            fields,
        ]
        if counter.per != "lifetime":
            self.closed[counter.per] = max(self.closed.get(counter.per, ""), counter.label)

    def _fetch(self, counters: Sequence[CounterName]) -> None:
        """Bring back counters that were put away. A period later than all that were closed was never put away."""
        away = [
            counter
            for counter in counters
            if counter not in self.counters and (counter.per == "lifetime" or counter.label <= self.closed.get(counter.per, ""))
        ]
        self.require([files.place_of(counter) for counter in away if files.place_of(counter) not in self._shelves])
        for counter in away:
            found = self.shelf(files.place_of(counter)).get(files.name_of("counter", *counter))
            if found is not None:
                self._put_counter(counter, *found)
                self._unchanged[counter] = self.counters[counter], self.crossings_of(counter)

    def _put_counter(self, counter: CounterName, value: list[int], crossed: list[Any]) -> None:
        self.counters[counter] = files.parsed_value(value)
        for crossing, at in crossings_at(counter, crossed):
            self.cross(crossing, at)

    def _is_untouched(self, counter: CounterName) -> bool:
        """Return whether a counter was only looked at, and still lies where it was put away."""
        return self._unchanged.get(counter) == (self.counters[counter], self.crossings_of(counter))

    def _dumped(self) -> str:
        now = microseconds(self.now)
        kept = [counter for counter in self.counters if not self._is_untouched(counter)]
        fields = {
            "schema": SCHEMA_VERSION,
            "seq": self.seq,
            "hash": self.last_hash,
            "files": self.entry_files,
            "closed": self.closed,
            "tidied": self.tidied,
            "messages_made": self._messages_made,
            "counters": [
                [
                    *counter,
                    files.value_fields(self.counters[counter]),
                    [[each.unit, each.tier, microseconds(self._crossed[each])] for each in self.crossings_of(counter)],
                ]
                for counter in kept
            ],
            "open": [files.reservation_fields(each) for each in self.reservations.values()],
            "waiters": [
                [each.key, each.number, microseconds(each.alive_until), [[*place.counter, place.unit] for place in each.places]]
                for each in self._waiters.values()
            ],
            "outbox": [
                [number, *each] for number, each in self.outbox.items() if not each.is_delivered or each.claimed_until > now
            ],
        }
        return compact_json(fields) + "\n"

    def _load(self, text: str) -> None:
        try:
            fields = json.loads(text)
            schema = int(fields["schema"])
        except (ValueError, TypeError, KeyError):
            raise files.damaged(files.STATE) from None
        if schema > SCHEMA_VERSION:
            raise LedgerTooNew(
                f"the ledger on the branch budget-gate has schema {schema}, and this program knows {SCHEMA_VERSION}; "
                "install a newer budget-gate"
            )
        try:
            self._load_fields(fields)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise files.damaged(files.STATE) from None

    def _load_fields(self, fields: dict[str, Any]) -> None:
        self.seq, self.last_hash = fields["seq"], fields["hash"]
        self.entry_files = [EntryFile(*each) for each in fields["files"]]
        self.closed, self.tidied = fields["closed"], fields["tidied"]
        self._messages_made = fields["messages_made"]
        for scope, per, label, value, crossed in fields["counters"]:
            self._put_counter(CounterName(scope, per, label), value, crossed)
        for each in fields["open"]:
            self.replace_reservation(files.parsed_reservation(each))
        for key, number, alive_until, places in fields["waiters"]:
            stood = tuple(QueuePlace(CounterName(*place[:3]), place[3]) for place in places)
            self._waiters[key] = Waiter(key, number, from_microseconds(alive_until), stood)
        self.outbox = {number: OutboxMessage(*each) for number, *each in fields["outbox"]}


def crossings_at(counter: CounterName, fields: list[Any]) -> list[tuple[Crossing, datetime]]:
    """Return the tiers that were crossed at a counter, as they are stored with it."""
    kind, _, name = counter.scope.partition("/")  # the ledger wrote it, so it needs no checking
    scope = Scope(kind, name)
    return [(Crossing(scope, counter.per, counter.label, unit, tier), from_microseconds(at)) for unit, tier, at in fields]


def counters_on(path: str, text: str) -> dict[CounterName, CounterValue]:
    """Return the counters that lie on a shelf."""
    named = ((json.loads(name), value) for name, value in files.parsed_shelf(path, text).items())
    return {CounterName(*parts[1:]): files.parsed_value(value[0]) for parts, value in named if parts[0] == "counter"}
