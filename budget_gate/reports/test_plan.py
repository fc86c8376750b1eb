"""A test plan for people and programs: the comment on the ticket, the text for a terminal, and the JSON document."""

import re
from typing import Any, NamedTuple

from budget_gate.core.money import usd_short
from budget_gate.core.test_plans import PlanOutcome
from budget_gate.core.tickets import TRACKER_KEY, Ticket
from budget_gate.github.interface import PullOpened
from budget_gate.reports.clean_text import clean_for_terminal, code_block
from budget_gate.reports.documents import Document, outcome_document
from budget_gate.reports.outcome_view import view_of
from budget_gate.reports.pr_comment import COMMENT_BYTES_MAX, marker_of, safe_address
from budget_gate.reports.templating import Room, fitted, render_template
from budget_gate.reports.words import VERDICT_WORDS, counted

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9]+")

FILE_CHARACTERS_PER_ROOM = 25
"""How many characters of a file's text a comment shows for each that a cell may have: the roomiest shows 15 000."""


class RunOfPlan(NamedTuple):
    """Which run says so: its workflow, where its log is, its number and attempt; ``zone`` is the policy's time zone."""

    workflow: str
    url: str = ""
    number: int = 0
    attempt: int = 0
    zone: str = "UTC"


class Proposed(NamedTuple):
    """The pull request that holds the files, or ``note``: why there is none. Neither where none was asked for."""

    pull: PullOpened | None = None
    note: str = ""


_NOT_ASKED = Proposed()


def render_test_plan(outcome: PlanOutcome, run: RunOfPlan, proposed: Proposed = _NOT_ASKED) -> str:
    """Return the comment as Markdown, marker first. Everything in it that comes from ticket, code or model is cleaned."""
    from markupsafe import Markup

    def render(room: Room) -> str:
        limit = room.characters * FILE_CHARACTERS_PER_ROOM
        blocks = [Markup(code_block(each.content, "", limit)) for each in outcome.files]  # noqa: S704 - fenced and without markers
        files = [{**each._asdict(), "block": block} for each, block in zip(outcome.files, blocks, strict=True)]
        return _filled("test_plan.md.j2", outcome, run, room, headline=headline_of(outcome), files=files, proposed=proposed)

    return fitted(render, COMMENT_BYTES_MAX)


def render_pull_text(outcome: PlanOutcome, run: RunOfPlan) -> str:
    """Return the text of the pull request that proposes the files, marker first, cleaned as the comment is.

    It names the ticket without a word that would close it.
    """

    def render(room: Room) -> str:
        return _filled("test_plan_pull.md.j2", outcome, run, room, ticket=ticket_words(outcome.ticket))

    return fitted(render, COMMENT_BYTES_MAX)


def ticket_words(ticket: Ticket) -> str:
    """Return how a title, a commit and a text name a ticket: its key, and of a file's name no more than letters and digits.

    GitHub reads ``#5`` and ``GH-5`` in a title or commit as references, and behind a word such as "fixes" closes them.
    """
    if TRACKER_KEY.fullmatch(ticket.key):
        return ticket.key
    return _NOT_PLAIN.sub(" ", ticket.key).strip()[:60].strip() or "a ticket"


def _filled(template: str, outcome: PlanOutcome, run: RunOfPlan, room: Room, **values: Any) -> str:
    from markupsafe import Markup

    return render_template(
        template,
        room,
        view=view_of(outcome.run, run.zone),
        marker=Markup(marker_of(run.workflow)),  # noqa: S704 - letters, digits and percent signs of the workflow's name are left in it
        cases=outcome.cases,
        requirements=_traced(outcome),
        gaps=outcome.gaps,
        rejected=outcome.rejected,
        unread=outcome.unread,
        run=run._replace(url=safe_address(run.url)),
        **values,
    )


def headline_of(outcome: PlanOutcome) -> str:
    """Return what came of it in plain words, without anything from outside."""
    if outcome.run.is_dry_run:
        return "Dry run: nothing was sent to a model, nothing was spent"
    made = f"{counted(len(outcome.cases), 'test case')}, {counted(len(outcome.files), 'test file')}"
    if outcome.run.verdict == "pass":
        return f"Test plan: {made}"
    return f"{VERDICT_WORDS[outcome.run.verdict]}: {made}"


def render_for_terminal(outcome: PlanOutcome, proposed: Proposed = _NOT_ASKED) -> str:
    """Return the plan as lines of plain text."""
    run = outcome.run
    lines = [f"{run.verdict}: {clean_for_terminal(run.reason)}"]
    for case in outcome.cases:
        covers = ", ".join(case.covers) or "nothing"
        lines.append(f"  {case.name} ({case.priority}, covers {covers}): {clean_for_terminal(case.title)}")
        if case.preconditions:
            lines.append(f"      given    {clean_for_terminal(case.preconditions)}")
        lines += [f"      {number}. {clean_for_terminal(step)}" for number, step in enumerate(case.steps, start=1)]
        lines.append(f"      expected {clean_for_terminal(case.expected)}")
    for file in outcome.files:
        lines.append(f"  file {file.path} ({file.check}; {', '.join(file.cases) or 'no case'})")
    lines += [f"  not written: {clean_for_terminal(each.path)}: {each.reason}" for each in outcome.rejected]
    lines += [f"  not read: {clean_for_terminal(each.path)}: {each.reason}" for each in outcome.unread]
    lines += [f"  gap: {clean_for_terminal(gap)}" for gap in outcome.gaps]
    if proposed.pull is not None:
        lines.append(f"  pull request #{proposed.pull.number} ({_new(proposed.pull)}): {clean_for_terminal(proposed.pull.url)}")
    if proposed.note:
        lines.append(f"  no pull request: {clean_for_terminal(proposed.note)}")
    if run.failure:
        lines.append(f"  failed: {clean_for_terminal(run.failure)}")
    lines.append(f"  {usd_short(run.cost_nano_usd)}; {clean_for_terminal(run.model)} ({run.tier}) by {run.provider}")
    return "\n".join(lines)


def plan_document(outcome: PlanOutcome, zone: str, proposed: Proposed = _NOT_ASKED) -> Document:
    """Return the document of ``testgen``: that of a review, with the plan in place of findings."""
    left_out = ("findings", "reviewed", "not_reviewed", "dropped_findings", "reused_hunks", "avoided_usd")
    run = {name: value for name, value in outcome_document(outcome.run, zone).items() if name not in left_out}
    return {
        **run,
        "ticket": outcome.ticket.key,
        "requirements": [each._asdict() for each in outcome.requirements],
        "cases": [{**each._asdict(), "steps": list(each.steps), "covers": list(each.covers)} for each in outcome.cases],
        "files": [{**each._asdict(), "cases": list(each.cases)} for each in outcome.files],
        "rejected": [each._asdict() for each in outcome.rejected],
        "gaps": list(outcome.gaps),
        "shown": list(outcome.shown),
        "unread": [each._asdict() for each in outcome.unread],
        "pull_request": proposed.pull._asdict() if proposed.pull else None,
        "notes": [proposed.note] if proposed.note else [],
    }


def _new(pull: PullOpened) -> str:
    return "opened" if pull.created else "brought up to date"


def _traced(outcome: PlanOutcome) -> list[dict[str, Any]]:
    """Return each requirement with the cases that cover it and the files that carry those out."""
    rows = []
    for requirement in outcome.requirements:
        cases = [case.name for case in outcome.cases if requirement.name in case.covers]
        files = [file.path for file in outcome.files if set(cases) & set(file.cases)]
        rows.append({**requirement._asdict(), "cases": ", ".join(cases) or "none", "files": files})
    return rows
