"""What keeps the files of a ledger on a branch small: once a day, with the first write, a bounded amount of tidying.

Counters of periods that are over, and of tasks that nobody works on, leave ``state.json``; days of months older than two are folded
into one file a year. Nothing is dropped: what was put away is found again by its name.
"""

from datetime import date, datetime, timedelta

from budget_gate.core.amounts import ZERO
from budget_gate.ledger import github_files as files
from budget_gate.ledger.github_books import GitHubBooks
from budget_gate.ledger.github_files import EntryFile
from budget_gate.ledger.placing import CounterName

COUNTERS_MOST = 64
"""Counters that one write puts away, at most."""

DAYS_MOST = 10
"""Files of days that one write folds, at most."""

CLOSED_AFTER = timedelta(days=3)
"""How long after its end a period stays at hand: no time zone is behind another by more than 26 hours."""


def tidy(books: GitHubBooks, now: datetime, counters_most: int = COUNTERS_MOST, days_most: int = DAYS_MOST) -> None:
    """Tidy up, once a day; what one write leaves undone the next one goes on with."""
    today = now.date()
    if books.tidied >= today.isoformat():
        return
    movable = [counter for counter in books.counters if _is_over(books, counter, today)]
    foldable = [each for each in books.entry_files if each.day and each.day[:7] < _month_before_last(today)]
    chosen, folded = movable[:counters_most], foldable[:days_most]
    books.require([*map(files.place_of, chosen), *(each.path for each in folded), *_targets(books, folded)])
    for counter in chosen:
        books.put_away(counter)
    for each in folded:
        _fold(books, each)
    if len(movable) <= counters_most and len(foldable) <= days_most:
        books.tidied = today.isoformat()


def _is_over(books: GitHubBooks, counter: CounterName, today: date) -> bool:
    """Return whether nothing is open at a counter, and its period is over; a lifetime is put away whenever nothing is open."""
    value = books.counters[counter]
    is_idle = value.pending == value.held == ZERO
    return is_idle and (counter.per == "lifetime" or files.last_day(counter) + CLOSED_AFTER < today)


def _month_before_last(today: date) -> str:
    """Return the oldest month that keeps one file a day, as 2026-09."""
    months = today.year * 12 + today.month - 1 - 2
    return f"{months // 12:04d}-{months % 12 + 1:02d}"


def _targets(books: GitHubBooks, folded: list[EntryFile]) -> list[str]:
    """Return the years' files that exist already and will be added to."""
    years = {each.day[:4] for each in folded}
    return [each.path for each in books.entry_files if not each.day and each.path[len("entries/") :][:4] in years]


def _fold(books: GitHubBooks, day: EntryFile) -> None:
    """Move a day's entries behind those of its year. Days are folded oldest first, so files stay in the order of entries."""
    year, at = day.day[:4], books.entry_files.index(day)
    parts = [each.path for each in books.entry_files[:at] if each.path.startswith(f"entries/{year}") and not each.day]
    if not parts or len(books.text(parts[-1]).encode()) > files.YEAR_FILE_BYTES_MOST:
        parts.append(files.year_path(year, len(parts) + 1))
        books.put_text(parts[-1], "")
        books.entry_files[at] = EntryFile(parts[-1], day.first)
    else:
        del books.entry_files[at]
    books.put_text(parts[-1], books.text(parts[-1]) + books.text(day.path))
    books.put_text(day.path, None)
