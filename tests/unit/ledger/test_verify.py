"""Verifying apart from backends: what a forger who can compute hashes could write, and a ledger that never rests."""

import tracemalloc
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from fakes.ledger_requests import usd

from budget_gate.core.amounts import CounterValue
from budget_gate.core.audit import GENESIS, Entry, chain_hash, entry_text
from budget_gate.ledger.fingerprints import BUCKETS, Fingerprints
from budget_gate.ledger.interface import CounterRow, Ledger
from budget_gate.ledger.verify import Fault, Verification, verify

AT = datetime(2026, 5, 13, tzinfo=UTC)
DAY = ["org", "day", "2026-05-13"]
TAKEN, GIVEN = CounterValue(pending=usd(5)), CounterValue(pending=usd(-5))
OPEN = ("reserve", TAKEN, {"reservation": "r", "counters": [DAY]})

Told = tuple[str, CounterValue, Mapping[str, Any]]


class Written:
    """A ledger that holds exactly these entries, correctly chained, and these counters."""

    def __init__(self, told: list[Told], *values: CounterValue, algorithm: str = "sha256") -> None:
        self.stored: list[Entry] = []
        for seq, (kind, delta, body) in enumerate(told, 1):
            text = entry_text(seq, AT, kind, delta, body)
            previous = self.stored[-1].chain_hash if self.stored else GENESIS
            self.stored.append(Entry(seq, text, chain_hash(previous, text, algorithm)))
        self.values = values

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield them."""
        return iter(self.stored[after:])

    def head(self) -> int:
        """Count them."""
        return len(self.stored)

    def counters(self) -> Iterator[CounterRow]:
        """Yield the counters."""
        return (CounterRow("org", "day", "2026-05-13", value) for value in self.values)


def _verify(ledger: Written) -> Verification:
    return verify(cast("Ledger", ledger))


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_both_hashes_are_followed(algorithm: str) -> None:
    """Entries say which hash they are chained by; SQLite's and Redis's are both checked."""
    void = ("void", GIVEN, {"reservation": "r"})
    assert _verify(Written([OPEN, void], CounterValue(), algorithm=algorithm)) == Verification(ok=True, entries=2)


def test_a_weak_hash_is_not_followed() -> None:
    """A chain of another algorithm is not accepted because it says so itself."""
    assert _verify(Written([OPEN], TAKEN, algorithm="md5")).first_bad == Fault(1)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (("outcome", TAKEN, {"key": "k"}), "never does"),
        (("refuse", TAKEN, {"key": "k"}), "never does"),
        (("void", GIVEN, {"reservation": "other"}), "not open"),
        (("post", GIVEN, {"reservation": "other"}), "not open"),
        (("expire", GIVEN, {"reservation": "other"}), "not open"),
        (("post", GIVEN, {}), "which reservation"),
        (("reserve", TAKEN, {"reservation": "s", "counters": [["org"]]}), "which reservation"),
        (("reserve", TAKEN, {"reservation": "s", "counters": 7}), "which reservation"),
        (("reserve", TAKEN, {"reservation": "s"}), "not open"),
    ],
)
def test_entries_that_no_ledger_writes_are_named(told: Told, words: str) -> None:
    """A correctly chained entry that moves money where it cannot is the first wrong one."""
    finding = _verify(Written([OPEN, told], TAKEN))
    assert (finding.ok, finding.first_bad, finding.entries) == (False, Fault(2), 1)
    assert words in finding.problem


def test_a_settled_reservation_is_forgotten() -> None:
    """A second settle of the same reservation, without counters of its own, is wrong."""
    post = ("post", CounterValue(posted=usd(3), pending=usd(-5)), {"reservation": "r"})
    assert _verify(Written([OPEN, post], CounterValue(posted=usd(3)))).ok
    assert _verify(Written([OPEN, post, post], CounterValue(posted=usd(6)))).first_bad == Fault(3)


class Restless(Written):
    """A ledger whose counter is always one entry ahead of what was read."""

    def counters(self) -> Iterator[CounterRow]:
        """Change under the reader's eyes."""
        seq, previous = len(self.stored) + 1, self.stored[-1].chain_hash
        text = entry_text(seq, AT, "hold", TAKEN, {"reservation": "r"})
        self.stored.append(Entry(seq, text, chain_hash(previous, text)))
        yield CounterRow("org", "day", "2026-05-13", CounterValue(pending=usd(5 * seq)))


