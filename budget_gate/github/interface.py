"""What the rest of the program needs from GitHub, and no more.

Implementations raise ``GitHubError``, or ``ReadOnlyToken`` where the token may not write (a fork's pull request), and
``UsageError`` for an argument that cannot be right.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from budget_gate.core.pull_requests import ClosedPull, Finding, PullRequest
from budget_gate.core.tickets import Ticket

CHECK_NAME = "budget-gate"

Conclusion = Literal["success", "failure"]
"""Of the check run. ``neutral`` and ``skipped`` would satisfy a required check without saying so; they are not used."""


AnnotationLevel = Literal["notice", "warning", "failure"]


class PostedComment(NamedTuple):
    """The sticky comment after an update. ``kept_newer`` is true when a newer run's comment was left in place."""

    url: str
    kept_newer: bool = False


class PullOpened(NamedTuple):
    """A pull request that proposes files of ours. ``created`` is false where one was open when the run first looked."""

    number: int
    url: str
    created: bool


class InlineComment(NamedTuple):
    """A finding with the Markdown to post for it. Rendering and cleaning that text is the business of ``reports``."""

    finding: Finding
    body: str


class RunAttempt(NamedTuple):
    """One attempt of a workflow run: whether it is over, how it ended, and what its check run ``budget-gate`` says in full."""

    is_over: bool
    conclusion: str
    summary: str


class LabelChange(NamedTuple):
    """The last time that a label was put on or taken off, and by whom (empty text: an account that is gone)."""

    login: str
    is_there: bool


class Annotation(NamedTuple):
    """A remark of the check run beside lines of the head commit. Title and message are plain text."""

    path: str
    line: int
    end_line: int
    level: AnnotationLevel
    title: str
    message: str


class GitHub(Protocol):
    """One repository on GitHub."""

    def pull_request(self, number: int) -> PullRequest:
        """Return one pull request."""
        ...

    def closed_pull(self, number: int) -> ClosedPull | None:
        """Return a pull request that was closed, merged or not; None while it is open."""
        ...

    def closed_pulls(self, since: datetime, until: datetime) -> tuple[ClosedPull, ...]:
        """Return every pull request closed from ``since`` until before ``until``, in the order of their closing."""
        ...

    def diff(self, number: int) -> str:
        """Return the unified diff of a pull request, undecodable bytes replaced."""
        ...

    def commit_diff(self, pull: PullRequest) -> str:
        """Return the unified diff of exactly the head commit that ``pull`` names, whatever has been pushed since."""
        ...

    def last_label_change(self, number: int, label: str) -> LabelChange | None:
        """Return who put a label on a pull request, or took it off, last; None if it never was there."""
        ...

    def may_write(self, login: str) -> bool:
        """Return whether a person may write to the repository (the roles write, maintain and admin)."""
        ...

    def take_label_off(self, number: int, label: str) -> bool:
        """Take a label off a pull request; False if it was not there."""
        ...

    def issue(self, number: int) -> Ticket:
        """Return one issue as a ticket."""
        ...

    def put_comment(self, number: int, marker: str, body: str, run_number: int, run_attempt: int) -> PostedComment:
        """Create or update the one comment of ours that carries ``marker``; an older run never overwrites a newer one.

        ``body`` opens with ``marker``.
        """
        ...

    def post_findings(self, pull: PullRequest, marker: str, comments: Sequence[InlineComment]) -> int:
        """Post findings as inline review comments, leaving out those already there; return how many were new."""
        ...

    def open_pull(
        self,
        base: str,
        branch: str,
        files: Mapping[str, str],
        title: str,
        body: str,
        *,
        draft: bool,
        message: str,
        only_new: Collection[str] = (),
    ) -> PullOpened:
        """Propose files as a pull request from a branch of this repository; see ``branch_pull.open_pull``."""
        ...

    def run_attempt(self, run_id: int, run_attempt: int) -> RunAttempt | None:
        """Return one attempt of a workflow run of this repository; None when GitHub knows none."""
        ...

    def put_check(
        self,
        head_sha: str,
        conclusion: Conclusion,
        title: str,
        summary: str,
        *,
        run_id: int,
        run_attempt: int,
        details_url: str = "",
        annotations: Sequence[Annotation] = (),
    ) -> str:
        """Create or update the check run ``budget-gate`` of a commit, add what annotations it lacks, and return its URL.

        ``run_id`` and ``run_attempt`` order the verdicts of one commit: an older run never flips a newer one. The id counts
        for the whole of GitHub, where a run *number* counts per workflow file and so cannot order two of them.
        """
        ...
