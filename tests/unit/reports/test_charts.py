"""Charts in Mermaid: only lines of a form that is known, few slices, nothing lost from the sum, and no name that acts."""

import re
from decimal import Decimal

import pytest
from fakes.hostile import hostile_names
from hypothesis import given, settings
from hypothesis import strategies as st

from budget_gate.reports.charts import SLICES_MOST, chart_label, days_chart, shares_chart

SLICE = re.compile(r'    "([^"]+)" : (\d+\.\d\d)')
DOLLAR = 10**9


def slices(chart: str) -> list[tuple[str, Decimal]]:
    """Return the slices of a pie; every line of it must be of a form that Mermaid's grammar has for it."""
    head, *rest = chart.splitlines()
    assert (head, rest[:3]) == ("pie showData", ["    title Dollars", "    accTitle: Dollars", "    accDescr: all of them"])
    found = [SLICE.fullmatch(line) for line in rest[3:]]
    return [(match[1], Decimal(match[2])) for match in found if match is not None or pytest.fail(chart)]


def pie(shares: dict[str, int]) -> list[tuple[str, Decimal]]:
    """Return the slices of these shares."""
    return slices(shares_chart(shares, "Dollars", "all of them"))


def test_days_are_bars() -> None:
    """A bar per day in dollars, the axis from nothing to the dearest, and a day that is free is 0."""
    chart = days_chart([("2026-10-01", DOLLAR), ("2026-10-02", 0), ("2026-10-03", 2_345_000_000)], "Dollars", "three days")
    assert chart.splitlines() == [
        "xychart-beta",
        '    title "Dollars"',
        "    accTitle: Dollars",
        "    accDescr: three days",
        '    x-axis ["1", "2", "3"]',
        '    y-axis "dollars" 0 --> 2.35',
        "    bar [1.00, 0.00, 2.35]",
    ]


def test_nothing_spent_is_no_chart() -> None:
    """Without a dollar there is nothing to draw: Mermaid would refuse it."""
    assert days_chart([("2026-10-01", 0)], "Dollars", "") == ""
    assert shares_chart({"a": 0}, "Dollars", "") == ""
    assert shares_chart({}, "Dollars", "") == ""


def test_the_dearest_come_first_and_the_rest_is_one_slice() -> None:
    """Of twelve models seven have a slice and five share one; eight all have theirs; the sum is everything."""
    twelve = {f"model-{number:02d}": (number + 1) * DOLLAR for number in range(12)}
    found = pie(twelve)
    assert [name for name, _ in found] == [f"model-{number:02d}" for number in range(11, 4, -1)] + ["5 others"]
    assert sum(usd for _, usd in found) == sum(range(13))
    assert len(pie(dict(list(twelve.items())[:SLICES_MOST]))) == SLICES_MOST


def test_less_than_a_cent_is_a_cent() -> None:
    """A slice of 0 would be refused, so the smallest share is drawn as one cent; half a cent is rounded up."""
    assert pie({"a": 1, "b": 14_999_999, "c": 15_000_000}) == [
        ("c", Decimal("0.02")),
        ("b", Decimal("0.01")),
        ("a", Decimal("0.01")),
    ]


def test_names_that_look_alike_stay_apart() -> None:
    """Names that are one label get a number, so that none of their slices is dropped."""
    assert [name for name, _ in pie({'a"': 9, "a`": 8, "a_ (2)": 7, "a;": 6})] == ["a_", "a_ (2)", "a_ (2) (2)", "a_ (3)"]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("claude-haiku-4-5", "claude-haiku-4-5"),
        ("Größe 日本 \u05d0", "Größe 日本 \u05d0"),
        ("%%{init: {'theme': 'dark'}}%%", "___init: _'theme': 'dark'____"),
        ('a"b`c', "a_b_c"),
        ("a\n```\nb", "a ___ b"),
        ("\u202eevil", "evil"),
        ("<script>alert(1)</script>", "_script_alert(1)_/script_"),
        ("#quot;", "_quot_"),
        ("\U0001f525", "_"),
        ("\u200b", "(no name)"),
        ("x" * 90, "x" * 39 + "_"),
    ],
)
def test_a_label_keeps_what_is_harmless(name: str, label: str) -> None:
    """Letters of any script, digits and harmless marks stay; quotes, fences, directives, entities and hidden marks do not."""
    assert chart_label(name) == label


@settings(deadline=None, max_examples=150)
@given(st.lists(hostile_names(), min_size=1, max_size=14, unique=True))
def test_no_name_breaks_a_chart(names: list[str]) -> None:
    """Whatever models are called, every line has its form, every slice has a name of its own, and the sum is right."""
    found = pie({name: (at + 1) * DOLLAR for at, name in enumerate(names)})
    assert len(found) == min(len(names), SLICES_MOST)
    assert len({name for name, _ in found}) == len(found)
    assert sum(usd for _, usd in found) == sum(range(len(names) + 1))
