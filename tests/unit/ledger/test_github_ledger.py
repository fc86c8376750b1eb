"""The ledger on a branch: what it costs in requests, what it leaves on the branch, and what happens when GitHub says no."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fakes import github_git
from fakes.github_ledger import REPOSITORY, GitHubOpener, GitHubStore
from fakes.github_server import Fault
from fakes.github_state import State
from fakes.ledger_requests import actual, admitted, charge, line, request, usd

from budget_gate.core.branch_files import BranchFiles
from budget_gate.core.errors import LedgerError, LedgerReadOnly, LedgerTooNew, LedgerUnavailable
from budget_gate.core.reservations import Waiting
from budget_gate.core.scopes import ORG, Scope
from budget_gate.github.client import Transport
from budget_gate.github.git_data import GitData
from budget_gate.ledger.github import PACE, GitHubLedger, Pace
from budget_gate.ledger.interface import SCHEMA_VERSION
from budget_gate.ledger.verify import verify

MONTH = charge(ORG, "month", line(1_000_000))
TASK = charge(Scope("task", "review/acme/shop#7"), "lifetime", line(1000))


@pytest.fixture
def store() -> Iterator[GitHubStore]:
    """A ledger on a server of its own."""
    opened = GitHubStore()
    yield opened
    opened.close()


def _calls(store: GitHubStore) -> int:
    """Return how many requests there were since this was asked last."""
    count = len(store.server.requests)
    store.server.requests.clear()
    return count


def test_a_reserve_and_a_settle_cost_four_requests_each(store: GitHubStore) -> None:
    """Without contention a reserve is one read and three writes, and so is a settle, from fresh processes and from the first use on."""
    for number in range(3):
        with_reserve, with_settle = store.opener()(), store.opener()()
        taken = admitted(with_reserve.reserve(request(f"k{number}", usd(10), MONTH, TASK)))
        assert _calls(store) == 4
        with_settle.settle(f"s{number}", taken.reservation, actual(usd(3)))
        assert _calls(store) == 4
        with_reserve.close()
        with_settle.close()


def test_looking_writes_nothing(store: GitHubStore) -> None:
    """Reading budgets, showing, sweeping nothing and repeating an answered key leave the branch where it is, with one request each."""
    taken = admitted(store.ledger.reserve(request("k", usd(10), MONTH)))
    at = dict(store.server.state.git.refs)
    _calls(store)
    store.ledger.read([MONTH], "UTC")
    store.ledger.show(taken.reservation)
    store.ledger.sweep(10)
    store.ledger.reserve(request("k", usd(10), MONTH))
    store.ledger.head()
    assert _calls(store) == 5
    assert store.server.state.git.refs == at


def test_the_branch_is_an_orphan(store: GitHubStore) -> None:
    """First use makes the branch with a commit that has no parent; only its own files are on it."""
    store.ledger.reserve(request("k", usd(10), MONTH))
    git = store.server.state.git
    (commit,) = git.commits.values()
    assert commit["parents"] == []
    assert list(git.refs) == ["refs/heads/budget-gate"]
    day = store.ledger.now().date()
    assert [path for path in git.files_at() if not path.startswith("lookup/")] == [
        f"entries/{day:%Y/%m}/{day}.jsonl",
        "state.json",
    ]


def test_a_lost_race_is_decided_anew(store: GitHubStore) -> None:
    """Two that read the same state and both want the last of it: one is admitted, the other looks again and is refused."""
    limited = charge(ORG, "month", line(10))
    store.ledger.record("first use", "note", {}, {})
    store.server.faults.append(Fault("PATCH", "/git/refs/", "barrier", times=2))
    ledgers = [store.opener()() for _ in range(2)]
    decisions: list[str] = []

    def ask(number: int) -> None:
        decisions.append(type(ledgers[number].reserve(request(f"k{number}", usd(10), limited))).__name__)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ledger in ledgers:
        ledger.close()
    assert sorted(decisions) == ["Admitted", "Refused"]
    assert verify(store.ledger).ok


@pytest.mark.parametrize("kind", ["drop", "after", "before"])
@pytest.mark.parametrize("verb", ["POST", "PATCH"])
@pytest.mark.parametrize("path", ["/graphql", "/git/trees", "/git/commits", "/git/refs"])
def test_a_lost_answer_counts_once(store: GitHubStore, kind: str, verb: str, path: str) -> None:
    """Whichever answer is lost, at first use or later, performed or not, the operation is repeated and counts once."""
    if verb == "PATCH":
        store.ledger.record("first use", "note", {}, {})
    store.server.faults.append(Fault("PATCH" if "refs" in path else "POST", path, kind))
    admitted(store.ledger.reserve(request("k", usd(10), MONTH)))
    (state,) = store.ledger.read([MONTH], "UTC")
    assert state.pending == 10
    assert verify(store.ledger).ok


def test_the_first_branch_whose_answer_was_lost_is_found(store: GitHubStore) -> None:
    """When the answer to making the branch is cut off, a look shows that it is ours."""
    store.server.faults.append(Fault("POST", "/git/refs", "drop"))
    assert not admitted(store.ledger.reserve(request("k", usd(10), MONTH))).replayed
    assert store.ledger.head() == 1


def test_two_first_uses_make_one_branch(store: GitHubStore) -> None:
    """Of two processes that both find no branch, one makes it and the other builds on it."""
    store.server.faults.append(Fault("POST", "/git/refs$", "barrier", times=2))
    ledgers = [store.opener()() for _ in range(2)]
    threads = [
        threading.Thread(target=ledger.reserve, args=(request(f"k{number}", usd(1), MONTH),))
        for number, ledger in enumerate(ledgers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ledger in ledgers:
        ledger.close()
    assert store.ledger.head() == 2
    assert verify(store.ledger).ok


def test_a_read_only_token_is_one_clear_line(store: GitHubStore) -> None:
    """A token without `contents: write` reads budgets; its first reserve says which permission is missing."""
    store.ledger.reserve(request("k", usd(10), MONTH))
    reader = GitHubOpener(store.server.url, store.server.token(permission="read"))()
    assert reader.read([MONTH], "UTC")[0].pending == 10
    with pytest.raises(LedgerReadOnly, match="permissions: contents: write") as raised:
        reader.reserve(request("l", usd(10), MONTH))
    assert "\n" not in str(raised.value)
    assert "ghs_reads" not in str(raised.value)
    reader.close()


def test_refusals_of_github_are_clear(store: GitHubStore) -> None:
    """An empty repository, a protected branch, and a repository that is not there each end in one line that says what to do."""
    git = store.server.state.git
    git.is_empty = True
    with pytest.raises(LedgerError, match="push a first commit"):
        store.ledger.record("n", "note", {}, {})
    git.is_empty = False
    store.ledger.record("n", "note", {}, {})
    git.protected = "refs/heads/budget-gate"
    with pytest.raises(LedgerError, match="let workflows push"):
        store.ledger.record("m", "note", {}, {})
    store.server.state.repository = "acme/moved"
    with pytest.raises(LedgerError, match="check the name"):
        store.ledger.head()


def test_an_outage_is_an_outage() -> None:
    """A server that is gone, or that answers nothing but errors, is `LedgerUnavailable`: the policy's on_outage decides."""
    gone = GitHubStore()
    gone.server.faults.append(Fault("POST", "/graphql", "before", status=503, times=99))
    rest = Transport("ghs_writes", gone.server.url, sleep=lambda _: None)
    with pytest.raises(LedgerUnavailable, match="keeps failing"):
        GitHubLedger(GitData(rest, REPOSITORY)).head()
    rest.close()
    gone.close()


