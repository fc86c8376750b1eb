"""A test generation from its ticket to its results: files written, one comment on the issue."""

from collections.abc import Sequence
from pathlib import Path

from budget_gate.core.errors import GitHubError, ReadOnlyToken, UsageError
from budget_gate.core.test_plans import WrittenFile, file_text
from budget_gate.github.interface import GitHub
from budget_gate.runs.posting import Posted, RunIdentity

READ_ONLY_NOTE = "The token of this run may not write to the issue, so the plan is only in this summary; grant `issues: write`."


def write_files(files: Sequence[WrittenFile], folder: Path, *, may_overwrite: bool = False) -> tuple[Path, ...]:
    """Write test files under a folder and return where they are: all of them, or none where one cannot be written.

    Raises ``UsageError`` for a file that is there already, for a link on the way, and where the disk refuses.
    """
    root = folder.resolve()
    places = [root.joinpath(*file.path.split("/")) for file in files]
    for place in places:
        if not place.resolve().is_relative_to(root) or place.is_symlink():
            raise UsageError(f"{place} would lie outside {root}; write into a folder without links")
        if place.exists() and not may_overwrite:
            raise UsageError(f"{place} is there already; add --force to overwrite it")
    try:
        for place, file in zip(places, files, strict=True):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(file_text(file), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{error.filename or folder}: cannot be written: {error.strerror}; give another folder") from None
    return tuple(places)


def post_plan(github: GitHub, number: int, marker: str, comment: str, identity: RunIdentity) -> Posted:
    """Post the plan as the one comment of its workflow on an issue; what cannot be posted is a note, not an error."""
    try:
        posted = github.put_comment(number, marker, comment, identity.number, identity.attempt)
    except ReadOnlyToken:
        return Posted(notes=(READ_ONLY_NOTE,))
    except GitHubError as error:
        return Posted(notes=(f"the comment could not be posted: {error}",))
    return Posted(comment_url=posted.url)
