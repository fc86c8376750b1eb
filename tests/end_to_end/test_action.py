"""The composite action, run by act from a scratch repository, against servers that refuse what the real ones refuse."""

import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fakes.act import REPOSITORY, ROOT, ActRun, copy_checkout, git, run_act, scratch_repository
from fakes.anthropic_server import AnthropicServer
from fakes.github_ledger import GitHubOpener
from fakes.github_server import GitHubServer
from fakes.github_state import State

from budget_gate.core.audit import MONEY_KINDS
from budget_gate.ledger.verify import verify

HEAD_SHA = "d" * 40
SECRET_KEY = "sk-ant-end-to-end-secret"
POLICY = """\
version: 1
organization: acme
timezone: UTC
models: {small: claude-haiku-4-5}
budgets:
  - scope: org
    limits: [{usd: LIMIT, per: month}]
    owner: vp@acme.test
workflows:
  code_review:
    agent: code_review
    model: small
    task: {soft_tokens: 12000, hard_tokens: 24000, steps: 5}
    output_tokens: {small: 1024}
    on_exceed: EXCEED
  test_generation:
    agent: test_generation
    model: small
    task: {hard_tokens: 24000, steps: 2}
    output_tokens: {small: 1024}
"""
DIFF = """\
diff --git a/shop/cart.py b/shop/cart.py
index 1111111..2222222 100644
--- a/shop/cart.py
+++ b/shop/cart.py
@@ -1,3 +1,6 @@
 def total(items):
-    return sum(items)
+    try:
+        return sum(items)
+    except:
+        return 0
 # end
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean copy of this checkout, as the runner would download it."""
    return copy_checkout(tmp_path_factory.mktemp("action"))


class World(NamedTuple):
    """One pull request in one repository, and the two services."""

    github: GitHubServer
    anthropic: AnthropicServer
    checkout: Path
    folder: Path

    def run(
        self,
        *,
        limit: str = "10",
        exceed: str = "comment",
        token: str = "ghs_writes",
        key: str = SECRET_KEY,
        event_name: str = "pull_request",
        is_ledger_set: bool = True,
        workflow_file: str = "review.yml",
        is_opted_in: bool = False,
    ) -> ActRun:
        """Run the workflow that users copy for an event; a fresh commit each time, the ledger kept between runs."""
        policy = POLICY.replace("LIMIT", limit).replace("EXCEED", exceed)
        workflow = (ROOT / "workflows" / workflow_file).read_text()
        if is_opted_in:
            workflow = re.sub(r"# (.+ # opt-in: .+)", r"\1", workflow)
        ledger = f"sqlite:///{self.folder / 'ledger.db'}" if is_ledger_set else ""
        if (self.folder / "repository").exists():
            shutil.rmtree(self.folder / "repository")
        files = {".github/budget-gate.yml": policy, ".github/workflows/used.yml": workflow}
        repository, base_sha = scratch_repository(self.folder / "repository", files)
        return run_act(
            repository=repository,
            action=self.checkout,
            event_name=event_name,
            event=event(event_name, base_sha),
            home=self.folder / "home",
            environment={"GITHUB_API_URL": self.github.url, "ANTHROPIC_BASE_URL": self.anthropic.url},
            secrets={"GITHUB_TOKEN": token, "ANTHROPIC_API_KEY": key, "BUDGET_GATE_LEDGER": ledger},
        )


def event(name: str, base_sha: str) -> dict[str, Any]:
    """Return the payload of an event, as far as the action reads it."""
    repository = {"full_name": REPOSITORY, "name": "shop", "owner": {"login": "acme"}, "default_branch": "main"}
    if name == "issues":
        label = {"name": "generate-tests"}
        issue = {"number": 12, "title": "Refunds", "user": {"login": "mona"}, "labels": [label]}
        return {"action": "labeled", "issue": issue, "label": label, "repository": repository, "sender": {"login": "alice"}}
    if name == "merge_group":
        group = {
            "head_sha": HEAD_SHA,
            "base_sha": base_sha,
            "head_ref": "refs/heads/gh-readonly-queue/main/pr-7",
            "base_ref": "refs/heads/main",
        }
        return {"action": "checks_requested", "merge_group": group, "repository": repository, "sender": {"login": "alice"}}
    pull = {
        "number": 7,
        "title": "Add a cart",
        "draft": False,
        "user": {"login": "alice", "type": "User"},
        "labels": [],
        "head": {"sha": HEAD_SHA, "ref": "topic", "repo": {"full_name": REPOSITORY}},
        "base": {"sha": base_sha, "ref": "main", "repo": {"full_name": REPOSITORY}},
    }
    return {"action": "synchronize", "number": 7, "pull_request": pull, "repository": repository, "sender": {"login": "alice"}}


