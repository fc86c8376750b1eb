"""What ``doctor`` says of a ledger on a branch: read for real, and never written to."""

from collections.abc import Iterator

import pytest
from fakes.command_line import ACME, Ended, run
from fakes.github_ledger import REPOSITORY, GitHubStore
from fakes.github_state import State, default_tokens

READER = {"login": "bob", "type": "User", "permission": "read"}


@pytest.fixture
def store() -> Iterator[GitHubStore]:
    """An empty branch, and among the accounts a person who may only read."""
    opened = GitHubStore(State(repository=REPOSITORY, tokens=default_tokens() | {"ghp_bob": READER}))
    yield opened
    assert opened.server.writes() == []
    opened.close()


def doctor(store: GitHubStore, token: str, monkeypatch: pytest.MonkeyPatch) -> Ended:
    """Look at the set-up with somebody's token."""
    monkeypatch.setenv("GITHUB_TOKEN", token)
    monkeypatch.setenv("GITHUB_API_URL", store.server.url)
    return run("doctor", "--policy", ACME, "--ledger", f"github://{REPOSITORY}", "--json")


def said(ended: Ended) -> tuple[str, str]:
    """Return what was found of writing: outcome and text."""
    (found,) = [each for each in ended.document()["findings"] if each["name"] == "ledger writable"]
    return found["outcome"], found["text"]


def test_a_person_who_may_push_hears_so(store: GitHubStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub says of a person whether they may push; what the token itself must be allowed is named beside it."""
    ended = doctor(store, "ghp_alice", monkeypatch)
    assert ended.code == 0
    assert said(ended) == (
        "ok",
        "the account of this token may push to acme/shop (the token itself needs the scope repo, or Contents: read and write)",
    )


def test_a_person_who_may_only_read_hears_what_to_do(store: GitHubStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that cannot be written is a fault: exit 5, and one line of advice."""
    ended = doctor(store, "ghp_bob", monkeypatch)
    assert ended.code == 5
    assert said(ended) == (
        "fault",
        "the account of this token may not push to acme/shop; use the token of one that may, or name another ledger",
    )


def test_of_a_job_it_shows_at_the_first_write(store: GitHubStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What GitHub answers to an app is not believed, in either direction; the permission to grant is named."""
    for token in ("ghs_writes", "ghs_reads"):
        outcome, text = said(doctor(store, token, monkeypatch))
        assert outcome == "warning"
        assert "shows at the first write" in text
        assert "`permissions: contents: write`" in text


def test_a_branch_that_cannot_be_read_is_a_fault(store: GitHubStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that GitHub does not know makes the ledger a fault, not a crash."""
    ended = doctor(store, "ghp_nobody", monkeypatch)
    assert ended.code == 5
    assert [each["outcome"] for each in ended.document()["findings"] if each["name"] == "ledger"] == ["fault"]