def test_a_branch_of_code_is_left_alone(store: GitHubStore) -> None:
    """A branch named budget-gate that somebody made for code is not written to."""
    git = store.server.state.git
    tree = git.add_tree({"tree": [{"path": "README.md", "mode": "100644", "type": "blob", "content": "code"}]})
    commit = git.add_commit({"tree": tree["sha"], "message": "code"})
    git.add_ref({"ref": "refs/heads/budget-gate", "sha": commit["sha"]})
    with pytest.raises(LedgerError, match="is not a ledger; rename that branch"):
        store.ledger.reserve(request("k", usd(1), MONTH))


def _put(store: GitHubStore, path: str, text: str) -> None:
    """Push a commit that changes one file."""
    git = store.server.state.git
    at = git.refs["refs/heads/budget-gate"]
    entry = {"path": path, "mode": "100644", "type": "blob", "content": text}
    tree = git.add_tree({"base_tree": git.commits[at]["tree"], "tree": [entry]})
    made = git.add_commit({"tree": tree["sha"], "message": "by hand", "parents": [at]})
    git.move_ref("heads/budget-gate", {"sha": made["sha"]})


def test_damage_is_named(store: GitHubStore) -> None:
    """A file changed by hand into something unreadable is named, and a newer schema is refused."""
    store.ledger.reserve(request("k", usd(1), MONTH))
    git = store.server.state.git
    state, entries = git.text_at("state.json"), next(path for path in git.files_at() if path.startswith("entries/"))
    _put(store, entries, "{")
    with pytest.raises(LedgerError, match=f"{entries} on the branch budget-gate is damaged"):
        list(store.ledger.entries())
    _put(store, "state.json", state.replace(f'"schema":{SCHEMA_VERSION}', f'"schema":{SCHEMA_VERSION + 1}'))
    with pytest.raises(LedgerTooNew, match="install a newer"):
        store.ledger.head()
    for text in ("{", "[]", '{"schema": 1}'):
        _put(store, "state.json", text)
        with pytest.raises(LedgerError, match=r"state\.json on the branch budget-gate is damaged"):
            store.ledger.head()


