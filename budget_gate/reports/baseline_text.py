"""A baseline in words: each proposal with what it is made of, what changes in the policy, and what it would have refused."""

from collections.abc import Sequence
from datetime import date

from budget_gate.analytics.baseline import EXAMPLES_MOST, Proposal, RefusedRun, Replay
from budget_gate.core.money import usd_short, usd_text
from budget_gate.reports.clean_text import CELL_CHARACTERS, clean_for_terminal
from budget_gate.reports.documents import Document, time_text
from budget_gate.reports.plain_table import aligned
from budget_gate.reports.words import counted, percent_text

HEADINGS = ("scope", "per day", "95th percentile", "per month", "made of", "days seen")
_NUMBERS = (1, 2, 3, 5)


def baseline_document(
    first: date, after: date, proposals: Sequence[Proposal], changes: Sequence[str], text: str, past: Replay, zone: str
) -> Document:
    """Return the document of ``baseline --json``: proposals, the policy's changes, its new budgets as YAML, and the replay."""
    return {
        "first_day": first.isoformat(),
        "days": (after - first).days,
        "proposals": [
            {
                "scope": each.scope.text,
                "day_usd": usd_text(each.day_nano_usd),
                "month_usd": usd_text(each.month_nano_usd),
                "busy_day_usd": usd_text(each.busy_day_nano_usd),
                "mean_month_usd": usd_text(each.mean_month_nano_usd),
                "month_percent": each.month_percent,
                "days": each.days,
                "spending_days": each.spending_days,
            }
            for each in proposals
        ],
        "changes": list(changes),
        "budgets_yaml": text,
        "replay": {
            "calls": past.calls,
            "refused_calls": past.refused_calls,
            "refused_usd": usd_text(past.refused_nano_usd),
            "by_limit": dict(past.by_limit),
            "examples": [_example(each, zone) for each in past.examples],
        },
    }


def _example(run: RefusedRun, zone: str) -> Document:
    return {
        "at": time_text(run.at, zone),
        "reservation": run.reservation,
        "labels": dict(run.labels),
        "cost_usd": usd_text(run.cost_nano_usd),
        "refused_by": run.refused_by,
    }


def render_baseline(
    first: date, after: date, proposals: Sequence[Proposal], changes: Sequence[str], past: Replay, width: int
) -> str:
    """Return a baseline for a terminal."""
    days = counted((after - first).days, "day")
    if not proposals:
        return f"nothing was spent in the {days} from {first} on: nothing to propose; run in `mode: observe` first"
    parts = [
        f"observed {days} from {first} on",
        aligned([HEADINGS, *map(_cells, proposals)], width, right=_NUMBERS),
        "changes to the policy:",
        *(f"  {clean_for_terminal(line)}" for line in changes or ["none"]),
        *_replay_lines(past),
    ]
    return "\n".join(parts)


def _cells(each: Proposal) -> tuple[str, ...]:
    return (
        clean_for_terminal(each.scope.text, CELL_CHARACTERS),
        usd_short(each.day_nano_usd),
        usd_short(each.busy_day_nano_usd),
        usd_short(each.month_nano_usd),
        f"{each.month_percent} % of a mean month, {usd_short(each.mean_month_nano_usd)}",
        str(each.days),
    )


def _replay_lines(past: Replay) -> list[str]:
    """Return what the proposals would have done, the limits that refused most first."""
    share = percent_text(past.refused_calls, past.calls)
    refused = f"{past.refused_calls:,} of {counted(past.calls, 'past call')} ({share})"
    lines = [f"replay: {refused} would have been refused, {usd_short(past.refused_nano_usd)} in all"]
    limits = sorted(past.by_limit.items(), key=lambda item: (-item[1], item[0]))
    lines += [
        f"  {clean_for_terminal(name, CELL_CHARACTERS)}: {counted(count, 'call')}" for name, count in limits[:EXAMPLES_MOST]
    ]
    return lines
