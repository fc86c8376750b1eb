"""How an answer that is no message is accounted for."""

import json

import pytest

from budget_gate.providers.anthropic_outcomes import TEXT_CHARACTERS_MOST, clean, outcome_of, retry_after_seconds


def envelope(kind: str, **error: object) -> bytes:
    """Return an error body as the API sends it."""
    return json.dumps({"type": "error", "error": {"type": kind, "message": "no", **error}, "request_id": "req_1"}).encode()


@pytest.mark.parametrize(
    ("status", "body", "resolution", "kind", "retries"),
    [
        (400, envelope("invalid_request_error"), "void", "rejected", False),
        (413, b"<html>too large</html>", "void", "rejected", False),
        (408, envelope("timeout_error"), "void", "rejected", True),
        (408, b"", "hold", "rejected", True),
        (409, envelope("conflict_error"), "void", "rejected", True),
        (499, b"", "hold", "rejected", False),
        (429, envelope("rate_limit_error"), "void", "rate_limited", True),
        (
            429,
            envelope("rate_limit_error", details={"error_code": "enforced_spend_limit_reached"}),
            "void",
            "rate_limited",
            False,
        ),
        (529, envelope("overloaded_error"), "void", "overloaded", True),
        (529, b"{}", "hold", "overloaded", True),
        (503, envelope("overloaded_error"), "void", "overloaded", True),
        (503, envelope("api_error"), "hold", "overloaded", True),
        (500, envelope("api_error"), "hold", "broken", True),
        (504, envelope("timeout_error"), "hold", "broken", True),
        (302, b"", "hold", "broken", False),
        (204, b"", "hold", "broken", False),
    ],
)
def test_only_a_plain_refusal_is_void(status: int, body: bytes, resolution: str, kind: str, retries: bool) -> None:  # noqa: FBT001  # a column of the table
    """A status is void only where the API refused before a token was made; doubt is held."""
    outcome = outcome_of(status, body)
    assert (outcome.resolution, outcome.kind, outcome.is_worth_retrying) == (resolution, kind, retries)


@pytest.mark.parametrize(
    "body", [b"[]", b'{"type": "error", "error": []}', b'{"type": "error", "error": {"type": {}}}', b"\xff" * 9]
)
def test_a_malformed_error_body_is_not_believed(body: bytes) -> None:
    """An error body of another shape is no word of the API's, and nothing of it is shown."""
    assert outcome_of(529, body) == ("hold", "overloaded", "the API answered 529", True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 90.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:01 GMT"}, 0.0),
        ({}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "-5"}, None),
    ],
)
def test_retry_after_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, milliseconds and dates are understood; what is no wait is none."""
    assert retry_after_seconds(headers, now=10.0) == seconds


def test_foreign_text_is_one_short_line() -> None:
    """Line breaks, escapes and length are taken out of what somebody else wrote."""
    assert clean("a\r\nb\x1b[31m\u202ec") == "a b [31m c"
    assert len(clean("x" * 10_000)) == TEXT_CHARACTERS_MOST
