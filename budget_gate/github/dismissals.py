"""Which findings people have dismissed: every remark on it was deleted, hidden, or its conversation resolved by somebody who may write.

An author without that right may resolve conversations on a pull request of their own, too: that silences the remark, which is not made
again, and not the finding. REST says nothing of hiding and resolving, so GraphQL is asked; where it does not answer, only what was
deleted counts.
"""

import re
from collections.abc import Iterator

from budget_gate.core.pull_requests import PullRequest
from budget_gate.github.labels import may_write
from budget_gate.github.rest import GRAPHQL, PAGES_MAX, UNSURE, Json, Rest, child, text
from budget_gate.github.review_comments import present, remembered

_QUERY = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { reviewThreads(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { isResolved resolvedBy { login } comments(first: 1) { nodes { url isMinimized } } }
  } } }
}
"""
_ID = re.compile(r"#discussion_r(\d{1,18})$")
"""At the end of a comment's address. GraphQL's own ``databaseId`` has too few bits for today's ids."""


def dismissed_fingerprints(rest: Rest, pull: PullRequest, login: str) -> frozenset[str]:
    """Return the fingerprints of the findings of ``login`` that were dismissed. Raises ``GitHubError``."""
    path = f"/repos/{pull.repository}/pulls/{pull.number}"
    remarks = present(rest, path, login)
    deleted = remembered(rest, path, login).keys() - {each.fingerprint for each in remarks}
    closed = frozenset(_closed(rest, pull)) if remarks else frozenset()
    standing = {each.fingerprint for each in remarks if each.id not in closed}
    return frozenset(deleted | {each.fingerprint for each in remarks} - standing)


def _closed(rest: Rest, pull: PullRequest) -> Iterator[int]:
    """Yield the ids of review comments that are hidden, or whose conversation somebody with the right to write resolved."""
    trusted: dict[str, bool] = {}
    for thread in _threads(rest, pull):
        nodes = child(thread, "comments").get("nodes")
        opening = nodes[0] if isinstance(nodes, list) and nodes else None
        found = _ID.search(text(opening, "url"))
        if found is None:
            continue
        is_closed = isinstance(opening, dict) and opening.get("isMinimized") is True
        if not is_closed and thread.get("isResolved") is True:
            who = text(child(thread, "resolvedBy"), "login")
            is_closed = trusted[who] if who in trusted else trusted.setdefault(who, may_write(rest, pull.repository, who))
        if is_closed:
            yield int(found[1])


def _threads(rest: Rest, pull: PullRequest) -> Iterator[Json]:
    owner, _, name = pull.repository.partition("/")
    variables = {"owner": owner, "name": name, "number": pull.number, "after": None}
    for _ in range(PAGES_MAX):
        body = {"query": _QUERY, "variables": variables}
        reply = rest.send("POST", GRAPHQL, body=body, returned=(400, 403, 404, 422, *UNSURE))
        listed = child(child(child(child(reply.data, "data"), "repository"), "pullRequest"), "reviewThreads")
        nodes = listed.get("nodes")
        yield from (each for each in nodes if isinstance(each, dict)) if isinstance(nodes, list) else ()
        page = child(listed, "pageInfo")
        if page.get("hasNextPage") is not True or not text(page, "endCursor"):
            return
        variables = {**variables, "after": text(page, "endCursor")}
