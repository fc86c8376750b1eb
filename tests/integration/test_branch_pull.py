"""Files proposed as a pull request against the fake GitHub: one branch and one pull request, however often a run is cut off."""

from collections.abc import Mapping
from typing import Any

import pytest
from fakes.github_server import Fault, GitHubServer
from fakes.github_state import State

from budget_gate.core.errors import GitHubError, ReadOnlyToken, UsageError
from budget_gate.github.branch_pull import open_pull
from budget_gate.github.client import Transport
from budget_gate.github.interface import PullOpened
from budget_gate.github.rest import JSON, Reply

BRANCH = "budget-gate-tests/12"
MARKER = "<!-- budget-gate:testgen -->"
FILES = {"tests/test_cart.py": "def test_total():\n    assert True\n"}


class _CutOff(BaseException):
    """The process is killed here."""


class _Dying:
    """A connection of a process that dies after so many requests: before sending the next one, or having sent it."""

    def __init__(self, rest: Transport, requests_left: int, *, sends_last: bool) -> None:
        self._rest, self._left, self._sends_last = rest, requests_left, sends_last

    def send(self, verb: str, path: str, **given: Any) -> Reply:
        self._left -= 1
        if self._left < 0 and not self._sends_last:
            raise _CutOff
        reply = self._rest.send(verb, path, **{"accept": JSON, **given})
        if self._left < 0:
            raise _CutOff
        return reply

    def pause(self, seconds: float) -> None:
        self._rest.pause(seconds)


def _state() -> State:
    state = State()
    state.git.push("main", {"README.md": "Shop\n", "shop/cart.py": "def total(items): ...\n", "tests/test_old.py": "# old\n"})
    return state


def _rest(server: GitHubServer, token: str = "ghs_writes") -> Transport:
    return Transport(token, server.url, sleep=lambda _: None)


def _open(rest: Any, files: Mapping[str, str] = FILES, text: str = "the plan", **given: Any) -> PullOpened:
    fields = {"base": "main", "branch": BRANCH, "title": "Tests for #12", "draft": True, "message": "Add tests", **given}
    return open_pull(rest, "acme/shop", files=files, body=f"{MARKER}\n{text}", **fields)


def _open_pulls(server: GitHubServer) -> list[dict[str, Any]]:
    return [each for each in server.state.pulls.values() if not each.get("closed_at")]


def _commits(server: GitHubServer, branch: str = BRANCH) -> list[str]:
    """Return the messages of the commits that the branch has and main has not."""
    git = server.state.git
    main, waiting, found = git.refs["refs/heads/main"], [git.refs[f"refs/heads/{branch}"]], []
    while waiting:
        sha = waiting.pop()
        if not git.is_ancestor(sha, main):
            found.append(git.commits[sha]["message"])
            waiting += git.commits[sha]["parents"]
    return found


def test_opened_as_a_draft_on_top_of_the_base() -> None:
    """The pull request is a draft from a new branch that holds the base's files and ours, in one commit."""
    with GitHubServer(_state()) as server:
        assert _open(_rest(server)) == PullOpened(1, "https://github.test/acme/shop/pull/1", created=True)
        pull = server.state.pulls["1"]
        assert (pull["draft"], pull["head_ref"], pull["base_ref"], pull["title"]) == (True, BRANCH, "main", "Tests for #12")
        assert server.state.git.files_at(BRANCH) == ["README.md", "shop/cart.py", "tests/test_cart.py", "tests/test_old.py"]
        assert server.state.git.text_at("tests/test_cart.py", BRANCH) == FILES["tests/test_cart.py"]
        assert _commits(server) == ["Add tests"]


def test_no_base_means_the_default_branch() -> None:
    """Where no base is named, GitHub is asked for the repository's default branch."""
    with GitHubServer(_state()) as server:
        _open(_rest(server), base="")
        assert server.state.pulls["1"]["base_ref"] == "main"


def test_run_again_changes_nothing() -> None:
    """The same call again finds everything there: no commit, no edit, no second pull request."""
    with GitHubServer(_state()) as server:
        _open(_rest(server))
        before = len(server.writes())
        assert _open(_rest(server)) == PullOpened(1, "https://github.test/acme/shop/pull/1", created=False)
        again = [path for _, path in server.writes()[before:]]
        assert again == ["/repos/acme/shop/git/trees"], "only the tree is computed anew, to be compared"


