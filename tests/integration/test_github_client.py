"""The client against the fake GitHub: what it reads, retries, waits for, translates, and never says."""

import socket
import subprocess
import sys

import pytest
from fakes.github_parties import DIFF, HEAD, MARKER, state
from fakes.github_server import Fault, GitHubServer

from budget_gate.core.diffs import parse_diff
from budget_gate.core.errors import GitHubError, ReadOnlyToken, UsageError
from budget_gate.github.client import GitHubClient, Transport

PULL = r"/pulls/7$"


class _Waits(list[float]):
    """Remembers waits instead of waiting."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def _client(server: GitHubServer, token: str = "ghs_writes", **given: object) -> GitHubClient:
    return GitHubClient(token, server.url, "acme/shop", **{"sleep": lambda _: None, **given})


def test_a_pull_request_and_its_diff() -> None:
    """A pull request and its diff come as GitHub holds them."""
    with GitHubServer(state(title="Fix", body="Text", labels=["simple"], draft=True)) as server, _client(server) as client:
        pull = client.pull_request(7)
        assert (pull.title, pull.body, pull.labels, pull.is_draft, pull.head_sha) == ("Fix", "Text", ("simple",), True, HEAD)
        assert client.diff(7) == DIFF


def test_bytes_that_are_no_text_are_replaced() -> None:
    """A diff of files in another encoding arrives with replacement characters, not as an error."""
    with GitHubServer() as server, _client(server) as client:
        server.state.pulls["7"] = {"head_sha": HEAD, "diff": DIFF.encode().replace(b"# end", b"# \xff\xfe end")}
        assert "# \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} end" in client.diff(7)


def test_a_diff_that_is_too_large_is_assembled_from_the_files() -> None:
    """Past GitHub's limit the diff is put together from every page of files; what has no patch is set aside by name."""
    files = [
        {
            "filename": f"src/f{at}.py",
            "status": "modified",
            "additions": 1,
            "deletions": 1,
            "changes": 2,
            "patch": "@@ -1 +1 @@\n-a\n+b",
        }
        for at in range(230)
    ]
    files.append({"filename": "data.json", "status": "added", "additions": 30_000, "deletions": 0, "changes": 30_000})
    with GitHubServer(state(too_large=True, files=files, changed_files=231)) as server, _client(server) as client:
        parsed = parse_diff(client.diff(7))
        assert len(parsed) == 231
        assert [(file.path, file.content) for file in parsed if not file.hunks] == [("data.json", "binary")]


def test_files_beyond_githubs_list_are_named_as_such() -> None:
    """What GitHub does not even list appears as one entry that says how many files it stands for."""
    files = [{"filename": f"f{at}", "status": "added", "additions": 1, "deletions": 0, "changes": 1} for at in range(3100)]
    with GitHubServer(state(too_large=True, files=files)) as server, _client(server) as client:
        parsed = parse_diff(client.diff(7))
        assert (len(parsed), parsed[-1].path) == (3001, "(100 more files that GitHub does not list)")


@pytest.mark.parametrize("kind", ["before", "drop"])
def test_reads_are_retried(kind: str) -> None:
    """A read that fails for a moment is repeated, with growing pauses, and succeeds."""
    waits = _Waits()
    with GitHubServer(state()) as server, _client(server, sleep=waits) as client:
        server.faults.append(Fault("GET", PULL, kind, times=3))
        assert client.pull_request(7).number == 7
        assert waits == [0.5, 1.0, 2.0]


def test_retries_are_bounded() -> None:
    """A read that keeps failing is one clear error after three retries."""
    with GitHubServer(state()) as server, _client(server) as client:
        server.faults.append(Fault("GET", PULL, "before", status=503, times=99))
        with pytest.raises(GitHubError, match=r"GET /repos/acme/shop/pulls/7 failed \(503 Server Error\)"):
            client.pull_request(7)
        assert len(server.requests) == 4


