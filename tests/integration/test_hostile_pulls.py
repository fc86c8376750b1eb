"""Sixty hostile pull requests, end to end through the real agent, with a model that repeats what they say wherever it can.

Nothing but findings may change: the verdict, the budget and the machinery stay what they are for any other change, and nothing in
a comment, a remark, an output or the log acts on anything.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.anthropic_server import AnthropicServer
from fakes.command_line import ACME, Ended, run
from fakes.github_server import GitHubServer
from fakes.hostile_pulls import PULLS, HostilePull
from markdown_it import MarkdownIt

HEAD = "a" * 40
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OUR_HTML = re.compile(
    r"\s*(?:</?details>|</?summary>|<summary>[^<>]*</summary>|<!-- budget-gate(?:-run|-finding|-posted)?:[^<>]* -->|\s)*\s*"
)
MENTION = re.compile(r"(?<![\w/.`-])[@\uff20\ufe6b][A-Za-z0-9]")
REFERENCE = re.compile(r"(?<![\w&])#\d|\bGH-\d|(?<![\w])https?://|\bwww\.[a-z]")
HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\u200d\ufeff\U000e0000-\U000e007f\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
OUTPUTS = {"verdict", "reason", "cost-usd", "remaining-usd", "used-percent", "model", "findings", "comment-url", "check-url"}


@pytest.fixture(scope="module")
def model() -> Iterator[AnthropicServer]:
    """Serve a model that reports the hostile text on the first lines it sees; each test says which text."""
    with AnthropicServer() as server:
        yield server


def echo_of(text: str) -> Any:
    """Return a model that puts ``text`` into every field it may fill, on the first line that it was shown."""

    def answer(body: dict[str, Any]) -> list[dict[str, Any]]:
        data = body["messages"][0]["content"][0]["text"]
        path = re.search(r"^file (.*) \([a-z_]+\)$", data, re.MULTILINE)
        line = re.search(r"^R(\d+) ", data, re.MULTILINE)
        place = {"path": path[1] if path else "x", "line": int(line[1]) if line else 1, "side": "RIGHT"}
        said = {"severity": "critical", "category": text[:60], "text": text[:2_000], "suggestion": text[:4_000]}
        other = {**place, "severity": "info", "category": "x", "text": "Plain.", "path": text[:200]}
        reported = {"findings": [{**place, **said}, other], "summary": text[:600], "verdict": "block", "cost_usd": "0"}
        return [{"type": "tool_use", "id": "toolu_1", "name": "report_findings", "input": reported}]

    return answer


def review(tmp_path: Path, pull: HostilePull, model: AnthropicServer, patch: pytest.MonkeyPatch) -> tuple[Ended, GitHubServer]:
    """Review a hostile pull request as a runner would; return how it ended, and what GitHub holds afterwards."""
    model.answer = echo_of(pull.echo)
    model.requests.clear()
    event = {"action": "opened", "pull_request": {"number": 7, "title": pull.title, "user": {"login": "mallory"}}}
    event["pull_request"]["head"] = {"sha": HEAD, "repo": {"full_name": "acme/shop"}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    state = {"pulls": {"7": {"head_sha": HEAD, "title": pull.title, "body": pull.body, "diff": pull.diff, "author": "mallory"}}}
    with GitHubServer(state) as server:
        values = {"ACTIONS": "true", "API_URL": server.url, "TOKEN": "ghs_writes", "REPOSITORY": "acme/shop"}
        values |= {"EVENT_NAME": "pull_request", "EVENT_PATH": str(tmp_path / "event.json"), "RUN_ID": "5", "RUN_NUMBER": "2"}
        values |= {"RUN_ATTEMPT": "1", "OUTPUT": str(tmp_path / "output"), "STEP_SUMMARY": str(tmp_path / "summary")}
        for name, value in values.items():
            patch.setenv(f"GITHUB_{name}", value)
        patch.setenv("ANTHROPIC_API_KEY", model.key)
        patch.setenv("ANTHROPIC_BASE_URL", model.url)
        ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
        return run("review", "--policy", ACME, "--ledger", ledger, "--workflow", "ci_cd_review"), server


@pytest.mark.parametrize("name", list(PULLS))
def test_a_hostile_pull_request_changes_nothing_but_findings(
    name: str, tmp_path: Path, model: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verdict, budget, outputs, log, comment, remarks, annotations and what was sent are all as for any other change."""
    pull = PULLS[name]
    ended, server = review(tmp_path, pull, model, monkeypatch)
    assert ended.code == 0, ended.err
    check_money(tmp_path)
    check_log(ended)
    outputs = read_outputs(tmp_path / "output")
    assert outputs.keys() == OUTPUTS
    assert outputs["verdict"] in {"pass", "pass_with_note"}
    assert len(model.messages) <= 5
    for request in model.messages:
        check_request(request, pull)
    (check,) = server.state.check_runs
    assert (check["conclusion"], check["name"]) == ("success", "budget-gate")
    assert not HIDDEN.search(check["output"]["title"] + "".join(each["message"] for each in check["annotations"]))
    (comment,) = server.state.comments
    assert comment["body"].startswith("<!-- budget-gate:ci_cd_review -->\n<!-- budget-gate-run:2.1 -->\n")
    check_markdown(comment["body"], markers=2)
    check_markdown(check["output"]["summary"], markers=0)
    check_markdown((tmp_path / "summary").read_text(), markers=0)
    for remark in server.state.review_comments:
        check_markdown(remark["body"], markers=1)


