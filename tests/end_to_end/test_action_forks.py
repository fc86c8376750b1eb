"""The workflow for pull requests from forks, as users copy it, run by act from a scratch repository."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from fakes.act import REPOSITORY, ROOT, ActRun, copy_checkout, run_act, scratch_repository
from fakes.anthropic_server import AnthropicServer
from fakes.fork_pull import LABEL, NEXT, UNSEEN, fork_state, label_event
from fakes.github_parties import HEAD
from fakes.github_server import GitHubServer

from budget_gate.core.pull_requests import APPROVAL_LABEL

WORKFLOW = ROOT / "workflows/fork-review.yml"
SECRET_KEY = "sk-ant-fork-review-secret"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean copy of this checkout, as the runner would download it."""
    return copy_checkout(tmp_path_factory.mktemp("action"))


class World(NamedTuple):
    """A repository with a pull request from a fork, and the two services."""

    github: GitHubServer
    model: AnthropicServer
    checkout: Path
    folder: Path

    def run(self, sender: str, **fields: Any) -> ActRun:
        """Run the repository's workflows for an event on pull request 7."""
        files = {
            ".github/budget-gate.yml": (ROOT / "examples/acme/budget-gate.yml").read_text(),
            ".github/workflows/used.yml": WORKFLOW.read_text(),
        }
        repository, base_sha = scratch_repository(self.folder / "repository", files)
        base = {"sha": base_sha, "ref": "main", "repo": {"full_name": REPOSITORY}}
        owner = {"full_name": REPOSITORY, "name": "shop", "owner": {"login": "acme"}, "default_branch": "main"}
        return run_act(
            repository=repository,
            action=self.checkout,
            event_name="pull_request_target",
            event=label_event(sender, **{"base": base, **fields}) | {"repository": owner},
            home=self.folder / "home",
            environment={"GITHUB_API_URL": self.github.url, "ANTHROPIC_BASE_URL": self.model.url},
            secrets={
                "GITHUB_TOKEN": "ghs_writes",
                "ANTHROPIC_API_KEY": SECRET_KEY,
                "BUDGET_GATE_LEDGER": f"sqlite:///{self.folder / 'ledger.db'}",
            },
        )

    @property
    def labels(self) -> list[str]:
        """The labels that are on the pull request now."""
        return list(self.github.state.pulls["7"].get("labels", []))


@pytest.fixture
def world(checkout: Path, tmp_path: Path) -> Iterator[World]:
    """The world."""
    with GitHubServer(fork_state()) as github, AnthropicServer(key=SECRET_KEY) as model:
        yield World(github, model, checkout, tmp_path)


def test_a_maintainers_label_has_the_fork_reviewed_once(world: World) -> None:
    """One paid call, a comment and a check run on the approved commit, the label off, and no secret printed."""
    world.github.state.put_label(7, "maja", LABEL)
    run = world.run("maja")
    assert run.status == 0, run.output
    assert run.outputs()["verdict"] == "pass"
    assert (len(world.model.messages), world.labels) == (1, [])
    assert [check["head_sha"] for check in world.github.state.check_runs] == [HEAD]
    assert world.github.state.comments[0]["body"].startswith("<!-- budget-gate:ci_cd_review -->")
    assert SECRET_KEY not in run.output
    assert "ghs_writes" not in run.output


def test_a_label_of_somebody_with_triage_spends_nothing(world: World) -> None:
    """The job is green, says why, posts nothing, and takes the label off."""
    world.github.state.put_label(7, "tristan", LABEL)
    run = world.run("tristan")
    assert run.status == 0, run.output
    assert run.outputs()["verdict"] == "pass_with_note"
    assert "may not write to this repository" in run.outputs()["reason"]
    assert (world.model.messages, world.labels, world.github.state.comments, world.github.state.check_runs) == ([], [], [], [])


def test_another_label_starts_no_job(world: World) -> None:
    """The workflow asks GitHub nothing for a label that is not its own."""
    world.github.state.put_label(7, "maja", "bug")
    run = world.run("maja", label="bug")
    assert run.status == 0, run.output
    assert (world.github.requests, world.model.messages, world.labels) == ([], [], ["bug"])


def test_a_push_takes_the_label_off(world: World) -> None:
    """A push withdraws an approval with one request, and without installing anything; no model is asked."""
    world.github.state.put_label(7, "maja", LABEL)
    world.github.state.push(7, NEXT, UNSEEN)
    run = world.run("mallory", sha=NEXT, action="synchronize")
    assert run.status == 0, run.output
    assert world.github.requests == [("DELETE", "/repos/acme/shop/issues/7/labels/budget-gate:%20run")]
    assert (world.labels, world.model.messages) == ([], [])
    assert "ghs_writes" not in run.output


def test_a_push_without_the_label_starts_no_job(world: World) -> None:
    """Where there is nothing to withdraw, nothing runs."""
    world.github.state.push(7, NEXT, UNSEEN)
    run = world.run("mallory", sha=NEXT, action="synchronize", labels=[])
    assert run.status == 0, run.output
    assert world.github.requests == []


def test_the_workflow_never_touches_the_head() -> None:
    """Only the base is checked out; the head's name and branch stand nowhere; no job has more than it says why; scripts get no values."""
    text = WORKFLOW.read_text()
    workflow = yaml.safe_load(text)
    jobs = workflow["jobs"].values()
    refs = [step["with"]["ref"] for job in jobs for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert refs == ["${{ github.event.pull_request.base.sha }}"]
    assert not [word for word in ("head.sha", "head.ref", "head_ref", "refs/pull", "head.label") if word in text]
    assert workflow["jobs"]["review"]["steps"][-1]["with"]["approval-label"] == APPROVAL_LABEL == LABEL
    assert text.count(f"'{LABEL}'") == 2
    assert workflow["permissions"] == {}
    assert all("${{" not in step.get("run", "") for job in jobs for step in job["steps"])
