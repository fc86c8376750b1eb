"""A pull request from a fork, the event of a label on it, and a run of the review on that event: what the fork tests set up."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fakes.anthropic_server import AnthropicServer
from fakes.command_line import ACME, Ended, run
from fakes.github_parties import HEAD
from fakes.github_server import GitHubServer
from fakes.github_state import State

LABEL = "budget-gate: run"
NEXT = "e" * 40
DIFF = "diff --git a/app.py b/app.py\n--- a/app.py\n+++ b/app.py\n@@ -1,1 +1,2 @@\n a = 0\n+seen = 1\n"
UNSEEN = DIFF.replace("seen = 1", "never_looked_at = 1")
ROLES = {"olga": "admin", "maja": "maintain", "wim": "write", "tristan": "triage", "rita": "read"}


def fork_state(**fields: Any) -> State:
    """Return a repository with pull request 7, from a fork of mallory's; ``fields`` alter the pull request."""
    pull = {"head_sha": HEAD, "diff": DIFF, "author": "mallory", "head_repo": "mallory/shop", **fields}
    return State(pulls={"7": pull}, roles=dict(ROLES))


def label_event(sender: str, *, label: str = LABEL, sha: str = HEAD, action: str = "labeled", **pull: Any) -> dict[str, Any]:
    """Return the payload of an event of pull request 7, as GitHub sends it."""
    head = {"sha": sha, "ref": "topic", "repo": {"full_name": "mallory/shop"}}
    facts = {"number": 7, "user": {"login": "mallory", "type": "User"}, "labels": [{"name": label}], "head": head, **pull}
    payload = {"action": action, "number": 7, "pull_request": facts, "sender": {"login": sender, "type": "User"}}
    return payload | ({"label": {"name": label}} if action == "labeled" else {})


class Fork(NamedTuple):
    """The two services, a folder, and the process's environment."""

    github: GitHubServer
    model: AnthropicServer
    folder: Path
    patch: pytest.MonkeyPatch

    def run(
        self,
        payload: dict[str, Any],
        *arguments: str,
        name: str = "pull_request_target",
        token: str = "ghs_writes",
        key: str = "",
    ) -> Ended:
        """Run the review as a job on this event would, with the key unless another is given (a blank is none)."""
        path = self.folder / "event.json"
        path.write_text(json.dumps(payload))
        for file in ("output", "summary"):
            (self.folder / file).write_text("")
        values = {"ACTIONS": "true", "API_URL": self.github.url, "TOKEN": token, "REPOSITORY": "acme/shop"}
        values |= {"EVENT_NAME": name, "EVENT_PATH": str(path), "RUN_ID": "5", "RUN_NUMBER": "2", "RUN_ATTEMPT": "1"}
        values |= {"OUTPUT": str(self.folder / "output"), "STEP_SUMMARY": str(self.folder / "summary")}
        for variable, value in values.items():
            self.patch.setenv(f"GITHUB_{variable}", value)
        self.patch.setenv("ANTHROPIC_API_KEY", key or self.model.key)
        self.patch.setenv("ANTHROPIC_BASE_URL", self.model.url)
        ledger = f"sqlite:///{self.folder / 'ledger.db'}"
        return run("review", "--policy", ACME, "--ledger", ledger, "--workflow", "ci_cd_review", *arguments)

    def approve(self, login: str = "maja", *arguments: str, label: str = LABEL, **options: Any) -> Ended:
        """Put the label in somebody's name, and run what that starts."""
        self.github.state.put_label(7, login, label)
        return self.run(label_event(login, label=label), *arguments, **options)

    @property
    def labels(self) -> list[str]:
        """The labels that are on the pull request now."""
        return list(self.github.state.pulls["7"].get("labels", []))

    @property
    def summary(self) -> str:
        """The job's summary."""
        return (self.folder / "summary").read_text()

    @property
    def output(self) -> str:
        """The step's outputs, as written."""
        return (self.folder / "output").read_text()

    def posted(self) -> list[str]:
        """What was written to the pull request: comments, remarks and check runs; taking a label off is none of these."""
        return [path for verb, path in self.github.writes() if verb != "DELETE"]
