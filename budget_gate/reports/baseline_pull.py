"""A baseline as a pull request: its title and its body, with the table of limits, the policy's changes, and the past under them."""

from collections.abc import Sequence
from datetime import date

from budget_gate.analytics.baseline import Proposal, RefusedRun, Replay
from budget_gate.core.money import usd_short
from budget_gate.reports.documents import time_text
from budget_gate.reports.pr_comment import COMMENT_BYTES_MAX
from budget_gate.reports.templating import Room, fitted, render_template
from budget_gate.reports.words import counted, percent_text

MARKER = "<!-- budget-gate-baseline -->"
"""What an open pull request of ours begins with. No workflow's marker is like it: those have a colon."""


def pull_title(first: date, after: date) -> str:
    """Return the title: what is proposed, from how many days."""
    return f"AI budgets from {counted((after - first).days, 'day')} of use"


def render_baseline_pull(
    first: date, after: date, proposals: Sequence[Proposal], changes: Sequence[str], past: Replay, zone: str
) -> str:
    """Return the body as Markdown, marker first. Names are cleaned, times are those of ``zone``."""

    def render(room: Room) -> str:
        return render_template(
            "baseline_pull.md.j2",
            room,
            days=counted((after - first).days, "day"),
            first=first.isoformat(),
            proposals=[_proposed(each) for each in proposals],
            changes=list(changes),
            past=past,
            calls=counted(past.calls, "past call"),
            refused=f"{past.refused_calls:,}",
            share=percent_text(past.refused_calls, past.calls),
            dollars=usd_short(past.refused_nano_usd),
            limits=sorted(past.by_limit.items(), key=lambda item: (-item[1], item[0])),
            examples=[_refused(each, zone) for each in past.examples],
        )

    return f"{MARKER}\n{fitted(render, COMMENT_BYTES_MAX - len(MARKER) - 1)}"


def _proposed(each: Proposal) -> dict[str, str]:
    return {
        "scope": each.scope.text,
        "day": usd_short(each.day_nano_usd),
        "busy_day": usd_short(each.busy_day_nano_usd),
        "month": usd_short(each.month_nano_usd),
        "made_of": f"{each.month_percent} % of a mean month, {usd_short(each.mean_month_nano_usd)}",
        "days": str(each.days),
    }


def _refused(run: RefusedRun, zone: str) -> dict[str, str]:
    """Return a refused call, named by its pull request where it had one, else by its workflow."""
    labels = run.labels
    pull = f"{labels.get('project', '')}#{labels['pr']}" if labels.get("pr") else ""
    return {
        "at": time_text(run.at, zone),
        "what": ", ".join(each for each in (labels.get("workflow", ""), pull) if each) or "a call",
        "user": labels.get("user", ""),
        "cost": usd_short(run.cost_nano_usd),
        "refused_by": run.refused_by,
    }
