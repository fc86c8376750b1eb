"""Pull requests and diffs as values, from the JSON that GitHub gives."""

from typing import Any

import pytest

from budget_gate.core.diffs import parse_diff
from budget_gate.core.errors import GitHubError
from budget_gate.github.pulls import assembled_diff, pull_request_from

PULL: dict[str, Any] = {
    "number": 7,
    "title": "A change",
    "body": None,
    "draft": True,
    "user": {"login": "alice", "type": "User"},
    "labels": [{"name": "simple"}, {"name": ""}],
    "head": {"sha": "a" * 40, "repo": {"full_name": "Acme/Shop"}},
    "base": {"sha": "b" * 40, "ref": "main"},
}


def _file(name: str, patch: str | None, **changes: Any) -> dict[str, Any]:
    lines = (patch or "").split("\n")
    counts = {"additions": sum(x.startswith("+") for x in lines), "deletions": sum(x.startswith("-") for x in lines)}
    given = {"filename": name, "status": "modified", **counts, "changes": sum(counts.values()), **changes}
    return given if patch is None else {**given, "patch": patch}


def test_fields_of_a_pull_request() -> None:
    """Every field is taken over, null text as empty, and the repository compared without regard to case."""
    pull = pull_request_from("acme/shop", PULL)
    assert pull.title == "A change"
    assert (pull.number, pull.body, pull.author, pull.labels) == (7, "", "alice", ("simple",))
    assert (pull.head_sha, pull.base_sha, pull.base_ref) == ("a" * 40, "b" * 40, "main")
    assert (pull.is_draft, pull.is_fork, pull.author_is_bot) == (True, False, False)


@pytest.mark.parametrize("repo", [None, {"full_name": "eve/shop"}, {}])
def test_forks(repo: dict[str, str] | None) -> None:
    """Another head repository is a fork, and so is one that is gone."""
    assert pull_request_from("acme/shop", {**PULL, "head": {"sha": "a" * 40, "repo": repo}}).is_fork


def test_authors_that_are_no_people() -> None:
    """Bots are known by their type or name, and a deleted account is GitHub's ghost."""
    assert pull_request_from("a/b", {**PULL, "user": {"login": "x", "type": "Bot"}}).author_is_bot
    assert pull_request_from("a/b", {**PULL, "user": {"login": "dependabot[bot]"}}).author_is_bot
    assert pull_request_from("a/b", {**PULL, "user": None}).author == "ghost"


@pytest.mark.parametrize("data", [None, [], {}, {**PULL, "head": None}, {**PULL, "number": "7"}, {**PULL, "number": True}])
def test_what_is_no_pull_request_is_an_error(data: object) -> None:
    """An answer of another shape is a ``GitHubError``, never an attribute or type error."""
    with pytest.raises(GitHubError):
        pull_request_from("acme/shop", data)


def test_assembled_diff_reads_like_gits() -> None:
    """Added, removed, renamed, changed and unreadable files come back from the parser as what they are."""
    diff = assembled_diff(
        [
            _file("src/a b.py", "@@ -1 +1 @@\n-old\n+new"),
            _file("new.py", "@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end of file", status="added"),
            _file("gone.py", "@@ -1 +0,0 @@\n-one", status="removed"),
            _file("to.py", "@@ -1 +1 @@\n-x\n+y", status="renamed", previous_filename="from.py"),
            _file("moved.py", None, status="renamed", previous_filename="was.py"),
            _file("logo.png", None, status="added"),
            _file("huge.json", None, changes=90_000, additions=90_000),
            _file("cut.py", "@@ -1,2 +1,900 @@\n+only the beginning", additions=899),
        ],
        unlisted=5,
    )
    files = parse_diff(diff)
    assert [(file.path, file.status, file.content, len(file.hunks)) for file in files] == [
        ("src/a b.py", "modified", "text", 1),
        ("new.py", "added", "text", 1),
        ("gone.py", "deleted", "text", 1),
        ("to.py", "renamed", "text", 1),
        ("moved.py", "renamed", "text", 0),
        ("logo.png", "modified", "binary", 0),
        ("huge.json", "modified", "binary", 0),
        ("cut.py", "modified", "binary", 0),
        ("(5 more files that GitHub does not list)", "modified", "binary", 0),
    ]
    assert [line.text for line in files[0].hunks[0].lines] == ["old", "new"]
    assert files[3].old_path == "from.py"


@pytest.mark.parametrize(
    "name",
    ['a"b.py', "back\\slash.py", "line\nbreak.py", "x\n+++ b/evil.py\n@@ -1 +1 @@\n+forged", "tab\t.py", "ünï.py", "\x1b[31m.py"],
)
def test_no_file_name_forges_a_line(name: str) -> None:
    """Whatever a file is called, the diff names that one file and has that one hunk."""
    for patch in ("@@ -1 +1 @@\n-old\n+new", None):
        (file,) = parse_diff(assembled_diff([_file(name, patch)]))
        assert file.path == name
        assert len(file.hunks) == (1 if patch else 0)
