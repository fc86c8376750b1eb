"""What a pull request cost, told where it ended: the sticky comment, the job summary, a line on a terminal, and the document."""

from collections.abc import Sequence
from typing import Any

from budget_gate.analytics.outcomes import Standing
from budget_gate.analytics.pr_costs import CostLine, PullCost
from budget_gate.core.money import usd_short, usd_text
from budget_gate.core.periods import zone_named
from budget_gate.reports.clean_text import clean_for_terminal
from budget_gate.reports.documents import Document, time_text
from budget_gate.reports.pr_comment import COMMENT_BYTES_MAX, marker_of, safe_address
from budget_gate.reports.templating import Room, fitted, render_template
from budget_gate.reports.words import counted, tokens_short

MARKER = "<!-- budget-gate-merged -->"
"""Without a colon it is no workflow's marker, whatever workflows are called."""

FORMER_MARKER, FORMER_HEADING = marker_of("merged"), "### The AI work on pull request "
"""How this comment once opened: with the marker of a workflow named ``merged``, from whose comment the heading tells it."""

_ENDINGS = {
    "merged": "Merged",
    "closed": "Closed without being merged, so its cost counts as waste",
    "reverted": "Merged and reverted later, so its cost counts as waste",
}


def render_merged(cost: PullCost, standing: Standing, *, zone: str = "UTC", run_url: str = "") -> str:
    """Return the comment as Markdown, marker first. Names are cleaned; dates are those of ``zone``."""
    body = fitted(lambda room: _rendered(cost, standing, zone, run_url, room), COMMENT_BYTES_MAX - len(MARKER) - 1)
    return f"{MARKER}\n{body}"


def render_merged_summary(cost: PullCost, standing: Standing, *, zone: str = "UTC", notes: Sequence[str] = ()) -> str:
    """Return the same for the job summary; ``notes`` come first: what could not be posted, and why."""

    def render(room: Room) -> str:
        return _rendered(cost, standing, zone, "", room, notes)

    return fitted(render, COMMENT_BYTES_MAX)


def merged_line(cost: PullCost, standing: Standing) -> str:
    """Return one line for a terminal."""
    name = clean_for_terminal(f"{cost.pull.project}#{cost.pull.pr}")
    held = f" ({usd_short(cost.held.nano_usd)} of it held)" if cost.held.nano_usd else ""
    return f"{name}: {standing.ending}, {usd_short(cost.total.nano_usd)}{held} in {counted(cost.calls, 'call')}"


def merged_document(cost: PullCost, standing: Standing, *, zone: str, comment_url: str = "") -> Document:
    """Return one pull request of ``merged --json``. ``cost_usd`` counts what is held."""
    return {
        "project": cost.pull.project,
        "pr": int(cost.pull.pr),
        "outcome": standing.ending,
        "at": time_text(standing.at, zone),
        "waste": standing.ending != "merged",
        "cost_usd": usd_text(cost.total.nano_usd),
        "held_usd": usd_text(cost.held.nano_usd),
        "pending_usd": usd_text(cost.pending.nano_usd),
        "tokens": cost.total.tokens,
        "calls": cost.calls,
        "runs": cost.runs,
        "refused_calls": cost.refused,
        "by_workflow": [_line_document(each) for each in cost.by_workflow],
        "by_model": [_line_document(each) for each in cost.by_model],
        "comment_url": comment_url or None,
    }


def _line_document(line: CostLine) -> Document:
    return {"name": line.name, "calls": line.calls, "tokens": line.amount.tokens, "cost_usd": usd_text(line.amount.nano_usd)}


def _rendered(cost: PullCost, standing: Standing, zone: str, run_url: str, room: Room, notes: Sequence[str] = ()) -> str:
    return render_template(
        "merged.md.j2",
        room,
        notes=list(notes),
        pr=cost.pull.pr,
        total=usd_short(cost.total.nano_usd),
        ending=_ENDINGS[standing.ending],
        day=standing.at.astimezone(zone_named(zone)).date().isoformat(),
        spent=usd_short(cost.posted.nano_usd),
        held=usd_short(cost.held.nano_usd) if any(cost.held) else "",
        pending=usd_short(cost.pending.nano_usd) if any(cost.pending) else "",
        effort=_effort(cost),
        refused=counted(cost.refused, "call") if cost.refused else "",
        by_model=_views(cost.by_model),
        by_workflow=_views(cost.by_workflow),
        run_url=safe_address(run_url),
    )


def _effort(cost: PullCost) -> str:
    runs = f" in {counted(cost.runs, 'CI run')}" if cost.runs else ""
    return f"{counted(cost.calls, 'call')}{runs}, {tokens_short(cost.total.tokens)} tokens"


def _views(lines: Sequence[CostLine]) -> list[dict[str, Any]]:
    return [
        {
            "name": line.name,
            "calls": f"{line.calls:,}",
            "tokens": tokens_short(line.amount.tokens),
            "cost": usd_short(line.amount.nano_usd),
        }
        for line in lines
    ]