def test_a_write_that_may_not_be_repeated_is_sent_once() -> None:
    """The transport never repeats a POST whose fate is unknown."""
    with GitHubServer(state()) as server:
        transport = Transport("ghs_writes", server.url, sleep=lambda _: None)
        server.faults.append(Fault("POST", r"/comments$", "after"))
        with pytest.raises(GitHubError, match="502"):
            transport.send("POST", "/repos/acme/shop/issues/7/comments", body={"body": "x"})
        transport.close()
        assert len(server.state.comments) == 1


def test_a_short_rate_limit_is_waited_for() -> None:
    """A secondary rate limit is respected to the second, for reads and writes alike."""
    waits = _Waits()
    with GitHubServer(state()) as server, _client(server, sleep=waits) as client:
        server.faults.append(Fault("POST", r"/comments$", "rate", retry_after="3"))
        server.faults.append(Fault("GET", r"/comments$", "rate", retry_after="2"))
        client.put_comment(7, MARKER, f"{MARKER}\ntext", 1, 1)
        assert waits == [2.0, 3.0]
        assert len(server.state.comments) == 1


@pytest.mark.parametrize(("retry_after", "seconds"), [("600", 600), ("", 60)])
def test_a_long_rate_limit_is_an_error_at_once(retry_after: str, seconds: int) -> None:
    """A rate limit longer than a run may wait is reported without waiting, with the time to come back."""
    waits = _Waits()
    with GitHubServer(state()) as server, _client(server, sleep=waits) as client:
        server.faults.append(Fault("GET", PULL, "rate", retry_after=retry_after))
        with pytest.raises(
            GitHubError, match=rf"GitHub's rate limit asks to wait {seconds} s, longer than a run may; run again after"
        ):
            client.pull_request(7)
        assert waits == []


def test_all_waiting_together_is_bounded() -> None:
    """Waits of all requests add up to twenty seconds at most."""
    waits = _Waits()
    with GitHubServer(state()) as server, _client(server, sleep=waits) as client:
        server.faults.append(Fault("GET", PULL, "rate", retry_after="8", times=9))
        with pytest.raises(GitHubError, match="rate limit"):
            client.pull_request(7)
        assert waits == [8.0, 8.0]


def test_a_server_that_does_not_answer_is_given_up_on() -> None:
    """A request that hangs times out and becomes a clear error."""
    with GitHubServer(state()) as server, _client(server, timeout_seconds=1, patience_seconds=0) as client:
        server.faults.append(Fault("GET", PULL, "slow", seconds=1.5))
        with pytest.raises(GitHubError, match=r"got no answer \(timed out\)"):
            client.pull_request(7)


