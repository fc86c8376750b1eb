"""The dashboard: one file, no request, the ledger's numbers, and no name that becomes markup. Looked at in Chromium where there is one."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fakes.command_line import run
from fakes.organization import Clock, Organization
from hypothesis import given, settings
from hypothesis import strategies as st

from budget_gate import bootstrap
from budget_gate.analytics.daily import Series, days_from_counters
from budget_gate.analytics.monthly import ProjectMonth
from budget_gate.core.amounts import Amount
from budget_gate.core.attribution import Attribution
from budget_gate.core.charges import Charge
from budget_gate.core.reservations import ReserveRequest
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.reports.dashboard import DashboardData, render_dashboard

NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)
HOSTILE = "</script><script>document.title='owned'</script>"
POLICY = """
version: 1
organization: acme
models: {small: claude-haiku-4-5, medium: claude-sonnet-4-6}
budgets:
  - {scope: org, limits: [{usd: 12, per: month}]}
  - {scope: team/team0, limits: [{usd: 2, per: month}]}
"""
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


class Page(HTMLParser):
    """Collects what the page consists of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Remember a text."""
        self.texts.append(data)


@pytest.fixture(scope="module")
def lived() -> MemoryLedger:
    """Forty days of two teams, and one team with a name that is an attack."""
    clock = Clock()
    ledger = MemoryLedger(clock)
    Organization(8, days=40, teams=2).write(ledger, clock)
    charges = tuple(
        Charge(scope, per) for scope in Attribution("w", team=HOSTILE).budget_scopes("small") for per in ("day", "month")
    )
    decision = ledger.reserve(ReserveRequest("x", Amount(10**9, 1, 1), charges))
    ledger.hold("x", decision.reservation, "cut")  # type: ignore[union-attr]
    clock.now = NOW
    return ledger


@pytest.fixture
def page(lived: MemoryLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The written file."""
    monkeypatch.setattr(bootstrap, "open_ledger", lambda *_: lived)
    policy, output = tmp_path / "policy.yml", tmp_path / "budget.html"
    policy.write_text(POLICY)
    assert run("dashboard", "--output", str(output), "--policy", str(policy)).code == 0
    return output


def test_the_page_asks_for_nothing(page: Path) -> None:
    """No element names another address, the policy in the page forbids every request, and uPlot's licence is in the file."""
    text = page.read_text()
    parsed = Page(text)
    for tag, attributes in parsed.tags:
        assert tag not in {"link", "img", "iframe", "object", "base"}
        assert not {"src", "href", "action", "srcset"} & set(attributes)
    assert any("default-src 'none'" in str(attributes.get("content")) for tag, attributes in parsed.tags if tag == "meta")
    assert "@import" not in text
    assert not re.search(r"url\(", text)
    assert "The MIT License" in text


def test_the_numbers_of_the_charts_are_the_counters(page: Path, lived: MemoryLedger) -> None:
    """Every day of every team and tier is in the page's data as the counters have it."""
    text = page.read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    days = days_from_counters(lived.counters())
    for scope, values in data["series"].items():
        assert sum(values) == sum(amount.nano_usd for amount in days[scope].values())
    assert {"org", "team/team0", "team/team1", "model/small", "model/medium"} <= set(data["series"])
    assert data["until"] == "2026-02-10"


def test_every_chart_has_a_table_and_every_table_its_headings(page: Path) -> None:
    """A screen reader finds the same numbers as tables, with headings that have a scope; the language is stated."""
    tags = Page(page.read_text()).tags
    ids = {str(attributes.get("id")) for _, attributes in tags}
    charts = [attributes for _, attributes in tags if attributes.get("class") == "chart"]
    assert [f"{chart['id']}-table" in ids and bool(chart["aria-label"]) for chart in charts] == [True, True]
    assert all(attributes.get("scope") for tag, attributes in tags if tag == "th")
    assert next(attributes for tag, attributes in tags if tag == "html")["lang"] == "en"


def test_without_a_script_budgets_and_forecasts_are_there(page: Path) -> None:
    """What was spent, the limit and the outlook are plain tables."""
    texts = [text.strip() for text in Page(page.read_text()).texts]
    assert "team/team0" in texts
    assert "$12.00" in texts
    assert "month" in texts


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30) | st.just(HOSTILE) | st.just("<!--<script>"))
def test_no_name_becomes_markup(name: str) -> None:
    """Whatever a team and the organization are called, the page has the same elements."""

    def tags(shown: str) -> list[str]:
        series = {f"team/{shown}": Series(NOW.date(), (1, 2)), "org": Series(NOW.date(), (3,))}
        data = DashboardData(shown, "UTC", NOW, NOW.date(), (), (), series, {shown: ProjectMonth(1)})
        return [tag for tag, _ in Page(render_dashboard(data)).tags]

    assert tags(name) == tags("payments")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_chromium_draws_the_charts_and_runs_no_name(page: Path, tmp_path: Path) -> None:
    """In a real browser both charts are drawn, the tables filled, the filter knows every team, and nobody's name ran."""
    assert CHROMIUM is not None
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=3000",
    ]
    done = subprocess.run(
        [CHROMIUM, *flags, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    dom = Page(done.stdout)
    assert sum(tag == "canvas" for tag, _ in dom.tags) == 2
    assert any(re.fullmatch(r"acme spent \$[\d.]+ in \d+ days", text) for text in dom.texts)
    assert sum(tag == "option" for tag, _ in dom.tags) == 1 + 3 + 3
    assert "AI budget of acme" in dom.texts
    assert "owned" not in [text.strip() for text in dom.texts]
    assert sum(tag == "tr" for tag, _ in dom.tags) > 80


def test_a_folder_that_does_not_exist_is_said(page: Path) -> None:
    """Exit 2 with one line."""
    ended = run("dashboard", "--output", "/nowhere/x.html", "--policy", str(page.with_name("policy.yml")))
    assert (ended.code, ended.err.count("\n")) == (2, 1)
