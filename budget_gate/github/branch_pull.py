"""Files proposed as one pull request, through GitHub's Git data API: no git, no checkout, no force.

Tree, commit, branch, pull request, in that order: whoever is cut off between two of them, or runs twice at once, is finished by
the next run, because each step first looks at what is there. A branch with an open pull request gets a commit on top of what it
holds, so that people's own commits on it stay. A branch without one is a leftover of a crash or of a pull request that is closed:
it gets the base's files and ours, in a commit that has both as parents.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from budget_gate.core.errors import GitHubError, ReadOnlyToken, UsageError
from budget_gate.github.failures import FORBIDDEN, NOT_FOUND, failure, flat
from budget_gate.github.git_objects import INVALID, branch_commit, move_branch, send_patiently, tree_entry
from budget_gate.github.interface import PullOpened
from budget_gate.github.rest import UNSURE, Json, Rest, child, integer, pages, text

FILES_MOST = 100
BYTES_MOST = 4 * 1024 * 1024
"""What fits into one tree: GitHub gives up on requests that take it longer than ten seconds."""

ROUNDS = 5
LEDGER_BRANCH = "budget-gate"
"""Git keeps no branch below the name of another: ``budget-gate/x`` would keep the ledger's own branch from being made."""

_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_OPEN_ALREADY = "pull request already exists"
_NO_DRAFTS = "Draft pull requests are not supported"
_NOT_PERMITTED = "not permitted to create"


class _Commit(NamedTuple):
    """A branch's newest commit: its id, its tree's, and its parents'. All empty where there is no branch."""

    sha: str = ""
    tree: str = ""
    parents: tuple[str, ...] = ()


class _Proposal(NamedTuple):
    """What is proposed, and where."""

    rest: Rest
    repository: str
    base: str
    branch: str
    files: Mapping[str, str]
    message: str
    only_new: Collection[str]


def open_pull(  # noqa: PLR0913, PLR0917 - what a pull request is made of; two commands call it through ``interface.GitHub``
    client: Rest,
    repository: str,
    base: str,
    branch: str,
    files: Mapping[str, str],
    title: str,
    body: str,
    draft: bool,  # noqa: FBT001 - as above
    message: str,
    *,
    only_new: Collection[str] = (),
) -> PullOpened:
    """Put files on a branch and open a pull request from it, or bring the one that is open up to date.

    ``base`` empty stands for the repository's default branch. ``files`` holds whole texts by path. ``title`` and ``draft`` count
    when the pull request is made; what people did to them later stays. ``body`` (65 536 characters at most) opens with a line that
    only this caller's pull requests open with: it is how an open one is known to be ours. ``only_new``: paths that
    may not be there on the base.

    Raises ``UsageError`` for a branch or path that cannot be, ``ReadOnlyToken`` where the token may not write, and ``GitHubError``
    where GitHub refuses, where the branch is somebody else's, and where the base has all the files already.
    """
    _check_branch(branch)
    _check_paths(files)
    proposal = _Proposal(client, repository, base or _default_branch(client, repository), branch, files, message, only_new)
    if branch == proposal.base:
        raise UsageError(f"{branch!r} is the branch to merge into; name another one for the pull request")
    marker, was_there = body.partition("\n")[0], False
    for number in range(ROUNDS):
        if number:
            client.pause(0.5 * number)
        pull = _open_one(proposal)
        was_there = was_there or (pull is not None and not number)
        if pull is not None and not text(pull, "body").startswith(marker):
            said = f"#{integer(pull, 'number')} from the branch {branch}, without the first line {marker[:80]!r}"
            raise GitHubError(f"there is a pull request {said}, so it is left alone; close it or rename its branch")
        try:
            is_pushed = _is_pushed(proposal, has_pull=pull is not None)
        except ReadOnlyToken:
            raise ReadOnlyToken(
                f"the token may not push to {repository}, so there is no pull request; grant the job `permissions: contents: write` and "
                "`pull-requests: write`"
            ) from None
        if not is_pushed:
            continue
        if pull is not None:
            return _updated(proposal, pull, body, created=not was_there)
        made = _created(proposal, {"title": title, "head": branch, "base": proposal.base, "body": body, "draft": draft})
        if made is not None:
            return PullOpened(integer(made, "number"), text(made, "html_url"), created=True)
    raise GitHubError(f"the branch {branch} did not come to rest in {ROUNDS} tries; are several runs writing it? Run again")


