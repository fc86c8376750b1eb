"""``budget-gate review``: formats, and what it leaves alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.command_line import ACME, Ended, run
from fakes.github_parties import HEAD, state
from fakes.github_server import GitHubServer

from budget_gate.cli.review import ReviewWishes
from budget_gate.core.policy import Workflow
from budget_gate.core.pull_requests import PullRequest
from budget_gate.runs.left_alone import why_left_alone

DIFF = "diff --git a/app.py b/app.py\n--- a/app.py\n+++ b/app.py\n@@ -1,0 +1,1 @@\n+x = 1\n"
PULL = PullRequest("acme/shop", 7, "t", "b", "mona", HEAD, "b" * 40, "main")
BOT = PULL._replace(author="dependabot[bot]", author_is_bot=True)
WORKFLOW = Workflow("ci_cd_review", "code_review", "small")


def review(tmp_path: Path, *arguments: str) -> Ended:
    """Run a dry review under Acme's policy with a ledger of its own."""
    return run("review", "--dry-run", "--policy", ACME, "--ledger", f"sqlite:///{tmp_path / 'l.db'}", *arguments)


def test_formats(tmp_path: Path) -> None:
    """--format json is --json, sarif is a SARIF log, and text is for people."""
    diff = tmp_path / "change.diff"
    diff.write_text(DIFF)
    document = review(tmp_path, "--diff", str(diff), "--format", "json").document()
    assert (document["verdict"], document["reused_hunks"], document["avoided_usd"], document["masked_secrets"]) == (
        *("pass", 0, "0.00"),
        0,
    )
    assert document.keys() == review(tmp_path, "--diff", str(diff), "--json").document().keys()
    sarif = review(tmp_path, "--diff", str(diff), "--format", "sarif").document()
    assert (sarif["version"], sarif["runs"][0]["results"]) == ("2.1.0", [])
    assert review(tmp_path, "--diff", str(diff)).out.startswith("pass: dry run")


@pytest.mark.parametrize(
    ("pull", "written", "word"),
    [
        (PULL, {}, ""),
        (None, {}, ""),
        (PULL._replace(is_draft=True), {}, "draft"),
        (PULL._replace(is_draft=True), {"bots": "review"}, "draft"),
        (PULL._replace(is_draft=True), {"drafts": "review"}, ""),
        (BOT, {}, "`bots: [dependabot]`"),
        (BOT, {"drafts": "review"}, "bot"),
        (BOT, {"bots": "review"}, ""),
        (BOT, {"bots": ("renovate",)}, "bot"),
        (BOT, {"bots": ("renovate", "Dependabot")}, ""),
        (BOT, {"bots": ("dependabot[bot]",)}, ""),
        (BOT._replace(author="dependabot-preview[bot]"), {"bots": ("dependabot",)}, "bot"),
        (PULL._replace(author="dependabot"), {"bots": ("renovate",)}, ""),
    ],
)
def test_drafts_and_bots_are_left_alone(pull: PullRequest | None, written: dict[str, Any], word: str) -> None:
    """Each has its reason and its key in the policy; a list names bots with or without their ending, and people are no bots."""
    reason = why_left_alone(pull, WORKFLOW._replace(**written))
    assert bool(reason) == bool(word)
    assert word in reason


def test_loops_are_left_alone_whatever_the_policy_says() -> None:
    """No key of the policy lets a bot's comment start a review."""
    assert "for ever" in why_left_alone(PULL, WORKFLOW._replace(drafts="review", bots="review"), is_said_by_bot=True)


