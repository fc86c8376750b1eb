"""Files on a branch through GitHub's Git data API: one GraphQL query reads them, tree, commit and ref write them.

Implements the store that ``budget_gate.ledger.github_store`` describes, which this room may not import; so it raises that
protocol's errors, those of ``core.errors``. The branch is an orphan: it shares no commit with the code.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from budget_gate.core.branch_files import BranchFiles
from budget_gate.core.errors import GitHubError, LedgerError, LedgerReadOnly, LedgerUnavailable, ReadOnlyToken
from budget_gate.github.failures import FORBIDDEN, NOT_FOUND, flat
from budget_gate.github.git_objects import CONFLICT, move_branch, send_patiently, tree_entry
from budget_gate.github.rest import GRAPHQL, Json, Reply, Rest, child, text

BRANCH = "budget-gate"
TREE_BYTES_MOST = 4 * 1024 * 1024
TREE_FILES_MOST = 500
"""How much one request puts into a tree: GitHub gives up on requests that take it longer than ten seconds."""

_BY_BRANCH = 'ref(qualifiedName: "refs/heads/%s") { target { ...files } }' % BRANCH  # noqa: UP031 (braces belong to GraphQL)
_BY_COMMIT = "object(oid: $commit) { ...files }"
_FILE = "file%d: file(path: $path%d) { object { ... on Blob { oid text isTruncated } } }"


class GitData:
    """One repository's branch ``budget-gate``. ``rest`` carries the requests; ``close`` closes it; ``is_app``: whose token it is."""

    def __init__(self, rest: Rest, repository: str, close: Callable[[], None] = lambda: None, *, is_app: bool = False) -> None:
        self.repository = repository
        self._rest = rest
        self._close = close
        self._is_app = is_app
        self._base = f"/repos/{repository}/git"

    def read(self, paths: Collection[str], commit: str = "") -> BranchFiles:
        """Return files of the newest commit, or of ``commit``, with one query; texts that GitHub cuts off are read one by one."""
        with self._translated():
            reply = send_patiently(self._rest, "POST", GRAPHQL, _query(self.repository, list(paths), commit))
            repository = child(child(reply.data, "data"), "repository")
            if not repository:
                raise _unreadable(self.repository, reply)
            at = child(repository, "object") if commit else child(child(repository, "ref"), "target")
            texts = {path: self._text(child(child(at, f"file{number}"), "object")) for number, path in enumerate(paths)}
            return BranchFiles(text(at, "oid"), text(child(at, "tree"), "oid"), texts, _date(reply))

    def commit(self, snapshot: BranchFiles, files: Mapping[str, str | None], message: str) -> bool:
        """Put files on top of a snapshot: a tree, a commit, and the branch moved to it if nobody else has moved it."""
        with self._translated():
            tree = snapshot.tree
            for entries in _portions(files):
                tree = self._made("trees", {"tree": entries, **({"base_tree": tree} if tree else {})})
            parents = [snapshot.commit] if snapshot.commit else []
            made = self._made("commits", {"message": message, "tree": tree, "parents": parents})
            return self._move(snapshot.commit, made)

    def paths(self, snapshot: BranchFiles) -> list[str]:
        """Return the path of every file in a snapshot."""
        with self._translated():
            reply = self._rest.send("GET", f"{self._base}/trees/{snapshot.tree}", query={"recursive": "1"})
            entries = reply.data.get("tree") if isinstance(reply.data, dict) else None
            if not isinstance(entries, list) or reply.data.get("truncated"):
                raise LedgerError(
                    f"GitHub does not list all files of the branch {BRANCH}; move the ledger to redis:// or sqlite://"
                )
            return [text(each, "path") for each in entries if text(each, "type") == "blob"]

    def may_write(self) -> bool | None:
        """Return whether the token's account may push. None where GitHub does not say: what it answers to an app is no promise."""
        if self._is_app:
            return None
        with self._translated():
            reply = self._rest.send("GET", f"/repos/{self.repository}", returned=(FORBIDDEN, NOT_FOUND))
            push = child(reply.data, "permissions").get("push")
            return push if isinstance(push, bool) else None

    def close(self) -> None:
        """Close the connection."""
        self._close()

    def _text(self, blob: Json) -> str:
        """Return a blob's text; one that GraphQL cut off is fetched whole."""
        if not blob.get("isTruncated"):
            return text(blob, "text")
        import base64

        reply = self._rest.send("GET", f"{self._base}/blobs/{text(blob, 'oid')}")
        return base64.b64decode(text(reply.data, "content")).decode()

    def _made(self, kind: str, body: Json) -> str:
        """Create a tree or a commit and return its id. Nothing refers to it yet, so that repeating this is harmless."""
        reply = send_patiently(self._rest, "POST", f"{self._base}/{kind}", body)
        if reply.status == CONFLICT:
            raise LedgerError(f"{self.repository} is an empty repository; push a first commit, then the ledger can keep a branch")
        if not text(reply.data, "sha"):
            raise LedgerError(
                f"GitHub refused a {kind[:-1]} for the branch {BRANCH}: {reply.status} {flat(text(reply.data, 'message'))}"
            )
        return text(reply.data, "sha")

    def _move(self, before: str, sha: str) -> bool:
        """Move the branch from one commit to another; False when it was no longer where it was read."""
        moved = move_branch(self._rest, self.repository, BRANCH, before, sha)
        if moved.refused:
            advice = f"let workflows push to it in the rules of {self.repository}"
            raise LedgerError(f"GitHub refuses to move the branch {BRANCH} ({moved.refused}); {advice}")
        return moved.is_done

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn every failure of this room into the ledger's."""
        try:
            yield
        except ReadOnlyToken:
            raise LedgerReadOnly(
                f"github://{self.repository}: the token may not write to the branch {BRANCH}; grant the job "
                "`permissions: contents: write` (a pull request from a fork never has it)"
            ) from None
        except GitHubError as error:
            raise LedgerUnavailable(f"github://{self.repository}: {error}") from error


