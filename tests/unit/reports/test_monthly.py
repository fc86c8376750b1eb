"""A month's report in all its forms: golden files, the contract's document, Slack's limits, and names that break nothing."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from fakes.golden import assert_golden
from fakes.hostile import hostile_names
from fakes.months import empty_month, full_month, running_month
from fakes.slack_webhook import blocks_are_valid
from hypothesis import Phase, given, settings
from markdown_it import MarkdownIt

from budget_gate.analytics.month_report import MonthReport
from budget_gate.core.amounts import Amount
from budget_gate.reports.monthly import month_document, render_month_html, render_month_markdown
from budget_gate.reports.monthly_slack import render_month_slack

FULL, EMPTY, RUNNING, OWN = full_month(), empty_month(), running_month(), full_month(only_user="alice")


def _slack(report: MonthReport) -> str:
    return json.dumps(render_month_slack(report), indent=2, ensure_ascii=False) + "\n"


def _document(report: MonthReport) -> str:
    return json.dumps(month_document(report), indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(("name", "report"), [("full", FULL), ("empty", EMPTY), ("running", RUNNING), ("own", OWN)])
@pytest.mark.parametrize(
    ("suffix", "render"),
    [("md", render_month_markdown), ("html", render_month_html), ("slack.json", _slack), ("json", _document)],
)
def test_report(name: str, report: MonthReport, suffix: str, render: Any) -> None:
    """Each form of a full, an empty and a running month, and of one user's own, reads as its golden file does."""
    assert_golden(f"monthly_{name}.{suffix}", render(report))


def test_a_missing_month_says_so_plainly() -> None:
    """Every form says that the ledger holds nothing of the month, before anything else of it."""
    words = "The ledger holds nothing of 2026-10"
    assert words in render_month_markdown(EMPTY)
    assert words in render_month_html(EMPTY)
    assert words in render_month_slack(EMPTY)["blocks"][1]["text"]["text"]
    assert month_document(EMPTY)["is_empty"] is True


def test_the_document_has_the_contracts_fields() -> None:
    """The contract's names are there, dollars are decimal strings, and assumptions are named as such."""
    document = month_document(FULL)
    assert {"month", "total_usd", "budgets", "teams", "forecast", "value"} <= set(document)
    fields = {"name", "cost_center", "spend_usd", "merged_prs", "cost_per_merged_pr_usd", "waste_usd", "model_mix"}
    assert all(fields <= set(team) for team in document["teams"])
    payments = document["teams"][0]
    assert (payments["name"], payments["spend_usd"], payments["merged_prs"]) == ("payments", "40.00", 2)
    assert document["total_usd"] == "40.333333333"
    assert document["value"]["assumptions"][0]["value_usd"] == "1125.00"
    assert document["value"]["net_usd"] == "1294.666666667"
    assert not re.search(r": \d+\.\d+[,\n]", _document(FULL).replace(' "used_percent": ', " _")), "floats only as percentages"


def test_ones_own_view_has_the_four_numbers_and_nobody_else() -> None:
    """A user's report has cost per merged pull request, spending against output, own budgets and own models; no other user's name."""
    document = month_document(OWN)
    assert (document["user"], document["total_usd"], document["previous_usd"]) == ("alice", "1.333333333", "10.00")
    assert (document["merged_prs"], document["cost_per_merged_pr_usd"], document["output_trend_percent"]) == (1, "1.00", 0)
    assert [each["scope"] for each in document["other_budgets"]] == ["user/alice"]
    assert [each["model"] for team in document["teams"] for each in team["model_mix"]] == ["claude-haiku-4-5"] * 2
    assert document["top_spenders"] == []
    for text in (render_month_markdown(OWN), render_month_html(OWN), _document(OWN), _slack(OWN)):
        assert not re.search(r"alice\d", text)


def test_totals_alone_say_what_was_not_read() -> None:
    """Without entries the report says so, and shows what it does not know as unknown."""
    totals = FULL._replace(breakdown=None, whole=FULL.whole._replace(merged=None, merged_cost=None, waste=None, mix=()), teams=())
    assert "Totals only" in render_month_markdown(totals)
    assert month_document(totals)["merged_prs"] is None
    assert month_document(totals)["refused"] is None


def test_a_running_month_says_so() -> None:
    """Figures of a month that is not over are called that, in the title and in a note."""
    running = FULL._replace(is_over=False)
    assert "in 2026-10 so far" in render_month_markdown(running)
    assert "still running" in render_month_html(running)


def test_a_running_month_says_where_it_is_heading() -> None:
    """Every form of a running month has each monthly budget's expected end with its interval; one that is over has none."""
    (org, team) = month_document(RUNNING)["forecast"]
    assert (org["scope"], org["outlook"], team["scope"], team["outlook"]) == ("org", "passes", "team/payments", "passes")
    assert float(org["stop"]) < float(org["low"]) < float(org["expected"]) < float(org["high"])
    for text in (render_month_markdown(RUNNING), render_month_html(RUNNING), _slack(RUNNING)):
        assert "Expected at the month's end" in text
    assert month_document(FULL)["forecast"] is None
    assert "Expected at the month" not in render_month_markdown(FULL)


