"""Pull requests that came to an end: one by its number, or every one that was closed in a range of time. Reads only."""

from datetime import UTC, datetime

from budget_gate.core.errors import GitHubError
from budget_gate.core.pull_requests import ClosedPull
from budget_gate.github.rest import PAGES_MAX, PER_PAGE, Json, Rest, child, integer, text


def read_closed_pull(rest: Rest, repository: str, number: int) -> ClosedPull | None:
    """Return a pull request that was closed; None while it is open."""
    return closed_pull_from(repository, rest.send("GET", f"/repos/{repository}/pulls/{number}").data)


def list_closed_pulls(rest: Rest, repository: str, since: datetime, until: datetime) -> tuple[ClosedPull, ...]:
    """Return those closed from ``since`` until before ``until``, in the order of their closing.

    GitHub cannot filter by that, so the list is read from what changed last down to what has not changed since ``since``: nothing
    below can have been closed later. A pull request that changes meanwhile moves to the top, so the first page is read once more
    at the end.
    """
    found: dict[int, ClosedPull] = {}
    for page in range(1, PAGES_MAX + 1):
        items = _page(rest, repository, page)
        _keep(found, repository, items)
        if len(items) < PER_PAGE or _instant(items[-1], "updated_at") < since:
            break
    else:
        raise GitHubError(
            f"{repository} has more than {PAGES_MAX * PER_PAGE} closed pull requests in that range; take shorter ones"
        )
    if page > 1:
        _keep(found, repository, _page(rest, repository, 1))
    in_range = [each for each in found.values() if since <= each.closed_at < until]
    return tuple(sorted(in_range, key=lambda each: (each.closed_at, each.number)))


def closed_pull_from(repository: str, data: Json) -> ClosedPull | None:
    """Return what GitHub's JSON says; None for a pull request that is open. Raises ``GitHubError`` if it is none."""
    number = integer(data, "number")
    if text(data, "state") != "closed":
        return None
    return ClosedPull(
        repository=repository,
        number=number,
        title=text(data, "title"),
        body=text(data, "body"),
        author=text(child(data, "user"), "login") or "ghost",
        is_merged=bool(text(data, "merged_at")),  # the list has no `merged`
        closed_at=_instant(data, "closed_at"),
    )


def _page(rest: Rest, repository: str, page: int) -> list[Json]:
    query = {"state": "closed", "sort": "updated", "direction": "desc", "per_page": str(PER_PAGE), "page": str(page)}
    items = rest.send("GET", f"/repos/{repository}/pulls", query=query).data
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise GitHubError(f"GitHub answered the pull requests of {repository} with something that is not a list")
    return items


def _keep(found: dict[int, ClosedPull], repository: str, items: list[Json]) -> None:
    for item in items:
        pull = closed_pull_from(repository, item)
        if pull is not None:
            found[pull.number] = pull


def _instant(data: Json, field: str) -> datetime:
    """Return a time of an answer, in UTC, or raise ``GitHubError``."""
    problem = f"GitHub's answer lacks the time {field!r}"
    try:
        instant = datetime.fromisoformat(text(data, field))
    except ValueError:
        raise GitHubError(problem) from None
    if instant.tzinfo is None:
        raise GitHubError(problem)
    return instant.astimezone(UTC)
