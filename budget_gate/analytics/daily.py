"""Daily spending: one number per calendar day and scope, from the ledger's counters, or from rows for what has no counter.

Counters are preferred: they hold every scope's days (``core.charges.REPORT_PERIODS``), so a year is read without one entry.
Spent means posted and held; what is only promised (pending) is in no series, because it may still be released.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from budget_gate.analytics.spending import Spend
from budget_gate.core.amounts import Amount, CounterValue, Unit
from budget_gate.core.scopes import Scope

CounterFields = tuple[str, str, str, CounterValue]
"""Scope text, kind of period, its label, and what the counter holds: a ``ledger.interface.CounterRow`` is one."""

DayAmounts = Mapping[date, Amount]
"""What was spent on each day on which anything was."""


class Series(NamedTuple):
    """Counts of one unit on consecutive days from ``first`` on; a day without spending is a zero."""

    first: date
    values: tuple[int, ...] = ()

    @property
    def after(self) -> date:
        """The day behind the last one."""
        return self.first + timedelta(days=len(self.values))

    def on(self, day: date) -> int:
        """Return the count of a day; zero outside the series."""
        place = (day - self.first).days
        return self.values[place] if 0 <= place < len(self.values) else 0

    def until(self, day: date) -> "Series":
        """Return the series without ``day`` and everything behind it."""
        return Series(self.first, self.values[: max((day - self.first).days, 0)])

    def last(self, days: int) -> "Series":
        """Return at most the last ``days`` days."""
        dropped = max(len(self.values) - days, 0)
        return Series(self.first + timedelta(days=dropped), self.values[dropped:])


def counted_scope(text: str) -> Scope:
    """Return the scope of a counter. What a ledger has counted under is a scope, also where nobody could write it in a policy."""
    kind, _, name = text.partition("/")
    return Scope(kind, name)


def spent_of(value: CounterValue) -> Amount:
    """Return what a counter's scope has spent or may have: posted and held."""
    return value.posted.plus(value.held)


def counted_labels(today: date) -> tuple[str, ...]:
    """Return what the labels of running and recent periods begin with, for ``Ledger.counters``.

    Two years hold every window and every history that is looked at (``rhythm.DAYS_MOST``); the third is for a week that ISO counts to
    the next year. Left out are the counters of tasks and sessions, of which a ledger has one for every pull request there ever was.
    """
    return tuple(str(today.year + step) for step in (-1, 0, 1))


def days_from_counters(rows: Iterable[CounterFields]) -> dict[str, dict[date, Amount]]:
    """Return what each scope spent on each day, from one pass over a ledger's counters."""
    days: dict[str, dict[date, Amount]] = {}
    for scope, per, label, value in rows:
        if per == "day":
            days.setdefault(scope, {})[date.fromisoformat(label)] = spent_of(value)
    return days


def days_from_rows(rows: Iterable[Spend], label: str) -> dict[str, dict[date, Amount]]:
    """Return what each value of a label (``pr``, ``model``, ...) spent on each day; rows without the label are left out."""
    days: dict[str, dict[date, Amount]] = {}
    for row in rows:
        name = row.label(label)
        if name and row.day and row.state != "pending":
            known = days.setdefault(name, {})
            day = date.fromisoformat(row.day)
            known[day] = known.get(day, Amount()).plus(row.amount)
    return days


def series_of(days: DayAmounts, unit: Unit, until: date) -> Series:
    """Return the series of ``unit`` from the first day with spending up to, and without, ``until``; gaps are zeros."""
    first = min((day for day, amount in days.items() if amount.of(unit)), default=until)
    length = max((until - first).days, 0)
    return Series(first, tuple(days.get(first + timedelta(days=place), Amount()).of(unit) for place in range(length)))