def _query(repository: str, paths: list[str], commit: str) -> Json:
    """Return the query for some files of the branch's head, or of a commit. Names travel as variables, never inside the query."""
    owner, _, name = repository.partition("/")
    kinds = ["$owner: String!", "$name: String!", *(["$commit: GitObjectID!"] if commit else [])]
    kinds += [f"$path{number}: String!" for number in range(len(paths))]
    wanted = " ".join(_FILE % (number, number) for number in range(len(paths)))
    place = _BY_COMMIT if commit else _BY_BRANCH
    query = (
        f"query({', '.join(kinds)}) {{ repository(owner: $owner, name: $name) {{ {place} }} }} "
        f"fragment files on Commit {{ oid tree {{ oid }} {wanted} }}"
    )
    variables = {"owner": owner, "name": name, **({"commit": commit} if commit else {})}
    return {"query": query, "variables": {**variables, **{f"path{number}": path for number, path in enumerate(paths)}}}


def _portions(files: Mapping[str, str | None]) -> Iterator[list[Json]]:
    """Yield the entries of a tree, as many at a time as one request should carry: each tree is the base of the next."""
    portion: list[Json] = []
    size = 0
    for path, content in files.items():
        more = len((content or "").encode())
        if portion and (size + more > TREE_BYTES_MOST or len(portion) == TREE_FILES_MOST):
            yield portion
            portion, size = [], 0
        portion.append(tree_entry(path, content))
        size += more
    yield portion


def _unreadable(repository: str, reply: Reply) -> LedgerError:
    """Return the error for a query that found no repository; what is not for the reader to mend may pass."""
    errors = reply.data.get("errors") if isinstance(reply.data, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else reply.data
    said = flat(text(first, "message")) or f"status {reply.status}"
    if reply.status in (FORBIDDEN, NOT_FOUND) or text(first, "type") in ("NOT_FOUND", "FORBIDDEN"):
        advice = "check the name, and that the token has `permissions: contents: write`"
        return LedgerError(f"github://{repository} cannot be read ({said}); {advice}")
    return LedgerUnavailable(f"github://{repository} cannot be read now ({said})")


def _date(reply: Reply) -> datetime:
    """Return the server's clock: the only one that decides."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(reply.date).astimezone(UTC)
    except ValueError:
        raise LedgerUnavailable("GitHub's answer has no readable Date; is there a proxy in between that removes it?") from None
