"""``ledger verify``: read every entry once, check the chain, add up the counters, and compare them with what is stored.

Works on any ledger while it is in use. Memory grows with counters and open reservations, never with entries.
"""

from collections.abc import Iterable
from typing import NamedTuple

from budget_gate.core.amounts import CounterValue
from budget_gate.core.audit import GENESIS, Entry, ParsedEntry, chain_hash, parse_entry
from budget_gate.ledger.interface import Ledger

ROUNDS_MOST = 200
"""How often counters are read again on a ledger that changes while it is verified, before saying so."""

_ALGORITHMS = ("sha1", "sha256")
_MOVING = ("reserve", "post", "void", "hold", "expire")
_CLOSING = ("post", "void")

CounterText = tuple[str, str, str]
"""Scope text, kind of period, label."""


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
    """Replays entries in order, remembering only the chain's end, the counters, and what is still open."""

    def __init__(self) -> None:
        self.last = 0
        self.counters: dict[CounterText, CounterValue] = {}
        self._previous = GENESIS
        self._open: dict[str, tuple[CounterText, ...]] = {}

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
        for counter in self._counters_of(parsed):
            self.counters[counter] = self.counters.get(counter, CounterValue()).plus(parsed.delta)

    def _counters_of(self, parsed: ParsedEntry) -> tuple[CounterText, ...]:
        """Return the counters that an entry adds to, and keep track of which reservations are open."""
        try:
            reservation = str(parsed.body["reservation"])
            stated = parsed.body.get("counters")
            counters = None if stated is None else tuple((str(scope), str(per), str(label)) for scope, per, label in stated)
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


def verify(ledger: Ledger) -> Verification:
    """Return whether the ledger's entries are whole and unchanged and add up to its counters; else what is wrong first."""
    sums = _Sums()
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
            suspects = {counter: now[counter] for counter in suspects if counter in now}
            if suspects and sums.last == before == ledger.head():
                return _broken_sum(sums, suspects)
    except _BadEntry as bad:
        return Verification(ok=False, entries=sums.last, first_bad=Fault(bad.seq), problem=str(bad))
    problem = "the ledger kept changing while it was verified; verify again when it is quieter"
    return Verification(ok=False, entries=sums.last, problem=problem)


def _follow_to_head(ledger: Ledger, sums: _Sums) -> None:
    """Replay all entries that there are, and miss those that should be there."""
    head = ledger.head()
    sums.follow(ledger.entries(sums.last))
    if sums.last < head:
        seq = sums.last + 1
        raise _BadEntry(seq, f"entry {seq} is missing: the ledger was written up to entry {head}")


def _differences(ledger: Ledger, sums: _Sums) -> dict[CounterText, CounterValue]:
    """Return the counters that differ from the sum of their entries, with what is stored."""
    stored = {(row.scope, row.per, row.label): row.value for row in ledger.counters()}
    nothing = CounterValue()
    return {
        counter: stored.get(counter, nothing)
        for counter in [*sums.counters, *(name for name in stored if name not in sums.counters)]
        if stored.get(counter, nothing) != sums.counters.get(counter, nothing)
    }


def _broken_sum(sums: _Sums, differing: dict[CounterText, CounterValue]) -> Verification:
    counter, stored = next(iter(differing.items()))
    computed = sums.counters.get(counter, CounterValue())
    differences = (mine.nano_usd - theirs.nano_usd for mine, theirs in zip(stored, computed, strict=True))
    difference = next((each for each in differences if each), 0)
    scope, per, label = counter
    problem = f"{scope} per {per} {label} holds {_text(stored)}, but its entries add up to {_text(computed)}"
    return Verification(ok=False, entries=sums.last, first_bad=Fault(0, counter), difference_nano_usd=difference, problem=problem)


def _text(value: CounterValue) -> str:
    return ", ".join(
        f"{name} {part.nano_usd} nano-dollars / {part.tokens} tokens / {part.requests} requests"
        for name, part in zip(value._fields, value, strict=True)
    )
