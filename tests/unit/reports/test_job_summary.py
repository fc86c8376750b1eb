"""The job summary: all of the comment, what could not be posted, and the suggestions."""

import pytest
from fakes.golden import assert_golden
from fakes.outcomes import EACH, MANY, NOTHING_FOUND, WITH_FINDINGS

from budget_gate.core.pull_requests import Finding
from budget_gate.reports.job_summary import SUMMARY_BYTES_MAX, render_job_summary


@pytest.mark.parametrize("name", ["findings", "partial", "refused", "failure", "checked"])
def test_job_summary(name: str) -> None:
    """Each kind of outcome reads as its golden file does."""
    assert_golden(f"job_summary_{name}.md", render_job_summary(EACH[name], workflow="ci_cd_review", notes=("Read-only token.",)))


def test_notes_come_first_and_are_cleaned() -> None:
    """What could not be posted, and why, stands above the findings; a note is text like any other."""
    summary = render_job_summary(WITH_FINDINGS, workflow="w", notes=("the comment could not be posted: <b>@octocat</b>",))
    assert "&lt;b&gt;@&#8203;octocat" in summary
    assert summary.index("could not be posted") < summary.index("#### Findings")


def test_suggestions_with_fences_survive() -> None:
    """A suggestion that holds a fence is one block; a summary without suggestions has no place for them."""
    fenced = Finding("README.md", 1, 3, "RIGHT", "low", "docs", "Close the fence.", "```sh\nls\n```")
    assert "\n````\n```sh\nls\n```\n````\n" in render_job_summary(WITH_FINDINGS._replace(findings=(fenced,)), workflow="w")
    assert "Suggested changes" not in render_job_summary(NOTHING_FOUND, workflow="w")


def test_a_summary_fits_into_a_step() -> None:
    """Thousands of hostile findings are shortened to what a runner keeps, with all markup closed."""
    hostile = Finding("@" * 500, 1, 1, "RIGHT", "high", "@", "@" * 5_000, "`" * 4_000)
    summary = render_job_summary(MANY._replace(findings=(hostile,) * 3_000), workflow="w")
    assert len(summary.encode()) <= SUMMARY_BYTES_MAX
    assert summary.rstrip().endswith("</details>")
