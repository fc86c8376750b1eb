"""Tickets from Jira: the document becomes text, faults become one line, and the token goes nowhere else."""

from typing import Any

import pytest
from fakes.jira_server import EMAIL, TOKEN, JiraServer

from budget_gate.core.errors import TicketError, UsageError
from budget_gate.core.tickets import requirements_of
from budget_gate.tickets.adf import adf_text
from budget_gate.tickets.jira import Jira


def text(words: str) -> dict[str, Any]:
    """Return a text node."""
    return {"type": "text", "text": words}


def paragraph(*words: str) -> dict[str, Any]:
    """Return a paragraph."""
    return {"type": "paragraph", "content": [text(each) for each in words]}


DESCRIPTION = {
    "type": "doc",
    "version": 1,
    "content": [
        {"type": "heading", "attrs": {"level": 2}, "content": [text("Refunds")]},
        paragraph("A customer may return ", "an item."),
        {
            "type": "bulletList",
            "content": [
                {"type": "listItem", "content": [paragraph("Within 30 days.")]},
                {
                    "type": "listItem",
                    "content": [
                        paragraph("Only once"),
                        {"type": "orderedList", "content": [{"type": "listItem", "content": [paragraph("also in parallel")]}]},
                    ],
                },
            ],
        },
        {"type": "codeBlock", "content": [text("refund(order)")]},
        {"type": "paragraph", "content": [{"type": "mention", "attrs": {"text": "@mona"}}, {"type": "hardBreak"}, text("asks")]},
    ],
}
ISSUE = {"summary": "Refund an order", "description": DESCRIPTION, "labels": ["simple"], "comment": {"comments": ["secret"]}}


def client(server: JiraServer, token: str = TOKEN, waits: list[float] | None = None) -> Jira:
    """Return a client that waits in a list."""
    return Jira(server.url, EMAIL, token, sleep=(waits if waits is not None else []).append)


def test_a_ticket_is_read_with_its_description_as_text() -> None:
    """Headings, lists, code and line breaks keep their lines, and the list items are the requirements."""
    with JiraServer({"SHOP-7": ISSUE}) as server:
        ticket = client(server).ticket("SHOP-7")
        assert (ticket.key, ticket.title, ticket.labels) == ("SHOP-7", "Refund an order", ("simple",))
        assert ticket.body == (
            "Refunds\nA customer may return an item.\n\n- Within 30 days.\n- Only once\n\n  1. also in parallel\n\n"
            "```\nrefund(order)\n```\n@mona\nasks"
        )
        assert [each.text for each in requirements_of(ticket)] == ["Within 30 days.", "Only once", "also in parallel"]
        assert "comment" not in server.seen[0]


@pytest.mark.parametrize(
    ("key", "token", "error", "words"),
    [
        ("SHOP-8", TOKEN, TicketError, "has no SHOP-8"),
        ("SHOP-7", "wrong", TicketError, "check JIRA_EMAIL and JIRA_API_TOKEN"),
        ("../../secret", TOKEN, UsageError, "is not a Jira key"),
        ("shop-7", TOKEN, UsageError, "write one such as SHOP-7"),
    ],
)
def test_what_cannot_be_read_is_one_line(key: str, token: str, error: type[Exception], words: str) -> None:
    """The line says what to change and never holds the token."""
    with JiraServer({"SHOP-7": ISSUE}) as server, pytest.raises(error, match=words) as raised:
        client(server, token).ticket(key)
    assert TOKEN not in str(raised.value)


def test_a_rate_limit_is_waited_for_and_a_failure_retried() -> None:
    """Jira says how long; after a gateway's failure a moment passes; then the ticket is there."""
    with JiraServer({"SHOP-7": ISSUE}) as server:
        server.faults += [(429, {"Retry-After": "7"}, b""), (502, {}, b"<html>")]
        waits: list[float] = []
        assert client(server, waits=waits).ticket("SHOP-7").title == "Refund an order"
        assert waits == [7.0, 2.0]


@pytest.mark.parametrize(
    "fault",
    [
        (429, {"Retry-After": "3600"}, b""),
        (302, {"Location": "https://elsewhere.test/"}, b""),
        (200, {}, b"<html>Sign in</html>"),
        (200, {}, b"[1]"),
        (200, {}, b'{"fields": {"summary": 7}}'),
        (200, {}, b"[" * 100_000),
    ],
)
def test_strange_answers_end_in_one_line_at_once(fault: tuple[int, dict[str, str], bytes]) -> None:
    """No endless wait, no redirect followed, no traceback."""
    with JiraServer({"SHOP-7": ISSUE}) as server:
        server.faults.append(fault)
        with pytest.raises(TicketError, match="Jira"):
            client(server).ticket("SHOP-7")
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    "url", ["", "http://jira.test", "ftp://x", "https://user:pw@jira.test", "jira.test", "https://[", "https://h/?q=1"]
)
def test_an_address_that_cannot_be_right_is_refused(url: str) -> None:
    """A token is sent encrypted, or to this machine, or not at all; the error repeats no address."""
    with pytest.raises(UsageError, match=r"write https://YOUR-SITE\.atlassian\.net"):
        Jira(url, EMAIL, TOKEN)
    with pytest.raises(UsageError, match="JIRA_API_TOKEN"):
        Jira("https://jira.test", EMAIL, "")


def test_nobody_answering_is_one_line() -> None:
    """A connection that is refused is tried again and then said."""
    with JiraServer({}) as server:
        url = server.url
    waits: list[float] = []
    with pytest.raises(TicketError, match="cannot be reached"):
        Jira(url, EMAIL, TOKEN, sleep=waits.append).ticket("SHOP-7")
    assert len(waits) == 2
    assert TOKEN not in repr(Jira(url, EMAIL, TOKEN))


@pytest.mark.parametrize("document", [None, 7, [], {}, {"type": "doc", "content": "x"}, {"type": "doc", "content": [None, 3]}])
def test_what_is_no_document_reads_as_nothing(document: object) -> None:
    """Jira leaves an empty description out; anything else that is no document is no text either."""
    assert adf_text(document) == ""


def test_a_deep_document_is_cut_off() -> None:
    """Nesting without end does not exhaust the stack."""
    node: dict[str, Any] = paragraph("deep")
    for _ in range(900):
        node = {"type": "blockquote", "content": [node]}
    assert adf_text({"type": "doc", "content": [paragraph("top"), node]}).strip() == "top"
