"""Small words: counts, shares and times as people read them."""

from datetime import UTC, datetime, timedelta

import pytest
from fakes.outcomes import DAY_BUDGET, FINDINGS, USD

from budget_gate.core.scopes import ORG
from budget_gate.core.usage import Usage
from budget_gate.reports.outcome_view import tokens_text
from budget_gate.reports.words import (
    amount_text,
    budget_name,
    counted,
    left_of,
    percent_text,
    place_text,
    resets_in,
    resets_text,
    tokens_short,
)


@pytest.mark.parametrize(
    ("count", "short"),
    [
        *((0, "0"), (999, "999"), (1_000, "1k"), (1_049, "1k"), (1_050, "1.1k"), (4_700, "4.7k"), (999_949, "999.9k")),
        *((999_950, "1M"), (1_200_000, "1.2M"), (20_000_000, "20M"), (999_960_000, "1B"), (10**12, "1,000B"), (-1_200, "-1.2k")),
    ],
)
def test_tokens(count: int, short: str) -> None:
    """Counts have one decimal at most, and never four digits before a letter that a larger one could replace."""
    assert tokens_short(count) == short


def test_amounts_name_their_unit() -> None:
    """Dollars carry their sign, other counts their word, in the singular for one."""
    assert [amount_text("usd", USD // 2), amount_text("tokens", 1_200_000), amount_text("requests", 1)] == [
        "$0.50",
        "1.2M tokens",
        "1 request",
    ]
    assert [counted(1, "file"), counted(1_200, "file")] == ["1 file", "1,200 files"]


def test_what_is_left() -> None:
    """What is left lies below the stop line, less what is used and promised, and is never negative."""
    assert left_of(DAY_BUDGET._replace(stop=10 * USD, posted=2 * USD, held=USD, pending=3 * USD)) == 4 * USD
    assert left_of(DAY_BUDGET._replace(posted=9 * USD)) == 0


def test_names_and_places() -> None:
    """A budget is its scope and period, a task's bound holds in all; a place is a path and its lines, the old side marked."""
    assert [budget_name(ORG, "month"), budget_name(ORG, "lifetime")] == ["org per month", "org in all"]
    assert [place_text(each) for each in FINDINGS[:2]] == ["src/app/views.py:88 (before)", "src/auth/session.py:41-44"]


def test_resets() -> None:
    """A reset is a local time with its offset, or a time left in two units; a bound for life has none."""
    instant = datetime(2026, 7, 1, tzinfo=UTC)
    assert resets_text(instant, "day", "America/St_Johns") == "2026-06-30 21:30 -02:30"
    assert resets_text(instant, "lifetime", "UTC") == "never"
    lefts = (timedelta(days=3, hours=4, minutes=5), timedelta(hours=5, minutes=20), timedelta(minutes=12), timedelta(-1))
    assert [resets_in(left) for left in lefts] == ["3 d 4 h", "5 h 20 min", "12 min", "0 min"]


def test_shares_are_rounded_down() -> None:
    """Only all of it is 100 %, and nothing of nothing is no share."""
    assert [percent_text(999, 1_000), percent_text(1, 1), percent_text(0, 0)] == ["99 %", "100 %", "0 %"]


def test_tokens_by_kind() -> None:
    """Tokens are told by kind with the share that came from the cache; kinds that were not used are left out."""
    assert tokens_text(Usage(1_200, 310, 2_900, 600, 50, 2)) == (
        "4.8k in (1.2k plain, 2.9k from the cache, 600 into the cache for 5 min, 50 into the cache for 1 h; 61 % cached), 310 out, "
        "web searches: 2"
    )
    assert tokens_text(Usage()) == "0 in, 0 out"
