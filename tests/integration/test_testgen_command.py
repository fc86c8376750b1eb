"""``budget-gate testgen`` as people run it: a ticket in, a plan and files out, one comment on the issue, every dollar in the books."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.alert_services import AlertServices
from fakes.anthropic_server import AnthropicServer
from fakes.command_line import ACME, Ended, run
from fakes.github_server import Fault, GitHubServer
from fakes.github_state import State
from fakes.jira_server import EMAIL, TOKEN, JiraServer

CASE = {
    "name": "TC-1",
    "title": "Refund in time",
    "preconditions": "An order.",
    "steps": ["Ask for it."],
    "expected": "Money.",
    "priority": "high",
    "covers": ["R1"],
}
FILE = {"path": "tests/test_refund.py", "content": "def test_refund() -> None:  # TC-1\n    assert True"}
ISSUE = {"title": "Refunds in shop/cart.py", "body": "- refund within 30 days\n- refuse after that", "labels": ["simple"]}


def answer(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Answer with one case and one file."""
    tool = body["tool_choice"]["name"]
    return [
        {"type": "tool_use", "id": "toolu_1", "name": tool, "input": {"cases": [CASE], "files": [FILE], "summary": "One way."}}
    ]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[AnthropicServer]:
    """Serve a model that plans."""
    with AnthropicServer(answer) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", server.key)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a small project."""
    root = tmp_path / "project"
    for name, text in {"shop/cart.py": "def refund(): ...\n", "tests/test_cart.py": "def test_a(): assert True\n"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "ticket.md").write_text(f"# {ISSUE['title']}\n\n{ISSUE['body']}\n")
    return root


def testgen(project: Path, *arguments: str) -> Ended:
    """Run the command on the project under Acme's policy, with a ledger of its own."""
    common = ["--policy", ACME, "--ledger", f"sqlite:///{project / 'l.db'}", "--root", str(project)]
    return run("testgen", *arguments, *common)


testgen.__test__ = False  # type: ignore[attr-defined]


def test_a_ticket_file_becomes_a_plan_and_written_files(project: Path, model: AnthropicServer) -> None:
    """The document has plan, gaps and cost; the file is written once; the ledger holds exactly what was said."""
    ended = testgen(project, "--ticket", str(project / "ticket.md"), "--write", str(project), "--json")
    document = ended.document()
    assert (ended.code, document["verdict"], document["ticket"]) == (0, "pass", "ticket")
    assert document["gaps"] == ["requirement R2 has no test case: refuse after that"]
    assert document["shown"] == ["shop/cart.py", "tests/test_cart.py"]
    assert (project / "tests/test_refund.py").read_text() == FILE["content"] + "\n"
    ledger = ["--policy", ACME, "--ledger", f"sqlite:///{project / 'l.db'}", "--json"]
    budgets = {(each["scope"], each["per"], each["unit"]): each for each in run("status", *ledger).document()["budgets"]}
    assert budgets["workflow/qa_test_gen", "month", "usd"]["posted"] == document["cost_usd"] != "0.00"
    assert run("ledger", "verify", *ledger).document()["ok"]
    (request,) = model.messages
    assert request["tool_choice"] == {"type": "tool", "name": "report_tests"}


