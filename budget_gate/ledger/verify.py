"""``ledger verify``: read every entry once, check the chain, add up the counters, and compare them with what is stored.

Works on any ledger while it is in use. Memory grows with scopes, calendar periods and open reservations, never with entries, tasks or
sessions: of the latter only fingerprints are kept (``ledger.fingerprints``), and a bucket of them that differs is read again.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import GENESIS, Entry, ParsedEntry, chain_hash, parse_entry
from budget_gate.ledger.fingerprints import BUCKETS, Fingerprints
from budget_gate.ledger.interface import CounterRow, Ledger

ROUNDS_MOST = 200
"""How often counters are read again on a ledger that changes while it is verified, before saying so."""

_ALGORITHMS = ("sha1", "sha256")
_MOVING = ("reserve", "post", "void", "hold", "expire")
_CLOSING = ("post", "void")

CounterText = tuple[str, str, str]
"""Scope text, kind of period, label."""

Suspect = CounterText | int
"""A counter that differs, or a bucket of tasks' and sessions' counters in which one does."""


class Fault(NamedTuple):
    """Where the ledger is broken: at an entry (``seq``), or at a counter (``seq`` 0)."""

    seq: int
    counter: CounterText | None = None


class Verification(NamedTuple):
    """The finding. ``entries`` is how many were read and found right.

    ``difference_nano_usd`` is stored minus computed, at the first part (posted, pending, held) of the faulty counter that is off.
    """

    ok: bool
    entries: int
    first_bad: Fault | None = None
    difference_nano_usd: int = 0
    problem: str = ""


class _BadEntry(Exception):
    """Stops the replay at an entry; never leaves this module."""

    def __init__(self, seq: int, problem: str) -> None:
        super().__init__(problem)
        self.seq = seq


class _Sums:
    """Replays entries in order, remembering only the chain's end, sums, and what is still open.

    Counters of the calendar are summed one by one, others in ``buckets``; with ``only``, nothing but the counters of that bucket is
    summed, one by one.
    """

    def __init__(self, fingerprints: Fingerprints, only: int | None = None) -> None:
        self.last = 0
        self.counters: dict[CounterText, list[int]] = {}
        self.buckets = [0] * BUCKETS
        self.fingerprints = fingerprints
        self._only = only
        self._previous = GENESIS
        self._open: dict[str, tuple[CounterText, ...]] = {}
        self._known: dict[CounterText, CounterText] = {}

    def follow(self, entries: Iterable[Entry]) -> None:
        """Check entries and add them up; raises ``_BadEntry`` at the first wrong one."""
        for entry in entries:
            parsed = self._checked(entry)
            self._apply(parsed)
            self.last, self._previous = entry.seq, entry.chain_hash

    def _checked(self, entry: Entry) -> ParsedEntry:
        seq = self.last + 1
        if entry.seq != seq:
            raise _BadEntry(seq, f"entry {seq} is missing: entry {entry.seq} follows entry {self.last}")
        algorithm = entry.chain_hash.partition(":")[0]
        if algorithm not in _ALGORITHMS or chain_hash(self._previous, entry.text, algorithm) != entry.chain_hash:
            raise _BadEntry(seq, f"entry {seq} was edited, or is not the one that was written there: its hash does not match")
        try:
            parsed = parse_entry(entry.text)
        except ValueError as error:
            raise _BadEntry(seq, f"entry {seq} cannot be read: {error}") from None
        if parsed.seq != seq:
            raise _BadEntry(seq, f"entry {seq} was written as entry {parsed.seq}")
        return parsed

    def _apply(self, parsed: ParsedEntry) -> None:
        if parsed.kind not in _MOVING:
            if parsed.delta != CounterValue():
                raise _BadEntry(parsed.seq, f"entry {parsed.seq} ({parsed.kind}) moves money, which its kind never does")
            return
        # One entry adds to a dozen counters, and only some of the nine numbers of each.
        parts = [(place, part) for place, part in enumerate(_numbers(parsed.delta)) if part]
        for counter in self._counters_of(parsed):
            if self._only is None and not _is_of_calendar(counter):
                self.fingerprints.add(self.buckets, counter, parsed.delta)
            elif self._only is None or self.is_wanted(counter):
                numbers = self.counters.get(counter)
                if numbers is None:
                    numbers = self.counters[counter] = [0] * 9
                for place, part in parts:
                    numbers[place] += part

    def value_of(self, counter: CounterText) -> CounterValue:
        """Return what the entries add up to for one counter."""
        numbers = self.counters.get(counter, [0] * 9)
        return CounterValue(Amount(*numbers[:3]), Amount(*numbers[3:6]), Amount(*numbers[6:]))

    def is_wanted(self, counter: CounterText) -> bool:
        """Return whether a counter is in the one bucket that is summed."""
        return not _is_of_calendar(counter) and self.fingerprints.bucket_of(counter) == self._only

    def _counters_of(self, parsed: ParsedEntry) -> tuple[CounterText, ...]:
        """Return the counters that an entry adds to, and keep track of which reservations are open."""
        try:
            reservation = str(parsed.body["reservation"])
            stated = parsed.body.get("counters")
            counters = None if stated is None else tuple(map(self._once, stated))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _BadEntry(parsed.seq, f"entry {parsed.seq} does not say which reservation it moves") from None
        if parsed.kind == "reserve" and counters is not None:
            self._open[reservation] = counters
            return counters
        known = self._open.pop(reservation, None) if parsed.kind in _CLOSING else self._open.get(reservation)
        found = counters if known is None else known
        if found is None:
            raise _BadEntry(parsed.seq, f"entry {parsed.seq} moves reservation {reservation}, which is not open")
        return found

    def _once(self, stated: Iterable[object]) -> CounterText:
        """Return a counter of the calendar as the same object each time: held reservations, which stay open, name few others."""
        scope, per, label = map(str, stated)
        counter = (scope, per, label)
        return self._known.setdefault(counter, counter) if _is_of_calendar(counter) else counter


def verify(ledger: Ledger) -> Verification:
    """Return whether the ledger's entries are whole and unchanged and add up to its counters; else what is wrong first."""
    sums = _Sums(Fingerprints())
    try:
        _follow_to_head(ledger, sums)
        suspects = _differences(ledger, sums)
        for _ in range(ROUNDS_MOST):
            before = sums.last
            if not suspects:
                return Verification(ok=True, entries=sums.last)
            _follow_to_head(ledger, sums)
            now = _differences(ledger, sums)
            # A counter that agreed at any moment is right; one that differs is wrong once nothing was written meanwhile.
            suspects = {suspect: now[suspect] for suspect in suspects if suspect in now}
            if suspects and sums.last == before == ledger.head():
                found = _named(ledger, sums, suspects)
                if found is not None:
                    return found
    except _BadEntry as bad:
        return Verification(ok=False, entries=sums.last, first_bad=Fault(bad.seq), problem=str(bad))
    problem = "the ledger kept changing while it was verified; verify again when it is quieter"
    return Verification(ok=False, entries=sums.last, problem=problem)


