"""A finding that people have dismissed stays dismissed: after a rebase, after later pushes, and wherever findings are shown."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.anthropic_server import AnthropicServer
from fakes.command_line import ACME, Ended, run
from fakes.github_parties import HEAD
from fakes.github_server import Fault, GitHubServer
from fakes.runner import on_runner

SAID = "The password is written into the log."
OTHER = "Nobody checks whether the list is empty."
ROLES = {"maja": "maintain", "wim": "write", "mona": "read", "tristan": "triage"}


def diff(first: int = 10, *, added: str = "log(password)", more: str = "") -> str:
    """Return a change whose second line is the one that matters, at any place in its file, with more files or none."""
    hunk = f"@@ -{first},2 +{first},3 @@\n def login():\n+    {added}\n     return True\n"
    return f"diff --git a/app.py b/app.py\n--- a/app.py\n+++ b/app.py\n{hunk}{more}"


def new_file(path: str, line: str) -> str:
    """Return the diff of a new file with one line."""
    return f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,1 @@\n+{line}\n"


def reviewer(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Find fault with every line that logs a password or takes the first of a list, in the same words every time."""
    findings, path = [], ""
    for line in body["messages"][0]["content"][0]["text"].splitlines():
        if line.startswith("file "):
            path = line.removeprefix("file ").rpartition(" (")[0]
        number = line.partition(" ")[0].removeprefix("R")
        said = SAID if "password" in line else OTHER if "[0]" in line else ""
        if said and number.isdecimal():
            place = {"path": path, "line": int(number), "side": "RIGHT", "severity": "high", "category": "security"}
            findings.append({**place, "text": said})
    reported = {"findings": findings, "summary": "Read."}
    return [{"type": "tool_use", "id": "toolu_1", "name": "report_findings", "input": reported}]


