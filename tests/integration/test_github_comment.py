"""The sticky comment against the fake GitHub: one of ours, whatever goes wrong and whoever writes at the same time."""

import subprocess
import time
from collections.abc import Callable

import pytest
from fakes.github_parties import MARKER, answers, comment, party, state
from fakes.github_server import Fault, GitHubServer

from budget_gate.core.errors import GitHubError, ReadOnlyToken
from budget_gate.github.client import GitHubClient
from budget_gate.github.interface import PostedComment

BOT = "github-actions[bot]"
COMMENTS = r"/issues/7/comments$"
ONE_COMMENT = r"/issues/comments/\d+$"


def _client(server: GitHubServer, token: str = "ghs_writes", sleep: Callable[[float], None] = lambda _: None) -> GitHubClient:
    return GitHubClient(token, server.url, "acme/shop", sleep=sleep)


def _put(client: GitHubClient, run: int, text: str, attempt: int = 1) -> PostedComment:
    return client.put_comment(7, MARKER, f"{MARKER}\n{text}", run, attempt)


def _held_up(server: GitHubServer, call: tuple[str, dict[str, object]]) -> "subprocess.Popen[str]":
    """Start a process and return once it has listed the comments and waits for the one it means to change."""
    server.faults.append(Fault("GET", ONE_COMMENT, "slow", seconds=0.5))
    seen = len(server.requests)
    slow = party(server.url, "ghs_writes", call)
    while not any("/issues/comments/" in path for _, path in server.requests[seen:]):
        time.sleep(0.01)
    return slow


def _bodies(server: GitHubServer) -> list[str]:
    return [each["body"] for each in server.state.comments]


def _body(run: str, text: str) -> str:
    return f"{MARKER}\n<!-- budget-gate-run:{run} -->\n{text}"


def test_created_then_updated() -> None:
    """The first run creates the comment, the next one changes that same comment."""
    with GitHubServer(state()) as server, _client(server) as client:
        first, second = _put(client, 1, "first"), _put(client, 2, "second")
        assert first == second == PostedComment("https://github.test/acme/shop/pull/7#issuecomment-1001")
        assert _bodies(server) == [_body("2.1", "second")]


def test_saying_the_same_again_writes_nothing() -> None:
    """A repeated call with the same text changes nothing, so nobody is notified."""
    with GitHubServer(state()) as server, _client(server) as client:
        _put(client, 1, "same")
        before = len(server.writes())
        _put(client, 1, "same")
        assert len(server.writes()) == before


@pytest.mark.parametrize(("run", "attempt"), [(4, 9), (5, 1)])
def test_an_older_run_leaves_the_newer_comment(run: int, attempt: int) -> None:
    """A run with a lower number, or an earlier attempt of the same one, writes nothing and says so."""
    with GitHubServer(state()) as server, _client(server) as client:
        _put(client, 5, "newer", 2)
        before = len(server.writes())
        assert _put(client, run, "older", attempt).kept_newer
        assert _bodies(server) == [_body("5.2", "newer")]
        assert len(server.writes()) == before


def test_found_behind_hundreds_of_comments() -> None:
    """Our comment is found on the fourth page and changed; no second one is made."""
    with GitHubServer(state()) as server, _client(server) as client:
        for at in range(350):
            server.state.add_comment(7, "alice", f"remark {at}")
        ours = server.state.add_comment(7, BOT, _body("1.1", "old"))
        for at in range(60):
            server.state.add_comment(7, "bob", f"answer {at}")
        assert _put(client, 2, "new").url.endswith(f"-{ours}")
        assert [body for body in _bodies(server) if MARKER in body] == [_body("2.1", "new")]


def test_a_strangers_marker_is_ignored() -> None:
    """A comment of another account that carries our marker is neither changed, deleted nor believed."""
    forged = _body("999999999.1", "Budget: all fine")
    with GitHubServer(state()) as server, _client(server) as client:
        server.state.add_comment(7, "mallory", forged)
        server.state.add_comment(7, "other-app[bot]", forged)
        assert not _put(client, 1, "true").kept_newer
        assert _bodies(server) == [forged, forged, _body("1.1", "true")]


def test_our_marker_counts_only_at_the_top() -> None:
    """A comment that our account wrote for another purpose, quoting the marker, is left alone."""
    quoting = f"> {MARKER}\nand\n{_body('9.9', 'quoted')}"
    with GitHubServer(state()) as server, _client(server) as client:
        server.state.add_comment(7, BOT, quoting)
        _put(client, 1, f"text\n<!-- budget-gate-run:77.1 -->\n{MARKER}")
        assert not _put(client, 2, "newer").kept_newer
        assert _bodies(server) == [quoting, _body("2.1", "newer")]


