"""What a month's entries come to, for metrics: dollars, tokens and requests by label, and refusals by limit.

Memory grows with the combinations of labels, never with entries. What became of pull requests is ``analytics.monthly``'s.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from budget_gate.analytics.billed import model_of
from budget_gate.analytics.spending import Note, Spend
from budget_gate.core.usage import Usage

Counts = dict[tuple[str, ...], int]

_TOKEN_FIELDS = tuple(field for field in Usage._fields if field.endswith("_tokens"))


class MonthCounts(NamedTuple):
    """Counts by label values. Spend, held, overrun and requests are by team, workflow and tier; tokens by model and kind.

    Refusals are by scope, period and reason.
    """

    spend_nano_usd: Counts
    held_nano_usd: Counts
    overrun_nano_usd: Counts
    requests: Counts
    tokens: Counts
    web_searches: Counts
    refusals: Counts


def count_month(found: Iterable[Spend | Note], month: str, since: datetime) -> MonthCounts:
    """Return the counts of one month. Rows count in the month of their reservation, refusals from ``since`` on."""
    counts = MonthCounts({}, {}, {}, {}, {}, {}, {})
    for each in found:
        if isinstance(each, Spend):
            if each.month == month and each.state != "pending":
                _add_row(counts, each)
        elif each.kind == "refuse" and each.at >= since:
            for scope, per, _unit, reason in each.body.get("refused_by", ()):
                _add(counts.refusals, (str(scope), str(per), str(reason)), 1)
    return counts


def _add_row(counts: MonthCounts, row: Spend) -> None:
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


def _add(counts: Counts, key: tuple[str, ...], count: int) -> None:
    counts[key] = counts.get(key, 0) + count