def test_a_second_run_overwrites_only_when_told_to(project: Path, model: AnthropicServer) -> None:
    """The file is there already: it is rejected by name; --force writes it."""
    arguments = ["--ticket", str(project / "ticket.md"), "--write", str(project)]
    testgen(project, *arguments)
    (project / "tests/test_refund.py").write_text("mine\n")
    assert "not written: tests/test_refund.py: a file is there already" in testgen(project, *arguments).out
    assert (project / "tests/test_refund.py").read_text() == "mine\n"
    assert testgen(project, *arguments, "--force").code == 0
    assert "TC-1" in (project / "tests/test_refund.py").read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--issue", "12", "--ticket", "x"],
        ["--issue", "twelve"],
        ["--ticket", "missing.md"],
        ["--jira", "SHOP-7"],
        ["--issue", "12"],
        ["--ticket", "x", "--workflow", "nobody"],
        ["--ticket", "ticket.md", "--draft-pr"],
    ],
)
def test_wrong_usage_is_one_line(project: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 2, one line that says what to write, and nothing asked of a model."""
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    ended = testgen(project, *arguments, "--dry-run")
    assert ended.code == 2
    assert ended.err.count("\n") == 1


def test_a_jira_ticket_is_planned(project: Path, model: AnthropicServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is all that is said; the label ``simple`` sends it to the small model; the token is printed nowhere."""
    with JiraServer({"SHOP-7": {"summary": ISSUE["title"], "description": ISSUE["body"], "labels": ["simple"]}}) as jira:
        for name, value in {"JIRA_BASE_URL": jira.url, "JIRA_EMAIL": EMAIL, "JIRA_API_TOKEN": TOKEN}.items():
            monkeypatch.setenv(name, value)
        ended = testgen(project, "--jira", "SHOP-7", "--json")
    assert (ended.document()["ticket"], ended.document()["model"]) == ("SHOP-7", "claude-haiku-4-5")
    assert TOKEN not in ended.out + ended.err


def on_runner(tmp_path: Path, server: GitHubServer, patch: pytest.MonkeyPatch, token: str = "ghs_writes") -> None:
    """Make this process look like a runner of an issue that was labelled."""
    event = {"action": "labeled", "issue": {"number": 12, "user": {"login": "mona"}, "labels": [{"name": "generate-tests"}]}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    values = {"ACTIONS": "true", "API_URL": server.url, "TOKEN": token, "REPOSITORY": "acme/shop", "EVENT_NAME": "issues"}
    values |= {"EVENT_PATH": str(tmp_path / "event.json"), "RUN_ID": "5", "RUN_NUMBER": "2", "RUN_ATTEMPT": "1", "SHA": "a" * 40}
    values |= {"OUTPUT": str(tmp_path / "output"), "STEP_SUMMARY": str(tmp_path / "summary")}
    for name, value in values.items():
        patch.setenv(f"GITHUB_{name}", value)


def test_on_a_runner_the_issue_gets_one_comment(
    project: Path, tmp_path: Path, model: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs leave one comment with the workflow's marker, outputs and a summary; no check run is made for an issue."""
    with GitHubServer({"issues": {"12": ISSUE}}) as server:
        on_runner(tmp_path, server, monkeypatch)
        assert [testgen(project, "--issue", "12").code for _ in range(2)] == [0, 0]
        (comment,) = server.state.comments
        assert comment["body"].startswith("<!-- budget-gate:qa_test_gen -->")
        assert "TC-1" in comment["body"]
        assert server.state.check_runs == []
    assert "comment-url" in (tmp_path / "output").read_text()
    assert (tmp_path / "summary").read_text()


def test_a_token_that_may_not_write_is_an_expected_path(
    project: Path, tmp_path: Path, model: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan is printed and in the summary, with a note that says which permission is missing."""
    with GitHubServer({"issues": {"12": ISSUE}}) as server:
        on_runner(tmp_path, server, monkeypatch, "ghs_reads")
        ended = testgen(project, "--issue", "12")
    assert ended.code == 0
    assert "issues: write" in ended.err


def with_repository() -> State:
    """Return a repository with an issue and one commit on its default branch."""
    state = State(issues={"12": ISSUE})
    state.git.push("main", {"shop/cart.py": "def refund(): ...\n", "tests/test_cart.py": "def test_a(): assert True\n"})
    return state


def test_the_files_are_proposed_as_one_draft_pull_request(
    project: Path, tmp_path: Path, model: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs leave one branch and one draft pull request with plan and cost; comment and outputs lead to it; no issue is closed."""
    with GitHubServer(with_repository()) as server:
        on_runner(tmp_path, server, monkeypatch)
        first, second = (testgen(project, "--issue", "12", "--draft-pr", "--json").document() for _ in range(2))
        assert (first["pull_request"]["number"], first["pull_request"]["created"]) == (13, True)
        assert (second["pull_request"]["number"], second["pull_request"]["created"]) == (13, False)
        (pull,) = server.state.pulls.values()
        assert (pull["draft"], pull["title"], pull["head_ref"]) == (True, "Tests for #12", "budget-gate-tests/issue-12")
        assert pull["body"].startswith("<!-- budget-gate:qa_test_gen -->\nTests for #12")
        assert "| R1 refund within 30 days | TC-1 | `tests/test_refund.py` |" in pull["body"]
        assert "This run cost $" in pull["body"]
        assert server.state.git.text_at("tests/test_refund.py", "budget-gate-tests/issue-12") == FILE["content"] + "\n"
        (comment,) = server.state.comments
        assert "**Draft pull request:** #13" in comment["body"]
    assert "pull-url" in (tmp_path / "output").read_text()
    assert not (project / "tests/test_refund.py").exists(), "only --write writes here"


def test_a_token_that_may_not_push_loses_nothing(
    project: Path, tmp_path: Path, model: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the pull request cannot be opened, the plan is printed and posted all the same, with the reason and what to grant."""
    with GitHubServer(with_repository()) as server:
        on_runner(tmp_path, server, monkeypatch)
        server.faults.append(Fault("POST", "/git/trees$", "before", status=403))
        ended = testgen(project, "--issue", "12", "--draft-pr")
        (comment,) = server.state.comments
    assert (ended.code, "TC-1" in ended.out) == (0, True)
    assert "no pull request: the token may not push to acme/shop" in ended.out
    assert "contents: write" in comment["body"]
    assert "| TC-1 |" in comment["body"]
    assert "contents: write" in (tmp_path / "summary").read_text()


def test_a_file_that_cannot_be_written_is_told_after_the_plan(project: Path, model: AnthropicServer) -> None:
    """What was paid for is printed before a full disk, or a file in the way, ends the command."""
    (project / "out").mkdir()
    (project / "out/tests").write_text("a file where a folder should be\n")
    ended = testgen(project, "--ticket", str(project / "ticket.md"), "--write", str(project / "out"))
    assert (ended.code, "TC-1" in ended.out) == (2, True)


def test_paths_of_an_attacker_reach_no_pull_request(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever paths a model is talked into, only new files in folders of tests are pushed; the others are named."""
    paths = ["../x.py", ".github/workflows/x.yml", "tests/../shop/cart.py", "shop/cart.py", "tests/test_cart.py", "tests/.env.py"]
    paths += ["/etc/x.py", "tests\\x.py", "tests/x.sh", "setup.py", "tests/link/test_x.py", "tests/test_ok.py"]
    (project / "tests/link").symlink_to(tmp_path)

    def hostile(body: dict[str, Any]) -> list[dict[str, Any]]:
        files = [{"path": path, "content": "x = 1  # TC-1\n"} for path in paths]
        given = {"cases": [CASE], "files": files, "summary": ""}
        return [{"type": "tool_use", "id": "toolu_1", "name": body["tool_choice"]["name"], "input": given}]

    with AnthropicServer(hostile) as model, GitHubServer(with_repository()) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", model.key)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", model.url)
        on_runner(tmp_path, server, monkeypatch)
        document = testgen(project, "--issue", "12", "--draft-pr", "--json").document()
        assert server.state.git.files_at("budget-gate-tests/issue-12") == [
            "shop/cart.py",
            "tests/test_cart.py",
            "tests/test_ok.py",
        ]
        assert server.state.git.text_at("tests/test_cart.py", "budget-gate-tests/issue-12") == "def test_a(): assert True\n"
    assert [each["path"] for each in document["rejected"]] == paths[:-1]


def test_the_action_delivers_alerts_after_a_plan(
    project: Path, tmp_path: Path, model: AnthropicServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan that takes its budget past a tier leaves nothing in the outbox: the same job tells."""
    policy = tmp_path / "policy.yml"
    policy.write_text(Path(ACME).read_text().replace("{usd: 8, per: day}", "{requests: 1, per: day}"))
    monkeypatch.chdir(project)
    for name, value in {"COMMAND": "testgen", "POLICY": str(policy), "LEDGER": f"sqlite:///{project / 'l.db'}"}.items():
        monkeypatch.setenv(f"BUDGET_GATE_INPUT_{name}", value)
    with GitHubServer({"issues": {"12": ISSUE}}) as server, AlertServices() as services:
        on_runner(tmp_path, server, monkeypatch)
        monkeypatch.setenv("SLACK_WEBHOOK_URL", services.slack_url)
        assert run("action").code == 0
    assert any("workflow/qa_test_gen" in body["blocks"][0]["text"]["text"] for body in services.slack)
