"""A fork's pull request is estimated for everybody, and reviewed only at a maintainer's label, for the commit it was put on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.anthropic_server import AnthropicServer, default_answer
from fakes.command_line import Ended
from fakes.fork_pull import DIFF, LABEL, NEXT, UNSEEN, Fork, fork_state, label_event
from fakes.github_parties import HEAD
from fakes.github_server import Fault, GitHubServer

from budget_gate.github.labels import is_same_label


@pytest.fixture
def fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fork]:
    """A pull request from a fork, and both services."""
    with GitHubServer(fork_state()) as github, AnthropicServer() as model:
        yield Fork(github, model, tmp_path, monkeypatch)


def assert_refused(fork: Fork, ended: Ended, *words: str) -> None:
    """Nothing was asked of a model, nothing posted, nobody is stranded, and the summary says why."""
    assert (ended.code, fork.model.messages, fork.posted()) == (0, [], [])
    assert "pass_with_note" in fork.output
    for word in words:
        assert word in ended.out
    assert "::warning title=budget-gate::not reviewed" in ended.err
    assert "not reviewed" in fork.summary


@pytest.mark.parametrize("login", ["olga", "maja", "wim", "WIM"])
def test_whoever_may_write_has_a_fork_reviewed_once(fork: Fork, login: str) -> None:
    """Admin, maintain and write: one paid review, posted as usual, and the label is off before the model is asked."""
    labels_seen = []

    def answer(body: dict[str, Any]) -> list[dict[str, Any]]:
        labels_seen.append(fork.labels)
        return default_answer(body)

    fork.model.answer = answer
    ended = fork.approve(login)
    assert ended.code == 0, ended.err
    assert len(fork.model.messages) == 1
    assert labels_seen == [[]]
    assert fork.labels == []
    (check,) = fork.github.state.check_runs
    assert (check["head_sha"], check["conclusion"], len(fork.github.state.comments)) == (HEAD, "success", 1)


def test_the_same_event_again_pays_nothing(fork: Fork) -> None:
    """A re-run of an approved run finds its label used up."""
    fork.approve()
    before = len(fork.model.messages), len(fork.posted())
    ended = fork.run(label_event("maja"), "--no-reuse")
    assert ended.code == 0
    assert (len(fork.model.messages), len(fork.posted())) == before
    assert "the label is gone" in ended.out


@pytest.mark.parametrize("login", ["tristan", "rita", "mallory", "../collaborators/olga"])
def test_whoever_may_not_write_approves_nothing(fork: Fork, login: str) -> None:
    """The author, with or without the role triage, a reader and a name that is a path: refused, and the label is off again."""
    assert_refused(fork, fork.approve(login), "may not write to this repository")
    assert fork.labels == []


@pytest.mark.parametrize(
    "label",
    [
        "budget-gate: r\u0443n",
        "budget-gate:  run",
        "budget-gate: run ",
        "budget-gate:run",
        "\uff42udget-gate: run",
        "budget\u2010gate: run",
        "budget-gate: run\u200b",
        "budget-gate: running",
        "bug",
    ],
)
def test_a_label_that_only_looks_like_it_approves_nothing(fork: Fork, label: str) -> None:
    """Other letters, spaces, hyphens and widths are other labels, whoever puts them; they stay where they are."""
    assert_refused(fork, fork.approve(label=label), "not 'budget-gate: run'")
    assert fork.labels == [label]


def test_label_names_as_github_compares_them() -> None:
    """Case does not count among ASCII letters; a letter that only folds to one is another letter."""
    assert is_same_label("Budget-Gate: Run", LABEL)
    assert not is_same_label("budget-gate: ok", "budget-gate: o\u212a")  # the Kelvin sign, whose lower case is k
    assert not is_same_label("", LABEL)


@pytest.mark.parametrize(("said", "really"), [("maja", "tristan"), ("maja", "mallory"), ("", "tristan"), ("maja", "")])
def test_a_forged_sender_is_not_believed(fork: Fork, said: str, really: str) -> None:
    """The event names a maintainer, GitHub somebody else: refused."""
    fork.github.state.put_label(7, really, LABEL)
    assert_refused(fork, fork.run(label_event(said)), "the event says", "and GitHub that")


def test_an_event_whose_label_was_never_put(fork: Fork) -> None:
    """A payload made up from nothing approves nothing: GitHub does not know of the label."""
    assert_refused(fork, fork.run(label_event("maja")), "the label is gone")


def test_an_event_about_another_pull_request(fork: Fork) -> None:
    """The label on one pull request does not approve another that the job was told to review."""
    fork.github.state.pulls["8"] = {**fork.github.state.pulls["7"]}
    fork.github.state.put_label(7, "maja", LABEL)
    assert_refused(fork, fork.run(label_event("maja"), "--pr", "8"), "#7, not on #8")


def test_a_push_after_the_label_is_refused(fork: Fork) -> None:
    """The head is another one than the label was put on: no model is asked, and the label is withdrawn."""
    fork.github.state.put_label(7, "maja", LABEL)
    fork.github.state.push(7, NEXT, UNSEEN)
    assert_refused(fork, fork.run(label_event("maja")), "the label was put for aaaaaaaaaaaa and the head is eeeeeeeeeeee")
    assert fork.labels == []


def test_a_label_left_from_an_earlier_push_approves_nothing(fork: Fork) -> None:
    """The event of a push is no approval though the label is still there; nor is another label that is put later."""
    fork.github.state.put_label(7, "maja", LABEL)
    fork.github.state.push(7, NEXT, UNSEEN)
    ended = fork.run(label_event("mallory", sha=NEXT, action="synchronize"))
    assert (ended.code, fork.model.messages) == (0, [])
    assert "reviewed when a maintainer puts the label 'budget-gate: run' on it" in ended.out
    fork.github.requests.clear()
    assert_refused(fork, fork.approve("wim", label="bug"), "the label is 'bug'")


def push_after(fork: Fork, verb: str, path: str) -> None:
    """Push to the fork right after the given request has been answered for the first time."""
    route = fork.github.state.route

    def watched(asked: str, where: str, *rest: Any) -> Any:
        answer = route(asked, where, *rest)
        if asked == verb and where.endswith(path) and fork.github.state.pulls["7"]["head_sha"] == HEAD:
            fork.github.state.push(7, NEXT, UNSEEN)
        return answer

    fork.github.state.route = watched  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/pulls/7"),
        ("GET", "/issues/7/events"),
        ("GET", "/collaborators/maja/permission"),
        ("GET", f"...{HEAD}"),
        ("DELETE", "/labels/budget-gate%3A%20run"),
    ],
)
def test_a_push_in_the_middle_of_the_checks_is_never_reviewed(fork: Fork, verb: str, path: str) -> None:
    """Whichever question the push comes after: it is noticed before anything is spent, and its code is sent nowhere."""
    push_after(fork, verb, path)
    assert_refused(fork, fork.approve(), "the head is eeeeeeeeeeee by now")
    assert "never_looked_at" not in json.dumps(fork.model.messages)


def test_a_push_during_the_review_is_neither_reviewed_nor_posted_to(fork: Fork) -> None:
    """What was approved has been paid for; it is in the summary and the outputs, and the pull request hears nothing."""

    def answer(body: dict[str, Any]) -> list[dict[str, Any]]:
        fork.github.state.push(7, NEXT, UNSEEN)
        return default_answer(body)

    fork.model.answer = answer
    ended = fork.approve()
    assert (ended.code, len(fork.model.messages), fork.posted()) == (0, 1, [])
    assert "never_looked_at" not in json.dumps(fork.model.messages)
    assert "nothing was posted: the label was put for aaaaaaaaaaaa" in ended.out
    assert "pass_with_note" in fork.output
    assert "nothing was posted" in fork.summary


def test_a_push_there_and_back_changes_nothing_that_is_read(fork: Fork) -> None:
    """Another head for a moment, while the diff is read: what is sent is the approved commit's, which is asked for by its id."""
    route = fork.github.state.route

    def swapped(verb: str, path: str, *rest: Any) -> Any:
        is_diff = "diff" in rest[-2]
        if is_diff:
            fork.github.state.push(7, NEXT, UNSEEN)
        answer = route(verb, path, *rest)
        if is_diff:
            fork.github.state.push(7, HEAD, DIFF)
        return answer

    fork.github.state.route = swapped  # type: ignore[method-assign]
    assert fork.approve().code == 0
    assert len(fork.model.messages) == 1
    sent = json.dumps(fork.model.messages)
    assert "seen = 1" in sent
    assert "never_looked_at" not in sent


