"""Objects and branches through GitHub's Git data API: what the ledger's branch and a pull request's branch have in common.

Objects that nothing refers to yet may be made twice without harm; a branch is moved once or not at all, without force. What the
answers mean for a caller is the caller's to say.
"""

from typing import NamedTuple

from budget_gate.core.errors import GitHubError
from budget_gate.github.failures import FORBIDDEN, NOT_FOUND, flat
from budget_gate.github.rest import GRAPHQL, UNSURE, Json, Reply, Rest, child, text

TRIES_MOST = 4
CONFLICT, INVALID = 409, 422
REGULAR_FILE = "100644"
LOST_RACE = ("Update is not a fast forward", "Reference already exists")
"""What GitHub says to the second of two writers. Other words for it are recognized by looking where the branch is."""


class Moved(NamedTuple):
    """What became of a branch. ``refused`` is why GitHub will not move it; else, not ``is_done`` means that another was first."""

    is_done: bool
    refused: str = ""


def send_patiently(rest: Rest, verb: str, path: str, body: Json) -> Reply:
    """Send what may be repeated though it is a POST, a few times while GitHub fails. Raises ``GitHubError`` in the end."""
    returned = (CONFLICT, INVALID, *UNSURE, *((FORBIDDEN, NOT_FOUND) if path == GRAPHQL else ()))
    for number in range(TRIES_MOST):
        reply = rest.send(verb, path, body=body, returned=returned)
        if reply.status not in UNSURE:
            return reply
        if number + 1 < TRIES_MOST:
            rest.pause(0.5 * 2**number)
    raise GitHubError(f"GitHub: {verb} {path} keeps failing ({reply.status or 'no answer'})")


def move_branch(rest: Rest, repository: str, branch: str, before: str, sha: str) -> Moved:
    """Move a branch from the commit ``before`` to ``sha``, or create it where ``before`` is empty.

    Whatever GitHub answered short of success, the branch itself tells what happened: at our commit it is done, at another one
    somebody else was first, and where it was GitHub refuses.
    """
    base = f"/repos/{repository}/git"
    verb, path = ("PATCH", f"{base}/refs/heads/{branch}") if before else ("POST", f"{base}/refs")
    body: Json = {"sha": sha, "force": False} if before else {"ref": f"refs/heads/{branch}", "sha": sha}
    reply = rest.send(verb, path, body=body, returned=(CONFLICT, INVALID, *UNSURE))
    if reply.is_success:
        return Moved(is_done=True)
    said = text(reply.data, "message")
    if reply.status == INVALID and said in LOST_RACE:
        return Moved(is_done=False)
    at = branch_commit(rest, repository, branch)
    if at == before and reply.status not in UNSURE:
        return Moved(is_done=False, refused=f"{reply.status} {flat(said)}")
    return Moved(is_done=at == sha)


def branch_commit(rest: Rest, repository: str, branch: str) -> str:
    """Return the commit that a branch is at, or empty text where there is no such branch."""
    found = rest.send("GET", f"/repos/{repository}/git/ref/heads/{branch}", returned=(NOT_FOUND,))
    return text(child(found.data, "object"), "sha")


def tree_entry(path: str, content: str | None) -> Json:
    """Return a tree's entry for a regular file, or one that removes it where ``content`` is None."""
    entry: Json = {"path": path, "mode": REGULAR_FILE, "type": "blob"}
    return {**entry, "sha": None} if content is None else {**entry, "content": content}
