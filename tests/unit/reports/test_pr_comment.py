"""The comment on a pull request: its golden files, its marker, and its size whatever is put into it."""

import subprocess
import sys
from typing import Any

import pytest
from fakes.golden import assert_golden
from fakes.outcomes import DRY_RUN, EACH, FINDINGS, MANY, PARTIAL, REFUSED, WITH_FINDINGS
from hypothesis import given, settings
from hypothesis import strategies as st

from budget_gate.core.pull_requests import Finding, NotReviewed
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.reports import pr_comment
from budget_gate.reports.pr_comment import COMMENT_BYTES_MAX, marker_of, render_finding, render_pr_comment, workflow_of

URL = "https://github.com/acme/shop/actions/runs/99"


def _comment(outcome: ReviewOutcome, **changes: Any) -> str:
    facts = {"workflow": "ci_cd_review", "run_url": URL, "run_number": 12, "run_attempt": 1, "head_sha": "4f2c" * 10}
    return render_pr_comment(outcome, **{**facts, **changes})


@pytest.mark.parametrize("name", EACH)
def test_comment(name: str) -> None:
    """Each kind of outcome reads as its golden file does."""
    assert_golden(f"pr_comment_{name}.md", _comment(EACH[name]))


def test_times_are_on_the_clocks_of_the_policy() -> None:
    """A reset is told with the offset of the policy's zone."""
    assert "2026-11-24 05:30 +05:30" in _comment(PARTIAL, zone="Asia/Kolkata")


@given(st.text(alphabet=st.characters() | st.sampled_from("->!% \n"), max_size=40))
def test_a_marker_is_one_comment_and_is_read_back(workflow: str) -> None:
    """Whatever a workflow is called, its marker is a single HTML comment on one line, and names it alone."""
    marker = marker_of(workflow)
    assert marker.startswith("<!-- budget-gate:")
    assert marker.isascii()
    assert marker.isprintable()
    inside = marker.removeprefix("<!--").removesuffix("-->")
    assert "--" not in inside
    assert ">" not in inside
    assert workflow_of(marker) == workflow


@pytest.mark.parametrize(("workflow", "marker"), [("ci_cd_review", "ci_cd_review"), ("a-b", "a-b"), ("-->", "%2D%2D%3E")])
def test_plain_names_stand_as_they_are(workflow: str, marker: str) -> None:
    """Ordinary names are not encoded, so the marker is the one that the contract promises."""
    assert marker_of(workflow) == f"<!-- budget-gate:{marker} -->"


@pytest.mark.parametrize("text", ["", "<!-- budget-gate: x -->", "<!-- budget-gate:a --> ", "<!-- other:a -->"])
def test_what_is_no_marker_is_refused(text: str) -> None:
    """Reading a marker back takes nothing but a marker."""
    with pytest.raises(ValueError, match="not a marker"):
        workflow_of(text)


