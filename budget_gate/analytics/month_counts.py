"""What a month's entries come to, for metrics: dollars, tokens and requests by label, refusals by limit, and merged pull requests.

Memory grows with the combinations of labels, never with entries.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from budget_gate.analytics.billed import model_of
from budget_gate.analytics.spending import Note, Spend
from budget_gate.core.usage import Usage

Counts = dict[tuple[str, ...], int]

_TOKEN_FIELDS = tuple(field for field in Usage._fields if field.endswith("_tokens"))


class MonthCounts(NamedTuple):
    """Counts by label values. Spend, held, overrun and requests are by team, workflow and tier; tokens by model and kind.

    Refusals are by scope, period and reason; ``merged`` (once for each pull request) and what pull requests cost, whatever became of
    them and held included, are by project in small letters.
    """

    spend_nano_usd: Counts
    held_nano_usd: Counts
    overrun_nano_usd: Counts
    requests: Counts
    tokens: Counts
    web_searches: Counts
    refusals: Counts
    merged: Counts
    pulls_nano_usd: Counts

    def cost_per_merged_nano_usd(self) -> Counts:
        """Return what pull requests cost for each one that was merged, by project, rounded down; waste is in it."""
        return {key: self.pulls_nano_usd.get(key, 0) // count for key, count in self.merged.items()}


def count_month(found: Iterable[Spend | Note], month: str, since: datetime) -> MonthCounts:
    """Return the counts of one month. Rows count in the month of their reservation, notes from ``since`` on.

    An outcome note is one that ``merged`` records: labels ``pr`` and ``project``, details ``outcome`` and ``at``.
    """
    counts = MonthCounts({}, {}, {}, {}, {}, {}, {}, {}, {})
    seen: set[tuple[str, str]] = set()
    for each in found:
        if isinstance(each, Spend):
            if each.month == month and each.state != "pending":
                _add_row(counts, each)
        elif _happened_at(each) >= since:
            for name, key in _note_counts(each, seen):
                _add(getattr(counts, name), key, 1)
    return counts


def _add_row(counts: MonthCounts, row: Spend) -> None:
    if row.label("pr"):
        _add(counts.pulls_nano_usd, (row.label("project").lower(),), row.amount.nano_usd)
    whose = (row.label("team"), row.label("workflow"), row.label("tier"))
    if row.state == "held":
        _add(counts.held_nano_usd, whose, row.amount.nano_usd)
        return
    _add(counts.spend_nano_usd, whose, row.amount.nano_usd)
    _add(counts.requests, whose, row.amount.requests)
    if row.overrun.nano_usd:
        _add(counts.overrun_nano_usd, whose, row.overrun.nano_usd)
    model = model_of(row)
    for field in _TOKEN_FIELDS:
        if tokens := getattr(row.usage, field):
            _add(counts.tokens, (model, field.removesuffix("_tokens")), tokens)
    if row.usage.web_searches:
        _add(counts.web_searches, (model,), row.usage.web_searches)


def _note_counts(note: Note, seen: set[tuple[str, str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield which counts a note adds one to."""
    if note.kind == "refuse":
        for scope, per, _unit, reason in note.body.get("refused_by", ()):
            yield "refusals", (str(scope), str(per), str(reason))
    if note.kind == "outcome":
        labels: Mapping[str, str] = note.body.get("labels", {})
        details: Mapping[str, str] = note.body.get("details", {})
        pull = (str(labels.get("project", "")).lower(), str(labels.get("pr", "")))
        if details.get("outcome") == "merged" and pull not in seen:
            seen.add(pull)
            yield "merged", (pull[0],)


def _happened_at(note: Note) -> datetime:
    """Return when a noted event happened; an outcome may be recorded long after it."""
    details: Mapping[str, str] = note.body.get("details", {})
    try:
        stated = datetime.fromisoformat(str(details.get("at", "")))
    except ValueError:
        return note.at
    return stated if stated.tzinfo else note.at


def _add(counts: Counts, key: tuple[str, ...], count: int) -> None:
    counts[key] = counts.get(key, 0) + count
