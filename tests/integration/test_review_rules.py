"""The policy's rules of a review, seen wherever a finding can be seen: comment, remarks, annotations, JSON, SARIF, summary, outputs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.anthropic_server import AnthropicServer
from fakes.command_line import ACME, Ended, run
from fakes.github_parties import HEAD
from fakes.github_server import GitHubServer

from budget_gate.core.pull_requests import SEVERITIES

LINES = "".join(f"+value_{number} = {number}\n" for number in range(1, 6))
DIFF = f"diff --git a/app.py b/app.py\nnew file mode 100644\n--- /dev/null\n+++ b/app.py\n@@ -0,0 +1,5 @@\n{LINES}"
WORDS = {each: f"Nothing but {each} words about {number}." for number, each in enumerate(SEVERITIES, 1)}


def one_of_each(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Report a finding of every severity, each on a line of its own."""
    findings = [
        {"path": "app.py", "line": number, "side": "RIGHT", "severity": each, "category": f"kind {each}", "text": WORDS[each]}
        for number, each in enumerate(SEVERITIES, 1)
    ]
    reported = {"findings": findings, "summary": "Five lines."}
    return [{"type": "tool_use", "id": "toolu_1", "name": "report_findings", "input": reported}]


class World:
    """A pull request, a model that finds one thing of each severity, and a policy of one's own."""

    def __init__(self, github: GitHubServer, model: AnthropicServer, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.github, self.model, self.folder, self.patch = github, model, folder, patch

    def run(self, rules: str = "", *arguments: str, limit: str = "800", **pull: Any) -> Ended:
        """Review on a runner; ``rules`` is added to the workflow of Acme's policy, ``pull`` to the pull request."""
        policy = self.folder / "policy.yml"
        text = Path(ACME).read_text().replace("agent: code_review", f"agent: code_review\n    {rules}", 1)
        policy.write_text(text.replace("usd: 800", f"usd: {limit}", 1))
        self.github.state.pulls["7"].update(pull)
        event = {"action": "opened", "pull_request": {"number": 7, "user": {"login": "mona"}}}
        event["pull_request"]["head"] = {"sha": HEAD, "repo": {"full_name": "acme/shop"}}
        (self.folder / "event.json").write_text(json.dumps(event))
        values = {"ACTIONS": "true", "API_URL": self.github.url, "TOKEN": "ghs_writes", "REPOSITORY": "acme/shop"}
        values |= {"EVENT_NAME": "pull_request", "EVENT_PATH": str(self.folder / "event.json"), "RUN_ID": "5"}
        values |= {"RUN_NUMBER": "2", "RUN_ATTEMPT": "1", "OUTPUT": str(self.folder / "output")}
        values |= {"STEP_SUMMARY": str(self.folder / "summary")}
        for name, value in values.items():
            self.patch.setenv(f"GITHUB_{name}", value)
        self.patch.setenv("ANTHROPIC_API_KEY", self.model.key)
        self.patch.setenv("ANTHROPIC_BASE_URL", self.model.url)
        self.patch.setenv("BUDGET_GATE_POLICY", str(policy))
        self.patch.setenv("BUDGET_GATE_LEDGER", f"sqlite:///{self.folder / 'ledger.db'}")
        return run("review", "--workflow", "ci_cd_review", *arguments) if arguments != ("action",) else run("action")

    def everywhere(self) -> dict[str, str]:
        """Return every place where a finding can be read, by name."""
        state = self.github.state
        (comment,), (check,) = state.comments, state.check_runs
        return {
            "comment": comment["body"],
            "remarks": json.dumps(state.review_comments),
            "annotations": json.dumps(check["annotations"]),
            "check run": json.dumps(check["output"]),
            "summary": (self.folder / "summary").read_text(),
        }


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world."""
    state = {"pulls": {"7": {"head_sha": HEAD, "diff": DIFF, "author": "mona"}}}
    with GitHubServer(state) as github, AnthropicServer(one_of_each) as model:
        yield World(github, model, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("rules", "arguments", "least"),
    [
        ("", (), "info"),
        ("min_severity: medium", (), "medium"),
        ("min_severity: critical", (), "critical"),
        ("min_severity: critical", ("--min-severity", "low"), "low"),
        ("", ("--min-severity", "high"), "high"),
    ],
)
@pytest.mark.parametrize("form", ["json", "sarif"])
def test_what_is_below_the_threshold_is_shown_nowhere(
    world: World, rules: str, arguments: tuple[str, ...], least: str, form: str
) -> None:
    """The policy's threshold, or the flag in its place, holds for every form and every place alike; the reason counts the rest."""
    ended = world.run(rules, *arguments, "--format", form)
    assert ended.code == 0, ended.err
    at = SEVERITIES.index(least)  # type: ignore[arg-type]
    for place, text in {**world.everywhere(), "product": ended.out}.items():
        assert [each for each in SEVERITIES if WORDS[each] in text or f"kind {each}" in text] == list(SEVERITIES[at:]), place
    outputs = (world.folder / "output").read_text()
    assert f"\n{5 - at}\n" in outputs
    assert (f"{at} below the severity asked for" in outputs) == (at > 0)


def test_a_threshold_neither_blocks_nor_unblocks(world: World) -> None:
    """Findings block nothing, whatever their severity; a used-up budget blocks, whatever the threshold."""
    assert world.run("min_severity: info").code == 0
    assert "verdict" in (world.folder / "output").read_text()
    blocked = world.run("min_severity: critical", "--on-exceed", "block", "--no-reuse", limit="0.000001")
    assert (blocked.code, blocked.out.startswith("block: ")) == (3, True)
    assert [each["conclusion"] for each in world.github.state.check_runs] == ["failure"]


@pytest.mark.parametrize(
    ("rules", "arguments", "pull", "is_reviewed"),
    [
        ("", (), {"draft": True}, False),
        ("drafts: review", (), {"draft": True}, True),
        ("drafts: review", ("--skip-drafts",), {"draft": True}, False),
        ("", ("--include-drafts",), {"draft": True}, True),
        ("", (), {"author": "dependabot[bot]"}, False),
        ("bots: review", (), {"author": "dependabot[bot]"}, True),
        ("bots: [dependabot]", (), {"author": "dependabot[bot]"}, True),
        ("bots: [renovate]", (), {"author": "dependabot[bot]"}, False),
        ("bots: [renovate]", ("--include-bots",), {"author": "dependabot[bot]"}, True),
        ("bots: [dependabot]", ("--skip-bots",), {"author": "dependabot[bot]"}, False),
        ("bots: [dependabot]", (), {"author": "dependabot[bot]", "draft": True}, False),
    ],
)
def test_what_is_left_alone(
    world: World,
    rules: str,
    arguments: tuple[str, ...],
    pull: dict[str, Any],
    is_reviewed: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A draft or a bot's pull request is reviewed where the policy or the flag says so; else it costs nothing and passes."""
    ended = world.run(rules, *arguments, **pull)
    assert ended.code == 0, ended.err
    assert bool(world.model.messages) == is_reviewed
    assert [each["conclusion"] for each in world.github.state.check_runs] == ["success"]
    assert bool(world.github.state.comments) == is_reviewed


def test_the_inputs_of_the_action_overrule_the_policy(world: World) -> None:
    """The action's inputs do what the flags do, and leave to the policy what they do not name."""
    for name, value in {"MIN_SEVERITY": "high", "DRAFTS": "review", "BOTS": "policy"}.items():
        world.patch.setenv(f"BUDGET_GATE_INPUT_{name}", value)
    world.patch.setenv("BUDGET_GATE_INPUT_WORKFLOW", "ci_cd_review")
    ended = world.run("min_severity: low\n    bots: [dependabot]", "action", draft=True, author="dependabot[bot]")
    assert ended.code == 0, ended.err
    assert [each["path"] for each in world.github.state.review_comments] == ["app.py", "app.py"]
