"""One comment per pull request and workflow, however many runs write it at once. What it says is rendered by ``reports``.

The comment opens with the workflow's marker; the line after it names the run that wrote it. Writers agree without talking: the
oldest comment is kept, the newest run's text wins, duplicates are deleted, and a change is made under ``comment_lock``, because
GitHub offers no conditional update (docs/decisions/0009-github.md).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from budget_gate.core.errors import GitHubError, ReadOnlyToken
from budget_gate.github.comment_lock import locked
from budget_gate.github.identity import is_by
from budget_gate.github.interface import FormerOpening, PostedComment
from budget_gate.github.rest import NO_ANSWER, UNSURE, Json, Rest, child, integer, pages, text

BODY_CHARACTERS_MAX = 65_536
"""What GitHub accepts: "body is too long (maximum is 65536 characters)"."""

SHORTENED = "\n\n*Shortened to what fits into one comment; the job summary has the rest.*\n"
ROUNDS = 5
_GONE = (404, 410)
_RUN_LINE = re.compile(r"<!-- budget-gate-run:(\d{1,18})\.(\d{1,9}) -->")

Run = tuple[int, int]
"""Run number and attempt, in that order of weight."""


class StickyComment(NamedTuple):
    """What to post, and which run says so. ``body`` opens with ``marker``; ``former`` is how an earlier version opened it."""

    marker: str
    body: str
    run_number: int
    run_attempt: int
    former: FormerOpening | None = None

    @property
    def run(self) -> Run:
        """The run, comparable with others."""
        return self.run_number, self.run_attempt

    @property
    def text(self) -> str:
        """The comment as it is sent: marker, run, and as much of the body as fits."""
        head = f"{self.marker}\n<!-- budget-gate-run:{self.run_number}.{self.run_attempt} -->\n"
        rest = self.body.removeprefix(self.marker).lstrip("\r\n")
        if len(head) + len(rest) > BODY_CHARACTERS_MAX:
            rest = rest[: BODY_CHARACTERS_MAX - len(head) - len(SHORTENED)] + SHORTENED
        return head + rest

    def is_opening(self, lines: Sequence[str]) -> bool:
        """True for the lines of a comment of this kind: they begin with its marker, or as they did under an earlier version."""
        first = lines[0].strip() if lines else ""
        if first == self.marker:
            return True
        if self.former is None or first != self.former.marker:
            return False
        said = next((line for line in lines[1:] if line.strip() and not _RUN_LINE.fullmatch(line.strip())), "")
        return said.startswith(self.former.heading)


class _Mine(NamedTuple):
    """A comment of ours as it stands."""

    id: int
    run: Run
    body: str
    url: str


def put_sticky_comment(rest: Rest, repository: str, number: int, login: str, comment: StickyComment) -> PostedComment:
    """Create or update the one comment of ``login`` that opens with the marker; leave a newer run's text in place.

    Raises ``ReadOnlyToken`` where the token may not write, ``GitHubError`` when the comment cannot be brought to rest.
    """
    for number_of_round in range(ROUNDS):
        if number_of_round:
            rest.pause(0.5 * number_of_round)
        mine = _listed(rest, repository, number, login, comment)
        if not mine:
            reply = rest.send(
                "POST", f"/repos/{repository}/issues/{number}/comments", body={"body": comment.text}, returned=UNSURE
            )
            if not reply.is_success:
                continue  # perhaps it was created all the same: look before creating another
            created = _read(reply.data, comment)
            login = text(child(reply.data, "user"), "login") or login
            others = _listed(rest, repository, number, login, comment)
            mine = sorted({each.id: each for each in (*([created] if created else []), *others)}.values())
        posted = _reconcile(rest, repository, mine, comment)
        if posted:
            return posted
    raise GitHubError(f"the comment on #{number} of {repository} changed at every try; run again")


def _listed(rest: Rest, repository: str, number: int, login: str, kind: StickyComment) -> list[_Mine]:
    """Return our comments, oldest first. Another account's comment that carries the marker is nobody's business of ours."""
    items = pages(rest, f"/repos/{repository}/issues/{number}/comments")
    return sorted(mine for item in items if is_by(item, login) and (mine := _read(item, kind)))


def _read(item: Json, kind: StickyComment) -> _Mine | None:
    """Return a comment of the kind. The run is read from the second line only: the rest is not ours to trust."""
    body = text(item, "body")
    lines = body.splitlines()
    if not kind.is_opening(lines):
        return None
    match = _RUN_LINE.fullmatch(lines[1].strip()) if len(lines) > 1 else None
    run = (int(match[1]), int(match[2])) if match else (0, 0)
    return _Mine(integer(item, "id"), run, body, text(item, "html_url"))


def _reconcile(rest: Rest, repository: str, mine: Sequence[_Mine], comment: StickyComment) -> PostedComment | None:
    """Leave the oldest comment with the newest text. Every writer reaches the same end. None: look again."""
    oldest, newest = mine[0], max(mine, key=lambda each: (each.run, each.id))
    is_newer = newest.run > comment.run
    wanted, run = (newest.body, newest.run) if is_newer else (comment.text, comment.run)
    if oldest.body != wanted and not _changed(rest, repository, oldest, comment, wanted, run):
        return None
    for surplus in mine[1:]:
        rest.send("DELETE", _path(repository, surplus), returned=_GONE)
    return PostedComment(oldest.url, kept_newer=is_newer)


def _changed(rest: Rest, repository: str, comment: _Mine, kind: StickyComment, wanted: str, run: Run) -> bool:
    """Change one comment, looking just before and just after, and return whether it now says what it should."""
    path = _path(repository, comment)
    with locked(rest, path):
        before = rest.send("GET", path, returned=_GONE)
        current = _read(before.data, kind) if before.is_success else None
        if current is None or current.run > run:
            return False
        reply = rest.send("PATCH", path, body={"body": wanted}, returned=(*_GONE, NO_ANSWER, 502, 503, 504))
        after = rest.send("GET", path, returned=_GONE)
    if reply.status in _GONE and after.is_success:
        raise ReadOnlyToken(f"GitHub: PATCH {path}: the token may not change this comment ({reply.status})")
    current = _read(after.data, kind) if after.is_success else None
    return current is not None and (current.body == wanted or current.run >= run)


def _path(repository: str, comment: _Mine) -> str:
    return f"/repos/{repository}/issues/comments/{comment.id}"
