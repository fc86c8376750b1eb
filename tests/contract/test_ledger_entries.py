"""Law 10: entries are append-only, chained and complete, names are never confused, and ``verify`` names what is wrong."""

from collections.abc import Callable, Iterator

import pytest
from contract.ledgers import Backend
from fakes.ledger_requests import actual, admitted, charge, line, request, usd

from budget_gate.core.amounts import CounterValue
from budget_gate.core.audit import GENESIS, Entry, chain_hash
from budget_gate.core.reservations import Refused
from budget_gate.core.scopes import ORG, Scope
from budget_gate.core.usage import Usage
from budget_gate.ledger.interface import CounterRow, Ledger
from budget_gate.ledger.verify import Fault, verify

MONTH = charge(ORG, "month", line(100))
DAY = charge(Scope("team", "payments"), "day")


def _history(ledger: Ledger) -> None:
    """Write one entry of every kind but ``expire``: ten in all."""
    for key in ("a", "b", "c", "d"):
        admitted(ledger.reserve(request(key, usd(20, 7, 1), MONTH, DAY)))
    ids = {each.key: each.reservation for each in ledger.open_reservations()}
    ledger.settle("a", ids["a"], actual(usd(12, 6, 1))._replace(usage=Usage(5, 1), details={"model": "m"}))
    ledger.void("b", ids["b"], "not sent")
    ledger.settle("b", ids["b"], actual(usd(25, 8, 1)))
    ledger.hold("c", ids["c"], "connection lost")
    assert isinstance(ledger.reserve(request("e", usd(64), MONTH)), Refused)
    ledger.record("f", "outcome", {"pr": "7"}, {"merged": "yes"})


def test_every_change_leaves_one_entry(ledger: Ledger) -> None:
    """Entries are numbered without a gap from 1, in order, and their sums are the counters."""
    _history(ledger)
    entries = list(ledger.entries())
    assert [entry.seq for entry in entries] == [*range(1, 11)]
    kinds = [entry.parsed().kind for entry in entries]
    assert kinds == ["reserve"] * 4 + ["post", "void", "post", "hold", "refuse", "outcome"]
    assert ledger.head() == 10
    total = CounterValue()
    for entry in entries:
        total = total.plus(entry.parsed().delta)
    assert {row.value for row in ledger.counters()} == {total}
    assert total == CounterValue(usd(37, 14, 2), usd(20, 7, 1), usd(20, 7, 1))
    finding = verify(ledger)
    assert (finding.ok, finding.entries, finding.first_bad, finding.problem) == (True, 10, None, "")


def test_an_entry_carries_what_reports_need(ledger: Ledger) -> None:
    """Bodies follow the shape that core.audit documents, whichever backend wrote them."""
    _history(ledger)
    bodies = [entry.parsed().body for entry in ledger.entries()]
    name, label = bodies[0]["reservation"], f"{ledger.now():%Y-%m}"
    labels = {"workflow": "ci_cd_review"}
    counters = [["org", "month", label], ["team/payments", "day", f"{ledger.now():%Y-%m-%d}"]]
    assert bodies[0] == {"reservation": name, "key": "a", "labels": labels, "counters": counters}
    assert bodies[4] == {
        "reservation": name,
        "key": "a",
        "labels": labels,
        "usage": Usage(5, 1)._asdict(),
        "details": {"model": "m"},
        "overrun": [0, 0, 0],
    }
    assert bodies[5] == {"reservation": bodies[1]["reservation"], "key": "b", "reason": "not sent"}
    assert bodies[6]["counters"] == counters
    assert bodies[6]["overrun"] == [5, 1, 0]
    assert bodies[7] == {"reservation": bodies[2]["reservation"], "key": "c", "reason": "connection lost"}
    assert bodies[8] == {
        "key": "e",
        "labels": labels,
        "asked": [64, 0, 0],
        "refused_by": [["org", "month", "usd", "spent"]],
    }
    assert bodies[9] == {"key": "f", "labels": {"pr": "7"}, "details": {"merged": "yes"}}


def test_entries_are_chained(ledger: Ledger) -> None:
    """Each hash covers the hash before it and the entry's exact text, by the algorithm that it names."""
    _history(ledger)
    previous = GENESIS
    for entry in ledger.entries():
        assert entry.chain_hash == chain_hash(previous, entry.text, entry.chain_hash.partition(":")[0])
        previous = entry.chain_hash


def test_entries_can_be_read_from_any_place(ledger: Ledger) -> None:
    """A reader that knows the last number it saw gets exactly what is behind it."""
    _history(ledger)
    assert [entry.seq for entry in ledger.entries(after=7)] == [8, 9, 10]
    assert list(ledger.entries(after=10)) == []


