"""GitHub through PyGithub, and the only module that knows it: authentication, retries, rate limits, and translated failures.

PyGithub carries the requests; its object model is not used, because a review needs a dozen plain calls and full control over
which of them may be repeated. Importing it costs about a quarter of a second, so that waits until the first request. What the
calls mean is in the other modules of this room.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from budget_gate.core.errors import GitHubError, UsageError
from budget_gate.core.pull_requests import ClosedPull, PullRequest
from budget_gate.core.tickets import Ticket
from budget_gate.github.branch_pull import open_pull
from budget_gate.github.check_run import CheckVerdict, put_check_run
from budget_gate.github.closed_pulls import list_closed_pulls, read_closed_pull
from budget_gate.github.failures import failure, rate_limit_wait_seconds, rate_limited
from budget_gate.github.identity import INSTALLATION_PREFIX, own_login
from budget_gate.github.interface import (
    Annotation,
    Conclusion,
    InlineComment,
    LabelChange,
    PostedComment,
    PullOpened,
    RunAttempt,
)
from budget_gate.github.issues import read_issue
from budget_gate.github.labels import last_label_change, may_write, take_label_off
from budget_gate.github.pulls import read_commit_diff, read_diff, read_pull_request
from budget_gate.github.rest import DIFF, GRAPHQL, JSON, NO_ANSWER, Reply
from budget_gate.github.review_comments import post_findings
from budget_gate.github.run_attempts import read_run_attempt
from budget_gate.github.sticky_comment import StickyComment, put_sticky_comment
from budget_gate.github.teams import is_team_member

if TYPE_CHECKING:
    from github import Github

API_VERSION = "2022-11-28"
TIMEOUT_SECONDS = 15
PATIENCE_SECONDS = 20.0
"""All the waiting that one client does, over all its requests together."""

RETRIES_MAX = 3
_TRANSIENT = (NO_ANSWER, 502, 503, 504)
_REPEATABLE = ("GET", "PATCH", "PUT", "DELETE")


class _Answer(NamedTuple):
    """A raw answer: status, headers with lower-case names, and text (a reason in words when there was no answer)."""

    status: int
    headers: Mapping[str, str]
    text: str


class Transport:
    """Implements ``rest.Rest`` with PyGithub's requester. ``sleep`` and ``clock`` (seconds since 1970) exist for tests."""

    def __init__(
        self,
        token: str,
        api_url: str,
        *,
        timeout_seconds: int = TIMEOUT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._token = _usable_token(token)
        self._api_url = _usable_url(api_url)
        self._timeout_seconds = timeout_seconds
        self._patience_seconds = patience_seconds
        self._sleep = sleep
        self._clock = clock
        self._github: Github | None = None

    def __repr__(self) -> str:
        return f"Transport({self._api_url})"

    @property
    def is_installation(self) -> bool:
        """True when the token is an app's, as ``GITHUB_TOKEN`` is."""
        return self._token.startswith(INSTALLATION_PREFIX)

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
        """Send one request. See ``rest.Rest.send``."""
        retries = 0
        while True:
            answer = self._once(verb, path, query, body, accept)
            message = _message(answer)
            wait_seconds = rate_limit_wait_seconds(answer.status, answer.headers, message, self._clock())
            if wait_seconds is not None:
                if wait_seconds > self._patience_seconds:
                    raise rate_limited(wait_seconds, self._clock())
                self.pause(wait_seconds)  # a request that met a rate limit was not performed: any verb may be repeated
                continue
            backoff_seconds = 0.5 * 2**retries
            may_repeat = verb in _REPEATABLE and retries < RETRIES_MAX and backoff_seconds <= self._patience_seconds
            if answer.status in _TRANSIENT and may_repeat:
                self.pause(backoff_seconds)
                retries += 1
                continue
            if answer.status in returned or 200 <= answer.status < 300:  # noqa: PLR2004 - see rest.Reply.is_success
                return _reply(path, answer, accept)
            raise failure(verb, path, answer.status, message)

    def pause(self, seconds: float) -> None:
        """Wait, or raise ``GitHubError`` when that is longer than this client may still wait."""
        if seconds > self._patience_seconds:
            raise GitHubError("GitHub keeps failing, and this run has waited for it as long as it may; run again")
        self._patience_seconds -= seconds
        self._sleep(seconds)

    def close(self) -> None:
        """Close the connection."""
        if self._github is not None:
            self._github.close()
            self._github = None

    def _once(
        self, verb: str, path: str, query: Mapping[str, str] | None, body: Mapping[str, Any] | None, accept: str
    ) -> _Answer:
        """Send a request once. No exception of PyGithub, requests or urllib3 leaves here, nor their texts: some quote headers."""
        requester = self._connected().requester
        import requests

        url = requester.graphql_url if path == GRAPHQL else path
        headers = {"Accept": accept, "X-GitHub-Api-Version": API_VERSION}
        try:
            status, answered, content = requester.requestJson(verb, url, dict(query or {}), headers, body)
        except requests.exceptions.Timeout:
            return _Answer(NO_ANSWER, {}, "timed out")
        except requests.exceptions.SSLError:
            return _Answer(NO_ANSWER, {}, "its certificate was not accepted")
        except requests.exceptions.RequestException:
            return _Answer(NO_ANSWER, {}, "the connection failed")
        except (RuntimeError, AssertionError):
            # PyGithub's answer to a redirect that leaves the API's scheme, host or port
            raise GitHubError(f"GitHub: {verb} {path} was redirected elsewhere; correct GITHUB_API_URL") from None
        return _Answer(status, {name.lower(): str(value) for name, value in answered.items()}, content)

    def _connected(self) -> "Github":
        if self._github is None:
            try:
                from github import Auth, Github
            except ImportError:
                raise UsageError("GitHub needs an extra: pip install 'budget-gate-ci[github]'") from None
            self._github = Github(
                auth=Auth.Token(self._token),
                base_url=self._api_url,
                timeout=self._timeout_seconds,
                user_agent="budget-gate",
                retry=None,  # PyGithub's own would repeat writes, and sleep for as long as GitHub asks
                seconds_between_requests=None,  # its defaults add seconds to a run of a dozen requests
                seconds_between_writes=None,
            )
        return self._github


class GitHubClient:
    """Implements ``interface.GitHub`` for one repository.

    ``api_url`` is ``GITHUB_API_URL``, ``repository`` is ``OWNER/REPO``. Raises ``UsageError`` where one of them, or the token,
    cannot be right. Use as a context manager, or ``close`` it.
    """

    def __init__(
        self,
        token: str,
        api_url: str,
        repository: str,
        *,
        timeout_seconds: int = TIMEOUT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._repository = usable_repository(repository)
        self._rest = Transport(token, api_url, timeout_seconds=timeout_seconds, patience_seconds=patience_seconds, sleep=sleep)
        self._login = ""

    def __repr__(self) -> str:
        return f"GitHubClient({self._repository})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._rest.close()

    def pull_request(self, number: int) -> PullRequest:
        """Return one pull request."""
        return read_pull_request(self._rest, self._repository, number)

    def closed_pull(self, number: int) -> ClosedPull | None:
        """Return a pull request that was closed, merged or not; None while it is open."""
        return read_closed_pull(self._rest, self._repository, number)

    def closed_pulls(self, since: datetime, until: datetime) -> tuple[ClosedPull, ...]:
        """Return every pull request closed from ``since`` until before ``until``, in the order of their closing."""
        return list_closed_pulls(self._rest, self._repository, since, until)

    def diff(self, number: int) -> str:
        """Return the unified diff of a pull request, undecodable bytes replaced; see ``pulls.read_diff`` for large ones."""
        return read_diff(self._rest, self._repository, number)

    def commit_diff(self, pull: PullRequest) -> str:
        """Return the unified diff of exactly the head commit that ``pull`` names, whatever has been pushed since."""
        return read_commit_diff(self._rest, pull)

    def last_label_change(self, number: int, label: str) -> LabelChange | None:
        """Return who put a label on a pull request, or took it off, last; None if it never was there."""
        return last_label_change(self._rest, self._repository, number, label)

    def may_write(self, login: str) -> bool:
        """Return whether a person may write to the repository (the roles write, maintain and admin)."""
        return may_write(self._rest, self._repository, login)

    def take_label_off(self, number: int, label: str) -> bool:
        """Take a label off a pull request; False if it was not there."""
        return take_label_off(self._rest, self._repository, number, label)

    def issue(self, number: int) -> Ticket:
        """Return one issue as a ticket."""
        return read_issue(self._rest, self._repository, number)

    def put_comment(self, number: int, marker: str, body: str, run_number: int, run_attempt: int) -> PostedComment:
        """Create or update the one comment of ours that carries ``marker``."""
        comment = StickyComment(marker, body, run_number, run_attempt)
        return put_sticky_comment(self._rest, self._repository, number, self._own_login(), comment)

    def post_findings(self, pull: PullRequest, marker: str, comments: Sequence[InlineComment]) -> int:
        """Post findings as inline review comments, leaving out those already there; return how many were new."""
        return post_findings(self._rest, pull, marker, self._own_login(), comments) if comments else 0

    def open_pull(
        self,
        base: str,
        branch: str,
        files: Mapping[str, str],
        title: str,
        body: str,
        *,
        draft: bool,
        message: str,
        only_new: Collection[str] = (),
    ) -> PullOpened:
        """Propose files as a pull request from a branch of this repository; see ``branch_pull.open_pull``."""
        return open_pull(self._rest, self._repository, base, branch, files, title, body, draft, message, only_new=only_new)

    def run_attempt(self, run_id: int, run_attempt: int) -> RunAttempt | None:
        """Return one attempt of a workflow run of this repository; None when GitHub knows none."""
        return read_run_attempt(self._rest, self._repository, run_id, run_attempt)

    def put_check(
        self,
        head_sha: str,
        conclusion: Conclusion,
        title: str,
        summary: str,
        *,
        run_id: int,
        run_attempt: int,
        details_url: str = "",
        annotations: Sequence[Annotation] = (),
    ) -> str:
        """Create or update the check run ``budget-gate`` of a commit, annotations added; return its URL."""
        verdict = CheckVerdict(conclusion, title, summary, run_id, run_attempt, details_url, tuple(annotations))
        return put_check_run(self._rest, self._repository, head_sha, verdict)

    def is_team_member(self, organization: str, team: str, user: str) -> bool:
        """Return True if ``user`` is an active member of a team; raises ``GitHubError`` where the token may not look."""
        return is_team_member(self._rest, organization, team, user)

    def _own_login(self) -> str:
        if not self._login:
            self._login = own_login(self._rest, is_installation=self._rest.is_installation)
        return self._login


_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def usable_repository(repository: str) -> str:
    """Return a repository's name that can stand in a path. Raises ``UsageError``."""
    owner, slash, name = repository.partition("/")
    if not slash or not all(part and set(part) <= _NAME_CHARACTERS and set(part) != {"."} for part in (owner, name)):
        raise UsageError(f"{repository[:80]!r} is not a repository; write OWNER/REPO")
    return repository


def _usable_token(token: str) -> str:
    """Return a token that can stand in a header. The HTTP library would quote one that cannot in its error."""
    stripped = token.strip()
    if not stripped:
        raise UsageError("no GitHub token; set GITHUB_TOKEN")
    if not stripped.isascii() or not stripped.isprintable() or " " in stripped:
        raise UsageError("GITHUB_TOKEN contains a character that no token has; set it again")
    return stripped


def _usable_url(api_url: str) -> str:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(api_url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_usable = False
    if not is_usable or parts.username or parts.query or parts.fragment:
        raise UsageError("GITHUB_API_URL is not an address of an API; write https://api.github.com or https://HOST/api/v3")
    return api_url.rstrip("/")


def _message(answer: _Answer) -> str:
    """Return what an error answer says: GitHub's message and its details, or the reason why there is no answer."""
    if answer.status == NO_ANSWER:
        return answer.text
    try:
        data = json.loads(answer.text) if answer.status >= 400 else None  # noqa: PLR2004 - RFC 9110: from here on, errors
    except ValueError:
        return ""  # a proxy's page; the status says enough
    if not isinstance(data, dict):
        return ""
    errors = data.get("errors")
    details = [each.get("message") if isinstance(each, dict) else each for each in errors] if isinstance(errors, list) else []
    return ": ".join(part for part in (data.get("message"), *details) if isinstance(part, str) and part)


def _reply(path: str, answer: _Answer, accept: str) -> Reply:
    if answer.status == NO_ANSWER:
        return Reply(NO_ANSWER)
    has_next = 'rel="next"' in answer.headers.get("link", "")
    if accept == DIFF and answer.status < 300:  # noqa: PLR2004 - see rest.Reply.is_success
        return Reply(answer.status, answer.text)
    try:
        return Reply(answer.status, json.loads(answer.text) if answer.text else None, has_next, answer.headers.get("date", ""))
    except (ValueError, RecursionError):
        if answer.status >= 400:  # noqa: PLR2004 - RFC 9110: from here on, errors
            return Reply(answer.status)
        raise GitHubError(f"GitHub answered {path} with something that is not JSON; check GITHUB_API_URL") from None