def test_a_new_plan_updates_the_same_pull_request() -> None:
    """Other files and another body go to the branch and pull request that are there; what people committed stays."""
    with GitHubServer(_state()) as server:
        _open(_rest(server))
        server.state.git.push(BRANCH, {"tests/test_by_hand.py": "# by hand\n"}, "By hand")
        server.state.pulls["1"]["title"] = "Renamed by a person"
        opened = _open(_rest(server), {"tests/test_tax.py": "# tax\n"}, "another plan")
        assert opened == PullOpened(1, "https://github.test/acme/shop/pull/1", created=False)
        assert {"tests/test_by_hand.py", "tests/test_tax.py", "tests/test_cart.py"} < set(server.state.git.files_at(BRANCH))
        assert _commits(server) == ["Add tests", "By hand", "Add tests"]
        assert (server.state.pulls["1"]["body"], server.state.pulls["1"]["title"]) == (
            f"{MARKER}\nanother plan",
            "Renamed by a person",
        )


def test_after_a_closed_pull_request_the_branch_starts_afresh() -> None:
    """A branch left by a closed pull request is brought to the base's files and ours, forward, and a new one is opened."""
    with GitHubServer(_state()) as server:
        _open(_rest(server), {"tests/test_stale.py": "# stale\n"})
        server.state.pulls["1"]["closed_at"] = "2026-01-02T00:00:00Z"
        old = server.state.git.refs[f"refs/heads/{BRANCH}"]
        server.state.git.push("main", {"NEWS.md": "news\n"})
        assert _open(_rest(server)).number == 2
        assert "tests/test_stale.py" not in server.state.git.files_at(BRANCH)
        assert "NEWS.md" in server.state.git.files_at(BRANCH)
        for older in (old, server.state.git.refs["refs/heads/main"]):
            assert server.state.git.is_ancestor(older, server.state.git.refs[f"refs/heads/{BRANCH}"])


def test_after_a_merge_that_was_reverted() -> None:
    """Files that were merged and taken back can be proposed again, though the branch still has them."""
    with GitHubServer(_state()) as server:
        git = server.state.git
        _open(_rest(server))
        server.state.pulls["1"]["merged_at"] = "2026-01-02T00:00:00Z"
        main, own = git.refs["refs/heads/main"], git.refs[f"refs/heads/{BRANCH}"]
        reverted = git.add_commit({"message": "Revert", "tree": git.commits[main]["tree"], "parents": [main, own]})
        git.refs["refs/heads/main"] = reverted["sha"]
        assert _open(_rest(server)) == PullOpened(2, "https://github.test/acme/shop/pull/2", created=True)


def _requests_of_a_run() -> int:
    with GitHubServer(_state()) as server:
        _open(_rest(server))
        return len(server.requests)


@pytest.mark.parametrize("sends_last", [False, True], ids=["before the request", "after the request"])
def test_cut_off_between_any_two_requests(*, sends_last: bool) -> None:
    """Killed before or after any of its requests, the next run ends with one branch, one commit and one pull request."""
    count = _requests_of_a_run()
    assert count > 8, "there is something to cut"
    for requests in range(count):
        with GitHubServer(_state()) as server:
            with pytest.raises(_CutOff):
                _open(_Dying(_rest(server), requests, sends_last=sends_last))
            _open(_rest(server))
            assert [each["head_ref"] for each in _open_pulls(server)] == [BRANCH], f"after {requests} requests"
            assert _commits(server) == ["Add tests"], f"after {requests} requests"
            assert server.state.git.text_at("tests/test_cart.py", BRANCH) == FILES["tests/test_cart.py"]


@pytest.mark.parametrize("kind", ["before", "after", "drop"])
@pytest.mark.parametrize("path", ["git/trees$", "git/commits$", "git/refs$", "/pulls$"])
def test_github_fails_once(kind: str, path: str) -> None:
    """An answer that is lost or an error, with the request performed or not, is looked after within the same run."""
    with GitHubServer(_state()) as server:
        server.faults.append(Fault("POST", path, kind))
        opened = _open(_rest(server))
        assert (opened.number, opened.created) == (1, True)
        assert len(_open_pulls(server)) == 1
        assert _commits(server) == ["Add tests"]


