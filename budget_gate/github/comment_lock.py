"""One writer at a time per comment, although GitHub offers no conditional update.

GitHub keeps one reaction of a kind per account, and tells the call that made it (201) from one that found it there (200):
https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-an-issue-comment. So the reaction is a lock. It notifies
nobody and is gone after a second. A lock whose holder died is taken over; where reactions are refused, writers go on without.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from budget_gate.github.rest import UNSURE, Rest, integer

REACTION = "eyes"
POLL_SECONDS = 0.5
STALE_SECONDS = 6.0
"""After seeing one holder for so long, it is taken for dead: a live one needs three requests."""

WAIT_SECONDS_MAX = 10.0
_CREATED = 201
_REFUSED = (403, 404, 410, 422, *UNSURE)


@contextmanager
def locked(rest: Rest, comment_path: str) -> Iterator[bool]:
    """Hold a comment while reading and changing it. Yields whether it is held; the caller goes on either way."""
    path = f"{comment_path}/reactions"
    reaction = _acquired(rest, path)
    try:
        yield reaction is not None
    finally:
        if reaction is not None:
            rest.send("DELETE", f"{path}/{reaction}", returned=_REFUSED)


def _acquired(rest: Rest, path: str) -> int | None:
    """Return the id of our reaction once we were the one to make it; None when that cannot be had."""
    holder, seen_seconds, waited_seconds = 0, 0.0, 0.0
    while waited_seconds <= WAIT_SECONDS_MAX:
        reply = rest.send("POST", path, body={"content": REACTION}, returned=_REFUSED)
        if not reply.is_success:
            return None
        reaction = integer(reply.data, "id")
        if reply.status == _CREATED:
            return reaction
        seen_seconds = seen_seconds if reaction == holder else 0.0
        holder = reaction
        if seen_seconds >= STALE_SECONDS:
            rest.send("DELETE", f"{path}/{holder}", returned=_REFUSED)
            seen_seconds = 0.0
            continue
        rest.pause(POLL_SECONDS)
        seen_seconds += POLL_SECONDS
        waited_seconds += POLL_SECONDS
    return None
