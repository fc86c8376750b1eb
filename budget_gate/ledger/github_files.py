"""The files of a ledger on a branch: where each thing lies, and how lines of them are written and read.

``state.json`` is what operations need every time. Entries lie in one file a day. What is settled lies on a shelf, one of 4 096 files
named by a hash, so that any of it is found by its name alone. Counters of periods that are over lie in one file a year.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import Entry, compact_json, from_microseconds, microseconds
from budget_gate.core.errors import LedgerError
from budget_gate.ledger.books import OpenReservation
from budget_gate.ledger.identity import reservation_id
from budget_gate.ledger.placing import CounterName, parsed_charges

STATE = "state.json"
DAY_FILE_BYTES_MOST = 256 * 1024
"""A day's file that grew past this goes on in another part: GitHub cuts off texts of half a megabyte in one answer."""

YEAR_FILE_BYTES_MOST = 1024 * 1024

YEAR_DIGITS = 4
LIFETIME_LABEL = "all"
"""The label of a counter without an end (``core.periods``): the only ones that lie beside reservations."""

_RESERVATION = re.compile(r"res_[0-9a-f]{32}")
_DAY = re.compile(r"entries/\d{4}/\d\d/(\d{4}-\d\d-\d\d)(?:\.(\d+))?\.jsonl")

Shelf = dict[str, Any]
"""Things by name (see ``name_of``), as JSON."""


class EntryFile(NamedTuple):
    """A file of entries, and the sequence number of its first one."""

    path: str
    first: int

    @property
    def day(self) -> str:
        """The day that it is for; empty for a year's file."""
        found = _DAY.fullmatch(self.path)
        return found[1] if found else ""


def day_path(day: str, part: int = 1) -> str:
    """Return the path of a day's entries; ``day`` is written 2026-11-24."""
    return f"entries/{day[:4]}/{day[5:7]}/{day}{'' if part == 1 else f'.{part}'}.jsonl"


def next_path(files: Iterable[EntryFile], day: str) -> str:
    """Return the path of a new file of this day's entries, the first or another part."""
    return day_path(day, 1 + sum(each.day == day for each in files))


def year_path(year: str, part: int = 1) -> str:
    """Return the path of a year's folded entries."""
    return f"entries/{year}{'' if part == 1 else f'.{part}'}.jsonl"


def shelf_path(key: str) -> str:
    """Return the shelf for an operation's key, for a reservation's id, or for a scope: a reservation lies beside its own key."""
    name = key if _RESERVATION.fullmatch(key) else reservation_id(key)
    return f"lookup/{name[4]}/{name[5:7]}.jsonl"


def closed_path(label: str) -> str:
    """Return the file of counters whose period is over."""
    return f"counters/{label[:4]}.jsonl"


def place_of(counter: CounterName) -> str:
    """Return where a counter lies once it was put away."""
    return shelf_path(counter.scope) if counter.per == "lifetime" else closed_path(counter.label)


def may_hold(path: str, labels: Sequence[str]) -> bool:
    """Return whether counters whose labels begin with one of these (none: any counters) may lie in a file."""
    if path.startswith("counters/"):
        return not labels or any(path == closed_path(label) or len(label) < YEAR_DIGITS for label in labels)
    return path.startswith("lookup/") and (not labels or any(LIFETIME_LABEL.startswith(label) for label in labels))


def name_of(*parts: str) -> str:
    """Return the name of a thing on a shelf; parts are any text, and never confused."""
    return compact_json(parts)


def shelf_text(shelf: Mapping[str, Any]) -> str:
    """Return a shelf as lines, in the order of names, so that a change touches one line."""
    return "".join(f"[{name},{compact_json(shelf[name])}]\n" for name in sorted(shelf))


def parsed_shelf(path: str, text: str) -> Shelf:
    """Return what ``shelf_text`` wrote. Raises ``LedgerError`` naming the damaged file."""
    try:
        return {compact_json(name): value for name, value in map(json.loads, _lines(text))}
    except (ValueError, TypeError):
        raise damaged(path) from None


def entry_line(entry: Entry) -> str:
    """Return an entry as a line of its file."""
    return compact_json(list(entry)) + "\n"


def parsed_entries(path: str, text: str) -> Iterator[Entry]:
    """Yield the entries of a file. Raises ``LedgerError`` naming the damaged file."""
    for line in _lines(text):
        try:
            seq, words, chain = json.loads(line)
        except (ValueError, TypeError):
            raise damaged(path) from None
        yield Entry(int(seq), str(words), str(chain))


def _lines(text: str) -> list[str]:
    """Return lines by line feed alone: texts of users may hold characters that ``splitlines`` would break at."""
    return [line for line in text.split("\n") if line]


def damaged(path: str) -> LedgerError:
    """Return the error for a file that somebody changed by hand."""
    return LedgerError(f"{path} on the branch budget-gate is damaged; restore it from that branch's history")


def value_fields(value: CounterValue) -> list[int]:
    """Return a counter's nine numbers."""
    return [*value.posted, *value.pending, *value.held]


def parsed_value(fields: list[int]) -> CounterValue:
    """Return the counter that ``value_fields`` wrote."""
    return CounterValue(Amount(*fields[0:3]), Amount(*fields[3:6]), Amount(*fields[6:9]))


def reservation_fields(stored: OpenReservation) -> list[Any]:
    """Return a reservation as JSON can hold it."""
    return [
        *(stored.reservation, stored.key, stored.state, stored.granted, stored.cost, dict(stored.labels)),
        json.loads(stored.charges.text),
        *(microseconds(stored.created_at), microseconds(stored.expires_at)),
        microseconds(stored.resolved_at) if stored.resolved_at else None,
    ]


def parsed_reservation(fields: list[Any]) -> OpenReservation:
    """Return the reservation that ``reservation_fields`` wrote."""
    reservation, key, state, granted, cost, labels, charges, created_at, expires_at, resolved_at = fields
    return OpenReservation(
        reservation,
        key,
        state,
        Amount(*granted),
        labels,
        parsed_charges(compact_json(charges)),
        from_microseconds(created_at),
        from_microseconds(expires_at),
        Amount(*cost),
        None if resolved_at is None else from_microseconds(resolved_at),
    )


def last_day(counter: CounterName) -> date:
    """Return the last day of a counter's period, in its own zone; a lifetime has none, and ends with the calendar."""
    per, label = counter.per, counter.label
    if per == "lifetime":
        return date.max
    year = int(label[:4])
    if per == "week":
        return date.fromisocalendar(year, int(label[6:]), 7)
    if per in {"hour", "day"}:
        return date.fromisoformat(label[:10])
    month = {"month": label[5:7], "quarter": str(int(label[-1]) * 3) if per == "quarter" else "", "year": "12"}[per]
    return date(year + int(month) // 12, int(month) % 12 + 1, 1) - timedelta(days=1)