class World:
    """A pull request of mona's with one remark on it, and what can become of that."""

    def __init__(self, github: GitHubServer, model: AnthropicServer, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.github, self.model, self.folder, self.patch = github, model, folder, patch
        self.runs = 0

    def review(self, *arguments: str) -> Ended:
        """Review the present head as the next run."""
        self.runs += 1
        on_runner(self.patch, self.folder, self.github, "workflow_dispatch", model=self.model, run=self.runs)
        ledger = f"sqlite:///{self.folder / 'ledger.db'}"
        ended = run(
            "review", "--policy", ACME, "--ledger", ledger, "--workflow", "ci_cd_review", "--pr", "7", "--json", *arguments
        )
        assert ended.code == 0, ended.err
        return ended

    def push(self, text: str) -> str:
        """Push another head, and return its id."""
        sha = f"{self.runs + 1:040x}"
        self.github.state.push(7, sha, text)
        return sha

    def become(self, what: str) -> None:
        """Have the one remark dismissed, or not quite."""
        comments = self.github.state.review_comments
        match what.split():
            case ["deleted"]:
                comments.clear()
            case ["hidden"]:
                comments[0]["is_hidden"] = True
            case ["resolved", "by", who]:
                comments[0]["resolved_by"] = who
        for each in comments:
            each["line"] = None  # GitHub calls it outdated from the next push on

    def shown(self, sha: str) -> tuple[int, int, bool, bool]:
        """Return how many remarks and annotations there are, and whether comment and check run tell of the finding."""
        (check,) = (each for each in self.github.state.check_runs if each["head_sha"] == sha)
        (comment,) = self.github.state.comments
        remarks = [each for each in self.github.state.review_comments if SAID in each["body"]]
        return len(remarks), len(check["annotations"]), SAID in comment["body"], SAID in json.dumps(check["output"])


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world, after its first review."""
    state = {"pulls": {"7": {"head_sha": HEAD, "diff": diff(), "author": "mona"}}, "roles": ROLES}
    with GitHubServer(state) as github, AnthropicServer(reviewer) as model:
        world = World(github, model, tmp_path, monkeypatch)
        world.review()
        assert world.shown(HEAD) == (1, 1, True, True)
        yield world


PUSHES = {
    "a rebase that moves its lines": diff(510),
    "a push of something else": diff(more=new_file("b.py", "x = 1")),
    "a push that changes its hunk": diff(added="log(user, password)"),
    "a rebase with both": diff(77, added="log(now, password)", more=new_file("b.py", "x = 1")),
}


@pytest.mark.parametrize("reuse", [(), ("--no-reuse",)], ids=["reuse", "anew"])
@pytest.mark.parametrize("push", list(PUSHES))
@pytest.mark.parametrize("how", ["deleted", "hidden", "resolved by maja"])
def test_a_dismissed_finding_is_shown_nowhere(world: World, how: str, push: str, reuse: tuple[str, ...]) -> None:
    """No remark, annotation or line of the comment, not after one push and not after the next; the reason counts it."""
    world.become(how)
    remarks = 0 if how == "deleted" else 1
    for text in (PUSHES[push], PUSHES[push].replace("@@ -", "@@ -1")):
        sha = world.push(text)
        document = world.review(*reuse).document()
        assert world.shown(sha) == (remarks, 0, False, False)
        assert document["findings"] == []
        assert "1 dismissed earlier" in document["reason"]


@pytest.mark.parametrize("push", list(PUSHES))
@pytest.mark.parametrize("how", ["left alone", "resolved by mona", "resolved by tristan", "resolved by "])
def test_what_nobody_with_the_right_dismissed_is_still_shown(world: World, how: str, push: str) -> None:
    """Resolved by nobody, or by somebody without write access, it stays in comment and annotations; its remark is not repeated."""
    world.become(how)
    sha = world.push(PUSHES[push])
    assert len(world.review().document()["findings"]) == 1
    assert world.shown(sha) == (1, 1, True, True)


def test_a_finding_like_a_dismissed_one_elsewhere_is_another(world: World) -> None:
    """Dismissed in one file, the same words about another are new, and what else is found is shown as ever."""
    world.become("resolved by wim")
    sha = world.push(diff(more=new_file("b.py", "log(password)") + new_file("c.py", "x = names[0]")))
    found = world.review().document()["findings"]
    assert [each["path"] for each in found] == ["b.py", "c.py"]
    assert world.shown(sha)[:2] == (2, 2)


def test_of_two_alike_one_dismissed_leaves_both(world: World) -> None:
    """Equal findings cannot be told apart when lines move: they are gone once every remark is dismissed, and not before."""
    twice = diff(more="@@ -90,2 +91,3 @@\n def signup():\n+    log(password)\n     return True\n")
    world.push(twice)
    assert len(world.review().document()["findings"]) == 2
    world.github.state.review_comments[0]["resolved_by"] = "maja"
    world.push(twice.replace("-90,2 +91,3", "-190,2 +191,3"))
    assert len(world.review().document()["findings"]) == 2
    world.github.state.review_comments[1]["is_hidden"] = True
    world.push(twice.replace("-90,2 +91,3", "-290,2 +291,3"))
    ended = world.review().document()
    assert (ended["findings"], "2 dismissed earlier" in ended["reason"]) == ([], True)


def test_a_strangers_copy_dismisses_nothing(world: World) -> None:
    """A comment of somebody else with our fingerprint, hidden and resolved, and a review that claims to remember it, count for nothing."""
    ours = world.github.state.review_comments[0]
    copy = {**ours, "id": 1, "login": "mallory", "is_hidden": True, "resolved_by": "maja"}
    world.github.state.review_comments.insert(0, copy)
    world.push(diff(510))
    assert len(world.review().document()["findings"]) == 1


def test_conversations_on_later_pages_count(world: World) -> None:
    """GitHub lists conversations by the page."""
    others = [{"id": at, "pull": 7, "login": "bob", "body": "hm", "path": "app.py"} for at in range(1, 8)]
    world.github.state.review_comments[:0] = others
    world.github.state.review_comments[-1]["resolved_by"] = "maja"
    world.push(diff(510))
    assert world.review().document()["findings"] == []


@pytest.mark.parametrize(("verb", "path", "word"), [("POST", "/graphql$", ""), ("GET", "/pulls/7/reviews$", "cannot be told")])
def test_where_github_cannot_say_everything_is_shown(world: World, verb: str, path: str, word: str) -> None:
    """An outage hides no finding; it is named where it is one."""
    world.become("resolved by maja")
    world.github.faults.append(Fault(verb, path, "before", status=500, times=3))
    world.push(diff(510))
    ended = world.review()
    assert len(ended.document()["findings"]) == 1
    assert word in ended.err


def test_a_pull_request_without_findings_asks_nothing_about_them(world: World) -> None:
    """What was dismissed is asked for when there is something to dismiss, and then once."""
    world.push(diff(added="pass"))
    world.github.requests.clear()
    world.review()
    who_we_are = 1
    assert len([path for _, path in world.github.requests if path == "/graphql"]) == who_we_are
    world.push(diff(510, more=new_file("c.py", "x = names[0]")))
    world.github.requests.clear()
    world.review()
    assert len([path for _, path in world.github.requests if path == "/graphql"]) == who_we_are + 1
