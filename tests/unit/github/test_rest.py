"""Reading lists page by page, and the shapes of answers."""

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from budget_gate.core.errors import GitHubError
from budget_gate.github.rest import JSON, Reply, child, integer, pages, text


class _Lists:
    """A ``Rest`` that answers the same lists whatever is asked; the last one again and again."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[str] = []

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
        self.asked.append((query or {})["page"])
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def pause(self, seconds: float) -> None:
        """Never called here."""


def _items(first: int, count: int) -> list[dict[str, int]]:
    return [{"id": at} for at in range(first, first + count)]


def test_a_list_ends_where_the_server_says() -> None:
    """A page that announces another is followed by it, however short it is; a short last page ends the list."""
    rest = _Lists(Reply(200, _items(0, 30), has_next=True), Reply(200, _items(30, 5)))
    assert len(pages(rest, "/x")) == 35
    assert rest.asked == ["1", "2"]


def test_a_full_page_without_a_link_is_not_trusted() -> None:
    """Where a proxy strips the links, a full page is followed until an empty one."""
    rest = _Lists(Reply(200, _items(0, 100)), Reply(200, _items(100, 100)), Reply(200, []))
    assert len(pages(rest, "/x")) == 200


def test_items_that_move_between_pages_count_once() -> None:
    """An item seen on two pages, because an earlier one was deleted meanwhile, is one item."""
    rest = _Lists(Reply(200, _items(0, 100), has_next=True), Reply(200, _items(90, 20)))
    assert len(pages(rest, "/x")) == 110


def test_a_server_that_repeats_its_page_is_an_error() -> None:
    """A redirect that loses the page number ends in a clear error instead of an endless list."""
    with pytest.raises(GitHubError, match="was the repository renamed"):
        pages(_Lists(Reply(200, _items(0, 100), has_next=True)), "/x")


@pytest.mark.parametrize("data", [None, "text", {"message": "no"}, [1], {"check_runs": None}])
def test_what_is_no_list_is_an_error(data: object) -> None:
    """An answer of another shape is a ``GitHubError``."""
    with pytest.raises(GitHubError, match="not a list"):
        pages(_Lists(Reply(200, data)), "/x", key="check_runs" if isinstance(data, dict) else "")


def test_fields_of_answers_default_or_fail_clearly() -> None:
    """Texts and objects default to empty; a number that is none is an error."""
    data = {"a": 1, "b": None, "c": "x", "d": {"e": 2}, "f": True}
    assert [text(data, name) for name in "abcd"] == ["", "", "x", ""]
    assert [child(data, name) for name in "abd"] == [{}, {}, {"e": 2}]
    assert integer(data, "a") == 1
    for name in "bcfg":
        with pytest.raises(GitHubError, match="lacks the number"):
            integer(data, name)