def test_an_edited_entry_is_found(store: GitHubStore) -> None:
    """Law 10: an amount edited on the branch breaks the chain, and verify names the entry."""
    taken = admitted(store.ledger.reserve(request("k", usd(10), MONTH)))
    store.ledger.settle("s", taken.reservation, actual(usd(9)))
    path = next(path for path in store.server.state.git.files_at() if path.startswith("entries/"))
    text = store.server.state.git.text_at(path)
    _put(store, path, text.replace("[[9,0,0]", "[[1,0,0]"))
    assert verify(store.ledger).first_bad == (2, None)


def test_long_texts_are_read_whole(store: GitHubStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that GraphQL cuts off is fetched as a blob, so that nothing is missed."""
    monkeypatch.setattr(github_git, "TRUNCATED_BYTES", 300)
    for number in range(5):
        admitted(store.ledger.reserve(request(f"k{number}", usd(1), MONTH, labels={"title": "ü" * 100})))
    assert verify(store.ledger).entries == 5
    assert any("/git/blobs/" in path for _, path in store.server.requests)


def test_a_day_with_many_entries_goes_on_in_parts(store: GitHubStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day's file that grew large is continued in another, and entries stay in order over both."""
    monkeypatch.setattr("budget_gate.ledger.github_files.DAY_FILE_BYTES_MOST", 1000)
    for number in range(12):
        store.ledger.record(f"n{number}", "note", {}, {"text": "x" * 200})
    parts = [path for path in store.server.state.git.files_at() if path.startswith("entries/")]
    assert len(parts) > 2
    assert [entry.seq for entry in store.ledger.entries(after=3)] == [*range(4, 13)]
    assert store.ledger.record("n5", "note", {}, {"text": "x" * 200}).seq == 6


def test_a_year_stays_small_and_whole(store: GitHubStore) -> None:
    """Over 14 simulated months state.json does not grow, old days are folded, and nothing is lost: verify, late settles, counters."""
    start = datetime(2025, 1, 2, 12, tzinfo=UTC)
    held, sizes = [], []
    for week in range(60):
        store.set_time(start + timedelta(weeks=week))
        task, day = charge(Scope("task", f"w/t{week}"), "lifetime", line(99)), charge(ORG, "day", line(99))
        taken = admitted(store.ledger.reserve(request(f"k{week}", usd(5), MONTH, day, task, ttl_seconds=60)))
        if week % 20 == 0:
            held.append(taken.reservation)
        else:
            store.ledger.settle(f"k{week}", taken.reservation, actual(usd(3)))
        sizes.append(len(store.server.state.git.text_at("state.json")))
    paths = store.server.state.git.files_at()
    assert max(sizes[10:]) < max(sizes[:10]) + 3 * 900  # each hold stays at hand until it is settled
    assert "entries/2025.jsonl" in paths
    assert not any(path.startswith("entries/2025/") and path < "entries/2025/12" for path in paths)
    assert sum(path.startswith("counters/") for path in paths) == 2
    for name in held:
        assert store.ledger.settle(f"late {name}", name, actual(usd(4))).state == "posted"
    assert admitted(store.ledger.reserve(request("k1", usd(5), *_charges_of(1)))).replayed
    finding = verify(store.ledger)
    assert (finding.ok, finding.problem) == (True, "")
    assert sum(row.value.posted.nano_usd for row in store.ledger.counters() if row.per == "day") == 57 * 3 + 3 * 4
    old = charge(Scope("task", "w/t1"), "lifetime", line(99))
    assert store.ledger.read([old], "UTC")[0].posted == 3


def _charges_of(week: int) -> list[object]:
    return [MONTH, charge(ORG, "day", line(99)), charge(Scope("task", f"w/t{week}"), "lifetime", line(99))]


def test_tidying_is_bounded(store: GitHubStore) -> None:
    """However much there is to tidy up, one write moves a bounded part of it, and the next ones go on until all is done."""
    start = datetime(2025, 1, 2, 12, tzinfo=UTC)
    store.set_time(start)
    many = [charge(Scope("user", f"u{number}"), "day") for number in range(150)]
    taken = admitted(store.ledger.reserve(request("k", usd(1), *many)))
    store.ledger.settle("k", taken.reservation, actual(usd(1)))
    store.set_time(start + timedelta(days=30))
    left = []
    for number in range(4):
        store.ledger.record(f"n{number}", "note", {}, {})
        left.append(len(json.loads(store.server.state.git.text_at("state.json"))["counters"]))
    assert left == [150 - 64, 150 - 128, 0, 0]
    assert verify(store.ledger).ok


def test_a_race_lost_in_other_words_is_recognized(store: GitHubStore) -> None:
    """GitHub words a lost race in several ways; whichever it is, the branch itself shows that somebody else was first."""
    store.ledger.record("first use", "note", {}, {})
    other = store.opener()()
    git, answer = store.server.state.git, store.server.state.git.move_ref

    def move_late(name: str, body: dict[str, str]) -> dict[str, object]:
        git.move_ref = answer  # type: ignore[method-assign]  # once
        store.server.lock.release()  # somebody else is served meanwhile
        other.record("meanwhile", "note", {}, {})
        store.server.lock.acquire()
        raise github_git.GitRefusal(422, "Reference cannot be updated")

    git.move_ref = move_late  # type: ignore[method-assign]
    assert store.ledger.record("n", "note", {}, {}).seq == 3
    other.close()


def test_a_lagging_copy_is_asked_again(store: GitHubStore) -> None:
    """A read that lacks what this process wrote a moment ago is repeated; one that stays behind is an outage, never an answer."""
    taken = admitted(store.ledger.reserve(request("k", usd(10), MONTH)))
    git = store.server.state.git
    newest = dict(git.refs)
    store.ledger.settle("s", taken.reservation, actual(usd(5)))
    settled = dict(git.refs)
    git.refs = newest
    with pytest.raises(LedgerUnavailable, match="went back behind entry 2"):
        store.ledger.show(taken.reservation)
    lagging, query = [newest, settled], git.query

    def look(repository: str, body: dict[str, object]) -> dict[str, object]:
        git.refs = lagging.pop(0)
        return query(repository, body)

    git.query = look  # type: ignore[method-assign]
    assert store.ledger.show(taken.reservation).state == "posted"


class _AlwaysLate:
    """A store on which somebody else is always first."""

    repository = REPOSITORY

    def __init__(self) -> None:
        self.tries = 0

    def read(self, paths: list[str], commit: str = "") -> BranchFiles:
        return BranchFiles("", "", dict.fromkeys(paths, ""), datetime(2026, 11, 24, tzinfo=UTC))

    def commit(self, snapshot: BranchFiles, files: object, message: str) -> bool:
        self.tries += 1
        return False


def test_a_race_that_is_never_won_ends() -> None:
    """Tries are bounded and ever further apart; in the end the ledger counts as out of reach."""
    store, slept = _AlwaysLate(), list[float]()
    ledger = GitHubLedger(store, sleep=slept.append)  # type: ignore[arg-type]  # it has what a write needs
    with pytest.raises(LedgerUnavailable, match="lost the race"):
        ledger.record("n", "note", {}, {})
    assert store.tries == PACE.tries_most == len(slept) + 1
    assert max(slept) <= PACE.race_seconds_most
    assert sum(slept) < 600


def test_waiting_does_not_hammer_the_api() -> None:
    """Waiters ask again after seconds, not milliseconds, and their place outlives the pause between two tries."""
    store = GitHubStore(State(repository=REPOSITORY))
    ledger = GitHubOpener(store.server.url, pace=Pace())()
    limited = charge(ORG, "month", line(10))
    admitted(ledger.reserve(request("first", usd(10), limited)))
    waits = [ledger.reserve(request(f"w{number}", usd(5), limited, may_wait=True)) for number in range(12)]
    seconds = [each.retry_seconds for each in waits if isinstance(each, Waiting)]
    assert len(seconds) == 12
    assert min(seconds) >= 4
    assert max(seconds) * 2 < PACE.patience.waiter_ttl_seconds
    ledger.close()
    store.close()


def test_the_servers_clock_decides(store: GitHubStore) -> None:
    """Law 9: periods and deadlines come from the Date of GitHub's answer, whatever this machine believes."""
    store.set_time(datetime(2031, 7, 1, 12, 0, tzinfo=UTC))
    taken = admitted(store.ledger.reserve(request("k", usd(1), charge(ORG, "day", line(5)), ttl_seconds=600)))
    assert abs(taken.expires_at - datetime(2031, 7, 1, 12, 10, tzinfo=UTC)) < timedelta(seconds=30)
    assert "entries/2031/07/2031-07-01.jsonl" in store.server.state.git.files_at()
