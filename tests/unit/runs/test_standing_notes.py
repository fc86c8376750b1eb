"""Notes that stand: the same as following every entry, in work that does not grow with history."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.audit import Entry
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.runs.standing_notes import CHECKPOINT_EVERY, Family, Standing, read_standing

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
    assert read_standing(ledger, FAMILY, may_write=False) == _naive(notes)


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