def _is_pushed(proposal: _Proposal, *, has_pull: bool) -> bool:
    """Bring the branch to where it has the files; False when somebody else moved it meanwhile."""
    base, own = _read_commit(proposal, proposal.base), _read_commit(proposal, proposal.branch)
    if not base.sha:
        raise GitHubError(f"{proposal.repository} has no branch {proposal.base} to open a pull request into; name another base")
    start = own if has_pull and own.sha else base
    _check_places(proposal, start.tree, proposal.files)
    _check_places(proposal, base.tree, proposal.only_new, may_replace=False)
    tree = _made(proposal, "trees", {"base_tree": start.tree, "tree": [tree_entry(*each) for each in proposal.files.items()]})
    if tree == base.tree:
        raise GitHubError(f"{proposal.base} has these files already; there is nothing to open a pull request for")
    if own.sha and own.tree == tree and (has_pull or base.sha in own.parents):
        return True
    parents = [own.sha] if has_pull and own.sha else [*dict.fromkeys(each for each in (own.sha, base.sha) if each)]
    commit = _made(proposal, "commits", {"message": proposal.message, "tree": tree, "parents": parents})
    moved = move_branch(proposal.rest, proposal.repository, proposal.branch, own.sha, commit)
    if moved.refused:
        advice = f"let the token push to it in the rules of {proposal.repository}"
        raise GitHubError(f"GitHub refuses to move the branch {proposal.branch} ({moved.refused}); {advice}")
    return moved.is_done


def _read_commit(proposal: _Proposal, branch: str) -> _Commit:
    sha = branch_commit(proposal.rest, proposal.repository, branch)
    if not sha:
        return _Commit()
    data = proposal.rest.send("GET", f"/repos/{proposal.repository}/git/commits/{sha}").data
    parents = data.get("parents") if isinstance(data, dict) else None
    return _Commit(sha, text(child(data, "tree"), "sha"), tuple(text(each, "sha") for each in parents or ()))


def _made(proposal: _Proposal, kind: str, body: Json) -> str:
    reply = send_patiently(proposal.rest, "POST", f"/repos/{proposal.repository}/git/{kind}", body)
    if not text(reply.data, "sha"):
        raise GitHubError(
            f"GitHub refused a {kind[:-1]} for the branch {proposal.branch}: {reply.status} {flat(text(reply.data, 'message'))}"
        )
    return text(reply.data, "sha")


def _open_one(proposal: _Proposal) -> Json | None:
    """Return the open pull request from our branch into the base. One from a fork's branch of that name is not it."""
    owner = proposal.repository.partition("/")[0]
    query = {"state": "open", "head": f"{owner}:{proposal.branch}", "base": proposal.base}
    for each in pages(proposal.rest, f"/repos/{proposal.repository}/pulls", query):
        head = child(each, "head")
        is_here = text(child(head, "repo"), "full_name").casefold() == proposal.repository.casefold()
        if is_here and text(head, "ref") == proposal.branch and text(child(each, "base"), "ref") == proposal.base:
            return each
    return None


def _updated(proposal: _Proposal, pull: Json, body: str, *, created: bool) -> PullOpened:
    number = integer(pull, "number")
    if text(pull, "body").replace("\r\n", "\n").rstrip() != body.rstrip():
        path = f"/repos/{proposal.repository}/pulls/{number}"
        reply = proposal.rest.send("PATCH", path, body={"body": body}, returned=(FORBIDDEN, NOT_FOUND))
        if not reply.is_success:
            raise _no_permission(f"the files are in #{number}, but its text is the one of an earlier run", _said(reply.data))
    return PullOpened(number, text(pull, "html_url"), created)


def _created(proposal: _Proposal, fields: Json) -> Json | None:
    """Open the pull request; None where another look must tell whether it is there."""
    path = f"/repos/{proposal.repository}/pulls"
    reply = proposal.rest.send("POST", path, body=fields, returned=(FORBIDDEN, NOT_FOUND, INVALID, *UNSURE))
    if reply.is_success:
        return reply.data if isinstance(reply.data, dict) else None
    said = _said(reply.data)
    if reply.status in UNSURE or _OPEN_ALREADY in said:
        return None
    is_there = f"the files are on the branch {proposal.branch}, but GitHub refuses a pull request"
    if _NOT_PERMITTED in said:
        raise ReadOnlyToken(
            f"{is_there} ({flat(said)}); allow it under Settings, Actions, General, Workflow permissions, or open it by hand"
        )
    if reply.status in (FORBIDDEN, NOT_FOUND):
        raise _no_permission(is_there, said)
    if _NO_DRAFTS in said:
        raise GitHubError(f"{is_there} as a draft ({flat(said)}); open it by hand")
    raise failure("POST", path, reply.status, said)


