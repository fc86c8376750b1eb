"""The check run against the fake GitHub: one verdict per commit, the newest run's."""

import json
from typing import Any

import pytest
from fakes.github_parties import HEAD, answers, party, state
from fakes.github_server import Fault, GitHubServer

from budget_gate.core.errors import ReadOnlyToken, UsageError
from budget_gate.github.client import GitHubClient
from budget_gate.github.interface import Annotation, Conclusion

CREATE = r"/check-runs$"


def _client(server: GitHubServer, token: str = "ghs_writes") -> GitHubClient:
    return GitHubClient(token, server.url, "acme/shop", sleep=lambda _: None)


def _put(client: GitHubClient, conclusion: Conclusion, run_id: int, run_attempt: int = 1, title: str = "Budget") -> str:
    return client.put_check(
        HEAD, conclusion, title, "summary", run_id=run_id, run_attempt=run_attempt, details_url="https://ci.test/1"
    )


def _verdicts(server: GitHubServer) -> list[tuple[str, str]]:
    return [(each["conclusion"], each["external_id"]) for each in server.state.check_runs]


def test_created_then_updated() -> None:
    """The first verdict creates the check run, a later one changes it, and both answer its address."""
    with GitHubServer(state()) as server, _client(server) as client:
        first, second = _put(client, "failure", 10), _put(client, "success", 11)
        assert first == second == "https://github.test/acme/shop/runs/1001"
        (check,) = server.state.check_runs
        assert (check["name"], check["status"], check["conclusion"]) == ("budget-gate", "completed", "success")
        assert (check["details_url"], check["external_id"]) == ("https://ci.test/1", "budget-gate:11.1")


@pytest.mark.parametrize(("run_id", "attempt"), [(9, 5), (10, 1)])
def test_an_older_run_does_not_flip_the_verdict(run_id: int, attempt: int) -> None:
    """An earlier run, or an earlier attempt of the same one, leaves a newer verdict standing."""
    with GitHubServer(state()) as server, _client(server) as client:
        url = _put(client, "failure", 10, 2)
        assert _put(client, "success", run_id, attempt) == url
        assert _verdicts(server) == [("failure", "budget-gate:10.2")]


def test_a_job_of_that_name_is_not_ours() -> None:
    """A job called budget-gate, whose check run has the same name and app, is left alone."""
    job = {"name": "budget-gate", "head_sha": HEAD, "app": "github-actions[bot]", "external_id": "6f1d", "conclusion": "success"}
    with GitHubServer({**state(), "check_runs": [job]}) as server, _client(server) as client:
        _put(client, "failure", 10)
        assert _verdicts(server) == [("success", "6f1d"), ("failure", "budget-gate:10.1")]


@pytest.mark.parametrize("kind", ["after", "drop"])
def test_a_lost_answer_makes_no_second_check(kind: str) -> None:
    """When the check run was created but the answer is lost, the retry finds it."""
    with GitHubServer(state()) as server, _client(server) as client:
        server.faults.append(Fault("POST", CREATE, kind))
        assert _put(client, "success", 10)
        assert _verdicts(server) == [("success", "budget-gate:10.1")]


def test_two_processes_at_once_agree_on_the_newer_verdict() -> None:
    """Both create a check run at the same moment; afterwards every one of them says what the newer run says."""
    with GitHubServer(state()) as server:
        server.faults.append(Fault("POST", CREATE, "barrier", times=2))
        given = {"head_sha": HEAD, "title": "t", "summary": "s", "run_attempt": 1}
        older = party(server.url, "ghs_writes", ("put_check", {**given, "conclusion": "success", "run_id": 10}))
        newer = party(server.url, "ghs_writes", ("put_check", {**given, "conclusion": "failure", "run_id": 11}))
        answers(older, newer)
        assert _verdicts(server) == [("failure", "budget-gate:11.1")] * 2


def test_texts_are_cut_to_what_github_accepts() -> None:
    """A long title and summary are shortened, at a whole character, and the verdict is posted."""
    with GitHubServer(state()) as server, _client(server) as client:
        client.put_check(HEAD, "success", "t" * 999, "ä" * 60_000, run_id=1, run_attempt=1)
        output = server.state.check_runs[0]["output"]
        assert len(output["title"]) == 255
        assert 65_500 < len(output["summary"].encode()) <= 65_535
        assert output["summary"].endswith("ä\n\n*Shortened.*\n")
        before = len(server.writes())
        client.put_check(HEAD, "success", "t" * 999, "ä" * 60_000, run_id=1, run_attempt=1)
        assert len(server.writes()) == before


@pytest.mark.parametrize("sha", ["", "main", "a" * 39, f"{HEAD}/../../x", "A" * 40])
def test_what_is_no_commit_is_refused(sha: str) -> None:
    """A head that is no full commit id never becomes part of an address."""
    with GitHubServer(state()) as server, _client(server) as client:
        with pytest.raises(UsageError, match="is not a commit"):
            client.put_check(sha, "success", "t", "s", run_id=1, run_attempt=1)
        assert server.requests == []


@pytest.mark.parametrize("token", ["ghs_reads", "ghp_alice"])
def test_tokens_that_may_not_write_checks(token: str) -> None:
    """A fork's token and a person's are refused by GitHub; both are the expected ``ReadOnlyToken``."""
    with GitHubServer(state()) as server, _client(server, token) as client, pytest.raises(ReadOnlyToken):
        _put(client, "success", 1)


def test_only_success_and_failure_are_ever_sent() -> None:
    """No request ever carries a conclusion that would satisfy a required check without saying so."""
    with GitHubServer(state()) as server, _client(server) as client:
        _put(client, "failure", 1)
        _put(client, "success", 2)
        sent = [body["conclusion"] for body in server.bodies if isinstance(body, dict) and "conclusion" in body]
        assert sent == ["failure", "success"]
        assert "neutral" not in json.dumps(server.bodies)


def _annotation(number: int) -> Annotation:
    return Annotation("shop/cart.py", number, number, "warning", "medium: bug", f"Remark {number}.")


def test_annotations_are_added_fifty_at_a_time_and_once() -> None:
    """120 remarks go out in three requests, GitHub's limit each; a re-run on the commit adds only what is new."""
    with GitHubServer(state()) as server, _client(server) as client:
        remarks = [_annotation(number) for number in range(1, 121)]
        given: dict[str, Any] = {"conclusion": "success", "title": "t", "summary": "s", "run_attempt": 1}
        client.put_check(HEAD, **given, run_id=10, annotations=remarks)
        (check,) = server.state.check_runs
        assert [each["start_line"] for each in check["annotations"]] == [*range(1, 121)]
        assert [verb for verb, path in server.writes() if verb == "PATCH"] == ["PATCH"] * 3
        client.put_check(HEAD, **given, run_id=11, annotations=[*remarks, _annotation(121)])
        assert len(check["annotations"]) == 121
        assert check["output"] == {"title": "t", "summary": "s"}


def test_an_older_run_adds_no_annotations() -> None:
    """Where a newer verdict stands, the remarks of an older run stay away with its verdict."""
    with GitHubServer(state()) as server, _client(server) as client:
        _put(client, "failure", 10)
        client.put_check(HEAD, "success", "t", "s", run_id=9, run_attempt=1, annotations=[_annotation(1)])
        assert "annotations" not in server.state.check_runs[0] or not server.state.check_runs[0]["annotations"]
