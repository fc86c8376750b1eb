"""A baseline as a pull request's body: names that act on nothing, and a size that GitHub takes."""

from datetime import UTC, date, datetime

from fakes.hostile import hostile_names
from hypothesis import given
from markdown_it import MarkdownIt

from budget_gate.analytics.baseline import Proposal, RefusedRun, Replay
from budget_gate.core.scopes import Scope
from budget_gate.reports.baseline_pull import MARKER, pull_title, render_baseline_pull

AT = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
FIRST, AFTER = date(2026, 9, 25), date(2026, 11, 24)
USD = 10**9


def body(names: list[str], *, refused: int = 1) -> str:
    """Return the body for teams of these names, each proposed, changed, and refused so many calls."""
    proposals = [Proposal(Scope("team", name), USD, 9 * USD, USD, 7 * USD, 130, 60, 40) for name in names]
    runs = [RefusedRun(AT, "r", {"workflow": name, "user": name, "pr": name}, USD, f"team/{name} per day") for name in names]
    past = Replay(100, refused, USD, {f"team/{name} per day": 1 for name in names}, tuple(runs[:20]) if refused else ())
    return render_baseline_pull(FIRST, AFTER, proposals, [f"budgets[team/{name}]: added" for name in names], past, "UTC")


@given(hostile_names())
def test_no_name_breaks_or_injects(name: str) -> None:
    """Whatever a team, a user or a workflow is called, there are three tables, no markup of theirs, and one marker."""
    text = body([name])
    assert text.count("<!--") == 1
    assert text.startswith(f"{MARKER}\n")
    html = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(text.removeprefix(MARKER))
    assert (html.count("<table>"), html.count("<tr>"), html.count("<li>")) == (3, 6, 1)
    for tag in ("<script", "<img", "<a ", "<h1", "<details"):
        assert tag not in html


def test_a_thousand_scopes_fit() -> None:
    """A large organization's body is cut to what GitHub takes, at whole rows, and says how many are left out."""
    text = body([f"team-{number}-{'x' * 200}" for number in range(1_000)], refused=5_000)
    assert len(text.encode()) <= 65_000
    assert "more scopes" in text
    assert "calls, later than these" in text


def test_a_past_without_refusals_says_so() -> None:
    """Limits that would have refused nothing have no table of refusals; the title says how much was observed."""
    text = body(["a"], refused=0)
    assert "none of 100 past calls would have been refused" in text
    assert "| Refused by |" not in text
    assert pull_title(FIRST, AFTER) == "AI budgets from 60 days of use"
