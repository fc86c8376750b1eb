"""The event that started a workflow run, read from the runner's file. Much of it is a pull request author's data.

Every fault becomes one line that names the file, the field, and what was expected; what may rightly be absent gets a default.
"""

import json
import os
import re
import stat
from typing import NamedTuple, NoReturn

from budget_gate.core.errors import UsageError

FILE_BYTES_MAX = 32 * 1024 * 1024
"""docs.github.com, "Webhook events and payloads": payloads are capped at 25 MB."""

PULL_REQUEST_EVENTS = ("pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment")
_NUMBER_MAX = 2**53
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_QUEUED_PULL = re.compile(r"/pr-([1-9]\d{0,15})-[0-9a-f]{40}")
"""The branch that a merge queue makes: ``gh-readonly-queue/BASE/pr-NUMBER-SHA``."""


class Event(NamedTuple):
    """What a run needs to know of its event.

    ``head_sha`` is the commit to report on: empty where the event does not say, as for a comment on a pull request. ``pr_number``
    and ``issue_number`` are None where the event is about neither. ``author`` wrote the pull request or issue;
    ``is_said_by_bot`` is true where the comment or review that started the run is a bot's. ``label`` is the one that was just put
    on a pull request, and ``sender`` who did it.
    """

    name: str
    action: str = ""
    head_sha: str = ""
    pr_number: int | None = None
    issue_number: int | None = None
    author: str = ""
    labels: tuple[str, ...] = ()
    is_fork: bool = False
    is_draft: bool = False
    is_merged: bool = False
    is_said_by_bot: bool = False
    label: str = ""
    sender: str = ""


def read_event(name: str, path: str, repository: str, sha: str) -> Event:
    """Return the event called ``name`` (``GITHUB_EVENT_NAME``) from its file; ``sha`` is ``GITHUB_SHA``.

    Without a file there is nothing to read, and the run's own commit counts. Raises ``UsageError``.
    """
    if not path:
        return Event(name, head_sha=sha)
    payload = _Node(path, "", _load(path))
    action = payload.text("action")
    if name in PULL_REQUEST_EVENTS:
        return _pull_request(name, action, payload, repository)
    if name == "merge_group":
        group = payload.required("merge_group")
        queued = _QUEUED_PULL.search(group.text("head_ref"))
        return Event(name, action, group.sha("head_sha"), int(queued[1]) if queued else None)
    if name in {"issue_comment", "issues"}:
        return _issue(name, action, payload, sha)
    if name == "push" and payload.flag("deleted"):
        return Event(name, action)  # a deleted branch has no head
    return Event(name, action, payload.sha("after") if name == "push" else sha)


def _pull_request(name: str, action: str, payload: "_Node", repository: str) -> Event:
    pull = payload.required("pull_request")
    head = pull.required("head")
    # the repository of a deleted fork is null: still a fork
    home = head.child("repo").text("full_name")
    return Event(
        name=name,
        action=action,
        head_sha=head.sha("sha"),
        pr_number=pull.number("number"),
        author=pull.child("user").text("login"),
        labels=pull.labels(),
        is_fork=home.casefold() != repository.casefold(),
        is_draft=pull.flag("draft"),
        is_merged=pull.flag("merged"),
        is_said_by_bot=_is_said_by_bot(payload),
        label=payload.child("label").text("name") if action == "labeled" else "",
        sender=payload.child("sender").text("login"),
    )


def _is_said_by_bot(payload: "_Node") -> bool:
    """Return whether a bot wrote the comment, or the review, that the event is about."""
    authors = [payload.child(said).child("user") for said in ("comment", "review")]
    return any(author.text("type") == "Bot" or author.text("login").endswith("[bot]") for author in authors)


def _issue(name: str, action: str, payload: "_Node", sha: str) -> Event:
    issue = payload.required("issue")
    number, author = issue.number("number"), issue.child("user").text("login")
    is_pull = issue.child("pull_request").is_there
    return Event(
        name,
        action,
        "" if is_pull else sha,
        number if is_pull else None,
        None if is_pull else number,
        author,
        issue.labels(),
        is_said_by_bot=_is_said_by_bot(payload),
    )


