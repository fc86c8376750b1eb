"""The Git data part of the fake GitHub: blobs, trees, commits, refs, and the GraphQL query that reads files of a commit.

Strict where the real one is: a tree needs a base that exists, a commit its parents, and a ref moves forward
only.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

TRUNCATED_BYTES = 512_000
"""How much of a text one GraphQL answer holds."""

_PLACE = r"repository\(owner: \$owner, name: \$name\)"
_FILE = re.compile(r"(\w+): file\(path: \$(\w+)\) \{ object \{ \.\.\. on Blob \{ oid text isTruncated \} \} \}")


class GitRefusal(Exception):
    """An error answer: status and message."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


@dataclass
class GitStore:
    """One repository's objects and refs. ``trees`` maps an id to its files by path: what a recursive listing shows.

    ``modes`` tells of an id when it is a link (120000) or a submodule (160000) and no file.
    """

    blobs: dict[str, str] = field(default_factory=dict)
    trees: dict[str, dict[str, str]] = field(default_factory=dict)
    commits: dict[str, dict[str, Any]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    is_empty: bool = False
    protected: str = ""

    def blob(self, text: str) -> str:
        """Store a text and return its id."""
        content = text.encode()
        sha = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        self.blobs[sha] = text
        return sha

    def add_tree(self, body: dict[str, Any]) -> dict[str, Any]:
        """``POST git/trees``: the base's files, with some put in place of others, or removed."""
        if self.is_empty:
            raise GitRefusal(409, "Git Repository is empty.")
        base, given = body.get("base_tree"), body.get("tree")
        if base is not None and base not in self.trees:
            raise GitRefusal(422, "base_tree is not a valid tree oid")
        if not isinstance(given, list) or not given:
            raise GitRefusal(422, "Invalid tree info")
        found = dict(self.trees[base]) if base else {}
        for each in given:
            path = str(each.get("path", ""))
            if not path or path.startswith("/") or "//" in path or each.get("mode") != "100644" or each.get("type") != "blob":
                raise GitRefusal(422, "tree.path contains a malformed path component")
            if "content" in each:
                found[path] = self.blob(each["content"])
            elif each.get("sha", ...) is None and path in found:
                del found[path]
            else:
                raise GitRefusal(422, f"GitRPC::BadObjectState: {path}")
        sha = _id("tree", sorted(found.items()))
        self.trees[sha] = found
        return {"sha": sha, "truncated": False}

    def add_commit(self, body: dict[str, Any]) -> dict[str, Any]:
        """``POST git/commits``."""
        tree, parents = body.get("tree"), body.get("parents", [])
        if tree not in self.trees:
            raise GitRefusal(422, "Tree SHA does not exist")
        if any(parent not in self.commits for parent in parents):
            raise GitRefusal(422, "Parent SHA does not exist or is not a commit object")
        if not body.get("message"):
            raise GitRefusal(422, 'Invalid request.\n\n"message" wasn\'t supplied.')
        commit = {"tree": tree, "parents": list(parents), "message": body["message"], "number": len(self.commits)}
        sha = _id("commit", commit)
        self.commits[sha] = commit
        return {"sha": sha, "tree": {"sha": tree}}

    def add_ref(self, body: dict[str, Any]) -> dict[str, Any]:
        """``POST git/refs``."""
        name, sha = str(body.get("ref")), body.get("sha")
        if not re.fullmatch(r"refs/[^/]+/.+", name):
            raise GitRefusal(422, "Reference name must start with 'refs/' and contain at least two slashes.")
        if name in self.refs:
            raise GitRefusal(422, "Reference already exists")
        if any(known.startswith(f"{name}/") or name.startswith(f"{known}/") for known in self.refs):
            raise GitRefusal(422, "Reference update failed")
        self._known(sha)
        self.refs[name] = str(sha)
        return self.ref(name.removeprefix("refs/"))

    def move_ref(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """``PATCH git/refs/...``: forward only."""
        full, sha = f"refs/{name}", body.get("sha")
        if full not in self.refs:
            raise GitRefusal(422, "Reference does not exist")
        if self.protected == full:
            raise GitRefusal(422, "Repository rule violations found\n\nCannot update this protected ref.")
        self._known(sha)
        if not body.get("force") and not self.is_ancestor(self.refs[full], str(sha)):
            raise GitRefusal(422, "Update is not a fast forward")
        self.refs[full] = str(sha)
        return self.ref(name)

    def ref(self, name: str) -> dict[str, Any]:
        """``GET git/ref/...``."""
        if f"refs/{name}" not in self.refs:
            raise GitRefusal(404, "Not Found")
        return {"ref": f"refs/{name}", "object": {"type": "commit", "sha": self.refs[f"refs/{name}"]}}

    def tree(self, sha: str, *, is_recursive: bool = True) -> dict[str, Any]:
        """``GET git/trees/...``, with ``?recursive=1`` or without."""
        if sha not in self.trees:
            raise GitRefusal(404, "Not Found")
        if is_recursive:
            entries = [{"path": path, "type": "blob", "sha": blob} for path, blob in sorted(self.trees[sha].items())]
        else:
            entries = self._level(self.trees[sha])
        return {"sha": sha, "tree": entries, "truncated": False}

    def commit(self, sha: str) -> dict[str, Any]:
        """``GET git/commits/...``."""
        if sha not in self.commits:
            raise GitRefusal(404, "Not Found")
        known = self.commits[sha]
        parents = [{"sha": each} for each in known["parents"]]
        return {"sha": sha, "tree": {"sha": known["tree"]}, "parents": parents, "message": known["message"]}

    def push(self, branch: str, files: dict[str, str], message: str = "pushed") -> str:
        """Put files on a branch as somebody with git would, on top of what it has; return the commit."""
        ref = f"refs/heads/{branch}"
        at = [self.refs[ref]] if ref in self.refs else []
        entries = [{"path": path, "mode": "100644", "type": "blob", "content": text} for path, text in files.items()]
        base = {"base_tree": self.commits[at[0]]["tree"]} if at else {}
        tree = self.add_tree({"tree": entries, **base})["sha"]
        self.refs[ref] = self.add_commit({"message": message, "tree": tree, "parents": at})["sha"]
        return self.refs[ref]

    def get_blob(self, sha: str) -> dict[str, Any]:
        """``GET git/blobs/...``: base64 in lines, as the real one sends it."""
        if sha not in self.blobs:
            raise GitRefusal(404, "Not Found")
        content = base64.encodebytes(self.blobs[sha].encode()).decode()
        return {"sha": sha, "encoding": "base64", "content": content}

    def query(self, repository: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer the query for files of a branch's head or of a commit."""
        query, variables = str(body.get("query")), body.get("variables") or {}
        declared = dict(re.findall(r"\$(\w+): (\w+)!", query.partition(")")[0]))
        if not re.search(_PLACE, query) or set(declared) != set(variables):
            return {"errors": [{"message": "Parse error on the query"}]}
        if f"{variables['owner']}/{variables['name']}".lower() != repository.lower():
            error = {"type": "NOT_FOUND", "message": "Could not resolve to a Repository with the name given."}
            return {"data": {"repository": None}, "errors": [error]}
        ref = re.search(r'ref\(qualifiedName: "([^"]+)"\)', query)
        sha = self.refs.get(ref[1], "") if ref else variables.get("commit", "")
        found = self._commit_fields(sha, query, variables) if sha in self.commits else None
        return {"data": {"repository": {"ref": found and {"target": found}} if ref else {"object": found}}}

    def text_at(self, path: str, branch: str = "budget-gate") -> str:
        """Return a file of a branch, as a test looks at it."""
        return self.blobs[self.trees[self.commits[self.refs[f"refs/heads/{branch}"]]["tree"]][path]]

    def files_at(self, branch: str = "budget-gate") -> list[str]:
        """Return the paths on a branch."""
        return sorted(self.trees[self.commits[self.refs[f"refs/heads/{branch}"]]["tree"]])

    def _commit_fields(self, sha: str, query: str, variables: dict[str, str]) -> dict[str, Any]:
        tree = self.commits[sha]["tree"]
        fields: dict[str, Any] = {"oid": sha, "tree": {"oid": tree}}
        for alias, variable in _FILE.findall(query):
            blob = self.trees[tree].get(variables[variable])
            fields[alias] = None if blob is None else {"object": self._blob_fields(blob)}
        return fields

    def _blob_fields(self, sha: str) -> dict[str, Any]:
        content = self.blobs[sha].encode()
        is_cut = len(content) > TRUNCATED_BYTES
        shown = content[:TRUNCATED_BYTES].decode(errors="ignore") if is_cut else self.blobs[sha]
        return {"oid": sha, "text": shown, "isTruncated": is_cut}

    def _level(self, files: dict[str, str]) -> list[dict[str, str]]:
        """Return the entries of one folder. The folders in it become trees of their own."""
        entries: list[dict[str, str]] = []
        folders: dict[str, dict[str, str]] = {}
        for path, blob in files.items():
            first, slash, rest = path.partition("/")
            mode = self.modes.get(blob, "100644")
            if slash:
                folders.setdefault(first, {})[rest] = blob
            else:
                entries.append({"path": path, "mode": mode, "type": "commit" if mode == "160000" else "blob", "sha": blob})
        for name, held in folders.items():
            sha = _id("tree", sorted(held.items()))
            self.trees.setdefault(sha, held)
            entries.append({"path": name, "mode": "040000", "type": "tree", "sha": sha})
        return entries

    def _known(self, sha: object) -> None:
        if sha not in self.commits:
            raise GitRefusal(422, "Object does not exist")

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Return whether one commit can be reached from another."""
        waiting, seen = [newer], set()
        floor = self.commits[older]["number"]
        while waiting:
            sha = waiting.pop()
            if sha == older:
                return True
            if sha not in seen and self.commits[sha]["number"] > floor:
                seen.add(sha)
                waiting += self.commits[sha]["parents"]
        return False


def _id(kind: str, content: object) -> str:
    """Return an id of forty hexadecimal digits that depends on the content alone."""
    return hashlib.sha1(f"{kind} {content!r}".encode(), usedforsecurity=False).hexdigest()
