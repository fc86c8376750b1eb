"""The job summary: everything the comment says, and where there can be no comment, all that a reader gets."""

from collections.abc import Sequence

from budget_gate.core.reviews import ReviewOutcome
from budget_gate.reports.clean_text import code_block, code_cell
from budget_gate.reports.outcome_view import OutcomeView, view_of
from budget_gate.reports.templating import ROOMS, Room, fitted, render_template

SUMMARY_BYTES_MAX = 1_000_000
"""A step may write 1 MiB (https://docs.github.com/en/actions, "Adding a job summary"); other commands of the step write too."""


def render_job_summary(outcome: ReviewOutcome, *, workflow: str, notes: Sequence[str] = (), zone: str = "UTC") -> str:
    """Return the summary as Markdown. ``notes`` come first: what could not be posted elsewhere, and why."""
    view = view_of(outcome, zone)

    def render(room: Room) -> str:
        text = render_template("job_summary.md.j2", room, view=view, workflow=workflow, notes=list(notes))
        return text + _suggestions(view, room)

    return fitted(render, SUMMARY_BYTES_MAX, (Room(500, 2_000), *ROOMS))


def _suggestions(view: OutcomeView, room: Room) -> str:
    """Return the suggested changes as blocks of code, folded away; empty when there are none."""
    suggested = [each for each in view.findings if each["suggestion"].strip()][: room.rows]
    blocks = [
        f"{code_cell(each['place'], room.characters)}\n\n{code_block(each['suggestion'], limit=room.characters * 2)}\n\n"
        for each in suggested
    ]
    return f"\n<details>\n<summary>Suggested changes</summary>\n\n{''.join(blocks)}</details>\n" if blocks else ""