@pytest.mark.parametrize("place", ["git/commits", "/pulls"])
def test_two_runs_at_once(place: str) -> None:
    """Where another run moves the branch or opens the pull request in between, ours goes on top: one pull request, all files."""

    class Racing(_Dying):
        def send(self, verb: str, path: str, **given: Any) -> Reply:
            if verb == "POST" and path.endswith(place) and self._left > 0:
                self._left = 0
                _open(self._rest, {"tests/test_other.py": "# other\n"}, "the other plan")
            return self._rest.send(verb, path, **{"accept": JSON, **given})

    with GitHubServer(_state()) as server:
        assert _open(Racing(_rest(server), 1, sends_last=True)).number == 1
        assert {"tests/test_other.py", "tests/test_cart.py"} < set(server.state.git.files_at(BRANCH))
        assert len(_open_pulls(server)) == 1


def test_somebody_elses_pull_request_is_left_alone() -> None:
    """A pull request from that branch without our first line is not ours: nothing is written."""
    with GitHubServer(_state()) as server:
        server.state.git.push("main", {"NEWS.md": "news\n"})
        commit = server.state.git.push(BRANCH, {"notes.md": "mine\n"})
        server.state.pulls["3"] = {"head_sha": commit, "head_ref": BRANCH, "base_ref": "main", "body": "My work"}
        with pytest.raises(GitHubError, match=r"#3 from the branch budget-gate-tests/12.*left alone"):
            _open(_rest(server))
        assert server.writes() == []


def test_a_forks_branch_of_that_name_is_not_ours() -> None:
    """A pull request from a fork whose branch has our name does not stop ours, nor is it changed."""
    with GitHubServer(_state()) as server:
        fork = {"head_sha": "f" * 40, "head_ref": BRANCH, "base_ref": "main", "body": MARKER, "head_repo": "acme/shop-fork"}
        server.state.pulls["3"] = dict(fork)
        server.state.pulls["4"] = {**fork, "head_repo": "mallory/shop"}
        assert _open(_rest(server)) == PullOpened(5, "https://github.test/acme/shop/pull/5", created=True)
        assert server.state.pulls["3"] == fork


def test_a_read_only_token_writes_nothing() -> None:
    """A token that may not write is told apart from a failure, before anything is there."""
    with GitHubServer(_state()) as server:
        with pytest.raises(ReadOnlyToken):
            _open(_rest(server, "ghs_reads"))
        assert f"refs/heads/{BRANCH}" not in server.state.git.refs
        assert server.state.pulls == {}


def test_a_token_that_pushes_but_opens_nothing() -> None:
    """Without ``pull-requests: write`` the text says that the files are on the branch, and which permission is missing."""
    missing = "grant the job `permissions: pull-requests: write`"
    with GitHubServer(_state()) as server:
        server.faults.append(Fault("POST", "/pulls$", "before", status=403))
        with pytest.raises(ReadOnlyToken, match=f"files are on the branch {BRANCH}.*{missing}"):
            _open(_rest(server))
        assert _open(_rest(server)).created
        server.faults.append(Fault("PATCH", "/pulls/1$", "before", status=403))
        with pytest.raises(ReadOnlyToken, match=f"files are in #1, .*{missing}"):
            _open(_rest(server), text="another plan")


def test_actions_may_not_open_pull_requests() -> None:
    """Where the repository's settings keep a job from opening pull requests, the text says which setting, and the files are there."""
    with GitHubServer(_state()) as server:
        server.state.may_create_pulls = False
        with pytest.raises(ReadOnlyToken, match="Settings, Actions, General"):
            _open(_rest(server))
        server.state.may_create_pulls = True
        assert _open(_rest(server)).created
        assert _commits(server) == ["Add tests"]


def test_a_repository_without_drafts() -> None:
    """Where there are no drafts, none is opened in another form: the text says that the branch is there."""
    with GitHubServer(_state()) as server:
        server.state.has_drafts = False
        with pytest.raises(GitHubError, match=r"files are on the branch budget-gate-tests/12.*not supported"):
            _open(_rest(server))
        assert server.state.pulls == {}


def test_a_protected_branch() -> None:
    """A branch that the repository's rules protect is a clear refusal."""
    with GitHubServer(_state()) as server:
        _open(_rest(server))
        server.state.git.protected = f"refs/heads/{BRANCH}"
        with pytest.raises(GitHubError, match=r"refuses to move the branch budget-gate-tests/12 .*in the rules of acme/shop"):
            _open(_rest(server), {"tests/test_more.py": "# more\n"})


