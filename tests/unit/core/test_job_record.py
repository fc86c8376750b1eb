"""The line a job leaves on GitHub: what was written is read back, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.amounts import Amount
from budget_gate.core.job_record import UnsettledCost, job_record, read_job_record
from budget_gate.core.money import COUNT_MAX

counts = st.integers(0, COUNT_MAX)
names = st.text("0123456789abcdef", min_size=32, max_size=32).map(lambda digits: f"res_{digits}")
costs = st.dictionaries(names, st.builds(Amount, counts, counts, counts), max_size=20)


@given(costs, st.text(max_size=80))
def test_what_is_written_is_read_back(known: dict[str, Amount], around: str) -> None:
    """Every cost comes back exactly, whatever text stands around the line."""
    unsettled = tuple(UnsettledCost(name, amount) for name, amount in known.items())
    assert read_job_record(f"{around}\n\n{job_record(unsettled)}\n") == unsettled


@pytest.mark.parametrize(
    "record",
    [
        '{"res_1":[1,2,3]}',
        '{"res_00000000000000000000000000000000":[1,2]}',
        '{"res_00000000000000000000000000000000":[-1,2,3]}',
        '{"res_00000000000000000000000000000000":[1.5,2,3]}',
        '{"res_00000000000000000000000000000000":[true,2,3]}',
        '{"res_00000000000000000000000000000000":[9007199254740992,2,3]}',
        '{"res_00000000000000000000000000000000":"1"}',
        "{not json}",
        "{}",
    ],
)
def test_a_line_of_another_form_says_nothing(record: str) -> None:
    """Wrong ids, wrong counts and text that is no JSON are no costs, and raise nothing."""
    assert read_job_record(f"<!-- budget-gate-unsettled:{record} -->") == ()