def test_workflows_keep_separate_comments() -> None:
    """Another workflow's marker, even one that begins alike, is another comment."""
    with GitHubServer(state()) as server, _client(server) as client:
        _put(client, 1, "review")
        client.put_comment(7, "<!-- budget-gate:ci_cd_review2 -->", "<!-- budget-gate:ci_cd_review2 -->\nother", 1, 1)
        assert len(_bodies(server)) == 2


@pytest.mark.parametrize("kind", ["after", "drop"])
def test_a_lost_answer_makes_no_second_comment(kind: str) -> None:
    """When GitHub creates the comment but the answer is lost, the retry finds it."""
    with GitHubServer(state()) as server, _client(server) as client:
        server.faults.append(Fault("POST", COMMENTS, kind))
        assert _put(client, 1, "text").url.endswith("-1001")
        assert _bodies(server) == [_body("1.1", "text")]


def test_a_refused_answer_is_tried_again() -> None:
    """When GitHub fails before creating the comment, the next try creates it."""
    with GitHubServer(state()) as server, _client(server) as client:
        server.faults.append(Fault("POST", COMMENTS, "before", times=2))
        _put(client, 1, "text")
        assert _bodies(server) == [_body("1.1", "text")]


def test_a_server_that_keeps_failing_is_an_error_in_the_end() -> None:
    """Tries are bounded, and what is left is one clear error."""
    with GitHubServer(state()) as server, _client(server) as client:
        server.faults.append(Fault("POST", COMMENTS, "before", times=99))
        with pytest.raises(GitHubError, match="changed at every try"):
            _put(client, 1, "text")
        assert len(server.writes()) == 5


def test_two_processes_posting_at_once_leave_one_comment() -> None:
    """Both processes find nothing and both create; afterwards one comment is left, with the newer run's text."""
    with GitHubServer(state()) as server:
        server.faults.append(Fault("POST", COMMENTS, "barrier", times=2))
        for each in answers(
            party(server.url, "ghs_writes", comment(5, "older")), party(server.url, "ghs_writes", comment(6, "newer"))
        ):
            assert each[0][0].endswith(f"-{server.state.comments[0]['id']}")
        assert _bodies(server) == [_body("6.1", "newer")]
        assert [path.rpartition("/")[2] for verb, path in server.writes() if verb == "POST"].count("comments") == 2


def test_four_processes_several_times_leave_one_comment() -> None:
    """More writers, each posting several runs, still end in one comment that carries the newest run."""
    with GitHubServer(state()) as server:
        server.faults.append(Fault("POST", COMMENTS, "barrier", times=4))
        parties = [
            party(server.url, "ghs_writes", *(comment(10 * turn + at, f"{turn}-{at}") for turn in (1, 2, 3))) for at in range(4)
        ]
        answers(*parties)
        assert _bodies(server) == [_body("33.1", "3-3")]


def test_a_newer_run_that_came_between_looking_and_writing_stays() -> None:
    """An older run that is held up after it looked finds the newer text before it writes."""
    with GitHubServer(state()) as server, _client(server) as client:
        _put(client, 4, "before")
        slow = _held_up(server, comment(5, "older"))
        _put(client, 6, "newer")
        assert answers(slow)[0][0][1] is True
        assert _bodies(server) == [_body("6.1", "newer")]


def test_an_older_run_held_up_while_writing_does_not_win() -> None:
    """A newer run that arrives while an older one's change is on its way waits for it, and so has the last word."""
    with GitHubServer(state()) as server, _client(server, sleep=time.sleep) as client:
        _put(client, 4, "before")
        server.faults.append(Fault("PATCH", ONE_COMMENT, "slow", seconds=1.0))
        slow = party(server.url, "ghs_writes", comment(5, "older"))
        while not any(verb == "PATCH" for verb, _ in server.requests):
            time.sleep(0.01)
        assert not _put(client, 6, "newer").kept_newer
        assert answers(slow)[0][0][1] is False
        assert _bodies(server) == [_body("6.1", "newer")]