def test_nothing_to_propose() -> None:
    """Files that the base has already, word for word, are no pull request."""
    with GitHubServer(_state()) as server:
        with pytest.raises(GitHubError, match="main has these files already"):
            _open(_rest(server), {"README.md": "Shop\n"})
        assert f"refs/heads/{BRANCH}" not in server.state.git.refs


def test_no_such_base() -> None:
    """A base that is not there is named."""
    with GitHubServer(_state()) as server, pytest.raises(GitHubError, match="acme/shop has no branch trunk"):
        _open(_rest(server), base="trunk")


def test_only_new_replaces_nothing_of_the_base() -> None:
    """With ``only_new`` a file of the base stays as it is, though a file of our own branch may be replaced."""
    with GitHubServer(_state()) as server:
        with pytest.raises(GitHubError, match=r"tests/test_old\.py is on main already; nothing was written"):
            _open(_rest(server), {**FILES, "tests/test_old.py": "# new\n"}, only_new=["tests/test_old.py"])
        assert server.writes() == []
        _open(_rest(server), only_new=list(FILES))
        _open(_rest(server), {"tests/test_cart.py": "# better\n"}, only_new=list(FILES))
        assert server.state.git.text_at("tests/test_cart.py", BRANCH) == "# better\n"


@pytest.mark.parametrize(("mode", "word"), [("120000", "link"), ("160000", "submodule")])
@pytest.mark.parametrize("path", ["tests/there/test_cart.py", "tests/there"])
def test_no_path_through_a_link_or_submodule(path: str, mode: str, word: str) -> None:
    """What is a link or a submodule in the repository is neither replaced nor passed through."""
    with GitHubServer(_state()) as server:
        git = server.state.git
        git.push("main", {"tests/there": "../elsewhere"})
        git.modes[git.blob("../elsewhere")] = mode
        with pytest.raises(GitHubError, match=f"tests/there is .*a {word}"):
            _open(_rest(server), {path: "# test\n"})
        assert server.writes() == []


def test_a_folder_is_not_replaced_by_a_file() -> None:
    """A path that is a folder in the repository is refused: writing a file there would delete what the folder holds."""
    with GitHubServer(_state()) as server:
        with pytest.raises(GitHubError, match="shop is a folder"):
            _open(_rest(server), {"shop": "# test\n"})
        with pytest.raises(GitHubError, match=r"README\.md is no folder on main but a file"):
            _open(_rest(server), {"README.md/test_a.py": "# test\n"})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x.py",
        "tests/../../x.py",
        "./x.py",
        "tests//x.py",
        ".git/config",
        "a/.GIT/x",
        "a/.git./x",
        "a\\b.py",
        ".github/workflows/x.yml",
        ".GitHub/Workflows/x.yml",
        "tests/a\nb.py",
        "tests/\u202ex.py",
        "x" * 1_001,
    ],
)
def test_a_path_that_leads_elsewhere(path: str) -> None:
    """A path that is not plainly inside the repository, or is a workflow, is refused before any request."""
    with GitHubServer(_state()) as server:
        with pytest.raises(UsageError):
            _open(_rest(server), {path: "x"})
        assert server.requests == []


@pytest.mark.parametrize(
    "branch",
    [
        "",
        "budget-gate",
        "budget-gate/12",
        "a..b",
        "a/",
        "/a",
        "-a",
        "a.lock",
        "a b",
        "a~1",
        "a:b",
        "ä",
        "main",
        "x" * 201,
        "a/.b",
        "a.",
    ],
)
def test_a_branch_that_cannot_be(branch: str) -> None:
    """A branch that git refuses, the base itself, and one in the ledger's way are refused before any request."""
    with GitHubServer(_state()) as server:
        with pytest.raises(UsageError):
            _open(_rest(server), branch=branch)
        assert server.requests == []


@pytest.mark.parametrize(
    "files", [{}, {f"tests/test_{each}.py": "" for each in range(101)}, {"tests/x.py": "x" * (4 * 2**20 + 1)}]
)
def test_too_little_or_too_much(files: dict[str, str]) -> None:
    """No file, too many and too large ones are refused before any request."""
    with GitHubServer(_state()) as server:
        with pytest.raises(UsageError, match="a pull request takes 1 to 100 files of 4 MiB together"):
            _open(_rest(server), files)
        assert server.requests == []
