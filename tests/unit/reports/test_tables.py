"""Tables for a terminal: aligned whatever the names, no wider than they must be, colour only where it is asked for."""

from datetime import timedelta

import pytest
from fakes.golden import assert_golden
from fakes.outcomes import BUDGETS, DAY_BUDGET, MIDNIGHT, REFUSED, SPENT
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.reservations import Refused
from budget_gate.core.scopes import Scope
from budget_gate.reports.tables import display_width, render_budget_table, render_refusal, shortened

ODD = SPENT._replace(scope=Scope("user", "日本語\x1b[31mevil\u202e"), tier="stop")
TASK = DAY_BUDGET._replace(scope=Scope("task", "ci/" + "x" * 80), per="lifetime", unit="requests", posted=3, pending=1, limit=5)


@pytest.mark.parametrize("width", [140, 80])
def test_table(width: int) -> None:
    """The table reads as its golden file does, on a wide terminal and on a narrow one."""
    assert_golden(f"budget_table_{width}.txt", render_budget_table([*BUDGETS, ODD, TASK], colour=False, width=width) + "\n")


def test_a_reset_is_told_as_a_time_left() -> None:
    """With a clock, the last column says in how long; a task's bound never resets."""
    table = render_budget_table([DAY_BUDGET, TASK], colour=False, width=120, now=MIDNIGHT - timedelta(hours=5, minutes=20))
    assert [line.rpartition("  ")[2] for line in table.splitlines()] == ["resets", "in 5 h 20 min", "never"]


def test_no_budgets() -> None:
    """A policy without budgets is said to have none."""
    assert render_budget_table([], colour=True, width=80) == "no budgets"


def test_colour_is_asked_for() -> None:
    """Tiers colour their line, and only on request."""
    assert "\x1b" not in render_budget_table([ODD, DAY_BUDGET], colour=False, width=120)
    lines = render_budget_table([ODD, DAY_BUDGET], colour=True, width=120).splitlines()
    assert [line.startswith("\x1b[1;31m") for line in lines] == [False, True, False]
    assert lines[1].endswith("\x1b[0m")


@given(st.lists(st.text(alphabet=st.characters() | st.sampled_from("\x1b\n日e\u0301"), max_size=60), min_size=1, max_size=4))
def test_columns_stay_aligned(names: list[str]) -> None:
    """Wide, combining and control characters in names move no column, and none of them reaches the terminal as a command."""
    table = render_budget_table([SPENT._replace(scope=Scope("user", name)) for name in names], colour=False, width=100)
    lines = table.split("\n")
    assert len(lines) == len(names) + 1
    assert len({display_width(line[: line.index("  day  ")]) for line in lines[1:]}) == 1
    assert all(display_width(line) <= 100 for line in lines)


@given(st.text(max_size=30), st.integers(1, 20))
def test_shortening(text: str, columns: int) -> None:
    """A name that is too long keeps its beginning and says that it was cut."""
    short = shortened(text, columns)
    assert display_width(short) <= columns
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


def test_a_refusal_on_one_line() -> None:
    """A refusal says which budget, what is left of what was needed, why, when it resets and whom to ask."""
    assert REFUSED.refused is not None
    assert render_refusal(REFUSED.refused, zone="Europe/Berlin") == (
        "refused: workflow/ci_cd_review per day has $0.0120 left of the $0.50 needed (spent, resets 2026-11-24 01:00 +01:00, "
        "ask vp-engineering@acme.test); org per month has $0.00 left of the $0.50 needed (held for calls that may have been "
        "billed, resets 2026-12-01 01:00 +01:00, ask @acme/finops)"
    )
    assert render_refusal(Refused((), ())) == "refused: no reason was given"


def test_a_refusal_of_a_hostile_name_stays_on_its_line() -> None:
    """Names and owners from a policy cannot write other lines or sequences onto the terminal."""
    assert REFUSED.refused is not None
    hostile = REFUSED.refused.refused_by[0]._replace(scope=Scope("user", "a\nb\x1b[2J"), owner="x\r\ny")
    assert render_refusal(Refused((hostile._replace(per="lifetime"),), ())).isprintable()