def test_nothing_is_rendered_without_its_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should a template lose the marker, rendering fails rather than post a comment that no run finds again."""
    monkeypatch.setattr(pr_comment, "render_template", lambda *_given, **_values: "### Reviewed\n")
    with pytest.raises(ValueError, match="does not begin with its marker"):
        _comment(WITH_FINDINGS)


hostile = st.sampled_from(
    ["@", "#1 ", "|", "<!-- budget-gate:x -->", "`", "\n\n", "\x1b[31m", "\U0001f525", "www.", "a" * 50]
).flatmap(lambda part: st.integers(1, 3_000).map(lambda times: part * times))


@settings(deadline=None, max_examples=40)
@given(hostile, st.integers(0, 1_500))
def test_a_comment_always_fits_and_is_whole(text: str, count: int) -> None:
    """However much and whatever is put into every field, the comment fits, opens with its marker and ends with its footer."""
    outcome = PARTIAL._replace(
        reason=text,
        findings=(Finding(text, 1, 2, "RIGHT", "low", text, text, text),) * count,
        not_reviewed=(NotReviewed(text, text, 1),) * count,
        summary=text,
        failure=text,
        model=text,
        route_reason=text,
    )
    workflow = text[:100]
    comment = _comment(outcome, workflow=workflow, head_sha=text)
    assert len(comment.encode()) <= COMMENT_BYTES_MAX
    assert comment.startswith(f"{marker_of(workflow)}\n")
    assert comment.count("<!--") == 1
    assert comment.count("<details>") == comment.count("</details>") == 1
    assert comment.rstrip().splitlines()[-1].startswith(f"[Run 12, attempt 1]({URL}) of workflow")


def test_a_shortened_list_says_how_much_is_missing() -> None:
    """Of 900 findings the comment shows as many as fit and counts the others."""
    comment = _comment(MANY)
    shown = comment.count("| low |")
    assert f"…and {900 - shown} more that are no graver than these" in comment
    assert 0 < shown < 900


def test_the_gravest_findings_come_first() -> None:
    """What a reader must see is not below what may be cut off."""
    comment = _comment(WITH_FINDINGS)
    assert comment.index("| high |") < comment.index("| medium |") < comment.index("| low |")


def test_scripted_answers_say_so_first() -> None:
    """Answers that no model gave are called that before anything else; a model's are not."""
    lines = _comment(DRY_RUN).splitlines()
    assert "script, not from a model" in lines[3]
    assert "script" not in _comment(WITH_FINDINGS)


def test_owners_are_named_and_not_called() -> None:
    """The owner of a budget can be read, and gets no notification from every pull request."""
    comment = _comment(REFUSED)
    assert "@&#8203;acme/finops" in comment
    assert "@acme" not in comment


@pytest.mark.parametrize(
    ("reason", "per", "words"),
    [
        ("spent", "day", "re-run this job after 2026-11-24 00:00 +00:00, when the budget resets"),
        ("pending", "day", "re-run this job in a few minutes"),
        ("unpriced", "day", "re-run this job once the model has a price under `prices:`"),
        ("spent", "lifetime", "review and merge it as ever.\n"),
    ],
)
def test_the_way_out_fits_the_reason(reason: Any, per: str, words: str) -> None:
    """What to do depends on why the budget refused: wait for the reset, for running jobs, or for a price."""
    assert PARTIAL.refused is not None
    refusal = PARTIAL.refused.refused_by[0]._replace(reason=reason, per=per)
    assert words in _comment(PARTIAL._replace(refused=PARTIAL.refused._replace(refused_by=(refusal,))))


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "https://x.test/a) [b](http://evil.test", "https://x.test/\n"])
def test_an_odd_address_is_no_link(url: str) -> None:
    """An address that is none is left out; the run is still named."""
    last = _comment(WITH_FINDINGS, run_url=url).rstrip().splitlines()[-1]
    assert last == "Run 12, attempt 1 of workflow ci\\_cd\\_review"


def test_an_inline_remark_offers_its_suggestion() -> None:
    """A suggestion for the new side can be committed as it is shown."""
    assert_golden("finding.md", render_finding(FINDINGS[1]))


@pytest.mark.parametrize(
    "change",
    [
        {"side": "LEFT"},
        {"suggestion": "x = 1\u202e"},
        {"suggestion": "y" * 5_000},
        {"suggestion": "x = 1\r"},
        {"suggestion": "x = 1\r\ny = 2\r"},
        {"suggestion": "name = '\ufffd'"},
        {"suggestion": "\nx = 1"},
        {"suggestion": "x = 1\n\n"},
        {"suggestion": "x = 1\u2028y = 2"},
        {"suggestion": "<!-- budget-gate:x -->"},
    ],
)
def test_a_suggestion_that_is_not_what_it_seems_cannot_be_committed(change: dict[str, Any]) -> None:
    """For the old side, with hidden characters, other line ends or unreadable bytes, or cut short, it is shown as mere code."""
    remark = render_finding(FINDINGS[1]._replace(**change))
    assert "```suggestion" not in remark
    assert "\n```\n" in remark


def test_importing_reports_does_not_load_the_template_engine() -> None:
    """Commands that render nothing do not pay for jinja2."""
    code = "import sys, budget_gate.reports.pr_comment, budget_gate.reports.job_summary; print('jinja2' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