def _numbers(value: CounterValue) -> tuple[int, ...]:
    posted, pending, held = value
    return *posted, *pending, *held


def _is_of_calendar(counter: CounterText) -> bool:
    return counter[1] != "lifetime"


def _follow_to_head(ledger: Ledger, sums: _Sums) -> None:
    """Replay all entries that there are, and miss those that should be there."""
    head = ledger.head()
    sums.follow(ledger.entries(sums.last))
    if sums.last < head:
        seq = sums.last + 1
        raise _BadEntry(seq, f"entry {seq} is missing: the ledger was written up to entry {head}")


def _differences(ledger: Ledger, sums: _Sums) -> dict[Suspect, CounterValue]:
    """Return the counters of the calendar that differ from the sum of their entries, with what is stored; and buckets that do."""
    buckets = [0] * BUCKETS
    found: dict[Suspect, CounterValue] = {}
    unseen = dict.fromkeys(sums.counters, CounterValue())
    for row in ledger.counters():
        counter = _name_of(row)
        if not _is_of_calendar(counter):
            sums.fingerprints.add(buckets, counter, row.value)
            continue
        unseen.pop(counter, None)
        if row.value != sums.value_of(counter):
            found[counter] = row.value
    found |= {counter: stored for counter, stored in unseen.items() if any(sums.counters[counter])}
    pairs = enumerate(zip(buckets, sums.buckets, strict=True))
    found |= {bucket: CounterValue() for bucket, (stored, computed) in pairs if stored != computed}
    # In the order of the entries: the first one is told.
    return {suspect: found[suspect] for suspect in (*(each for each in sums.counters if each in found), *found)}


def _named(ledger: Ledger, sums: _Sums, suspects: dict[Suspect, CounterValue]) -> Verification | None:
    """Return what is wrong first; None if a bucket of counters proves to be right when it is read one by one."""
    suspect, stored = next(iter(suspects.items()))
    if not isinstance(suspect, int):
        return _broken_sum(sums.last, suspect, stored, sums.value_of(suspect))
    again = _Sums(sums.fingerprints, only=suspect)
    again.follow(ledger.entries())
    of_bucket = {_name_of(row): row.value for row in _rows_of(ledger, again)}
    for counter in dict.fromkeys((*again.counters, *of_bucket)):
        values = of_bucket.get(counter, CounterValue()), again.value_of(counter)
        if values[0] != values[1]:
            return _broken_sum(sums.last, counter, *values) if again.last == sums.last else None
    return None


def _rows_of(ledger: Ledger, sums: _Sums) -> Iterator[CounterRow]:
    return (row for row in ledger.counters() if sums.is_wanted(_name_of(row)))


def _name_of(row: CounterRow) -> CounterText:
    return row.scope, row.per, row.label


def _broken_sum(entries: int, counter: CounterText, stored: CounterValue, computed: CounterValue) -> Verification:
    differences = (mine.nano_usd - theirs.nano_usd for mine, theirs in zip(stored, computed, strict=True))
    difference = next((each for each in differences if each), 0)
    scope, per, label = counter
    problem = f"{scope} per {per} {label} holds {_text(stored)}, but its entries add up to {_text(computed)}"
    return Verification(ok=False, entries=entries, first_bad=Fault(0, counter), difference_nano_usd=difference, problem=problem)


def _text(value: CounterValue) -> str:
    return ", ".join(
        f"{name} {part.nano_usd} nano-dollars / {part.tokens} tokens / {part.requests} requests"
        for name, part in zip(value._fields, value, strict=True)
    )
