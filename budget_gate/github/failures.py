"""GitHub's error answers in our words: which exception, what to tell the user, and how long a rate limit asks to wait.

Pure functions over status, headers and message. Texts carry GitHub's own message, flattened and shortened, never a header.
"""

import datetime as dt
from collections.abc import Mapping

from budget_gate.core.errors import GitHubError, ReadOnlyToken
from budget_gate.github.rest import NO_ANSWER

FORBIDDEN, NOT_FOUND, TOO_MANY = 403, 404, 429
SECONDARY_WAIT_SECONDS = 60.0
"""What to wait when GitHub names no time (docs.github.com, "Best practices for using the REST API": at least one minute)."""


def failure(verb: str, path: str, status: int, message: str) -> GitHubError:
    """Return the exception for a request that failed."""
    said = flat(message)
    what = f"GitHub: {verb} {path}"
    if status == NO_ANSWER:
        return GitHubError(f"{what} got no answer ({said}); check GITHUB_API_URL and the network")
    detail = f"{status} {said}".strip()
    if status == 401:  # noqa: PLR2004 - the status code for credentials that are not accepted
        return GitHubError(f"{what}: the token was not accepted ({detail}); check GITHUB_TOKEN")
    if verb != "GET" and status in (FORBIDDEN, NOT_FOUND):
        return ReadOnlyToken(f"{what}: the token may not write here ({detail}); a fork's may not, else grant the permission")
    if status == FORBIDDEN:
        return GitHubError(f"{what}: the token may not read this ({detail}); check the job's `permissions:`")
    if status == NOT_FOUND:
        return GitHubError(f"{what}: not found ({detail}); check the repository and number, and that the token may read them")
    return GitHubError(f"{what} failed ({detail})")


def rate_limited(wait_seconds: float, now_seconds: float) -> GitHubError:
    """Return the exception for a rate limit that lasts longer than a run may wait."""
    until = dt.datetime.fromtimestamp(now_seconds + wait_seconds, dt.UTC)
    return GitHubError(
        f"GitHub's rate limit asks to wait {wait_seconds:.0f} s, longer than a run may; run again after {until:%H:%M:%S} UTC"
    )


def rate_limit_wait_seconds(status: int, headers: Mapping[str, str], message: str, now_seconds: float) -> float | None:
    """Return how long GitHub asks to wait (at least a second), or None when this is no rate limit.

    The order is GitHub's: ``retry-after``, then ``x-ratelimit-reset`` when nothing remains, then a minute
    (docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api). ``headers`` has lower-case names.
    """
    if status not in (FORBIDDEN, TOO_MANY):
        return None
    asked = _number(headers.get("retry-after"))
    if asked is not None:
        return max(asked, 1.0)
    reset = _number(headers.get("x-ratelimit-reset"))
    if headers.get("x-ratelimit-remaining") == "0" and reset is not None:
        return max(reset - now_seconds + 1, 1.0)
    if status == TOO_MANY or "rate limit" in message.lower():
        return SECONDARY_WAIT_SECONDS
    return None


def flat(message: str) -> str:
    """Return a message of GitHub's as one short line without control characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    return line if len(line) <= 200 else f"{line[:199]}…"  # noqa: PLR2004 - long enough for any message of GitHub's


def _number(value: str | None) -> float | None:
    try:
        return float(int(value)) if value is not None else None
    except ValueError:
        return None
