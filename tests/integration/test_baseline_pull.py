"""``baseline --open-pr`` against a strict GitHub: one pull request that changes the policy's limits and nothing else."""

import difflib
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fakes.command_line import ACME, Ended, run
from fakes.github_server import GitHubServer
from fakes.github_state import State
from fakes.golden import assert_golden
from fakes.history import spend
from fakes.organization import Clock, Organization

from budget_gate import bootstrap
from budget_gate.ledger.memory import MemoryLedger

PATH = ".github/budget-gate.yml"
BRANCH = "ai-budgets/baseline"


class World(NamedTuple):
    """A repository with Acme's policy, checked out in the current folder, and a ledger that has lived for a month."""

    server: GitHubServer
    ledger: MemoryLedger
    clock: Clock
    folder: Path

    def policy_on(self, branch: str) -> str:
        """Return the policy's text on a branch."""
        return self.server.state.git.text_at(PATH, branch)

    def push(self, text: str) -> None:
        """Put a policy on main and into the checkout."""
        self.server.state.git.push("main", {PATH: text})
        (self.folder / PATH).write_bytes(text.encode())

    def branches(self) -> list[str]:
        """Return what branches there are."""
        return sorted(name.removeprefix("refs/heads/") for name in self.server.state.git.refs)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world."""
    clock = Clock()
    ledger = MemoryLedger(clock)
    Organization(5, days=30, teams=1).write(ledger, clock)
    clock.now = datetime(2026, 1, 31, 9, tzinfo=UTC)
    monkeypatch.setattr(bootstrap, "open_ledger", lambda *_: ledger)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".github").mkdir()
    with GitHubServer(State()) as server:
        for name, value in {"API_URL": server.url, "TOKEN": "ghs_writes", "REPOSITORY": "acme/shop"}.items():
            monkeypatch.setenv(f"GITHUB_{name}", value)
        monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
        monkeypatch.setattr("sys.stdin", io.StringIO())
        server.state.git.push("main", {"README.md": "Shop\n", "src/cart.py": "x = 1\n"})
        found = World(server, ledger, clock, tmp_path)
        found.push(Path(ACME).read_text())
        yield found


def propose(*arguments: str) -> Ended:
    """Run the command in the checkout."""
    return run("baseline", "--ledger", "memory://", *arguments)


def the_pull(world: World) -> dict[str, Any]:
    """Return the only pull request."""
    (pull,) = world.server.state.pulls.values()
    return pull


def test_a_pull_request_with_the_proposal_and_the_replay(world: World) -> None:
    """It is no draft, changes the policy's limits alone, says what the past would have met, and that it cost nothing."""
    ended = propose("--open-pr", "--yes", "--json")
    pull = the_pull(world)
    assert (ended.code, ended.document()["pull_url"]) == (0, "https://github.test/acme/shop/pull/1")
    assert (pull["draft"], pull["head_ref"], pull["base_ref"]) == (False, BRANCH, "main")
    assert pull["title"] == "AI budgets from 60 days of use"
    assert_golden("baseline_pull.md", pull["body"])
    git = world.server.state.git
    assert {path: git.text_at(path, BRANCH) for path in ("README.md", "src/cart.py")} == {
        "README.md": "Shop\n",
        "src/cart.py": "x = 1\n",
    }
    lines = difflib.unified_diff(world.policy_on("main").splitlines(), world.policy_on(BRANCH).splitlines(), n=0, lineterm="")
    changed = [line for line in lines if line[0] in "+-" and not line.startswith(("---", "+++"))]
    assert all("usd" in line or line in ADDED for line in changed), changed
    assert "# the last 20 % is for workflows marked `critical`" in world.policy_on(BRANCH)


ADDED = ("+  - scope: team/team0", "+  - scope: project/acme/shop", "+    limits:")