def test_nobody_listening_is_a_clear_error() -> None:
    """A connection that is refused names the setting to look at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with GitHubClient("ghs_secret", url, "acme/shop", sleep=lambda _: None) as client:
        with pytest.raises(GitHubError, match="the connection failed") as caught:
            client.pull_request(7)
        assert "GITHUB_API_URL" in str(caught.value)


@pytest.mark.parametrize(
    ("token", "number", "kind", "said"),
    [
        ("ghs_unknown", 7, GitHubError, "the token was not accepted (401 Bad credentials)"),
        ("ghs_writes", 8, GitHubError, "not found (404 Not Found)"),
    ],
)
def test_refused_reads(token: str, number: int, kind: type[Exception], said: str) -> None:
    """A bad token and an unknown pull request each get their own words, and are not retried."""
    with GitHubServer(state()) as server, _client(server, token) as client:
        with pytest.raises(kind) as caught:
            client.pull_request(number)
        assert said in str(caught.value)
        assert not isinstance(caught.value, ReadOnlyToken)
        assert len(server.requests) == 1


@pytest.mark.parametrize(("kind", "status", "said"), [("redirect", 301, "redirected elsewhere"), ("page", 200, "not JSON")])
def test_an_address_that_is_no_api(kind: str, status: int, said: str) -> None:
    """A redirect to another host is not followed with the token, and a web page is not taken for an answer."""
    with GitHubServer(state()) as server, _client(server) as client:
        server.faults.append(Fault("GET", PULL, kind, status=status))
        with pytest.raises(GitHubError, match=said):
            client.pull_request(7)


def test_a_proxys_error_page_is_a_plain_failure() -> None:
    """An error without JSON is reported by its status."""
    with GitHubServer(state()) as server, _client(server) as client:
        server.faults.append(Fault("GET", PULL, "page", status=407))
        with pytest.raises(GitHubError, match=r"failed \(407\)"):
            client.pull_request(7)


def test_enterprise_server() -> None:
    """Under a path of its own, REST and GraphQL both lie where Enterprise Server has them."""
    with GitHubServer(state(), prefix="/api/v3") as server, _client(server) as client:
        client.put_comment(7, MARKER, f"{MARKER}\ntext", 1, 1)
        assert ("POST", "/api/graphql") in server.requests
        assert len(server.state.comments) == 1


@pytest.mark.parametrize("token", ["", "  \n", "ghs_a\r\nX-Evil: 1", "ghs_a b", "ghs_\N{LATIN SMALL LETTER A WITH DIAERESIS}"])
def test_a_token_that_is_none(token: str) -> None:
    """A token that could not stand in a header is refused without being shown."""
    with pytest.raises(UsageError, match="GITHUB_TOKEN") as caught:
        GitHubClient(token, "https://api.github.com", "acme/shop")
    assert not token.strip() or token.strip() not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "api.github.com", "ftp://x", "https://", "https://u:p@host", "https://h:99999", "https://h/?a=1"]
)
def test_an_address_that_is_none(url: str) -> None:
    """An API address of no usable form is refused, saying what to write."""
    with pytest.raises(UsageError, match=r"write https://api\.github\.com"):
        GitHubClient("ghs_x", url, "acme/shop")


@pytest.mark.parametrize("repository", ["", "acme", "acme/", "/shop", "acme/shop/x", "acme/..", "acme/a b", "acme/a?b"])
def test_a_repository_that_is_none(repository: str) -> None:
    """A repository that would change the address of a request is refused."""
    with pytest.raises(UsageError, match="write OWNER/REPO"):
        GitHubClient("ghs_x", "https://api.github.com", repository)


def test_the_token_is_never_shown() -> None:
    """No error, its causes included, and no ``repr`` shows the token."""
    shown = []
    with GitHubServer(state()) as server:
        for kind, status in (("before", 500), ("redirect", 301), ("page", 200), ("drop", 0), ("before", 403), ("before", 404)):
            client = _client(server, "ghs_writes", patience_seconds=0)
            server.faults.append(Fault("GET", PULL, kind, status=status))
            with client, pytest.raises(GitHubError) as caught:
                client.pull_request(7)
            error: BaseException | None = caught.value
            while error is not None:
                shown += [str(error), repr(error), repr(error.args)]
                error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
            shown += [repr(client), repr(client._rest)]
    assert len(shown) >= 30
    assert not [text for text in shown if "ghs_writes" in text]


def test_no_artificial_pauses() -> None:
    """PyGithub's pauses between requests and its own retries are off: the client decides on both."""
    transport = Transport("ghs_x", "https://api.github.com")
    settings = transport._connected().requester.kwargs
    assert [settings[name] for name in ("seconds_between_requests", "seconds_between_writes", "retry")] == [None, None, None]
    transport.close()


def test_importing_the_room_loads_no_http_library() -> None:
    """A command that makes no request does not pay for PyGithub."""
    code = (
        "import sys, budget_gate.github.client, budget_gate.github.actions_runtime\n"
        "budget_gate.github.client.GitHubClient('ghs_x', 'https://api.github.com', 'a/b').close()\n"
        "print(sorted({'github', 'requests', 'urllib3', 'jwt', 'asyncio', 'http.client'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