@pytest.fixture
def world(checkout: Path, tmp_path: Path) -> Iterator[World]:
    """A repository with one pull request."""
    state = State(pulls={"7": {"head_sha": HEAD_SHA, "title": "Add a cart", "diff": DIFF}})
    with GitHubServer(state) as github, AnthropicServer(key=SECRET_KEY) as anthropic:
        yield World(github, anthropic, checkout, tmp_path)


def test_a_pull_request_is_reviewed_commented_and_checked(world: World) -> None:
    """A pull request gets one comment and a successful check run; the outputs say verdict and cost; no secret is printed."""
    run = world.run()
    assert run.status == 0, run.output
    outputs = run.outputs()
    assert outputs["verdict"] == "pass"
    assert re.fullmatch(r"0\.\d+", outputs["cost-usd"])
    assert outputs["model"] == "claude-haiku-4-5"
    (comment,) = world.github.state.comments
    assert comment["body"].startswith("<!-- budget-gate:code_review -->")
    (check,) = world.github.state.check_runs
    assert (check["name"], check["head_sha"], check["conclusion"]) == ("budget-gate", HEAD_SHA, "success")
    assert SECRET_KEY not in run.output
    assert "ghs_writes" not in run.output


def test_a_second_run_updates_the_one_comment(world: World) -> None:
    """Running again on the same head leaves one comment and one check run."""
    assert world.run().status == 0
    assert world.run().status == 0
    assert len(world.github.state.comments) == 1
    assert len(world.github.state.check_runs) == 1


def test_an_exhausted_budget_passes_with_a_note(world: World) -> None:
    """When the budget is used up and the policy says comment, the status job passes, and the comment says what stopped it."""
    run = world.run(limit="0.000001")
    assert run.status == 0, run.output
    assert run.outputs()["verdict"] == "pass_with_note"
    assert world.github.state.check_runs[0]["conclusion"] == "success"
    assert "org" in world.github.state.comments[0]["body"]
    assert not world.anthropic.messages


def test_an_exhausted_budget_blocks_where_the_policy_says_so(world: World) -> None:
    """With on_exceed: block the check run and the status job fail, and the comment is there all the same."""
    run = world.run(limit="0.000001", exceed="block")
    assert run.status != 0
    assert run.outputs()["verdict"] == "block"
    assert world.github.state.check_runs[0]["conclusion"] == "failure"
    assert len(world.github.state.comments) == 1


def test_a_read_only_token_is_an_expected_path(world: World) -> None:
    """A pull request from a fork cannot be written to: the review runs, the summary has it, and the status job carries the verdict."""
    run = world.run(token="ghs_reads")
    assert run.status == 0, run.output
    assert run.outputs()["verdict"] == "pass"
    assert world.github.state.comments == []
    assert "may not write" in run.output


def test_a_fork_without_secrets_gets_the_estimate_and_is_not_stranded(world: World) -> None:
    """GitHub gives a fork's run neither the key nor a token that writes: the verdict is a note, and no model is asked."""
    world.github.state.pulls["7"]["head_repo"] = "mallory/shop"
    run = world.run(token="ghs_reads", key="", exceed="block")
    assert run.status == 0, run.output
    assert run.outputs()["verdict"] == "pass_with_note"
    assert "from a fork" in run.outputs()["reason"]
    assert not world.anthropic.messages


def test_runs_without_a_ledger_share_the_branch(world: World) -> None:
    """With one secret and no ledger, two runs meet on the branch budget-gate: what both cost is there, one lease each, and it verifies."""
    runs = [world.run(is_ledger_set=False)]
    world.github.state.pulls["7"]["diff"] = DIFF.replace("return 0", "return None")
    runs.append(world.run(is_ledger_set=False))
    assert [run.status for run in runs] == [0, 0], runs[0].output + runs[1].output
    assert [run.outputs()["verdict"] for run in runs] == ["pass", "pass"]
    cost = sum(Decimal(run.outputs()["cost-usd"]) for run in runs)
    ledger = GitHubOpener(world.github.url)()
    posted = {row.value.posted.nano_usd for row in ledger.counters() if (row.scope, row.per) == ("org", "month")}
    kinds = [kind for entry in ledger.entries() if (kind := entry.parsed().kind) in MONEY_KINDS]
    finding = verify(ledger)
    ledger.close()
    assert posted == {int(cost * 10**9)}
    assert kinds == ["reserve", "post"] * 2
    writes = [path for _, path in world.github.writes() if "/git/" in path]
    assert len(writes) == 2 * 3 * 3  # a tree, a commit and the branch, for each lease, its results and its settle
    assert finding.ok, finding


