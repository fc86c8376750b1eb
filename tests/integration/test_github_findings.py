"""Inline review comments against the fake GitHub: each finding once, on lines that the diff has."""

import pytest
from fakes.github_parties import HEAD, MARKER, answers, party, state
from fakes.github_server import Fault, GitHubServer

from budget_gate.core.errors import GitHubError, ReadOnlyToken
from budget_gate.core.pull_requests import Finding
from budget_gate.github.client import GitHubClient
from budget_gate.github.interface import InlineComment

REVIEWS = r"/pulls/7/reviews$"
BUG = Finding("shop/cart.py", 2, 3, "RIGHT", "high", "bug", "The sum is kept twice.")
OLD = Finding("shop/cart.py", 2, 2, "LEFT", "low", "style", "Gone.")
SECOND = Finding("shop/cart.py", 22, 22, "RIGHT", "low", "bug", "Why two?")
OUTSIDE = Finding("shop/cart.py", 400, 400, "RIGHT", "low", "bug", "Not in the diff.")
ELSEWHERE = Finding("shop/other.py", 1, 1, "RIGHT", "low", "bug", "No such file.")


def _client(server: GitHubServer, token: str = "ghs_writes") -> GitHubClient:
    return GitHubClient(token, server.url, "acme/shop", sleep=lambda _: None)


def _post(client: GitHubClient, *findings: Finding, marker: str = MARKER) -> int:
    comments = [InlineComment(each, f"**{each.severity}** {each.text}") for each in findings]
    return client.post_findings(client.pull_request(7), marker, comments)


def _texts(server: GitHubServer) -> list[str]:
    return [each["body"].partition("\n")[0] for each in server.state.review_comments]


def _posts(server: GitHubServer) -> list[str]:
    return [path.rpartition("/")[2] for verb, path in server.writes() if verb == "POST"]


def test_posted_as_one_review_on_their_lines() -> None:
    """All findings go out in one review, each on its side and range of lines."""
    with GitHubServer(state()) as server, _client(server) as client:
        assert _post(client, BUG, OLD, SECOND) == 3
        assert _posts(server) == ["reviews"]
        places = [(each["start_line"], each["line"], each["side"]) for each in server.state.review_comments]
        assert places == [(2, 3, "RIGHT"), (None, 2, "LEFT"), (None, 22, "RIGHT")]


def test_a_rerun_repeats_nothing() -> None:
    """The same findings again, in other words of case and spacing and on lines that moved, write nothing."""
    with GitHubServer(state()) as server, _client(server) as client:
        _post(client, BUG, SECOND)
        moved = BUG._replace(line=3, end_line=3, text="the  SUM is\nkept twice.", severity="low")
        assert _post(client, moved, SECOND) == 0
        assert _posts(server) == ["reviews"]


def test_only_what_is_new_is_posted() -> None:
    """A run that finds one thing more posts that one."""
    with GitHubServer(state()) as server, _client(server) as client:
        _post(client, BUG)
        assert _post(client, BUG, OLD) == 1
        assert _texts(server) == ["**high** The sum is kept twice.", "**low** Gone."]


@pytest.mark.parametrize(
    "other",
    [
        BUG._replace(path="shop/cart.py", side="LEFT", line=2, end_line=2),
        BUG._replace(category="security"),
        BUG._replace(text="Else."),
    ],
)
def test_what_makes_a_finding_another_one(other: Finding) -> None:
    """Side, category and text tell findings apart; each is posted."""
    with GitHubServer(state()) as server, _client(server) as client:
        assert (_post(client, BUG), _post(client, BUG, other)) == (1, 1)


def test_workflows_do_not_silence_each_other() -> None:
    """What one workflow posted does not count as posted by another."""
    with GitHubServer(state()) as server, _client(server) as client:
        assert (_post(client, BUG), _post(client, BUG, marker="<!-- budget-gate:other -->")) == (1, 1)


def test_equal_findings_on_two_lines_are_two() -> None:
    """The same remark on two lines is posted twice, and not again on a re-run."""
    with GitHubServer(state()) as server, _client(server) as client:
        twice = [BUG._replace(line=2, end_line=2), BUG._replace(line=3, end_line=3)]
        assert [_post(client, *twice), _post(client, *twice), len(_texts(server))] == [2, 0, 2]


def test_found_behind_hundreds_of_review_comments() -> None:
    """What we posted is recognized on a late page."""
    with GitHubServer(state()) as server, _client(server) as client:
        _post(client, BUG)
        ours = server.state.review_comments.pop()
        server.state.review_comments += [{"id": at, "pull": 7, "login": "bob", "body": "hm"} for at in range(1, 331)]
        server.state.review_comments.append(ours)
        assert _post(client, BUG) == 0


