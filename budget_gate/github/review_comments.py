"""Inline review comments for findings, each posted once: a re-run recognizes what is there already.

A comment ends with a hidden fingerprint of its finding (``core.fingerprints``). The review that carries comments lists their
fingerprints too: a submitted review cannot be deleted, so a remark that somebody deleted, resolved or hid is not made again. One
that GitHub took only on its own, outside a review, is remembered for as long as it stands. Rendering is the business of ``reports``.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from budget_gate.core.errors import GitHubError
from budget_gate.core.fingerprints import fingerprint
from budget_gate.core.pull_requests import PullRequest
from budget_gate.github.identity import is_by
from budget_gate.github.interface import InlineComment
from budget_gate.github.rest import UNSURE, Rest, child, integer, pages, text

NEW_COMMENTS_MAX = 50
"""Per run. More would bury the reader, and GitHub limits how fast content may be made."""

BODY_CHARACTERS_MAX = 65_536
ROUNDS = 3
_UNPROCESSABLE = 422
_REVIEW_LINE = re.compile(r"<!-- budget-gate-posted:((?:[0-9a-f]{32} ?){1,50}) -->")
_LAST_LINE = re.compile(r"<!-- budget-gate-finding:([0-9a-f]{32}) -->")


class _Wanted(NamedTuple):
    """A comment that should be there: its fingerprint, and what creates it."""

    fingerprint: str
    payload: dict[str, Any]


class Remark(NamedTuple):
    """A comment of ours that is there: its id, its finding's fingerprint, and the review it came with (0: none)."""

    id: int
    fingerprint: str
    review: int


class _Sent(NamedTuple):
    """What became of a batch: the reviews and comments made, how many were refused, whether an answer was lost."""

    reviews: tuple[int, ...] = ()
    comments: tuple[int, ...] = ()
    refused: int = 0
    is_unsure: bool = False
    login: str = ""


def post_findings(rest: Rest, pull: PullRequest, marker: str, login: str, comments: Sequence[InlineComment]) -> int:
    """Post the comments that ``login`` has not posted yet, on the head commit; return how many are new.

    They go out as one review. When GitHub refuses it because one of them points outside the diff (it does not say which), they go
    one by one, and those that are refused are left out. Raises ``ReadOnlyToken`` or ``GitHubError``.
    """
    path = f"/repos/{pull.repository}/pulls/{pull.number}"
    wanted = [_Wanted(fingerprint(marker, each.finding), _payload(marker, each)) for each in comments]
    first_missing: list[_Wanted] | None = None
    for number_of_round in range(ROUNDS):
        if number_of_round:
            rest.pause(0.5 * number_of_round)
        known = remembered(rest, path, login) | Counter(each.fingerprint for each in present(rest, path, login))
        missing = _missing(wanted, known)
        if first_missing is None:
            first_missing = missing = missing[:NEW_COMMENTS_MAX]
        missing = [each for each in missing if each in first_missing]
        if not missing:
            return len(first_missing)
        sent = _send_review(rest, path, pull.head_sha, missing)
        if not sent.is_unsure:
            withdrawn = _withdraw_repeats(rest, path, sent.login or login, wanted, sent)
            return len(first_missing) - sent.refused - withdrawn
    raise GitHubError(f"the findings on #{pull.number} of {pull.repository} could not be posted: GitHub did not answer")


def remembered(rest: Rest, path: str, login: str) -> Counter[str]:
    """Return how often each fingerprint was posted, as the reviews that carried the comments remember it."""
    found: Counter[str] = Counter()
    for item in pages(rest, f"{path}/reviews"):
        lines = text(item, "body").rstrip().splitlines()
        match = _REVIEW_LINE.fullmatch(lines[-1].strip()) if lines else None
        if match and is_by(item, login):
            found.update(match[1].split())
    return found


def _missing(wanted: Sequence[_Wanted], known: Counter[str]) -> list[_Wanted]:
    """Return what is wanted beyond what was posted. Equal findings on different lines count one by one."""
    there = known.copy()
    missing = []
    for each in wanted:
        if there[each.fingerprint]:
            there[each.fingerprint] -= 1
        else:
            missing.append(each)
    return missing


def present(rest: Rest, path: str, login: str) -> list[Remark]:
    """Return our comments, oldest first. Only the last line counts as a fingerprint: nothing above it is ours to trust."""
    found = []
    for item in pages(rest, f"{path}/comments"):
        lines = text(item, "body").rstrip().splitlines()
        match = _LAST_LINE.fullmatch(lines[-1].strip()) if lines else None
        if match and is_by(item, login):
            review = item.get("pull_request_review_id")
            found.append(Remark(integer(item, "id"), match[1], review if isinstance(review, int) else 0))
    return sorted(found)


def _payload(marker: str, comment: InlineComment) -> dict[str, Any]:
    finding = comment.finding
    tail = f"\n\n<!-- budget-gate-finding:{fingerprint(marker, finding)} -->"
    payload: dict[str, Any] = {
        "path": finding.path,
        "line": finding.end_line,
        "side": finding.side,
        "body": comment.body[: BODY_CHARACTERS_MAX - len(tail)] + tail,
    }
    if finding.line < finding.end_line:  # GitHub refuses a range of one line
        payload |= {"start_line": finding.line, "start_side": finding.side}
    return payload


def _send_review(rest: Rest, path: str, head_sha: str, missing: Sequence[_Wanted]) -> _Sent:
    """Post a batch as one review, or one by one when GitHub refuses the batch."""
    memory = f"<!-- budget-gate-posted:{' '.join(each.fingerprint for each in missing)} -->"
    body = {
        "commit_id": head_sha,
        "event": "COMMENT",
        "body": f"Remarks of the review; the comment above or below has the whole of it.\n\n{memory}",
        "comments": [each.payload for each in missing],
    }
    reply = rest.send("POST", f"{path}/reviews", body=body, returned=(*UNSURE, _UNPROCESSABLE))
    if reply.is_success:
        return _Sent(reviews=(integer(reply.data, "id"),), login=text(child(reply.data, "user"), "login"))
    if reply.status != _UNPROCESSABLE:
        return _Sent(is_unsure=True)
    comments, refused, login = [], 0, ""
    for each in missing:
        one = rest.send(
            "POST", f"{path}/comments", body={"commit_id": head_sha, **each.payload}, returned=(*UNSURE, _UNPROCESSABLE)
        )
        if one.status in UNSURE:
            return _Sent(is_unsure=True)
        if one.is_success:
            comments.append(integer(one.data, "id"))
            login = text(child(one.data, "user"), "login")
        refused += one.status == _UNPROCESSABLE
    return _Sent(comments=tuple(comments), refused=refused, login=login)


def _withdraw_repeats(rest: Rest, path: str, login: str, wanted: Sequence[_Wanted], sent: _Sent) -> int:
    """Delete what we just posted where a parallel run had posted the same before us; return how many that were."""
    repository = path.rpartition("/pulls/")[0]
    allowed = Counter(each.fingerprint for each in wanted)
    withdrawn = 0
    for each in present(rest, path, login):
        allowed[each.fingerprint] -= 1
        if allowed[each.fingerprint] < 0 and _is_from(each, sent.reviews, sent.comments):
            rest.send("DELETE", f"{repository}/pulls/comments/{each.id}", returned=(404,))
            withdrawn += 1
    return withdrawn


def _is_from(comment: Remark, reviews: Collection[int], comments: Collection[int]) -> bool:
    return comment.review in reviews or comment.id in comments
