"""Sessions on disk: one JSON file each, for its owner's eyes only, written whole or not at all.

A session is open in one terminal at a time: two that went on with the same conversation would each undo what the other said.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from budget_gate.core.errors import UsageError
from budget_gate.core.sessions import Message, Session, session_name
from budget_gate.core.usage import Usage

FOLDER = Path(".budget-gate/sessions")
FORMAT = 1
BYTES_MOST = 64 * 1024 * 1024


class SessionFile:
    """One session's file, held open by this process from ``open_session`` on."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    def load(self) -> Session | None:
        """Return the session, or None where there is none yet. Raises ``UsageError`` for a file that is none of ours."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"{self._path}: cannot be read: {error.strerror}; start another with --session NAME") from None
        with os.fdopen(descriptor, "rb") as stream:
            content = stream.read(BYTES_MOST)
        try:
            return _session_of(json.loads(content))
        except (ValueError, TypeError, KeyError, RecursionError):
            raise UsageError(
                f"{self._path}: is not a session that this version can read; start another with --session NAME"
            ) from None

    def save(self, session: Session) -> None:
        """Write the session, readable by its owner only. Raises ``UsageError`` where it cannot be written."""
        waiting = self._path.with_suffix(".new")
        document = json.dumps(_document_of(session), ensure_ascii=True, indent=1).encode()
        try:
            waiting.unlink(missing_ok=True)
            descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(document)
                stream.flush()
                os.fsync(stream.fileno())
            waiting.replace(self._path)
        except OSError as error:
            raise UsageError(
                f"{self._path}: cannot be written: {error.strerror}; make room there, or remove what is in the way"
            ) from None


@contextlib.contextmanager
def open_session(folder: Path, name: str) -> Iterator[SessionFile]:
    """Hold the file of session ``name`` for this process. Raises ``UsageError`` for a bad name, and for one that is open elsewhere."""
    try:
        path = folder / f"{session_name(name)}.json"
    except ValueError as error:
        raise UsageError(f"--session: {error}") from None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be used: {error.strerror}; start where you may write") from None
    try:
        _lock(descriptor, name)
        yield SessionFile(path)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, name: str) -> None:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise UsageError(
            f"session {name!r} is open in another terminal; close it there, or start another with --session NAME"
        ) from None


def _document_of(session: Session) -> dict[str, Any]:
    fields = session._asdict()
    fields["messages"] = [message._asdict() for message in session.messages]
    fields["said"] = [message._asdict() for message in session.said]
    fields["usage"] = session.usage._asdict()
    return {"format": FORMAT, **fields}


def _session_of(document: dict[str, Any]) -> Session:
    """Return the session that a document holds; raises ``ValueError``, ``TypeError`` or ``KeyError`` for anything else."""
    fields = dict(document)
    if fields.pop("format") != FORMAT:
        raise ValueError("another format")
    fields["messages"] = _messages(fields["messages"])
    fields["said"] = _messages(fields["said"])
    fields["usage"] = Usage(**fields["usage"]).checked()
    session = Session(**fields)
    texts = (session.name, session.identity, session.workflow, session.summary)
    numbers = (session.turns, session.cost_nano_usd, *session.usage)
    if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
        raise ValueError("a field of another kind")
    return session._replace(is_over=session.is_over is True)


def _messages(rows: list[dict[str, Any]]) -> tuple[Message, ...]:
    messages = tuple(Message(**row) for row in rows)
    for message in messages:
        if message.role not in {"user", "assistant"} or not isinstance(message.text, str):
            raise ValueError("not a message")
    return messages
