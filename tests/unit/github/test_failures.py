"""GitHub's refusals in our words, and how long its rate limits ask to wait."""

import pytest

from budget_gate.core.errors import GitHubError, ReadOnlyToken
from budget_gate.github.failures import failure, flat, rate_limit_wait_seconds, rate_limited

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("verb", "status", "kind", "said"),
    [
        ("POST", 403, ReadOnlyToken, "the token may not write here (403 m)"),
        ("PATCH", 404, ReadOnlyToken, "the token may not write here (404 m)"),
        ("GET", 403, GitHubError, "the token may not read this (403 m)"),
        ("GET", 404, GitHubError, "not found (404 m)"),
        ("GET", 401, GitHubError, "the token was not accepted (401 m)"),
        ("POST", 401, GitHubError, "the token was not accepted (401 m)"),
        ("POST", 422, GitHubError, "failed (422 m)"),
        ("GET", 0, GitHubError, "got no answer (m)"),
    ],
)
def test_kind_and_words_of_a_failure(verb: str, status: int, kind: type[GitHubError], said: str) -> None:
    """A refused write is an expected outcome of its own; everything else says what to look at."""
    error = failure(verb, "/repos/a/b", status, "m")
    assert type(error) is kind
    assert said in str(error)


@pytest.mark.parametrize(
    ("status", "headers", "message", "seconds"),
    [
        (403, {"retry-after": "7"}, "You have exceeded a secondary rate limit", 7.0),
        (429, {"retry-after": "0"}, "", 1.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000009"}, "API rate limit exceeded", 10.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, "API rate limit exceeded", 1.0),
        (403, {"x-ratelimit-remaining": "12"}, "You have exceeded a secondary rate limit.", 60.0),
        (429, {"retry-after": "soon"}, "", 60.0),
        (403, {"x-ratelimit-remaining": "12"}, "Resource not accessible by integration", None),
        (404, {"retry-after": "7"}, "", None),
    ],
)
def test_how_long_a_rate_limit_asks_to_wait(status: int, headers: dict[str, str], message: str, seconds: float | None) -> None:
    """The order is retry-after, then the reset, then a minute; a plain refusal is no rate limit."""
    assert rate_limit_wait_seconds(status, headers, message, NOW) == seconds


def test_a_rate_limit_that_is_too_long_says_until_when() -> None:
    """The line names the seconds and the time after which to run again."""
    assert (
        str(rate_limited(90, NOW)) == "GitHub's rate limit asks to wait 90 s, longer than a run may; run again after 08:01:30 UTC"
    )


def test_messages_are_one_short_line() -> None:
    """Whatever GitHub, or what poses as it, says comes out as one short printable line."""
    assert flat("a\n::error::b\x1b[0m\tc") == "a ::error::b [0m c"
    assert len(flat("x" * 5000)) == 200
