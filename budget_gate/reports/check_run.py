"""What the check run says: a title of one line, and a summary in Markdown."""

from budget_gate.core.job_record import job_record
from budget_gate.core.pull_requests import Finding
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.reports.clean_text import clean_for_terminal
from budget_gate.reports.outcome_view import headline_of, reason_of, view_of
from budget_gate.reports.templating import Room, fitted, render_template

TITLE_CHARACTERS_MAX = 255
SUMMARY_BYTES_MAX = 65_535
"""What GitHub takes of a summary (https://docs.github.com/en/rest/checks/runs), counted in bytes to be on the safe side."""


def render_check_run(outcome: ReviewOutcome, *, workflow: str, zone: str = "UTC") -> tuple[str, str]:
    """Return title and summary of the check run; times on the clocks of ``zone``."""
    words = [part for part in (headline_of(outcome), reason_of(outcome)) if part]
    title = clean_for_terminal(" - ".join(words), TITLE_CHARACTERS_MAX)
    view = view_of(outcome, zone)

    def render(room: Room) -> str:
        return render_template("check_run.md.j2", room, view=view, workflow=workflow)

    record = job_record(outcome.unsettled)
    hidden = f"\n\n{record}\n" if record else ""
    return title, fitted(render, SUMMARY_BYTES_MAX - len(hidden)) + hidden


def render_annotation(finding: Finding) -> tuple[str, str]:
    """Return title and message of a finding's annotation, which GitHub shows as plain text."""
    title = clean_for_terminal(f"{finding.severity}: {finding.category}", TITLE_CHARACTERS_MAX)
    return title, clean_for_terminal(finding.text) or finding.severity