def test_a_change_is_made_under_a_lock_that_is_given_back() -> None:
    """Reading and changing stand between taking and returning the lock, also when the token may not write after all."""
    with GitHubServer(state()) as server, _client(server) as client:
        _put(client, 1, "old")
        seen = len(server.requests)
        _put(client, 2, "new")
        steps = [(verb, path.rpartition("comments")[2]) for verb, path in server.requests[seen + 1 :]]
        assert steps[0] == ("POST", "/1001/reactions")
        assert [verb for verb, _ in steps] == ["POST", "GET", "PATCH", "GET", "DELETE"]
        server.faults.append(Fault("PATCH", ONE_COMMENT, "before", status=403))
        with pytest.raises(ReadOnlyToken):
            _put(client, 3, "newer")
        assert server.state.comments[0]["reactions"] == []


def test_a_dead_writers_lock_is_taken_over() -> None:
    """A lock that nobody gives back is waited for a bounded time and then taken over."""
    waits: list[float] = []
    with GitHubServer(state()) as server, _client(server, sleep=waits.append) as client:
        _put(client, 1, "old")
        server.state.comments[0]["reactions"] = [{"id": 1, "login": BOT, "content": "eyes"}]
        _put(client, 2, "new")
        assert _bodies(server) == [_body("2.1", "new")]
        assert server.state.comments[0]["reactions"] == []
        assert 5 < sum(waits) < 7


def test_a_readers_reaction_is_no_lock() -> None:
    """Somebody else's eyes on the comment neither hold us up nor are taken away."""
    waits: list[float] = []
    with GitHubServer(state()) as server, _client(server, sleep=waits.append) as client:
        _put(client, 1, "old")
        eyes = {"id": 1, "login": "alice", "content": "eyes"}
        server.state.comments[0]["reactions"] = [eyes]
        _put(client, 2, "new")
        assert (server.state.comments[0]["reactions"], waits) == ([eyes], [])


def test_without_reactions_the_comment_is_changed_all_the_same() -> None:
    """Where the token may not react, the change is made without a lock."""
    with GitHubServer(state()) as server, _client(server) as client:
        _put(client, 1, "old")
        server.faults.append(Fault("POST", r"/reactions$", "before", status=403, times=9))
        _put(client, 2, "new")
        assert _bodies(server) == [_body("2.1", "new")]


def test_duplicates_of_the_past_are_merged() -> None:
    """Comments of ours that an accident left behind become one: the oldest place, the newest text."""
    with GitHubServer(state()) as server, _client(server) as client:
        kept = server.state.add_comment(7, BOT, _body("3.1", "three"))
        server.state.add_comment(7, BOT, _body("9.1", "nine"))
        server.state.add_comment(7, BOT, f"{MARKER}\nwithout a run")
        posted = _put(client, 5, "five")
        assert (posted.kept_newer, posted.url.endswith(f"-{kept}")) == (True, True)
        assert _bodies(server) == [_body("9.1", "nine")]


def test_a_comment_deleted_meanwhile_is_created_anew() -> None:
    """When somebody deletes our comment between look and write, a new one is made."""
    with GitHubServer(state()) as server, _client(server) as client:
        _put(client, 1, "old")
        slow = _held_up(server, comment(2, "new"))
        server.state.comments.clear()
        assert answers(slow)[0][0][1] is False
        assert _bodies(server) == [_body("2.1", "new")]


def test_a_fork_may_not_comment() -> None:
    """A read-only token gets ``ReadOnlyToken`` with GitHub's reason, and nothing is tried twice."""
    with GitHubServer(state(head_repo="eve/shop")) as server, _client(server, "ghs_reads") as client:
        with pytest.raises(ReadOnlyToken, match="Resource not accessible by integration"):
            _put(client, 1, "text")
        assert len(server.writes()) == 1
        assert client.pull_request(7).is_fork


@pytest.mark.parametrize(
    ("token", "graphql_works"), [("ghp_alice", True), ("ghs_other", True), ("ghs_other", False), ("ghs_writes", False)]
)
def test_our_name_is_found_for_every_kind_of_token(token: str, graphql_works: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """People's tokens, apps and workflows all recognize their own comment; where no one tells, the created comment does."""
    with GitHubServer({**state(), "graphql_works": graphql_works}) as server, _client(server, token) as client:
        _put(client, 1, "first")
        _put(client, 2, "second")
        assert _bodies(server) == [_body("2.1", "second")]


def test_a_body_beyond_githubs_limit_is_cut() -> None:
    """A text that GitHub would refuse for its length is shortened and says so."""
    with GitHubServer(state()) as server, _client(server) as client:
        _put(client, 1, "long \N{PILE OF POO} " * 20_000)
        (body,) = _bodies(server)
        assert len(body) == 65_536
        assert body.endswith("*Shortened to what fits into one comment; the job summary has the rest.*\n")
