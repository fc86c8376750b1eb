"""A ledger on a branch written out and read in whole: its files as the records of ``moving``. Asking GitHub is ``github``'s.

What is settled lies on shelves and has no order there, so it comes first; what is open follows, oldest first. A load makes new
books of all records and puts them on the branch as one commit: they are held in memory until then.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, cast

from budget_gate.core.audit import Entry
from budget_gate.core.periods import Per
from budget_gate.core.reservations import Crossing
from budget_gate.ledger import github_files as files
from budget_gate.ledger.books import OpenReservation, Operation
from budget_gate.ledger.github_books import GitHubBooks, crossings_at
from budget_gate.ledger.github_tidying import tidy
from budget_gate.ledger.interface import CounterRow
from budget_gate.ledger.moving import Crossed, Record, StoredOperation, check_behind, crossing_of
from budget_gate.ledger.placing import CounterName

Texts = Iterable[tuple[str, str]]
"""Files with their paths, fetched as they are asked for."""


def is_put_away(path: str) -> bool:
    """Return whether a file holds what was put away: settled reservations, answers, counters of periods that are over."""
    return path.startswith(("lookup/", "counters/"))


def dump(books: GitHubBooks, entries: Iterator[Entry], put_away: Texts) -> Iterator[Record]:
    """Yield everything that is stored, but no waiters and no claims. ``put_away`` is read a file at a time."""
    payloads = {crossing_of(each.payload): each.payload for each in books.outbox.values() if not each.is_delivered}
    waiting: dict[Crossing, datetime] = {}
    yield from entries
    for path, text in put_away:
        for name, value in files.parsed_shelf(path, text).items():
            for record in _records(json.loads(name), value, books):
                if isinstance(record, Crossed) and record.crossing in payloads:
                    waiting[record.crossing] = record.at
                else:
                    yield record
    yield from books.reservations.values()
    yield from (CounterRow(*name, value) for name, value in books.counters.items())
    yield from (Crossed(each, at, "") for each, at in books.crossed.items() if each not in payloads)
    waiting |= books.crossed
    for crossing, payload in payloads.items():
        if crossing in waiting:
            yield Crossed(crossing, waiting[crossing], payload)


def load(books: GitHubBooks, url: str, records: Iterable[Record], behind: int) -> None:
    """Store records over what is there; ``books`` must have every file at hand. What nobody works on is put away at once."""
    check_behind(url, books.seq, behind)
    for record in records:
        match record:
            case Entry():
                if record.seq > behind:
                    books.put_entry(record, record.parsed().at)
            case OpenReservation():
                books.replace_reservation(record)
            case StoredOperation():
                books.put_operation(record.kind, record.key, record.operation)
            case CounterRow():
                counter = CounterName(record.scope, cast("Per", record.per), record.label)
                books.values([counter])  # brings it back, with the tiers crossed at it, if it was put away
                books.counters[counter] = record.value
            case Crossed():
                if books.cross(record.crossing, record.at) and record.payload:
                    books.send(record.payload)
    if books.changes():
        tidy(books, books.now, len(books.counters), len(books.entry_files))


def _records(name: list[Any], value: Any, books: GitHubBooks) -> Iterator[Record]:
    """Yield what one line of a shelf holds; what was taken down again is at hand, and that is how it stands now."""
    match name:
        case ["reservation", reservation] if reservation not in books.reservations:
            yield files.parsed_reservation(value)
        case ["operation", kind, key]:
            yield StoredOperation(kind, key, Operation(*value))
        case ["counter", *parts] if (counter := CounterName(*parts)) not in books.counters:
            yield CounterRow(*counter, files.parsed_value(value[0]))
            yield from (Crossed(crossing, at, "") for crossing, at in crossings_at(counter, value[1]))