def test_a_head_repository_that_is_gone_is_a_fork(fork: Fork) -> None:
    """A deleted fork gets no review without the label, and one with it: GitHub keeps the commit."""
    fork.github.state.pulls["7"]["head_repo"] = None
    payload = label_event("mallory", action="reopened")
    payload["pull_request"]["head"]["repo"] = None
    assert fork.run(payload).code == 0
    assert fork.model.messages == []
    fork.github.state.put_label(7, "maja", LABEL)
    payload = label_event("maja")
    payload["pull_request"]["head"]["repo"] = None
    assert fork.run(payload).code == 0
    assert len(fork.model.messages) == 1


@pytest.mark.parametrize("name", ["pull_request_target", "pull_request", "workflow_dispatch", "issue_comment"])
def test_without_the_label_there_is_an_estimate_and_a_note(fork: Fork, name: str) -> None:
    """Whatever event has the key: the price, a green check run, one comment, and no call."""
    payload = label_event("mallory", action="synchronize")
    if name == "issue_comment":
        payload["issue"] = {"number": 7, "user": {"login": "mallory"}, "pull_request": {"url": "x"}}
        payload["comment"] = {"body": "budget-gate: run", "user": {"login": "mallory", "type": "User"}}
    ended = fork.run(payload, *(("--pr", "7") if name == "workflow_dispatch" else ()), name=name)
    assert (ended.code, fork.model.messages) == (0, [])
    assert "would use at most" in ended.out
    assert "pass_with_note" in fork.output
    assert [check["conclusion"] for check in fork.github.state.check_runs] == ["success"]
    assert len(fork.github.state.comments) == 1