@pytest.mark.parametrize(
    ("written", "wishes", "means"),
    [
        ({}, {}, ("info", "skip", "skip")),
        ({"min_severity": "high", "drafts": "review", "bots": ("renovate",)}, {}, ("high", "review", ("renovate",))),
        ({"min_severity": "high"}, {"min_severity": "low"}, ("low", "skip", "skip")),
        ({"drafts": "review"}, {"include_drafts": False, "include_bots": True}, ("info", "skip", "review")),
        ({"bots": ("renovate",)}, {"include_drafts": True, "include_bots": False}, ("info", "review", "skip")),
    ],
)
def test_what_is_said_for_one_run_overrules_the_policy(written: dict[str, Any], wishes: dict[str, Any], means: Any) -> None:
    """A flag or an input wins both ways; what was not said stays as the policy has it."""
    workflow = ReviewWishes(**wishes).overrule(WORKFLOW._replace(**written))
    assert (workflow.min_severity, workflow.drafts, workflow.bots) == means


def event(tmp_path: Path, name: str, payload: dict[str, Any], server: GitHubServer, patch: pytest.MonkeyPatch) -> None:
    """Make this process look like a runner on which ``payload`` arrived."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps(payload))
    values = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": server.url,
        "GITHUB_TOKEN": server.token(),
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_RUN_ID": "5",
        "GITHUB_RUN_NUMBER": "2",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    for key, value in values.items():
        patch.setenv(key, value)


def pull_event(**fields: Any) -> dict[str, Any]:
    """Return the payload of a pull request event."""
    head = {"sha": HEAD, "repo": {"full_name": "acme/shop"}}
    return {"action": "opened", "pull_request": {"number": 7, "user": {"login": "mona"}, "head": head, **fields}}


def test_a_draft_passes_with_a_check_run_and_no_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No money, no comment, but the required status is reported, with the reason."""
    with GitHubServer(state(draft=True, diff=DIFF)) as server:
        event(tmp_path, "pull_request", pull_event(draft=True), server, monkeypatch)
        ended = run("review", "--policy", ACME, "--ledger", f"sqlite:///{tmp_path / 'l.db'}", "--workflow", "ci_cd_review")
        assert (ended.code, server.state.comments) == (0, [])
        (check,) = server.state.check_runs
        assert (check["conclusion"], "draft" in check["output"]["title"]) == ("success", True)
        assert "pass" in (tmp_path / "output").read_text()
        assert not [path for _, path in server.requests if "diff" in path]


def test_our_own_comment_starts_no_review(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run started by a bot's comment ends at once: nothing is asked of a model, not even where bots are included."""
    payload = {
        "action": "created",
        "issue": {"number": 7, "user": {"login": "mona"}, "pull_request": {"url": "x"}},
        "comment": {"body": "<!-- budget-gate:ci_cd_review -->", "user": {"login": "github-actions[bot]", "type": "Bot"}},
    }
    with GitHubServer(state(diff=DIFF)) as server:
        event(tmp_path, "issue_comment", payload, server, monkeypatch)
        ended = run(
            *("review", "--policy", ACME, "--ledger", f"sqlite:///{tmp_path / 'l.db'}", "--workflow", "ci_cd_review"),
            "--include-bots",
        )
        assert (ended.code, server.state.comments) == (0, [])
        assert "left alone: a bot's comment started this run" in ended.out


def test_route_explain_shows_choice_and_alternatives_without_calling(tmp_path: Path) -> None:
    """A change under auth/ is raised; the JSON names the cheapest and the dearest choice; the ledger stays empty."""
    diff = tmp_path / "change.diff"
    diff.write_text(DIFF.replace("app.py", "src/auth/login.py"))
    common = ["--diff", str(diff), "--policy", ACME, "--ledger", f"sqlite:///{tmp_path / 'l.db'}"]
    document = run("route", "explain", *common, "--json").document()
    assert (document["tier"], document["model"]) == ("medium", "claude-sonnet-4-6")
    assert "auth" in document["reason"]
    costs = [float(each["worst_usd"]) for each in document["alternatives"]]
    assert costs == sorted(costs)
    assert (document["cheapest"]["tier"], document["dearest"]["tier"]) == ("small", "large")
    assert document["chosen"]["tier"] == "medium"
    text = run("route", "explain", *common).out
    assert "medium: claude-sonnet-4-6" in text
    assert "* medium" in text
    assert run("ledger", "verify", *common[2:], "--json").document()["entries"] == 0
