"""The few REST calls this room is made of, as a protocol: ``client`` implements it, and everything else here only speaks it.

Lists are read by page number, never by following the addresses in an answer: those name another host when GitHub Enterprise
Server stands behind a proxy, and an address that comes from outside is not one to send a token to.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Protocol

from budget_gate.core.errors import GitHubError

JSON = "application/vnd.github+json"
DIFF = "application/vnd.github.diff"
GRAPHQL = "graphql"
"""The path that stands for the GraphQL endpoint, which lies elsewhere on github.com than on Enterprise Server."""

NO_ANSWER = 0
"""The ``status`` of a request that got no answer: refused, cut off, or timed out."""

UNSURE = (NO_ANSWER, 500, 502, 503, 504)
"""After these nobody knows whether a write was performed."""

PER_PAGE = 100
PAGES_MAX = 300

Json = dict[str, Any]


class Reply(NamedTuple):
    """An answer: its status, its JSON (or text, for a diff; None when empty), whether the list goes on, and its ``Date`` header."""

    status: int
    data: Any = None
    has_next: bool = False
    date: str = ""

    @property
    def is_success(self) -> bool:
        """True for an answer that did what was asked."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of status codes that RFC 9110 calls successful


class Rest(Protocol):
    """Authenticated requests to one GitHub API."""

    def send(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        accept: str = JSON,
        returned: Collection[int] = (),
    ) -> Reply:
        """Send one request; repeat it where repeating is safe. ``path`` is relative to the API's base address.

        An error whose status is in ``returned`` comes back as a reply; any other raises ``GitHubError`` or ``ReadOnlyToken``.
        """
        ...

    def pause(self, seconds: float) -> None:
        """Wait before another try, or raise ``GitHubError`` when all the waiting that one run may do is used up."""
        ...


def pages(rest: Rest, path: str, query: Mapping[str, str] | None = None, *, key: str = "") -> list[Json]:
    """Return every item of a list, page by page; ``key`` names the list inside an answer that is an object.

    Raises ``GitHubError`` when the answer is no list, or when a page repeats (a renamed repository redirects without the page
    number) or the list does not end.
    """
    found: dict[object, Json] = {}
    for page in range(1, PAGES_MAX + 1):
        reply = rest.send("GET", path, query={**(query or {}), "per_page": str(PER_PAGE), "page": str(page)})
        items = reply.data.get(key) if key and isinstance(reply.data, dict) else reply.data
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise GitHubError(f"GitHub answered {path} with something that is not a list")
        known = len(found)
        found.update((_identity(item), item) for item in items)
        if not reply.has_next and len(items) < PER_PAGE:
            return list(found.values())
        if items and len(found) == known:
            raise GitHubError(f"GitHub answers every page of {path} alike; was the repository renamed? Use its present name")
        if not items:
            return list(found.values())
    raise GitHubError(f"{path} has more than {PAGES_MAX * PER_PAGE} entries")


def _identity(item: Json) -> object:
    """Return what tells an item of a list from the others: its id, a file's name, or (annotations have neither) all of it."""
    return item.get("id") or item.get("filename") or repr(sorted(item.items()))


def integer(data: object, field: str) -> int:
    """Return a whole-number field of an answer, or raise ``GitHubError``."""
    value = data.get(field) if isinstance(data, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise GitHubError(f"GitHub's answer lacks the number {field!r}")
    return value


def text(data: object, field: str) -> str:
    """Return a text field of an answer; null, absence and any other type read as empty."""
    value = data.get(field) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def child(data: object, field: str) -> Json:
    """Return an object inside an answer; null, absence and any other type read as an empty one."""
    value = data.get(field) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}