def test_an_approved_draft_is_reviewed(fork: Fork) -> None:
    """The label is a wish for this very commit, so a draft is not left alone."""
    fork.github.state.pulls["7"]["draft"] = True
    assert fork.approve().code == 0
    assert len(fork.model.messages) == 1


def test_a_token_that_may_not_take_the_label_off_spends_nothing(fork: Fork) -> None:
    """A label that would count again does not count once; the reason names the missing permission."""
    ended = fork.approve(token="ghs_reads")
    assert (ended.code, fork.model.messages) == (0, [])
    assert "grant `pull-requests: write`" in ended.out
    assert fork.labels == [LABEL]


def test_a_dry_run_needs_and_uses_no_label(fork: Fork) -> None:
    """Nothing is spent, so nobody is asked."""
    ended = fork.approve("tristan", "--dry-run")
    assert (ended.code, fork.model.messages, fork.labels) == (0, [], [LABEL])
    assert ended.out.startswith("pass: dry run")


def test_two_runs_for_one_label_pay_once(fork: Fork) -> None:
    """The other run takes the label between this one's questions and its claim: this one finds it gone."""
    fork.github.faults.append(Fault("DELETE", "/labels/", "after", status=502))
    assert_refused(fork, fork.approve(), "the label is gone")
    assert fork.labels == []


def test_github_that_cannot_say_spends_nothing(fork: Fork) -> None:
    """An outage of GitHub while the approval is checked ends the run; nothing was asked of a model."""
    fork.github.faults.append(Fault("GET", "/permission$", "before", status=500, times=9))
    assert (fork.approve().code, fork.model.messages, fork.labels) == (4, [], [LABEL])


def test_a_head_that_cannot_be_told_afterwards_is_not_posted_to(fork: Fork) -> None:
    """GitHub fails right when the head is to be compared again: paid, not posted, and said."""
    fork.github.faults.append(Fault("GET", "/pulls/7$", "before", status=500, times=9, skip=2))
    ended = fork.approve()
    assert (ended.code, len(fork.model.messages), fork.posted()) == (0, 1, [])
    assert "cannot be told" in ended.out


def test_another_name_for_the_label(fork: Fork) -> None:
    """A team may call its label otherwise; then only that one counts."""
    assert_refused(fork, fork.approve("maja", "--approval-label", "ai ok"), "not 'ai ok'")
    assert fork.approve("maja", "--approval-label", "AI OK", label="ai ok").code == 0
    assert len(fork.model.messages) == 1


def test_a_refused_label_flips_no_verdict(fork: Fork) -> None:
    """A block that an approved review left on this commit stays when somebody without the right labels it again."""
    fork.approve()
    fork.github.state.check_runs[0]["conclusion"] = "failure"
    fork.approve("tristan")
    assert [check["conclusion"] for check in fork.github.state.check_runs] == ["failure"]


def test_a_large_diff_is_the_approved_commits_too(fork: Fork) -> None:
    """Where GitHub gives no diff, the files of the comparison are read; what it does not list is named as not reviewed."""
    file = {
        "filename": "a.py",
        "status": "modified",
        "patch": "@@ -1 +1,2 @@\n a\n+b",
        "additions": 1,
        "deletions": 0,
        "changes": 1,
    }
    fork.github.state.pulls["7"].update(too_large=True, files=[file], changed_files=3)
    ended = fork.approve()
    assert (ended.code, len(fork.model.messages)) == (0, 1)
    assert "2 more files that GitHub does not list" in ended.out
