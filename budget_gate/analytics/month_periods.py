"""The periods of every kind that have a part in a month, and what a counter held of each when the month ended.

A month that is over keeps its figures, so what a week, a quarter or a year counted after the month's end is taken off again: days and
months are counted for every scope (``core.charges.REPORT_PERIODS``), which is what makes that possible.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from budget_gate.core.amounts import CounterValue
from budget_gate.core.periods import Per, Window, window_at
from budget_gate.core.scopes import Scope

Counters = Mapping[tuple[Scope, str], CounterValue]
"""What a ledger's counters hold, by scope and label. Labels of two kinds of period are never alike."""

NOTHING = CounterValue()
_MONTH = re.compile(r"(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])")


def month_window(month: str, zone: str) -> Window:
    """Return the period that a label such as ``2026-11`` names. Raises ``ValueError`` if it is no month."""
    if not _MONTH.fullmatch(month):
        raise ValueError(f"{month[:40]!r} is not a month")
    return window_at("month", zone, datetime(int(month[:4]), int(month[5:]), 15, tzinfo=UTC))


def month_before(month: str) -> str:
    """Return the month before ``month`` (``2026-01`` gives ``2025-12``)."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - 1:04d}-12" if number == 1 else f"{year:04d}-{number - 1:02d}"


@lru_cache(maxsize=64)
def periods_of(per: Per, zone: str, month: Window) -> tuple[Window, ...]:
    """Return the periods of one kind that have a part in the month, in their order."""
    return tuple(_windows(per, zone, month.starts_at, month.ends_at))


@lru_cache(maxsize=4)
def labels_wanted(pers: frozenset[Per], zone: str, month: Window) -> frozenset[str]:
    """Return the labels of all counters that the periods of these kinds need; the month's, its days' and the month before's always."""
    found = {month.label, month_before(month.label)}
    for per in pers | {"day"}:
        for period in periods_of(per, zone, month):
            found |= {period.label, *_later_labels(period, zone, month)}
    return frozenset(found)


def label_beginnings(labels: Iterable[str], month: Window) -> tuple[str, ...]:
    """Return as few beginnings as hold all of these labels: the month's stands for its days and hours."""
    months = (month.label, month_before(month.label))
    return (*months, *sorted(label for label in labels if not label.startswith(months)))


def at_months_end(counters: Counters, scope: Scope, period: Window, zone: str, month: Window) -> CounterValue:
    """Return what a counter held at the month's end. Calls settled later are in it: they count where they were reserved (law 8)."""
    held = counters.get((scope, period.label), NOTHING)
    for label in _later_labels(period, zone, month):
        later = counters.get((scope, label), NOTHING)
        # Never below zero: a limit of later on was not yet counted in the month, and its counter holds less than came after.
        held = CounterValue(*(part.excess_over(after) for part, after in zip(held, later, strict=True)))
    return held


def _later_labels(period: Window, zone: str, month: Window) -> Iterator[str]:
    """Yield the labels of the days or months of a period that lie behind the month."""
    if period.per in ("week", "quarter", "year"):
        for window in _windows("day" if period.per == "week" else "month", zone, month.ends_at, period.ends_at):
            yield window.label


def _windows(per: Per, zone: str, starts_at: datetime, ends_at: datetime) -> Iterator[Window]:
    while starts_at < ends_at:
        window = window_at(per, zone, starts_at)
        yield window
        starts_at = window.ends_at