def test_a_fork_without_a_ledger_passes_with_a_note(world: World) -> None:
    """A fork's token may not write to the branch: nothing is spent, the status job passes, and the reason is plain."""
    run = world.run(token="ghs_reads", is_ledger_set=False)
    assert run.status == 0, run.output
    assert run.outputs()["verdict"] == "pass_with_note"
    assert "contents: write" in run.outputs()["reason"]
    assert not world.anthropic.messages
    assert world.github.state.git.refs == {}


def test_a_merge_group_is_checked_and_not_reviewed(world: World) -> None:
    """In a merge queue the required status is reported for the group's head, and no model is asked."""
    run = world.run(event_name="merge_group")
    assert run.status == 0, run.output
    assert run.outputs()["verdict"] == "pass"
    assert not world.anthropic.messages
    assert [check["head_sha"] for check in world.github.state.check_runs] == [HEAD_SHA]


def test_a_labelled_issue_gets_a_test_plan(world: World) -> None:
    """The label starts testgen: one call, one comment on the issue with the workflow's marker, no check run, no secret printed."""
    world.github.state.issues["12"] = {"title": "Refunds", "body": "- within 30 days", "labels": ["generate-tests"]}
    run = world.run(event_name="issues", workflow_file="testgen.yml")
    assert run.status == 0, run.output
    assert run.outputs()["model"] == "claude-haiku-4-5"
    (comment,) = world.github.state.comments
    assert (comment["issue"], comment["body"].startswith("<!-- budget-gate:test_generation -->")) == (12, True)
    assert (len(world.anthropic.messages), world.github.state.check_runs) == (1, [])
    assert SECRET_KEY not in run.output


def test_opting_in_proposes_the_files_as_one_draft_pull_request(world: World) -> None:
    """With the workflow's two opt-in lines, labelling twice leaves one draft pull request with the file, and an output that leads to it."""
    world.github.state.issues["12"] = {"title": "Refunds", "body": "- within 30 days", "labels": ["generate-tests"]}
    world.github.state.git.push("main", {"README.md": "Shop\n"})
    case = {
        "name": "TC-1",
        "title": "In time",
        "preconditions": "",
        "steps": [],
        "expected": "Money",
        "priority": "high",
        "covers": ["R1"],
    }
    plan = {"cases": [case], "files": [{"path": "tests/test_a.py", "content": "x = 1  # TC-1\n"}], "summary": ""}
    world.anthropic.answer = lambda _body: [{"type": "tool_use", "id": "toolu_1", "name": "report_tests", "input": plan}]
    runs = [world.run(event_name="issues", workflow_file="testgen.yml", is_opted_in=True) for _ in range(2)]
    assert [run.outputs()["pull-url"] for run in runs] == ["https://github.test/acme/shop/pull/13"] * 2, runs[0].output
    ((number, pull),) = [each for each in world.github.state.pulls.items() if each[0] != "7"]
    assert (number, pull["draft"], pull["title"]) == ("13", True, "Tests for #12")
    assert world.github.state.git.files_at("budget-gate-tests/issue-12") == ["README.md", "tests/test_a.py"]
    assert len(world.github.state.comments) == 1


def test_a_broken_policy_is_one_clear_line(world: World) -> None:
    """A policy with a fault ends in one line that names file, line and field, and in a red status that a new push can turn."""
    run = world.run(limit="-5")
    assert run.status != 0
    assert re.search(r"budget-gate\.yml:\d+: budgets\[0\]\.limits\[0\]\.usd", run.output)
    assert "Traceback" not in run.output


def test_the_copy_of_the_checkout_is_what_git_has(checkout: Path) -> None:
    """The action under test is made of tracked files only, so it runs as it will be downloaded."""
    assert (checkout / "action.yml").is_file()
    assert not (checkout / ".venv").exists()
    assert git(ROOT, "rev-parse", "HEAD")