def test_long_histories_are_read_whole(backend: Backend, ledger: Ledger) -> None:
    """Readers page through tables of any length without missing or repeating a row."""
    length = 50 if backend.is_slow else 520
    for number in range(length):
        ledger.record(f"n{number}", "note", {}, {})
    assert [entry.seq for entry in ledger.entries()] == [*range(1, length + 1)]
    assert verify(ledger).entries == length


HOSTILE = [
    "a",
    "A",
    "a/b",
    "a/b/month",
    "a:b",
    "a\x1fb",
    "a b",
    " a",
    "a\n",
    "{a}",
    "a}{b",
    "[1,2]",
    '"',
    "\\",
    "\\u0061",
    "*",
    "?",
    "%s",
    "é",
    "e\u0301",
    "🧾",
    "👩\u200d💻",
    "\u202egnp",
    "'); DROP TABLE counters; --",
    "__proto__",
    "null",
    "-1",
    "1e3",
    "x" * 5000,
]


def test_counters_can_be_asked_for_by_their_labels(ledger: Ledger) -> None:
    """With labels only counters come whose label begins with one of them: a month and its days, and no task's."""
    charges = (
        charge(ORG, "day", line(100)),
        charge(ORG, "month", line(100)),
        charge(Scope("task", "a:2/b%"), "lifetime", line(100)),
    )
    admitted(ledger.reserve(request("a", usd(40), *charges)))
    month = f"{ledger.now():%Y-%m}"
    assert {row.per for row in ledger.counters()} == {"day", "month", "lifetime"}
    assert {row.per for row in ledger.counters((month,))} == {"day", "month"}
    assert {row.per for row in ledger.counters(("1999-01", f"{month}-"))} == {"day"}
    assert list(ledger.counters(("%", "_", "2026*", "1999"))) == []
    assert {row.value for row in ledger.counters((month,))} == {CounterValue(pending=usd(40))}


def test_names_are_never_confused(ledger: Ledger) -> None:
    """Two scopes share a counter only if they are the same scope, whatever their names are made of."""
    for number, name in enumerate(HOSTILE):
        for kind in ("user", "team"):
            mine = charge(Scope(kind, name), "day", line(100))
            taken = admitted(ledger.reserve(request(f"{kind}{number}", usd(100), mine, labels={"user": name})))
            ledger.settle(f"{kind}{number}", taken.reservation, actual(usd(40 + number)))
    for number, name in enumerate(HOSTILE):
        states = ledger.read([charge(Scope(kind, name), "day", line(100)) for kind in ("user", "team")], "UTC")
        assert [(state.scope.name, state.posted, state.pending) for state in states] == [(name, 40 + number, 0)] * 2
    assert len({row.scope for row in ledger.counters()}) == 2 * len(HOSTILE)
    assert verify(ledger).ok


def test_counters_of_one_scope_are_apart(ledger: Ledger) -> None:
    """A scope's hours, days, weeks and years are counters of their own, even where labels look alike."""
    charges = [charge(ORG, per, line(100)) for per in ("hour", "day", "week", "month", "quarter", "year", "lifetime")]
    admitted(ledger.reserve(request("all", usd(10), *charges)))
    admitted(ledger.reserve(request("one", usd(5), charges[3])))
    assert [state.pending for state in ledger.read(charges, "UTC")] == [10, 10, 10, 15, 10, 10, 10]


