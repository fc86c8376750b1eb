"""``workflows/dashboard.yml``: it publishes to the public only where somebody said so, and each job may do what it needs."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.command_line import ACME, ROOT, run
from fakes.github_ledger import REPOSITORY, GitHubStore
from fakes.history import spend

WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / "workflows/dashboard.yml").read_text())


def _ask(folder: Path, answer: str, allowed: str) -> subprocess.CompletedProcess[str]:
    """Run the step that asks GitHub who will see the site; ``answer`` is what GitHub's own client would do."""
    program = folder / "gh"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    script = WORKFLOW["jobs"]["build"]["steps"][0]["run"]
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "GITHUB_REPOSITORY": "acme/shop", "ALLOWED": allowed}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("answer", "allowed", "code"),
    [
        ("echo false", "", 0),
        ("echo true", "yes", 0),
        ("echo true", "", 1),
        ("echo true", "no", 1),
        ("echo null", "", 1),
        ("echo", "", 1),
        ("echo not found >&2; exit 1", "yes", 1),
    ],
)
def test_a_public_site_needs_somebodys_word(tmp_path: Path, answer: str, allowed: str, code: int) -> None:
    """A private site is published, a public one only by the variable; where GitHub does not say, nothing is published."""
    done = _ask(tmp_path, answer, allowed)
    assert done.returncode == code
    assert ("::error" in done.stdout) == bool(code)


def test_it_asks_for_the_repositorys_own_site(tmp_path: Path) -> None:
    """The question is about this repository's Pages."""
    _ask(tmp_path, f'echo "$@" >{tmp_path}/asked; echo false', "")
    assert (tmp_path / "asked").read_text().split() == ["api", "repos/acme/shop/pages", "--jq", ".public"]


def test_no_job_may_both_read_the_ledger_and_publish() -> None:
    """The job that reads cannot deploy, the job that deploys reads nothing, and neither has a right that it does not use."""
    assert WORKFLOW["permissions"] == {}
    jobs = WORKFLOW["jobs"]
    assert jobs["build"]["permissions"] == {"contents": "read", "pages": "read"}
    assert jobs["deploy"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert jobs["build"]["steps"][0]["name"] == "See who will see it", "nothing happens before it is known"
    assert [step["uses"].partition("@")[0] for step in jobs["deploy"]["steps"]] == ["actions/deploy-pages"]


def test_the_ledger_on_a_branch_is_read_without_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a token that may only read, as the build job has it, the dashboard shows the ledger on the branch, and nothing is written."""
    store = GitHubStore()
    try:
        spend(store.ledger, "a", 3_000_000_000, team="payments")
        head = store.ledger.head()
        for name, value in (
            ("GITHUB_API_URL", store.server.url),
            ("GITHUB_TOKEN", "ghs_reads"),
            ("GITHUB_REPOSITORY", REPOSITORY),
        ):
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
        page = tmp_path / "index.html"
        ended = run("dashboard", "--policy", ACME, "--ledger", f"github://{REPOSITORY}", "--output", str(page))
        assert ended.code == 0, ended.err
        assert "$3.00" in page.read_text()
        assert store.opener()().head() == head
    finally:
        store.close()