def test_a_second_run_updates_the_one_pull_request(world: World) -> None:
    """More spending, and another run: the same branch, the same pull request, other numbers. A third run changes nothing."""
    assert propose("--open-pr", "--yes").code == 0
    first = world.policy_on(BRANCH), the_pull(world)["body"]
    world.clock.now += timedelta(hours=1)
    spend(world.ledger, "more", 50 * 10**9, team="team0", user="alice")
    world.clock.now += timedelta(days=1)
    ended = propose("--open-pr", "--yes")
    second = world.policy_on(BRANCH), the_pull(world)["body"]
    assert "updated #1" in ended.err
    assert first[0] != second[0]
    assert first[1] != second[1]
    writes = len(world.server.writes())
    assert propose("--open-pr", "--yes").code == 0
    assert (world.policy_on(BRANCH), the_pull(world)["body"]) == second
    assert [path for _, path in world.server.writes()[writes:] if "/git/refs" in path or "/pulls" in path] == []
    assert world.branches() == [BRANCH, "main"]


def test_nothing_leaves_without_the_flag(world: World) -> None:
    """Without --open-pr GitHub is not asked anything; --yes alone is wrong usage."""
    assert propose().code == 0
    assert propose("--yes").code == 2
    assert world.server.writes() == []


@pytest.mark.parametrize(("answer", "opened"), [("n\n", 0), ("\n", 0), ("y\n", 1)])
def test_on_a_terminal_it_asks(world: World, monkeypatch: pytest.MonkeyPatch, answer: str, opened: int) -> None:
    """Whoever sits at a terminal is asked first, with the repository and the file; anything but yes opens nothing."""

    class Terminal(io.StringIO):
        """A terminal on which somebody has typed."""

        def isatty(self) -> bool:
            """Say so."""
            return True

    monkeypatch.setattr("sys.stdin", Terminal(answer))
    ended = propose("--open-pr")
    assert (ended.code, len(world.server.state.pulls)) == (0, opened)
    assert f"Open a pull request in acme/shop that changes {PATH}?" in ended.err


def test_a_token_that_may_not_write_is_one_clear_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only token ends in one line that names the permissions, and exit 4; nothing is left behind."""
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_reads")
    ended = propose("--open-pr", "--yes")
    assert ended.code == 4
    assert "contents: write" in ended.err
    assert "pull-requests: write" in ended.err
    assert ended.err.count("\n") == 1
    assert world.branches() == ["main"]


def test_a_policy_that_is_not_the_branchs_is_not_proposed(world: World) -> None:
    """A checkout behind or ahead of main, or a policy that is not on it, is refused: nobody's change is taken back."""
    world.server.state.git.push("main", {PATH: Path(ACME).read_text().replace("800", "900")})
    behind = propose("--open-pr", "--yes")
    (world.folder / "other.yml").write_text(Path(ACME).read_text())
    elsewhere = propose("--open-pr", "--yes", "--policy", "other.yml")
    outside = propose("--open-pr", "--yes", "--policy", ACME)
    assert [each.code for each in (behind, elsewhere, outside)] == [2, 2, 2]
    assert "differs from the one on main" in behind.err
    assert "other.yml is not on the branch main" in elsewhere.err
    assert "below the root of the repository" in outside.err
    assert world.server.state.pulls == {}


def test_line_ends_and_a_byte_order_mark_stay(world: World) -> None:
    """A policy saved on Windows keeps its line ends and its mark; the added lines have them, too."""
    world.push("\ufeff" + Path(ACME).read_text().replace("\n", "\r\n"))
    assert propose("--open-pr", "--yes").code == 0
    text = world.policy_on(BRANCH)
    assert text.startswith("\ufeff#")
    assert text.count("\n") == text.count("\r\n")
    assert "# every user has a counter of their own\r\n" in text


def test_without_a_repository_it_says_what_to_set(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token or a repository the line names both variables."""
    monkeypatch.delenv("GITHUB_TOKEN")
    ended = propose("--open-pr", "--yes")
    assert (ended.code, "GITHUB_TOKEN and GITHUB_REPOSITORY" in ended.err) == (2, True)


def test_a_proposal_that_is_in_force_opens_nothing(world: World) -> None:
    """Once the limits are merged, another run has nothing to change and says so."""
    assert propose("--open-pr", "--yes").code == 0
    world.push(world.policy_on(BRANCH))
    world.server.state.pulls.clear()
    ended = propose("--open-pr", "--yes")
    assert (ended.code, world.server.state.pulls) == (0, {})
    assert "nothing to change" in ended.err
