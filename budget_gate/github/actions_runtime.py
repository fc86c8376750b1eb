"""The GitHub Actions runner: where a run stands (from its environment) and what it leaves behind (outputs, summary, masks).

The environment is an argument. What the event says is ``events``; what a log may contain is ``workflow_commands``.
"""

import os
import re
import secrets
from collections.abc import Mapping
from typing import NamedTuple, TextIO

from budget_gate.core.errors import UsageError
from budget_gate.github.events import Event, read_event
from budget_gate.github.workflow_commands import mask_commands

SUMMARY_BYTES_MAX = 1024 * 1024
"""Per step; a runner drops a larger summary altogether (docs.github.com, "Workflow commands", job summaries)."""

SUMMARY_SHORTENED = "\n\n*Shortened to the megabyte that a job summary may have.*\n"
_NUMBER = re.compile(r"[0-9]{1,18}")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")
_OUTPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class ActionsRuntime(NamedTuple):
    """One run of a workflow. Empty text means that the runner does not say; ``run_id`` and its kin are then 0."""

    event: Event
    repository: str
    sha: str
    ref: str
    actor: str
    workflow: str
    run_id: int
    run_number: int
    run_attempt: int
    server_url: str
    api_url: str
    output_path: str
    summary_path: str

    @property
    def event_name(self) -> str:
        """The event's name: ``pull_request``, ``merge_group``, ``push``."""
        return self.event.name

    @property
    def head_sha(self) -> str:
        """The commit to report on; empty where only the pull request itself can tell."""
        return self.event.head_sha

    @property
    def pr_number(self) -> int | None:
        """The pull request that this run is about, if any."""
        return self.event.pr_number

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the pull request or issue, as of the event."""
        return self.event.labels

    @property
    def is_fork(self) -> bool:
        """True when the pull request comes from another repository, or from one that is gone."""
        return self.event.is_fork

    @property
    def run_url(self) -> str:
        """Where people read the log of this attempt; empty outside a run."""
        if not (self.repository and self.run_id):
            return ""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}/attempts/{max(self.run_attempt, 1)}"

    def attribution_defaults(self) -> dict[str, str]:
        """Return the known attribution flags (fields of ``core.attribution.Attribution``): whose account this run is on."""
        known = {
            "workflow": self.workflow,
            "project": self.repository,
            "user": self.event.author or self.actor,
            "pr": str(self.pr_number or ""),
            "run": str(self.run_id or ""),
            "attempt": str(self.run_attempt or ""),
        }
        return {name: value for name, value in known.items() if value}

    def write_outputs(self, values: Mapping[str, str]) -> None:
        """Append the step's outputs; values may hold anything, other outputs' syntax included. Does nothing without a runner.

        Raises ``UsageError`` for a name that is none, or when the file cannot be written.
        """
        if not self.output_path:
            return
        entries = []
        for name, value in values.items():
            if not _OUTPUT_NAME.fullmatch(name):
                raise UsageError(f"{name!r} is not the name of an output; use letters, digits, - and _")
            delimiter = f"end-{secrets.token_hex(16)}"  # nobody who wrote the value can have known it
            assert delimiter not in value
            entries.append(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")
        _append(self.output_path, "GITHUB_OUTPUT", "".join(entries).encode("utf-8", "replace"))

    def append_summary(self, markdown: str) -> bool:
        """Append to the step's summary and return whether all of it fitted. Does nothing without a runner.

        Raises ``UsageError`` when the file cannot be written.
        """
        if not self.summary_path:
            return True
        text = markdown.encode("utf-8", "replace").removesuffix(b"\n") + b"\n"
        room = SUMMARY_BYTES_MAX - _size(self.summary_path) - 1  # one for the newline that may be needed before it
        is_whole = len(text) <= room
        if not is_whole:
            note = SUMMARY_SHORTENED.encode()
            kept = text[: max(0, room - len(note))]
            kept = kept[: kept.rfind(b"\n") + 1] or kept.decode("utf-8", "ignore").encode()
            text = kept + note if room > len(note) else b""
        if text:
            _append(self.summary_path, "GITHUB_STEP_SUMMARY", text)
        return is_whole

    def mask(self, secret: str, stream: TextIO) -> None:
        """Tell the runner, through the log ``stream``, to hide a secret in everything that follows."""
        stream.write(mask_commands(secret))
        stream.flush()


def read_runtime(environment: Mapping[str, str]) -> ActionsRuntime:
    """Return the run that an environment describes. Raises ``UsageError``, in one line, where it or its event is broken."""

    def variable(name: str) -> str:
        return environment.get(name, "").strip()

    repository = variable("GITHUB_REPOSITORY")
    if repository and not _REPOSITORY.fullmatch(repository):
        raise UsageError(f"GITHUB_REPOSITORY is {repository[:80]!r}; it must be OWNER/REPO")
    sha = variable("GITHUB_SHA")
    return ActionsRuntime(
        event=read_event(variable("GITHUB_EVENT_NAME"), variable("GITHUB_EVENT_PATH"), repository, sha),
        repository=repository,
        sha=sha,
        ref=variable("GITHUB_REF"),
        actor=variable("GITHUB_ACTOR"),
        workflow=variable("GITHUB_WORKFLOW"),
        run_id=_number("GITHUB_RUN_ID", variable("GITHUB_RUN_ID")),
        run_number=_number("GITHUB_RUN_NUMBER", variable("GITHUB_RUN_NUMBER")),
        run_attempt=_number("GITHUB_RUN_ATTEMPT", variable("GITHUB_RUN_ATTEMPT")),
        server_url=(variable("GITHUB_SERVER_URL") or "https://github.com").rstrip("/"),
        api_url=(variable("GITHUB_API_URL") or "https://api.github.com").rstrip("/"),
        output_path=variable("GITHUB_OUTPUT"),
        summary_path=variable("GITHUB_STEP_SUMMARY"),
    )


def _number(name: str, value: str) -> int:
    if value and not _NUMBER.fullmatch(value):
        raise UsageError(f"{name} is {value[:40]!r}; it must be a whole number, as the runner sets it")
    return int(value or 0)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - pathlib is slow to import
    except OSError:
        return 0


def _append(path: str, variable: str, text: bytes) -> None:
    """Append whole lines, even after another program's line without an end."""
    try:
        with open(path, "ab+") as file:  # noqa: PTH123 - pathlib is slow to import
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                text = text if file.read(1) == b"\n" else b"\n" + text
            file.write(text)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        raise UsageError(f"{variable}: {path} cannot be written ({getattr(error, 'strerror', None) or 'not a path'})") from None