def _load(path: str) -> object:
    """Return the JSON in a file, which must be a regular one of bounded size."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - pathlib is slow to import
            _fault(path, "", "is not a regular file")
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            raw = file.read(FILE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        _fault(path, "", f"cannot be read ({getattr(error, 'strerror', None) or 'not a path'})")
    if len(raw) > FILE_BYTES_MAX:
        _fault(path, "", f"is larger than {FILE_BYTES_MAX // 2**20} MiB")
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        _fault(path, "", "is not UTF-8")
    except json.JSONDecodeError as error:
        _fault(path, "", f"is not JSON (line {error.lineno}, column {error.colno}: {error.msg})")
    except ValueError:
        _fault(path, "", "holds a number with thousands of digits")
    except RecursionError:
        _fault(path, "", "is nested too deeply")


def _fault(path: str, field: str, problem: str) -> NoReturn:
    place = f"{path!r}" if not path.isprintable() else path
    raise UsageError(
        f"{place}: {field}{': ' if field else ''}{problem}; GITHUB_EVENT_PATH must name the event file that the runner wrote"
    )


class _Node(NamedTuple):
    """A JSON object in the event, or its absence, with the way there for messages."""

    file: str
    way: str
    data: object

    @property
    def is_there(self) -> bool:
        """True unless it is absent or null."""
        return self.data is not None

    def get(self, name: str) -> object:
        """Return a member, None when absent. The object itself must be one."""
        if self.data is None:
            return None
        if not isinstance(self.data, dict):
            _fault(self.file, self.way, f"must be a JSON object, not {_shown(self.data)}")
        return self.data.get(name)

    def child(self, name: str) -> "_Node":
        """Return an object inside, which may be absent."""
        node = _Node(self.file, self._field(name), self.get(name))
        if node.is_there and not isinstance(node.data, dict):
            _fault(self.file, node.way, f"must be a JSON object, not {_shown(node.data)}")
        return node

    def required(self, name: str) -> "_Node":
        """Return an object inside that must be there."""
        node = self.child(name)
        if not node.is_there:
            _fault(self.file, node.way, "is missing")
        return node

    def text(self, name: str) -> str:
        """Return a text, empty when absent; lone surrogates, which no file could hold, become U+FFFD."""
        value = self.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            _fault(self.file, self._field(name), f"must be text, not {_shown(value)}")
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")

    def flag(self, name: str) -> bool:
        """Return a yes or no, no when absent."""
        value = self.get(name)
        if value is not None and not isinstance(value, bool):
            _fault(self.file, self._field(name), f"must be true or false, not {_shown(value)}")
        return value is True

    def number(self, name: str) -> int:
        """Return the number of a pull request or issue, which must be there."""
        value = self.get(name)
        if value is None:
            _fault(self.file, self._field(name), "is missing")
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _NUMBER_MAX:
            _fault(self.file, self._field(name), f"must be a whole number above 0, not {_shown(value)}")
        return value

    def sha(self, name: str) -> str:
        """Return a commit id, which must be there."""
        value = self.text(name)
        if not value:
            _fault(self.file, self._field(name), "is missing")
        if not _SHA.fullmatch(value):
            _fault(self.file, self._field(name), f"must be a full commit id, not {_shown(value)}")
        return value

    def labels(self) -> tuple[str, ...]:
        """Return the names of the labels, none when absent."""
        value = self.get("labels")
        if value is None:
            return ()
        if not isinstance(value, list):
            _fault(self.file, self._field("labels"), f"must be a list, not {_shown(value)}")
        return tuple(_Node(self.file, self._field(f"labels[{at}]"), each).text("name") for at, each in enumerate(value))

    def _field(self, name: str) -> str:
        return f"{self.way}.{name}" if self.way else name


def _shown(value: object) -> str:
    """Return a faulty value so that it fits on one line and says what it is."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    written = json.dumps(value)
    return written if len(written) <= 40 else f"{written[:39]}…"  # noqa: PLR2004 - enough to recognize it
