"""One file of a branch, read through GitHub's Git data API folder by folder: no checkout, and no listing of a whole repository."""

import base64
import binascii

from budget_gate.core.errors import GitHubError
from budget_gate.github.git_objects import branch_commit
from budget_gate.github.interface import BranchFile
from budget_gate.github.rest import Rest, child, text


def read_default_branch_file(rest: Rest, repository: str, path: str) -> BranchFile:
    """Return a file's text on the repository's default branch, None as its text where there is no such file.

    Raises ``GitHubError`` where GitHub does not say, and for a file that is no UTF-8 text.
    """
    branch = text(rest.send("GET", f"/repos/{repository}").data, "default_branch")
    commit = branch_commit(rest, repository, branch) if branch else ""
    if not commit:
        raise GitHubError(f"{repository} has no default branch with a commit on it; push one first")
    place = rest.send("GET", f"/repos/{repository}/git/commits/{commit}").data
    sha = text(child(place, "tree"), "sha")
    *folders, _ = path.split("/")
    for depth, name in enumerate(path.split("/")):
        kind = "tree" if depth < len(folders) else "blob"
        sha = _entry(rest, repository, sha, name, kind)
        if not sha:
            return BranchFile(branch, None)
    return BranchFile(branch, _blob_text(rest, repository, sha, path))


def _entry(rest: Rest, repository: str, tree: str, name: str, kind: str) -> str:
    """Return the id of a folder's entry of a kind; empty text where there is none of that name and kind."""
    data = rest.send("GET", f"/repos/{repository}/git/trees/{tree}").data
    entries = data.get("tree") if isinstance(data, dict) else None
    found = (each for each in entries or () if text(each, "path") == name and text(each, "type") == kind)
    return text(next(found, None), "sha")


def _blob_text(rest: Rest, repository: str, sha: str, path: str) -> str:
    data = rest.send("GET", f"/repos/{repository}/git/blobs/{sha}").data
    try:
        return base64.b64decode(text(data, "content")).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise GitHubError(f"{path} of {repository} is no UTF-8 text") from None
