"""Notes that stand: the same as following every entry, in work that does not grow with history."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.audit import Entry, microseconds
from budget_gate.core.errors import LedgerUnavailable
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.runs.standing_notes import CHECKPOINT_EVERY, FIRST_STEP, Family, Standing, read_standing

FAMILY = Family("asked", ("approved",), ("revoked",))


class CountingLedger(MemoryLedger):
    """Counts the entries that were read."""

    read_entries = 0

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield entries, counting them."""
        for entry in super().entries(after):
            self.read_entries += 1
            yield entry


def _naive(notes: list[tuple[str, str, int]]) -> Standing:
    standing: Standing = {}
    for kind, name, number in notes:
        details = {"name": name, f"by_{kind}": str(number)}
        if kind == "revoked":
            standing.pop(name, None)
        elif kind == "asked":
            standing.setdefault(name, details)
        elif kind == "approved" and name in standing:
            standing[name] = {**standing[name], **details}
    return standing


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["asked", "approved", "revoked", "other"]), st.sampled_from("abc"), st.sampled_from([0, 1, 150, 450])
        ),
        max_size=25,
    )
)
def test_reading_from_checkpoints_is_reading_everything(steps: list[tuple[str, str, int]]) -> None:
    """Whatever was noted in whatever order, with anything in between and readers at any point, the same stands."""
    ledger = MemoryLedger()
    notes: list[tuple[str, str, int]] = []
    for number, (kind, name, others) in enumerate(steps):
        for filler in range(others):
            ledger.record(f"filler/{number}/{filler}", "filler", {}, {"text": '"kind":"asked"'})
        ledger.record(f"note/{number}", kind, {}, {"name": name, f"by_{kind}": str(number)})
        notes.append((kind, name, number))
        if others:
            assert read_standing(ledger, FAMILY) == _naive(notes)
    assert read_standing(ledger, FAMILY) == _naive(notes)


def test_a_reader_does_not_pay_for_history() -> None:
    """After the first reader, the work is bounded however long the ledger is."""
    ledger = CountingLedger()
    ledger.record("asked", "asked", {}, {"name": "a"})
    for number in range(20_000):
        ledger.record(f"filler/{number}", "filler", {}, {})
    assert read_standing(ledger, FAMILY) == {"a": {"name": "a"}}
    ledger.read_entries = 0
    for number in range(10):
        for filler in range(CHECKPOINT_EVERY):
            ledger.record(f"later/{number}/{filler}", "filler", {}, {})
        assert read_standing(ledger, FAMILY) == {"a": {"name": "a"}}
    assert ledger.read_entries < 10 * 5 * CHECKPOINT_EVERY


def test_a_reader_that_needs_no_old_notes_does_not_read_them() -> None:
    """With ``since``, even the first reader of a long history steps back no further than a little before it."""
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    ledger = CountingLedger(clock=lambda: now[0])
    ledger.record("old", "asked", {}, {"name": "old"})
    for number in range(20_000):
        ledger.record(f"filler/{number}", "filler", {}, {})
    now[0] = datetime(2026, 6, 1, tzinfo=UTC)
    ledger.record("new", "asked", {}, {"name": "new"})
    assert read_standing(ledger, FAMILY, since=datetime(2026, 5, 1, tzinfo=UTC)) == {"new": {"name": "new"}}
    assert ledger.read_entries <= 3 * FIRST_STEP


def test_a_ledger_that_cannot_be_written_is_read_all_the_same() -> None:
    """A checkpoint only saves work; a reader without the right to write goes without."""

    class ReadOnly(MemoryLedger):
        """Refuses notes once it is told to."""

        is_closed = False

        def record(self, key: str, kind: str, labels: Mapping[str, str], details: Mapping[str, str]) -> Entry:
            """Append a note, or refuse."""
            if self.is_closed:
                raise LedgerUnavailable("read only")
            return super().record(key, kind, labels, details)

    ledger = ReadOnly()
    ledger.record("asked", "asked", {}, {"name": "a"})
    for number in range(2 * CHECKPOINT_EVERY):
        ledger.record(f"filler/{number}", "filler", {}, {})
    ledger.is_closed = True
    assert read_standing(ledger, FAMILY) == {"a": {"name": "a"}}


def test_what_is_over_is_left_out_of_checkpoints() -> None:
    """Checkpoints do not grow with what has ended by its own date."""
    now = datetime(2026, 6, 1, tzinfo=UTC)
    ledger = MemoryLedger(clock=lambda: now)
    for name, expires_at in (("over", now - timedelta(days=1)), ("lasts", now + timedelta(days=1))):
        ledger.record(name, "asked", {}, {"name": name, "expires_at": str(microseconds(expires_at))})
    for number in range(2 * CHECKPOINT_EVERY):
        ledger.record(f"filler/{number}", "filler", {}, {})
    assert set(read_standing(ledger, FAMILY)) == {"over", "lasts"}
    assert set(read_standing(ledger, FAMILY)) == {"lasts"}
