"""Pull requests from forks on a runner: an estimate for everybody, and a real review at a maintainer's label.

The label stands for one commit: the one that was the head when it was put, as the event says. It counts once, because it is taken
off before anything is spent: of two runs for one label, one finds it gone. Nothing that the event says is believed where GitHub can
be asked; see docs/threat-model.md. What a review does is ``runs.review``.
"""

from typing import Literal, NamedTuple

from budget_gate.core.errors import GitHubError, ReadOnlyToken
from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.reviews import ReviewOutcome, without_review
from budget_gate.github.events import Event
from budget_gate.github.interface import GitHub
from budget_gate.github.labels import is_same_label

_LABEL_EVENTS = ("pull_request_target", "pull_request")


class Standing(NamedTuple):
    """How far a run may go for a pull request, and why no further.

    ``free``: as the policy says. ``approved``: a maintainer wants the head commit reviewed; the label is there until ``claim``.
    ``estimate``: nobody approved it. ``refused``: somebody put a label that does not approve it.
    """

    kind: Literal["free", "approved", "estimate", "refused"]
    reason: str = ""


FREE = Standing("free")


def standing_of(github: GitHub, pull: PullRequest, event: Event, label: str) -> Standing:
    """Return how far the run that ``event`` started may go for a fork's pull request. Asks GitHub, and changes nothing there.

    Raises ``GitHubError`` when GitHub cannot say.
    """
    if event.name not in _LABEL_EVENTS or event.action != "labeled":
        return Standing("estimate", f"a pull request from a fork is reviewed when a maintainer puts the label {label!r} on it")
    problem = _wrong_event(pull, event, label) or _wrong_person(github, pull, event, label)
    return Standing("refused", problem) if problem else Standing("approved")


def claim(github: GitHub, pull: PullRequest, label: str) -> str:
    """Use an approval up, right before money is spent: return why it does not count any more, or empty text where it was taken.

    Raises ``GitHubError`` when GitHub cannot say.
    """
    try:
        is_taken = github.take_label_off(pull.number, label)
    except ReadOnlyToken:
        return "the token of this job may not take the label off, so it would count again; grant `pull-requests: write`"
    if not is_taken:
        return f"the label is gone: another run has used it, or a push has withdrawn it; look again and put {label!r} again"
    return why_moved(github, pull, label)


def withdraw(github: GitHub, event: Event, label: str) -> str:
    """Take off a label that does not approve anything, if it was just put; return what went wrong, in words, or empty text."""
    if event.pr_number is None or not is_same_label(event.label, label):
        return ""
    try:
        github.take_label_off(event.pr_number, label)
    except GitHubError as error:
        return f"the label could not be taken off: {error}"
    return ""


def why_moved(github: GitHub, pull: PullRequest, label: str) -> str:
    """Return a reason where the pull request has another head by now, else empty text. Raises ``GitHubError``."""
    head_sha = github.pull_request(pull.number).head_sha
    return "" if head_sha == pull.head_sha else _moved(pull.head_sha, head_sha, label)


def why_not_post(github: GitHub, pull: PullRequest, label: str) -> str:
    """Return why an approved review may not be posted now that it is done: its commit is not the head, or nobody knows."""
    try:
        return why_moved(github, pull, label)
    except GitHubError as error:
        return f"whether {pull.head_sha[:12]} is still the head cannot be told: {error}"


def refused_outcome(reason: str) -> ReviewOutcome:
    """Return the outcome where a label approves nothing: a note. Nothing was read and nothing is posted."""
    return without_review("pass_with_note", f"not reviewed: {reason}")


def unposted_outcome(outcome: ReviewOutcome, reason: str) -> ReviewOutcome:
    """Return the outcome of a review that came too late to be posted: what was found is only in the summary and the outputs."""
    verdict = "pass_with_note" if outcome.verdict == "pass" else outcome.verdict
    return outcome._replace(verdict=verdict, reason=f"nothing was posted: {reason}; {outcome.reason}")


def _wrong_event(pull: PullRequest, event: Event, label: str) -> str:
    if not is_same_label(event.label, label):
        return f"the label is {event.label!r}, not {label!r}"
    if event.pr_number != pull.number:
        return f"the label was put on #{event.pr_number}, not on #{pull.number}"
    if event.head_sha != pull.head_sha:
        return _moved(event.head_sha, pull.head_sha, label)
    return ""


def _wrong_person(github: GitHub, pull: PullRequest, event: Event, label: str) -> str:
    change = github.last_label_change(pull.number, label)
    if change is None or not change.is_there:
        return f"the label is gone: another run has used it, or somebody took it off; put {label!r} again"
    if not change.login or change.login.casefold() != event.sender.casefold():
        return f"the event says that {event.sender!r} put the label, and GitHub that {change.login!r} did"
    if not github.may_write(change.login):
        return f"{change.login!r} put the label, and may not write to this repository; ask somebody who may"
    return ""


def _moved(approved_sha: str, head_sha: str, label: str) -> str:
    return (
        f"the label was put for {approved_sha[:12]} and the head is {head_sha[:12]} by now; "
        f"look at what was pushed and put {label!r} again"
    )
