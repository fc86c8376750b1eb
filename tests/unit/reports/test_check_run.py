"""The check run: a title that says the verdict, a summary that says the rest, both within what GitHub takes."""

import pytest
from fakes.golden import assert_golden
from fakes.outcomes import EACH, MANY, PARTIAL, WITH_FINDINGS
from hypothesis import given, settings
from hypothesis import strategies as st

from budget_gate.reports.check_run import SUMMARY_BYTES_MAX, TITLE_CHARACTERS_MAX, render_check_run


@pytest.mark.parametrize("name", sorted(EACH.keys() - {"many_findings"}))
def test_check_run(name: str) -> None:
    """Each kind of outcome reads as its golden file does, the title above the summary."""
    title, summary = render_check_run(EACH[name], workflow="ci_cd_review")
    assert_golden(f"check_run_{name}.md", f"{title}\n\n{summary}")


@settings(deadline=None, max_examples=40)
@given(st.text(alphabet=st.characters() | st.sampled_from("@<|\n\x1b"), max_size=50), st.integers(1, 200))
def test_title_and_summary_fit(text: str, times: int) -> None:
    """Whatever the reason and the failure hold, the title is one line and both are short enough."""
    title, summary = render_check_run(MANY._replace(reason=text * times, failure=text * times), workflow=text)
    assert title.isprintable()
    assert 0 < len(title) <= TITLE_CHARACTERS_MAX
    assert len(summary.encode()) <= SUMMARY_BYTES_MAX
    assert "<!--" not in summary


def test_a_title_says_the_verdict_once() -> None:
    """The reason follows the verdict, unless it would only repeat it."""
    assert render_check_run(WITH_FINDINGS, workflow="w")[0] == "Reviewed: 3 findings"
    assert render_check_run(PARTIAL, workflow="w")[0].startswith(
        "Passed with a note: stopped by a budget, 3 findings - stopped by the"
    )