def check_money(tmp_path: Path) -> None:
    """The books add up, and the task stayed within its own bounds."""
    common = ["--policy", ACME, "--ledger", f"sqlite:///{tmp_path / 'ledger.db'}", "--json"]
    verified = run("ledger", "verify", *common).document()
    assert (verified["ok"], verified["difference_usd"]) == (True, "0.00")
    day = next(each for each in run("status", *common).document()["budgets"] if each["scope"] == "workflow/ci_cd_review")
    assert float(day["posted"]) <= 0.5
    assert (day["pending"], day["held"], day["limit"]) == ("0.00", "0.00", "7.00")


def check_log(ended: Ended) -> None:
    """No line of either stream is a command to a runner, and nothing moves a terminal's cursor."""
    for line in (ended.out + ended.err).splitlines():
        assert not line.lstrip().startswith("::"), line
        assert "##[" not in line, line
        assert "##vso[" not in line, line
        assert not HIDDEN.search(line), line


def check_request(request: dict[str, Any], pull: HostilePull) -> None:
    """The fences are closed once each, by us; nothing hidden and no secret is in it; instructions hold nothing of the author's."""
    data = request["messages"][0]["content"][0]["text"]
    tag = re.match(r"The random word is (\w+)\.\n", data)
    assert tag is not None
    tool = request["tool_choice"]["name"]
    fences = {"report_findings": ("pull-request", "diff"), "pick_hunks": ("hunks",)}[tool]
    for fence in fences:
        assert data.count(f"<{fence}-{tag[1]}>") == data.count(f"</{fence}-{tag[1]}>") == 1
    assert data.endswith(f"</{fences[-1]}-{tag[1]}>")
    assert not HIDDEN.search(data)
    assert "gh" + "p_a1B2" not in data
    assert request["tool_choice"] == {"type": "tool", "name": tool}
    assert pull.title not in json.dumps([request["system"], request["tools"]]) or len(pull.title) < 12
    assert {"model", "max_tokens"} <= request.keys()
    assert request["model"] in {"claude-haiku-4-5", "claude-sonnet-4-6"}


def check_markdown(text: str, *, markers: int) -> None:
    """Rendered, it has no image, no link but ours, no HTML but ours, no mention, no reference, and exactly our own markers."""
    assert len(re.findall(r"<!--\s*budget-gate", text, re.IGNORECASE)) == markers
    assert not HIDDEN.search(text)
    for token in MARKDOWN.parse(text):
        for each in [token, *(token.children or [])]:
            assert each.type != "image"
            if each.type in {"html_block", "html_inline"}:
                assert OUR_HTML.fullmatch(each.content), each.content
            elif each.type == "link_open":
                assert str(each.attrs["href"]).startswith("https://github.com/acme/shop/actions/runs/5")
            elif each.type == "text":
                assert not MENTION.search(each.content), each.content
                assert not REFERENCE.search(each.content), each.content


def read_outputs(path: Path) -> dict[str, str]:
    """Read a step's outputs as a runner does."""
    found: dict[str, str] = {}
    lines = iter(path.read_text().split("\n"))
    for line in lines:
        name, mark, delimiter = line.partition("<<")
        if mark:
            value = []
            for inner in lines:
                if inner == delimiter:
                    break
                value.append(inner)
            found[name] = "\n".join(value)
        else:
            assert not line
    return found


def test_the_suite_is_as_large_as_promised() -> None:
    """At least forty ways."""
    assert len(PULLS) >= 40


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_documents_on_a_runner_hold_no_log_command(
    form: str, tmp_path: Path, model: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is printed for programs says the same and is no command to the runner that reads along."""
    pull = PULLS["log commands"]
    model.answer = echo_of(pull.echo)
    diff = tmp_path / "a.diff"
    diff.write_text(pull.diff)
    monkeypatch.setenv("ANTHROPIC_API_KEY", model.key)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", model.url)
    common = ["--policy", ACME, "--ledger", f"sqlite:///{tmp_path / 'ledger.db'}", "--workflow", "ci_cd_review"]
    ended = run("review", "--diff", str(diff), "--format", form, *common)
    check_log(ended)
    assert "##[error]boom" in json.dumps(ended.document()) or "##\\\\[error\\\\]boom" in json.dumps(ended.document())
