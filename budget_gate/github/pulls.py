"""Pull requests as GitHub describes them, made into core's values; and a diff put together from the list of files.

Reads only. Understanding a diff is ``core.diffs``.
"""

from collections.abc import Sequence

from budget_gate.core.errors import GitHubError
from budget_gate.core.pull_requests import PullRequest
from budget_gate.github.rest import DIFF, Json, Rest, child, integer, pages, text

TOO_LARGE = 406
"""GitHub's answer to a diff past 20 000 lines or 300 files: a code ``too_large``, and the advice to list the files instead."""


def read_pull_request(rest: Rest, repository: str, number: int) -> PullRequest:
    """Return one pull request."""
    return pull_request_from(repository, rest.send("GET", f"/repos/{repository}/pulls/{number}").data)


def pull_request_from(repository: str, data: object) -> PullRequest:
    """Return what GitHub's JSON says. A head repository that is gone, as a deleted fork's is, counts as a fork."""
    head, base, user = child(data, "head"), child(data, "base"), child(data, "user")
    if not text(head, "sha") or not text(base, "sha"):
        raise GitHubError("GitHub's answer is not a pull request: it lacks the head or base commit")
    login = text(user, "login") or "ghost"
    labels = data.get("labels") if isinstance(data, dict) else None
    return PullRequest(
        repository=repository,
        number=integer(data, "number"),
        title=text(data, "title"),
        body=text(data, "body"),
        author=login,
        head_sha=text(head, "sha"),
        base_sha=text(base, "sha"),
        base_ref=text(base, "ref"),
        labels=tuple(name for label in labels if (name := text(label, "name"))) if isinstance(labels, list) else (),
        is_draft=isinstance(data, dict) and data.get("draft") is True,
        is_fork=is_other_repository(head, repository),
        author_is_bot=text(user, "type") == "Bot" or login.endswith("[bot]"),
    )


def is_other_repository(head: Json, repository: str) -> bool:
    """Return whether a pull request's ``head`` lives outside ``repository``."""
    return text(child(head, "repo"), "full_name").casefold() != repository.casefold()


def read_diff(rest: Rest, repository: str, number: int) -> str:
    """Return the unified diff; where GitHub finds it too large, one assembled from the list of changed files.

    A file whose patch GitHub leaves out or cuts appears as a binary one, so that it is set aside by name rather than half read.
    """
    path = f"/repos/{repository}/pulls/{number}"
    reply = rest.send("GET", path, accept=DIFF, returned=(TOO_LARGE,))
    if reply.is_success:
        return reply.data if isinstance(reply.data, str) else ""
    files = pages(rest, f"{path}/files")
    changed = integer(rest.send("GET", path).data, "changed_files")
    return assembled_diff(files, unlisted=max(0, changed - len(files)))


def read_commit_diff(rest: Rest, pull: PullRequest) -> str:
    """Return the unified diff of exactly the head commit that ``pull`` names, whatever has been pushed since.

    Like the one of the pull request it starts where the head left its base. Of a diff too large for that answer GitHub lists 300
    files; how many more there are is known only as of now.
    """
    path = f"/repos/{pull.repository}/compare/{pull.base_sha}...{pull.head_sha}"
    reply = rest.send("GET", path, accept=DIFF, returned=(TOO_LARGE,))
    if reply.is_success:
        return reply.data if isinstance(reply.data, str) else ""
    listed = rest.send("GET", path).data
    files = listed.get("files") if isinstance(listed, dict) else None
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        raise GitHubError(f"GitHub answered {path} with something that is not a comparison")
    changed = integer(rest.send("GET", f"/repos/{pull.repository}/pulls/{pull.number}").data, "changed_files")
    return assembled_diff(files, unlisted=max(0, changed - len(files)))


def assembled_diff(files: Sequence[Json], unlisted: int = 0) -> str:
    """Return a unified diff made of the files API's patches. ``unlisted`` files are beyond the 3 000 that GitHub lists."""
    parts = [_file_diff(file) for file in files]
    if unlisted:
        parts.append(_unreadable(f"({unlisted} more files that GitHub does not list)"))
    return "".join(parts)


def _file_diff(file: Json) -> str:
    new = text(file, "filename")
    old = text(file, "previous_filename") or new
    status, patch = text(file, "status"), text(file, "patch")
    if not patch:
        return _unreadable(new) if file.get("changes") or status != "renamed" else f"{_head(old, new)}{_rename(old, new)}"
    if not _is_whole(file, patch):
        return _unreadable(new)
    lines = _head(old, new)
    if status == "added":
        lines += "new file mode 100644\n"
    elif status == "removed":
        lines += "deleted file mode 100644\n"
    elif old != new:
        lines += _rename(old, new)
    lines += f"--- {'/dev/null' if status == 'added' else _name('a/', old, is_alone=True)}\n"
    lines += f"+++ {'/dev/null' if status == 'removed' else _name('b/', new, is_alone=True)}\n"
    return lines + patch.removesuffix("\n") + "\n"


def _is_whole(file: Json, patch: str) -> bool:
    """Return whether a patch has as many changed lines as GitHub counted."""
    lines = patch.split("\n")
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    return (added, removed) == (file.get("additions"), file.get("deletions"))


def _unreadable(name: str) -> str:
    return f"{_head(name, name)}Binary files {_name('a/', name)} and {_name('b/', name)} differ\n"


def _head(old: str, new: str) -> str:
    return f"diff --git {_name('a/', old)} {_name('b/', new)}\n"


def _rename(old: str, new: str) -> str:
    return f"rename from {_name('', old)}\nrename to {_name('', new)}\n"


def _name(prefix: str, name: str, *, is_alone: bool = False) -> str:
    """Return a file name as git writes it: quoted when it could be misread, so that no name can forge a line of the diff."""
    if not any(c in '"\\' or not c.isprintable() for c in name):
        # git ends a name that has a space with a tab where nothing else marks its end
        return f"{prefix}{name}\t" if is_alone and " " in name else f"{prefix}{name}"
    escaped = "".join(_escaped(c) for c in name)
    return f'"{prefix}{escaped}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "replace"))
