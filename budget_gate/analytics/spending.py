"""Spending: ledger entries, read once and in order, made into one row per reservation that cost something or may have.

Every report, export and statistic starts from these rows, so that all of them count alike. A row lies in the day and month of its
*reservation* (law 8), under the labels the call was made with. Memory grows with open reservations, never with entries.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from budget_gate.core.amounts import Amount
from budget_gate.core.audit import Entry
from budget_gate.core.usage import Usage

SpendState = Literal["posted", "held", "pending"]


class Spend(NamedTuple):
    """What one reservation came to.

    ``at`` is when it was reserved, ``day`` (``2026-11-24``) and ``month`` (``2026-11``) its periods in the policy's zone; empty for
    a reservation without such counters. A ``held`` or ``pending`` row counts at what was reserved and has no ``usage``.
    ``labels`` is the attribution with tier, model, provider, agent and prompt version, as far as known.
    """

    seq: int
    at: datetime
    day: str
    month: str
    reservation: str
    state: SpendState
    amount: Amount
    usage: Usage
    labels: Mapping[str, str]
    details: Mapping[str, str]
    overrun: Amount = Amount()

    def label(self, name: str) -> str:
        """Return a label, empty where the call had none."""
        return self.labels.get(name, "")


class Note(NamedTuple):
    """An entry that moves no money: a refusal (kind ``refuse``), an outcome, an exemption. ``body`` is the entry's own."""

    seq: int
    at: datetime
    kind: str
    body: Mapping[str, Any]


class _Open(NamedTuple):
    seq: int
    at: datetime
    day: str
    month: str
    granted: Amount
    labels: Mapping[str, str]
    state: SpendState = "pending"


class SpendingReader:
    """Follows entries; yields posted rows and notes as they come, and at the end what is still open."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def follow(self, entries: Iterable[Entry]) -> Iterator[Spend | Note]:
        """Yield what entries say, in their order. Raises ``ValueError`` for text that is no entry (see ``ledger verify``)."""
        for entry in entries:
            found = self._read(entry)
            if found is not None:
                yield found

    def still_open(self) -> Iterator[Spend]:
        """Yield what is held or pending after the entries read so far, oldest first."""
        for name, known in self._open.items():
            yield Spend(known.seq, known.at, known.day, known.month, name, known.state, known.granted, Usage(), known.labels, {})

    def _read(self, entry: Entry) -> Spend | Note | None:
        parsed = entry.parsed()
        body = parsed.body
        name = str(body.get("reservation", ""))
        match parsed.kind:
            case "reserve":
                day, month = _periods(body["counters"])
                self._open[name] = _Open(parsed.seq, parsed.at, day, month, parsed.delta.pending, body.get("labels", {}))
            case "post":
                return self._posted(parsed.seq, parsed.at, name, parsed.delta.posted, body)
            case "void":
                self._open.pop(name, None)
            case "hold" | "expire":
                if name in self._open:
                    self._open[name] = self._open[name]._replace(state="held")
            case _:
                return Note(parsed.seq, parsed.at, parsed.kind, body)
        return None

    def _posted(self, seq: int, at: datetime, name: str, cost: Amount, body: Mapping[str, Any]) -> Spend:
        known = self._open.pop(name, None)
        if known is None:  # it had been voided: the entry names its counters again
            day, month = _periods(body.get("counters", ()))
            known = _Open(seq, at, day, month, cost, body.get("labels", {}))
        usage = Usage(**body["usage"]) if body.get("usage") else Usage()
        labels, details = body.get("labels", known.labels), body.get("details", {})
        overrun = Amount(*body.get("overrun", (0, 0, 0)))
        return Spend(seq, known.at, known.day, known.month, name, "posted", cost, usage, labels, details, overrun)


def _periods(counters: Iterable[Iterable[str]]) -> tuple[str, str]:
    """Return the labels of the day and the month that a reservation is counted in."""
    labels = {per: label for _, per, label in counters}
    return labels.get("day", ""), labels.get("month", "")


def spending(entries: Iterable[Entry]) -> Iterator[Spend]:
    """Yield every row: posted ones in the order of their posting, then what is still held or pending."""
    reader = SpendingReader()
    for found in reader.follow(entries):
        if isinstance(found, Spend):
            yield found
    yield from reader.still_open()
