"""The comment that tells what a pull request cost: golden files, and names that break nothing."""

from datetime import UTC, datetime

import pytest
from fakes.golden import assert_golden
from fakes.hostile import hostile_names
from hypothesis import Phase, given, settings
from markdown_it import MarkdownIt

from budget_gate.analytics.outcomes import PullName, Standing
from budget_gate.analytics.pr_costs import CostLine, PullCost
from budget_gate.core.amounts import Amount
from budget_gate.reports.merged import MARKER, merged_document, merged_line, render_merged, render_merged_summary

AT = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
COST = PullCost(
    PullName("acme/shop", "7"),
    posted=Amount(1_234_567_890, 48_000, 11),
    held=Amount(230_000_000, 9_000, 1),
    pending=Amount(50_000_000, 1_000, 1),
    by_workflow=(
        CostLine("ci_cd_review", 10, Amount(1_300_000_000, 50_000, 10)),
        CostLine("qa_test_gen", 2, Amount(164_567_890, 7_000, 2)),
    ),
    by_model=(
        CostLine("claude-sonnet-4-6", 3, Amount(10**9, 17_000, 3)),
        CostLine("claude-haiku-4-5", 9, Amount(464_567_890, 40_000, 9)),
    ),
    calls=12,
    runs=4,
    refused=2,
)
EACH = {
    "merged": (COST, Standing("merged", AT)),
    "closed": (COST._replace(held=Amount(), pending=Amount(), refused=0), Standing("closed", AT)),
    "reverted": (COST._replace(pending=Amount()), Standing("reverted", AT)),
    "nothing": (PullCost(PullName("acme/shop", "7")), Standing("merged", AT)),
}


@pytest.mark.parametrize("name", EACH)
def test_comment(name: str) -> None:
    """Each ending reads as its golden file does, and opens with the marker of the contract."""
    text = render_merged(*EACH[name], run_url="https://github.com/acme/shop/actions/runs/9/attempts/1")
    assert text.startswith("<!-- budget-gate-merged -->\n")
    assert_golden(f"merged_{name}.md", text)


def test_summary_and_line() -> None:
    """The summary says first what could not be posted; the terminal gets one line; days are those of the policy's zone."""
    summary = render_merged_summary(*EACH["merged"], zone="Asia/Kolkata", notes=["no comment"])
    assert summary.index("> no comment") < summary.index("Merged (2026-11-24)")
    assert merged_line(*EACH["merged"]) == "acme/shop#7: merged, $1.46 ($0.23 of it held) in 12 calls"


def test_document() -> None:
    """Dollars are exact strings, held is counted, and waste is said."""
    document = merged_document(*EACH["reverted"], zone="UTC", comment_url="https://x.test/1")
    assert (document["cost_usd"], document["held_usd"], document["waste"], document["pr"]) == ("1.46456789", "0.23", True, 7)
    assert [each["cost_usd"] for each in document["by_model"]] == ["1.00", "0.46456789"]


@settings(deadline=None, max_examples=60, phases=[Phase.reuse, Phase.generate])
@given(hostile_names(), hostile_names())
def test_no_name_breaks_or_injects(model: str, workflow: str) -> None:
    """Whatever a model or a workflow is called, the comment has its two tables, no markup of theirs, and one marker."""
    cost = COST._replace(by_model=(CostLine(model, 1, Amount(1)),), by_workflow=(CostLine(workflow, 1, Amount(1)),))
    text = render_merged(cost, Standing("merged", AT))
    assert text.count("<!--") == 1
    assert text.startswith(MARKER)
    html = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(text.removeprefix(MARKER))
    assert html.count("<table>") == 2
    assert html.count("<tr>") == 4
    for tag in ("<script", "<img", "<a ", "<h1", "<details"):
        assert tag not in html