def test_a_running_month_says_who_is_out_of_the_ordinary() -> None:
    """With a rule in the policy every form of a running month names today's anomalies and their causes; before the hour it says so."""
    found = month_document(RUNNING)["anomalies"]
    assert [each["scope"] for each in found["anomalies"]] == [
        "model/small",
        "team/payments",
        "user/alice",
        "workflow/ci_cd_review",
    ]
    assert {"label": "pr", "name": "acme/shop#8", "excess_usd": "9.00", "share_percent": 100} in found["anomalies"][1]["causes"]
    for text in (render_month_markdown(RUNNING), render_month_html(RUNNING), _slack(RUNNING)):
        assert "Out of the ordinary on 2026-10-24" in text
        assert "shop" in text
    early = running_month(hour=10)
    assert "not judged before 16:00" in render_month_markdown(early)
    assert "not judged before 16:00" in render_month_html(early)
    assert "not judged before 16:00" in _slack(early)
    assert month_document(FULL)["anomalies"] is None


class _Page(HTMLParser):
    """Collects tags and attribute names of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that tags nest."""
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing() -> None:
    """The page nests, has headings and table headers for screen readers, and refers to nothing outside itself."""
    html = render_month_html(FULL)
    page = _Page(html)
    assert page.open == []
    assert "script" not in page.tags
    assert not page.attributes & {"src", "href", "onclick", "onerror"}
    assert page.tags.count("h1") == 1
    assert 'lang="en"' in html
    assert 'scope="col"' in html
    assert "url(" not in html
    assert "http" not in html.replace("http-equiv", "")


PLAIN_PAGE = _Page(render_month_html(FULL))
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False, "html": True})
COUNTED = ("<table>", "<tr>", "<td", "<h2", "<h3")
PLAIN_COUNTS = [MARKDOWN.render(render_month_markdown(FULL)).count(tag) for tag in COUNTED]
PLAIN_BLOCKS = [block["type"] for block in render_month_slack(FULL)["blocks"]]


@settings(deadline=None, max_examples=60, phases=[Phase.reuse, Phase.generate])
@given(hostile_names(), hostile_names(), hostile_names(), hostile_names(), hostile_names())
def test_no_name_breaks_or_injects(team: str, user: str, workflow: str, model: str, owner: str) -> None:
    """Whatever things are called, each form has the structure it has with plain names, and nothing of theirs acts."""
    report = full_month(team, user, workflow, model, owner)
    page = _Page(render_month_html(report))
    assert page.open == []
    assert page.tags == PLAIN_PAGE.tags
    assert page.attributes == PLAIN_PAGE.attributes
    markdown = render_month_markdown(report)
    html = MARKDOWN.render(markdown)
    assert [html.count(tag) for tag in COUNTED] == PLAIN_COUNTS
    for tag in ("<script", "<img", "<a ", "<h1", "<!--"):
        assert tag not in html
    assert "@acme" not in re.sub("`[^`]*`", "", markdown), "a mention, and not in code"
    for text in (markdown, render_month_html(report)):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    message = render_month_slack(report)
    assert blocks_are_valid(message["blocks"])
    assert [block["type"] for block in message["blocks"]] == PLAIN_BLOCKS
    assert all(not re.search(r"[<>]", each) for each in _texts(message))


@settings(deadline=None, max_examples=20, phases=[Phase.reuse, Phase.generate])
@given(hostile_names(), hostile_names(), hostile_names())
def test_no_name_acts_in_a_running_month(team: str, user: str, workflow: str) -> None:
    """Names in forecasts and in the causes of anomalies neither break a form nor inject into one."""
    report = running_month(team, user, workflow)
    page, plain = _Page(render_month_html(report)), _Page(render_month_html(RUNNING))
    assert (page.open, page.tags, page.attributes) == ([], plain.tags, plain.attributes)
    html = MARKDOWN.render(render_month_markdown(report))
    assert [html.count(tag) for tag in COUNTED] == [MARKDOWN.render(render_month_markdown(RUNNING)).count(tag) for tag in COUNTED]
    assert not any(tag in html for tag in ("<script", "<img", "<a ", "<h1", "<!--"))
    message = render_month_slack(report)
    assert blocks_are_valid(message["blocks"])
    assert all(not re.search(r"[<>]", each) for each in _texts(message))


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [
            text
            for name, each in value.items()
            for text in ([each] if name == "text" and isinstance(each, str) else _texts(each))
        ]
    return [text for each in value for text in _texts(each)] if isinstance(value, list) else []


@pytest.mark.parametrize("name", ["&" * 200, "<" * 200, "x" * 5_000, "\U0001f525" * 300])
def test_a_month_of_a_thousand_names_fits(name: str) -> None:
    """However many teams, users and budgets there are and however long their names, every form keeps its limits and counts the rest."""
    line = FULL.teams[0].mix[0]._replace(workflow=name, model=name)
    teams = tuple(FULL.teams[0]._replace(name=f"{name}{at}", cost_center=name, mix=(line,)) for at in range(1_200))
    spenders = tuple((f"{name}{at}", Amount(at)) for at in range(1_200))
    report = FULL._replace(teams=teams, spenders=spenders, organization=name, budgets=FULL.budgets * 600)
    message = render_month_slack(report)
    assert blocks_are_valid(message["blocks"])
    assert "more" in _slack(report)
    assert len(render_month_markdown(report).encode()) <= 900_000
    assert "more</p>" in render_month_html(report)