def _no_permission(what: str, said: str) -> ReadOnlyToken:
    return ReadOnlyToken(f"{what} ({flat(said)}); grant the job `permissions: pull-requests: write`")


def _said(data: object) -> str:
    """Return an error's message with its details, which alone tell one refusal of a pull request from another."""
    errors = data.get("errors") if isinstance(data, dict) else None
    details = [text(each, "message") for each in errors] if isinstance(errors, list) else []
    return ": ".join(each for each in (text(data, "message"), *details) if each)


def _default_branch(rest: Rest, repository: str) -> str:
    name = text(rest.send("GET", f"/repos/{repository}").data, "default_branch")
    if not name:
        raise GitHubError(f"GitHub does not say which is the default branch of {repository}; name the base")
    return name


def _check_branch(branch: str) -> None:
    """Refuse what git would, and what would stand in the ledger's way (git-check-ref-format, and stricter)."""
    parts = branch.split("/")
    is_usable = _BRANCH.fullmatch(branch) and ".." not in branch and not any(each.endswith((".", ".lock")) for each in parts)
    if not is_usable or parts[0] == LEDGER_BRANCH or len(branch) > 200:  # noqa: PLR2004 - git's files have names of 255 bytes
        raise UsageError(
            f"{branch[:80]!r} cannot be a branch of a pull request; write letters, digits, - and one / such as docs/12"
        )


def _check_paths(files: Mapping[str, str]) -> None:
    """Refuse paths that lead elsewhere than they seem to, and more than one request should carry."""
    for path in files:
        parts = path.split("/")
        is_plain = path.isprintable() and "\\" not in path and len(path) <= 1_000  # noqa: PLR2004 - longer than any real path
        if not is_plain or any(each in ("", ".", "..") or each.lower().rstrip(" .") in (".git", "git~1") for each in parts):
            raise UsageError(f"{path[:80]!r} is not a plain path inside a repository")
        if [each.lower() for each in parts[:2]] == [".github", "workflows"]:
            raise UsageError(f"{path[:80]!r} is a workflow; those are for people to change")
    if not 0 < len(files) <= FILES_MOST or sum(len(each.encode()) for each in files.values()) > BYTES_MOST:
        raise UsageError(f"a pull request takes 1 to {FILES_MOST} files of {BYTES_MOST // 2**20} MiB together")


def _check_places(proposal: _Proposal, tree: str, paths: Collection[str], *, may_replace: bool = True) -> None:
    """Refuse a path that passes a link, a submodule or a file, or that is one of them; without ``may_replace`` a file as well."""
    folders: dict[str, dict[str, Json]] = {"": _listed(proposal, tree)} if paths else {}
    for path in paths:
        *parents, name = path.split("/")
        place = ""
        for part in parents:
            entry = folders[place].get(part) if place in folders else None
            place = f"{place}/{part}".lstrip("/")
            if entry is not None and text(entry, "type") != "tree":
                raise GitHubError(f"{path}: {place} is no folder on {proposal.base} but a {_kind(entry)}; nothing was written")
            if entry is not None and place not in folders:
                folders[place] = _listed(proposal, text(entry, "sha"))
        entry = folders[place].get(name) if place in folders else None
        if entry is not None and _kind(entry) != "file":
            raise GitHubError(f"{path} is a {_kind(entry)} there; nothing was written")
        if entry is not None and not may_replace:
            raise GitHubError(f"{path} is on {proposal.base} already; nothing was written")


def _listed(proposal: _Proposal, tree: str) -> dict[str, Json]:
    """Return one folder's entries by name: without its subfolders, so that no repository is too large to be listed."""
    data = proposal.rest.send("GET", f"/repos/{proposal.repository}/git/trees/{tree}").data
    entries = data.get("tree") if isinstance(data, dict) else None
    if not isinstance(entries, list) or data.get("truncated"):
        raise GitHubError(f"GitHub does not list all files of a folder of {proposal.repository}; nothing was written")
    return {text(each, "path"): each for each in entries}


def _kind(entry: Json) -> str:
    """Return what a tree's entry is, by its mode (git-fast-import lists them)."""
    kinds: Iterable[tuple[str, str]] = (("120000", "link"), ("160000", "submodule"), ("040000", "folder"))
    return next((word for mode, word in kinds if text(entry, "mode") == mode), "file")