class Tampered:
    """A ledger as it reads after somebody changed what is stored: entries, or counters."""

    def __init__(
        self,
        ledger: Ledger,
        entries: Callable[[list[Entry]], list[Entry]] = list,
        counters: Callable[[CounterRow], CounterRow] = lambda row: row,
    ) -> None:
        self._ledger = ledger
        self._entries = entries(list(ledger.entries()))
        self._counters = [counters(row) for row in ledger.counters()]

    def __getattr__(self, name: str) -> object:
        return getattr(self._ledger, name)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield what is left of the entries."""
        return (entry for entry in self._entries if entry.seq > after)

    def counters(self) -> Iterator[CounterRow]:
        """Yield the counters as changed."""
        return iter(self._counters)


def _edited(entries: list[Entry], place: int, old: str, new: str) -> list[Entry]:
    assert old in entries[place].text
    return [*entries[:place], entries[place]._replace(text=entries[place].text.replace(old, new)), *entries[place + 1 :]]


def _rehashed(entries: list[Entry]) -> list[Entry]:
    """Return the entries with hashes that fit their texts: the forger knows the algorithm."""
    chained: list[Entry] = []
    for entry in entries:
        previous = chained[-1].chain_hash if chained else GENESIS
        algorithm = entry.chain_hash.partition(":")[0]
        chained.append(entry._replace(chain_hash=chain_hash(previous, entry.text, algorithm)))
    return chained


def _swapped(entries: list[Entry]) -> list[Entry]:
    one, two = entries[2], entries[3]
    return [*entries[:2], Entry(3, two.text, two.chain_hash), Entry(4, one.text, one.chain_hash), *entries[4:]]


TAMPERINGS: dict[str, tuple[Callable[[list[Entry]], list[Entry]], int]] = {
    "edit": (lambda entries: _edited(entries, 4, '"12"' if '"12"' in entries[4].text else "12", "11"), 5),
    "edit of a reason": (lambda entries: _edited(entries, 5, "not sent", "not send"), 6),
    "edit of a note": (lambda entries: _edited(entries, 9, "yes", "no"), 10),
    "edit of the first": (lambda entries: _edited(entries, 0, "ci_cd_review", "dev_assistant"), 1),
    "deletion": (lambda entries: entries[:4] + entries[5:], 5),
    "deletion of the first": (lambda entries: entries[1:], 1),
    "deletion, renumbered": (lambda entries: entries[:4] + [e._replace(seq=e.seq - 1) for e in entries[5:]], 5),
    "deletion of the last note": (lambda entries: entries[:-1], 10),
    "deletion of a tail": (lambda entries: entries[:6], 7),
    "deletion of all": (lambda entries: [], 1),
    "reordering": (_swapped, 3),
    "reordering, rehashed": (lambda entries: _rehashed(_swapped(entries)), 3),
    "unreadable, rehashed": (lambda entries: _rehashed([entries[0]._replace(text="{"), *entries[1:]]), 1),
    "no JSON object, rehashed": (lambda entries: _rehashed([entries[0]._replace(text="[7]"), *entries[1:]]), 1),
    "money as a float, rehashed": (
        lambda entries: _rehashed([entries[0]._replace(text=entries[0].text.replace("[20,", "[20.0,")), *entries[1:]]),
        1,
    ),
    "unknown algorithm": (lambda entries: [entries[0]._replace(chain_hash="md5:00"), *entries[1:]], 1),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_is_found_and_named(ledger: Ledger, tampering: str) -> None:
    """Verify finds an edit, a deletion and a reordering, and names the first entry that is wrong."""
    _history(ledger)
    change, first_bad = TAMPERINGS[tampering]
    finding = verify(Tampered(ledger, entries=change))  # type: ignore[arg-type]  # it answers the rest by delegation
    assert (finding.ok, finding.first_bad) == (False, Fault(first_bad))
    assert f"entry {first_bad}" in finding.problem
    assert finding.entries == first_bad - 1


def test_a_rewritten_history_does_not_add_up(ledger: Ledger) -> None:
    """A forger who edits an amount and recomputes every hash is found by the counters, which name the difference."""
    _history(ledger)

    def cheaper(entries: list[Entry]) -> list[Entry]:
        return _rehashed(_edited(entries, 4, '"delta":[[12,', '"delta":[[2,'))

    finding = verify(Tampered(ledger, entries=cheaper))  # type: ignore[arg-type]  # it answers the rest by delegation
    assert not finding.ok
    assert finding.first_bad is not None
    assert finding.first_bad.seq == 0
    assert finding.difference_nano_usd == 10


@pytest.mark.parametrize(("part", "difference"), [("posted", 3), ("pending", -4), ("held", 1)])
def test_a_broken_sum_is_found_and_named(ledger: Ledger, part: str, difference: int) -> None:
    """Verify names the counter that its entries do not add up to, and by how many nano-dollars it is off."""
    _history(ledger)

    def broken(row: CounterRow) -> CounterRow:
        if row.scope != "team/payments":
            return row
        changed = getattr(row.value, part).plus(usd(difference))
        return row._replace(value=row.value._replace(**{part: changed}))

    finding = verify(Tampered(ledger, counters=broken))  # type: ignore[arg-type]  # it answers the rest by delegation
    assert not finding.ok
    assert finding.first_bad == Fault(0, ("team/payments", "day", f"{ledger.now():%Y-%m-%d}"))
    assert finding.difference_nano_usd == difference
    assert "team/payments per day" in finding.problem


def test_an_invented_counter_is_found(ledger: Ledger) -> None:
    """A counter that no entry ever added to is as wrong as one that lost some."""
    _history(ledger)

    def renamed(row: CounterRow) -> CounterRow:
        return row._replace(scope="team/other") if row.scope == "team/payments" else row

    finding = verify(Tampered(ledger, counters=renamed))  # type: ignore[arg-type]  # it answers the rest by delegation
    assert not finding.ok
    assert "team/payments" in finding.problem


def test_an_empty_ledger_is_whole(ledger: Ledger) -> None:
    """A ledger nobody wrote to verifies, with no entries."""
    assert verify(ledger) == (True, 0, None, 0, "")