def test_a_stranger_cannot_silence_a_finding() -> None:
    """A comment of another account with a copied fingerprint does not count, nor does ours when it only quotes one."""
    with GitHubServer(state()) as server, _client(server) as client:
        _post(client, BUG)
        copied = server.state.review_comments.pop()["body"]
        server.state.reviews = [each | {"login": "mallory"} for each in server.state.reviews]
        server.state.review_comments.append({"id": 1, "pull": 7, "login": "mallory", "body": copied})
        server.state.review_comments.append({"id": 2, "pull": 7, "login": "github-actions[bot]", "body": f"{copied}\nquoted"})
        assert _post(client, BUG) == 1


def test_a_line_outside_the_diff_costs_only_itself() -> None:
    """When GitHub refuses the review, the valid findings are posted one by one and the others left out."""
    with GitHubServer(state()) as server, _client(server) as client:
        assert _post(client, OUTSIDE, BUG, ELSEWHERE, SECOND) == 2
        assert _texts(server) == ["**high** The sum is kept twice.", "**low** Why two?"]
        assert _post(client, OUTSIDE, BUG, ELSEWHERE, SECOND) == 0


@pytest.mark.parametrize("kind", ["after", "drop"])
def test_a_lost_answer_posts_nothing_twice(kind: str) -> None:
    """When the review was made but the answer is lost, the retry finds it and counts it as new."""
    with GitHubServer(state()) as server, _client(server) as client:
        server.faults.append(Fault("POST", REVIEWS, kind))
        assert _post(client, BUG, SECOND) == 2
        assert len(_texts(server)) == 2


def test_a_lost_answer_among_single_comments_posts_nothing_twice() -> None:
    """The same holds half-way through posting one by one."""
    with GitHubServer(state()) as server, _client(server) as client:
        server.faults.append(Fault("POST", r"/pulls/7/comments$", "after", skip=1))
        assert _post(client, BUG, OUTSIDE, SECOND) == 2
        assert len(_texts(server)) == 2


def test_a_server_that_keeps_failing_is_an_error() -> None:
    """After a few tries there is one clear error."""
    with GitHubServer(state()) as server, _client(server) as client:
        server.faults.append(Fault("POST", REVIEWS, "before", times=9))
        with pytest.raises(GitHubError, match="could not be posted"):
            _post(client, BUG)
        assert _posts(server) == ["reviews"] * 3


def test_no_more_than_fifty_at_once() -> None:
    """A run posts fifty new comments at most; the next run posts the rest."""
    findings = [SECOND._replace(text=f"Remark {at}.") for at in range(70)]
    with GitHubServer(state()) as server, _client(server) as client:
        assert [_post(client, *findings), _post(client, *findings), _post(client, *findings)] == [50, 20, 0]


def test_two_processes_posting_at_once_leave_each_finding_once() -> None:
    """Both find nothing and both post; afterwards every finding is there once."""
    with GitHubServer(state()) as server:
        server.faults.append(Fault("POST", REVIEWS, "barrier", times=2))
        call = ("post_findings", [list(BUG), list(SECOND)])
        counts = answers(*(party(server.url, "ghs_writes", call) for _ in range(2)))
        assert sorted(_texts(server)) == ["**The sum is kept twice.**", "**Why two?**"]
        assert sorted(counts) == [[0], [2]]


def test_a_fork_may_not_review() -> None:
    """A read-only token gets ``ReadOnlyToken``."""
    with GitHubServer(state()) as server, _client(server, "ghs_reads") as client, pytest.raises(ReadOnlyToken):
        _post(client, BUG)


def test_nothing_to_post_asks_nothing() -> None:
    """Without findings there is no request."""
    with GitHubServer(state()) as server, _client(server) as client:
        pull = client.pull_request(7)
        assert client.post_findings(pull, MARKER, []) == 0
        assert [path for _, path in server.requests] == ["/repos/acme/shop/pulls/7"]
        assert pull.head_sha == HEAD


def test_a_deleted_remark_is_not_made_again() -> None:
    """Somebody deleted our remark: the review that carried it remembers, whatever becomes of the comment; new ones are posted."""
    with GitHubServer(state()) as server, _client(server) as client:
        assert _post(client, BUG, SECOND) == 2
        server.state.review_comments = [each for each in server.state.review_comments if "The sum" not in each["body"]]
        assert _post(client, BUG, SECOND) == 0
        assert _post(client, BUG._replace(line=3), SECOND, OLD) == 1
        assert _texts(server) == ["**low** Why two?", "**low** Gone."]


def test_a_remark_that_is_resolved_or_outdated_is_not_made_again() -> None:
    """A resolved, hidden or outdated comment is still listed, without a line when it is outdated; that is enough."""
    with GitHubServer(state()) as server, _client(server) as client:
        _post(client, BUG)
        server.state.review_comments[0] |= {"line": None, "start_line": None}
        server.state.reviews.clear()
        assert _post(client, BUG) == 0
