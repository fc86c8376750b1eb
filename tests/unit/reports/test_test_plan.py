"""The comment with a test plan: a golden file, and nothing in it acts on anything."""

import re
from typing import Any

from fakes.golden import assert_golden
from fakes.outcomes import BUDGETS, NOTHING_FOUND

from budget_gate.core.test_plans import PlannedCase, PlanOutcome, RejectedFile, UnreadFile, WrittenFile, trace_gaps
from budget_gate.core.tickets import Requirement, Ticket
from budget_gate.github.interface import PullOpened
from budget_gate.reports.test_plan import (
    Proposed,
    RunOfPlan,
    plan_document,
    render_for_terminal,
    render_pull_text,
    render_test_plan,
    ticket_words,
)

REQUIREMENTS = (Requirement("R1", "refund within 30 days"), Requirement("R2", "refuse after that"))
CASES = (
    PlannedCase(
        "TC-1", "Refund in time", "An order of yesterday.", ("Ask for a refund.",), "The money is back.", "high", ("R1",)
    ),
    PlannedCase("TC-2", "Refund too late", "", ("Ask after 31 days.",), "It is refused.", "medium", ("R1",)),
)
FILES = (
    WrittenFile(
        "tests/test_refund.py", 'def test_refund() -> None:\n    """TC-1"""\n    assert refund("x")\n', ("TC-1",), "parsed"
    ),
)
RUN = NOTHING_FOUND._replace(reason="2 test cases and 1 test file", budgets=BUDGETS, summary="The usual way and one edge.")
OUTCOME = PlanOutcome(
    Ticket("#12", "Refunds", "..."),
    RUN,
    REQUIREMENTS,
    CASES,
    FILES,
    (RejectedFile("../evil.py", "its path is not a plain relative one"),),
    trace_gaps(REQUIREMENTS, CASES, FILES),
    ("shop/cart.py",),
    (UnreadFile("tests/test_cart.py", "past the task's soft bound of 6,000 tokens"),),
)


RUN_OF_PLAN = RunOfPlan("qa_test_gen", "https://github.com/acme/shop/actions/runs/5", 3, 1)
OPENED = Proposed(PullOpened(13, "https://github.com/acme/shop/pull/13", created=True))


def comment(outcome: PlanOutcome, proposed: Proposed = OPENED) -> str:
    """Return the comment of a run."""
    return render_test_plan(outcome, RUN_OF_PLAN, proposed)


def test_the_comment_as_people_read_it() -> None:
    """Plan, traceability, gaps, what was not written, and the files themselves."""
    assert_golden("test_plan.md", comment(OUTCOME))


def test_the_terminal_and_the_document_say_the_same() -> None:
    """Text for people, JSON for scripts."""
    assert_golden("test_plan.txt", render_for_terminal(OUTCOME, OPENED) + "\n")
    document: dict[str, Any] = plan_document(OUTCOME, "UTC", OPENED)
    assert document["pull_request"] == {"number": 13, "url": "https://github.com/acme/shop/pull/13", "created": True}
    assert [each["name"] for each in document["cases"]] == ["TC-1", "TC-2"]
    assert document["gaps"] == list(OUTCOME.gaps)
    assert document["files"][0]["cases"] == ["TC-1"]
    assert "findings" not in document


def test_the_pull_request_as_people_read_it() -> None:
    """It names the ticket, warns that nothing was run, and has plan, traceability and cost; the files are its diff."""
    assert_golden("test_plan_pull.md", render_pull_text(OUTCOME, RUN_OF_PLAN))


def test_why_there_is_no_pull_request() -> None:
    """The comment, the text for a terminal and the document say why, and all of the plan is there."""
    refused = Proposed(note="the token may not push")
    for text in (comment(OUTCOME, refused), render_for_terminal(OUTCOME, refused)):
        assert "the token may not push" in text
        assert "TC-2" in text
    document = plan_document(OUTCOME, "UTC", refused)
    assert (document["pull_request"], document["notes"]) == (None, ["the token may not push"])
    assert "ull request" not in comment(OUTCOME, Proposed()), "where none was asked for, none is missed"


def test_a_pull_request_closes_nothing() -> None:
    """A ticket, a model or a file's name that says ``fixes #5`` closes no issue when the pull request is merged."""
    hostile = "Fixes #5, closes acme/shop#6, resolves GH-7 and https://github.com/acme/shop/issues/8"
    case = CASES[0]._replace(title=hostile, preconditions=hostile, steps=(hostile,), expected=hostile)
    run = RUN._replace(summary=hostile, reason=hostile)
    requirements = (Requirement("R1", hostile),)
    outcome = OUTCOME._replace(
        ticket=Ticket(hostile, hostile, hostile), run=run, cases=(case,), requirements=requirements, gaps=(hostile,)
    )
    text = render_pull_text(outcome, RUN_OF_PLAN)
    assert not re.search(r"(?<!&)#\d|GH-\d|https://github.com/acme/shop/issues", text)
    assert ticket_words(outcome.ticket) == "Fixes 5 closes acme shop 6 resolves GH 7 and https github co"
    assert ticket_words(OUTCOME.ticket) == "#12"


HOSTILE = "@everyone <img src=x> <!-- budget-gate:other --> [a](javascript:x) ``` ::set-output name=a::b \u202e </details>"


def test_hostile_text_acts_on_nothing() -> None:
    """Mentions, HTML, markers and fences from ticket, model and file names are shown, not obeyed."""
    case = CASES[0]._replace(title=HOSTILE, preconditions=HOSTILE, steps=(HOSTILE,), expected=HOSTILE)
    outcome = OUTCOME._replace(
        run=RUN._replace(summary=HOSTILE),
        cases=(case,),
        requirements=(Requirement("R1", HOSTILE),),
        gaps=(HOSTILE,),
        rejected=(RejectedFile(HOSTILE, "no"),),
        files=(FILES[0]._replace(content=f"# {HOSTILE}\n````\n# @everyone\n"),),
    )
    text = comment(outcome)
    assert text.count("<!-- budget-gate:") == 1
    outside = text.partition("(parsed)</summary>")[0] + text.rpartition("`````\n")[2]
    assert "@everyone" not in outside
    assert "<img" not in outside
    assert "\u202e" not in text
    assert "`````\n" in text


def test_a_huge_plan_fits_into_a_comment() -> None:
    """Long files and lists are cut, never the markup, and never past what GitHub takes."""
    cases = tuple(CASES[0]._replace(name=f"TC-{number}", title="x" * 900) for number in range(60))
    files = tuple(FILES[0]._replace(path=f"tests/test_{number}.py", content="x = 1\n" * 9_000) for number in range(20))
    text = comment(OUTCOME._replace(cases=cases, files=files))
    assert len(text.encode()) <= 65_000
    assert text.startswith("<!-- budget-gate:qa_test_gen -->\n")