def test_a_ledger_that_never_rests_is_not_called_broken() -> None:
    """Verifying ends after bounded work, and says that it could not decide instead of naming a wrong counter."""
    finding = _verify(Restless([OPEN]))
    assert (finding.ok, finding.first_bad) == (False, None)
    assert "kept changing" in finding.problem


class Tasks(Written):
    """A ledger of many tasks, each with one settled call, and one day for all of them."""

    def __init__(self, count: int, wrong: dict[str, int] | None = None) -> None:
        told: list[Told] = []
        for number in range(count):
            body = {"reservation": f"r{number}", "counters": [DAY, [f"task/w/{number}", "lifetime", "all"]]}
            told += [
                ("reserve", TAKEN, body),
                ("post", CounterValue(usd(3), usd(-5)), {"reservation": f"r{number}"}),
            ]
        super().__init__(told, CounterValue(usd(3 * count)))
        self.tasks = {f"task/w/{number}": 3 for number in range(count)} | (wrong or {})

    def counters(self) -> Iterator[CounterRow]:
        """Yield the day, and every task that holds something."""
        yield from super().counters()
        for scope, nano_usd in self.tasks.items():
            if nano_usd:
                yield CounterRow(scope, "lifetime", "all", CounterValue(usd(nano_usd)))


def test_counters_of_tasks_are_verified_too() -> None:
    """They are only remembered in sums of many; right ones pass, however many there are."""
    assert _verify(Tasks(300)) == Verification(ok=True, entries=600)


@pytest.mark.parametrize(
    ("wrong", "named", "difference"),
    [
        ({"task/w/7": 4}, "task/w/7", 1),
        ({"task/w/7": 0}, "task/w/7", -3),
        ({"task/nobody/1": 9}, "task/nobody/1", 9),
    ],
)
def test_a_wrong_counter_of_a_task_is_named(wrong: dict[str, int], named: str, difference: int) -> None:
    """Raised, deleted or invented: the finding names the task's counter and the difference."""
    finding = _verify(Tasks(300, wrong))
    assert finding.first_bad == Fault(0, (named, "lifetime", "all"))
    assert (finding.ok, finding.difference_nano_usd) == (False, difference)


@pytest.mark.parametrize("buckets", [1, BUCKETS])
def test_money_moved_between_tasks_is_found(buckets: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The total of all tasks is as it was: no sum of theirs hides that two counters are wrong, not even within one bucket."""
    monkeypatch.setattr("budget_gate.ledger.fingerprints.BUCKETS", buckets)
    finding = _verify(Tasks(300, {"task/w/7": 5, "task/w/8": 1}))
    assert finding.first_bad is not None
    assert finding.first_bad.counter in {("task/w/7", "lifetime", "all"), ("task/w/8", "lifetime", "all")}


def test_a_fingerprint_tells_what_a_counter_holds_from_how_it_holds_it() -> None:
    """Held is not posted, tokens are not dollars, and a scope is not another one that is written alike."""
    task = ("task/w/1", "lifetime", "all")
    values = [
        CounterValue(posted=usd(3)),
        CounterValue(held=usd(3)),
        CounterValue(posted=usd(0, 3)),
        CounterValue(pending=usd(3)),
    ]
    prints = Fingerprints()

    def sums(counter: tuple[str, str, str], value: CounterValue) -> tuple[int, ...]:
        found = [0] * BUCKETS
        prints.add(found, counter, value)
        return tuple(found)

    assert len({sums(task, value) for value in values}) == len(values)
    alike = [task, ("task/w/1l", "ifetime", "all"), ("task/w/1", "lifetimea", "ll")]
    assert len({sums(counter, values[0]) for counter in alike}) == len(alike)
    twice = [0] * BUCKETS
    for value in (CounterValue(pending=usd(5)), CounterValue(usd(3), usd(-5))):
        prints.add(twice, task, value)
    assert tuple(twice) == sums(task, values[0])


def test_tasks_and_sessions_cost_verifying_no_memory() -> None:
    """Four thousand tasks more take less than a megabyte more: a table of them would take several."""

    def peak(count: int) -> int:
        ledger = Tasks(count)
        tracemalloc.start()
        try:
            assert _verify(ledger).ok
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(4_500) - peak(500) < 1_000_000
