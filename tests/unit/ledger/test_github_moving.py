"""Moving a ledger onto a branch and off it: one commit or nothing, what nobody works on put away at once, and read back from there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contract.ledgers import OffsetClock
from fakes.command_line import ACME, run
from fakes.github_ledger import REPOSITORY, GitHubOpener, GitHubStore
from fakes.ledger_requests import actual, admitted, charge, line, request, usd

from budget_gate.core.errors import LedgerError, LedgerReadOnly
from budget_gate.core.scopes import ORG, Scope
from budget_gate.github import git_data
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.ledger.moving import copy_ledger, movable
from budget_gate.ledger.verify import verify

LIMITS = (charge(ORG, "month", line(20, mode="advise")), charge(ORG, "hour", line(1_000_000)))


@pytest.fixture
def store() -> Iterator[GitHubStore]:
    """An empty branch on a server of its own."""
    opened = GitHubStore()
    yield opened
    opened.close()


def nobody(_: int) -> None:
    """Take no notice of progress."""


def a_year(start: datetime) -> tuple[MemoryLedger, list[str]]:
    """Return a ledger in memory that was used every fifth day for a year, each time for a task of its own; and its reservations."""
    clock = OffsetClock()
    ledger = MemoryLedger(clock)
    made = []
    for number in range(73):
        clock.set_time(start + timedelta(days=5 * number))
        task = charge(Scope("task", f"review/acme/shop#{number}"), "lifetime", line(1000))
        taken = admitted(ledger.reserve(request(f"k{number}", usd(10, 3, 1), *LIMITS, task)))
        ledger.settle(f"s{number}", taken.reservation, actual(usd(4, 2, 1)))
        made.append(taken.reservation)
    for each in ledger.claim_deliveries("me", 1000, 60)[:-2]:
        assert ledger.acknowledge(each.delivery, "me")
    return ledger, made


def test_a_ledger_arrives_with_one_commit_however_many_requests_carry_it(
    store: GitHubStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A big ledger is sent in portions, each tree the base of the next, and only the whole of it becomes a commit."""
    monkeypatch.setattr(git_data, "TREE_FILES_MOST", 20)
    monkeypatch.setattr(git_data, "TREE_BYTES_MOST", 20_000)
    source, made = a_year(datetime.now(UTC) - timedelta(days=365))
    assert copy_ledger(source, store.ledger, nobody).entries == source.head()
    git = store.server.state.git
    assert (len(git.commits), len(git.refs)) == (1, 1)
    assert len(git.trees) > 5
    assert [store.ledger.show(each) for each in made] == [source.show(each) for each in made]


def test_what_is_over_is_put_away_at_once_and_comes_back(store: GitHubStore) -> None:
    """A year of hours and tasks does not lie in the file that every operation reads; counters, crossings and messages return whole."""
    source, _ = a_year(datetime.now(UTC) - timedelta(days=365))
    copy_ledger(source, store.ledger, nobody)
    git = store.server.state.git
    assert len(git.text_at("state.json")) < 12_000
    assert '"warn"' in git.text_at(next(path for path in git.files_at() if path.startswith("counters/")))
    assert sum(path.startswith("entries/") for path in git.files_at()) < 25
    back = MemoryLedger()
    copy_ledger(store.ledger, back, nobody)
    assert sorted(back.counters()) == sorted(store.ledger.counters()) == sorted(source.counters())
    assert list(back.entries()) == list(source.entries())
    there, here = [sorted(map(repr, movable(each).dump())) for each in (source, back)]
    assert there == here
    assert verify(store.ledger).ok


def test_somebody_who_writes_meanwhile_wins(store: GitHubStore) -> None:
    """If the branch moves while it is filled, nothing of the copy is stored, and the line says what to do."""
    source, _ = a_year(datetime.now(UTC) - timedelta(days=365))
    other = store.opener()()

    def records() -> Iterator[object]:
        yield from source.dump()
        other.record("first", "outcome", {}, {})

    with pytest.raises(LedgerError, match="nothing was stored; stop the runners"):
        store.ledger.load(records())  # type: ignore[arg-type]
    assert [each.parsed().kind for each in store.ledger.entries()] == ["outcome"]
    other.close()


def test_a_token_that_only_reads_fills_no_branch(store: GitHubStore) -> None:
    """The refusal names the permission, and no branch is made."""
    source, _ = a_year(datetime.now(UTC) - timedelta(days=365))
    reader: Ledger = GitHubOpener(store.server.url, token="ghs_reads")()
    with pytest.raises(LedgerReadOnly, match="contents: write"):
        copy_ledger(source, reader, nobody)
    assert store.server.state.git.refs == {}
    reader.close()


def test_a_team_grows_on_the_command_line(store: GitHubStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``ledger copy`` moves a branch into a file and ``verify --against`` finds the two the same; a second copy is refused."""
    store.ledger.record("mine", "outcome", {}, {})
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_writes")
    monkeypatch.setenv("GITHUB_API_URL", store.server.url)
    branch, copy = f"github://{REPOSITORY}", f"sqlite:///{tmp_path / 'copy.db'}"
    ended = run("ledger", "copy", branch, copy, "--policy", ACME, "--json")
    assert (ended.code, ended.document()["entries"]) == (0, 1)
    assert run("ledger", "verify", "--against", copy, "--policy", ACME, "--ledger", branch).code == 0
    assert run("ledger", "copy", copy, branch, "--policy", ACME).code == 5
