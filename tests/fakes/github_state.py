"""The fake GitHub's memory and rules: what it holds, what it refuses, and how its answers look. Serving is ``github_server``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

if __package__:
    from fakes.github_diff import diff_lines
    from fakes.github_git import GitRefusal, GitStore
else:  # run as a program
    from github_diff import diff_lines
    from github_git import GitRefusal, GitStore

DOCS = "https://docs.github.com/rest"
BODY_CHARACTERS_MAX = 65_536
SUMMARY_MAX = 65_535
ANNOTATIONS_MAX = 50
TITLE_MAX = 255
NO_ACCESS = "Resource not accessible by integration"
Answer = tuple[int, Any, bool]
"""Status, data, and whether the data is a list to be shown by pages."""

ROUTES = (
    ("GET", r"/user", "user"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)", "repository"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/pulls", "list_pulls"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/pulls/(?P<number>\d+)", "pull"),
    ("POST", r"/repos/(?P<repo>[^/]+/[^/]+)/pulls", "create_pull"),
    ("PATCH", r"/repos/(?P<repo>[^/]+/[^/]+)/pulls/(?P<number>\d+)", "edit_pull"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/pulls/(?P<number>\d+)/files", "files"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/issues/(?P<number>\d+)", "issue"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/issues/(?P<number>\d+)/events", "list_events"),
    ("DELETE", r"/repos/(?P<repo>[^/]+/[^/]+)/issues/(?P<number>\d+)/labels/(?P<name>[^/]+)", "remove_label"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/collaborators/(?P<login>[^/]+)/permission", "permission"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/compare/(?P<base>[0-9a-f]+)\.\.\.(?P<sha>[0-9a-f]+)", "compare"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/issues/(?P<number>\d+)/comments", "list_comments"),
    ("POST", r"/repos/(?P<repo>[^/]+/[^/]+)/issues/(?P<number>\d+)/comments", "create_comment"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/issues/comments/(?P<id>\d+)", "get_comment"),
    ("PATCH", r"/repos/(?P<repo>[^/]+/[^/]+)/issues/comments/(?P<id>\d+)", "edit_comment"),
    ("DELETE", r"/repos/(?P<repo>[^/]+/[^/]+)/issues/comments/(?P<id>\d+)", "delete_comment"),
    ("POST", r"/repos/(?P<repo>[^/]+/[^/]+)/issues/comments/(?P<id>\d+)/reactions", "react"),
    ("DELETE", r"/repos/(?P<repo>[^/]+/[^/]+)/issues/comments/(?P<id>\d+)/reactions/(?P<reaction>\d+)", "unreact"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/pulls/(?P<number>\d+)/comments", "list_review_comments"),
    ("POST", r"/repos/(?P<repo>[^/]+/[^/]+)/pulls/(?P<number>\d+)/comments", "create_review_comment"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/pulls/(?P<number>\d+)/reviews", "list_reviews"),
    ("POST", r"/repos/(?P<repo>[^/]+/[^/]+)/pulls/(?P<number>\d+)/reviews", "create_review"),
    ("DELETE", r"/repos/(?P<repo>[^/]+/[^/]+)/pulls/comments/(?P<id>\d+)", "delete_review_comment"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/commits/(?P<sha>[0-9a-f]+)/check-runs", "list_checks"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/actions/runs/(?P<id>\d+)/attempts/(?P<attempt>\d+)", "run_attempt"),
    ("POST", r"/repos/(?P<repo>[^/]+/[^/]+)/check-runs", "create_check"),
    ("PATCH", r"/repos/(?P<repo>[^/]+/[^/]+)/check-runs/(?P<id>\d+)", "edit_check"),
    ("POST", r"/repos/(?P<repo>[^/]+/[^/]+)/git/(?P<git>trees|commits|refs)", "git_create"),
    ("PATCH", r"/repos/(?P<repo>[^/]+/[^/]+)/git/refs/(?P<name>heads/.+)", "git_move"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/git/(?P<git>ref|trees|blobs|commits)/(?P<name>.+)", "git_get"),
    ("GET", r"/repos/(?P<repo>[^/]+/[^/]+)/check-runs/(?P<id>\d+)/annotations", "list_annotations"),
)


class Refusal(Exception):
    """An error answer."""

    def __init__(self, status: int, message: str, errors: list[Any] | None = None) -> None:
        self.status = status
        self.body = {**problem(message, status), **({"errors": errors} if errors else {})}
        super().__init__(message)


def problem(message: str, status: int = 403) -> dict[str, Any]:
    """Return an error body as GitHub shapes it."""
    return {"message": message, "documentation_url": DOCS, "status": str(status)}


def default_tokens() -> dict[str, dict[str, str]]:
    """Return a token that writes, one that reads only (a fork's), a person's, and another app's."""
    return {
        "ghs_writes": {"login": "github-actions[bot]", "type": "Bot", "permission": "write"},
        "ghs_reads": {"login": "github-actions[bot]", "type": "Bot", "permission": "read"},
        "ghp_alice": {"login": "alice", "type": "User", "permission": "write"},
        "ghs_other": {"login": "other-app[bot]", "type": "Bot", "permission": "write"},
    }


@dataclass
class State:
    """Everything the fake holds. ``pulls`` by number as text; see ``pull`` for their fields."""

    repository: str = "acme/shop"
    tokens: dict[str, dict[str, str]] = field(default_factory=default_tokens)
    pulls: dict[str, dict[str, Any]] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    review_comments: list[dict[str, Any]] = field(default_factory=list)
    check_runs: list[dict[str, Any]] = field(default_factory=list)
    run_attempts: dict[str, dict[str, Any]] = field(default_factory=dict)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    issues: dict[str, dict[str, Any]] = field(default_factory=dict)
    teams: dict[str, dict[str, str]] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    label_events: list[dict[str, Any]] = field(default_factory=list)
    graphql_works: bool = True
    may_create_pulls: bool = True
    has_drafts: bool = True
    last_id: int = 1000
    git: GitStore = field(default_factory=GitStore)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> State:
        """Return a state from its JSON form. Comments may leave out their id."""
        git = data.pop("git", None)
        state = cls(**data, **({"git": GitStore(**git)} if git else {}))
        for each in (*state.comments, *state.review_comments, *state.check_runs):
            each.setdefault("id", state.new_id())
        return state

    def to_json(self) -> dict[str, Any]:
        """Return what is held, without the tokens."""
        return {
            "pulls": self.pulls,
            "comments": self.comments,
            "review_comments": self.review_comments,
            "check_runs": self.check_runs,
            "git": vars(self.git),
        }

    def new_id(self) -> int:
        """Return the next id: they only grow."""
        self.last_id += 1
        return self.last_id

    def own_open_pulls(self) -> list[dict[str, Any]]:
        """Return the open pull requests from branches of this repository."""
        own = [each for each in self.pulls.values() if each.get("head_repo", self.repository) == self.repository]
        return [each for each in own if not each.get("closed_at") and not each.get("merged_at")]

    def add_comment(self, number: int, login: str, body: str) -> int:
        """Put a comment of some account there and return its id."""
        comment = {"id": self.new_id(), "issue": number, "login": login, "body": body}
        self.comments.append(comment)
        return int(comment["id"])

    def put_label(self, number: int, login: str, label: str) -> None:
        """Put a label on a pull request in somebody's name, or (a second time) do nothing."""
        labels = self.pulls[str(number)].setdefault("labels", [])
        if label not in labels:
            labels.append(label)
            self._label_event(number, login, label, "labeled")

    def push(self, number: int, sha: str, diff: str) -> None:
        """Give a pull request another head commit; what the older one changed can still be compared."""
        pull = self.pulls[str(number)]
        pull.setdefault("older", {})[pull["head_sha"]] = pull.get("diff", "")
        pull.update(head_sha=sha, diff=diff)

    def _label_event(self, number: int, login: str, label: str, kind: str) -> None:
        event = {"id": self.new_id(), "event": kind, "actor": _user(login), "label": {"name": label}, "number": number}
        self.label_events.append(event)

    def route(
        self, verb: str, path: str, query: dict[str, str], body: Any, who: dict[str, str], accept: str, base: str
    ) -> Answer:
        """Perform a request. Raises ``Refusal``."""
        if membership := re.fullmatch(r"/orgs/([^/]+/)teams/([^/]+)/memberships/([^/]+)", path):
            return self._membership(verb, membership[1] + membership[2], membership[3], who)
        for known, pattern, name in ROUTES:
            match = re.fullmatch(pattern, path) if known == verb else None
            if match is None:
                continue
            place = match.groupdict()
            if place.get("repo", self.repository).lower() != self.repository.lower():
                raise Refusal(404, "Not Found")
            if verb != "GET":
                self._may_write(who, name)
                if verb != "DELETE" and not isinstance(body, dict):
                    raise Refusal(422, "Invalid request.\n\nFor 'links/0/schema', nil is not an object.")
            return _Request(self, place, query, body, who, accept, f"{base}/repos/{self.repository}").perform(name)
        raise Refusal(404, "Not Found")

    def _membership(self, verb: str, team: str, user: str, who: dict[str, str]) -> Answer:
        """Say how somebody stands in a team; the token of a job (``Bot``) may not see that."""
        if who["type"] == "Bot":
            raise Refusal(403, "Resource not accessible by integration")
        if verb != "GET" or user not in self.teams.get(team, {}):
            raise Refusal(404, "Not Found")
        return 200, {"state": self.teams[team][user], "role": "member"}, False

    def graphql(self, who: dict[str, str], body: Any) -> tuple[int, Any, dict[str, str]]:
        """Answer one of the two queries that are asked here: who am I, and what is in these files?"""
        if not self.graphql_works:
            return 403, problem(NO_ACCESS), {}
        if isinstance(body, dict) and "repository(" in str(body.get("query")):
            return 200, self.git.query(self.repository, body), {}
        if not isinstance(body, dict) or "viewer" not in str(body.get("query")):
            return 200, {"errors": [{"message": "Parse error"}]}, {}
        return 200, {"data": {"viewer": {"login": who["login"]}}}, {}

    def _may_write(self, who: dict[str, str], name: str) -> None:
        if who["permission"] != "write":
            kind = "integration" if who["type"] == "Bot" else "personal access token"
            raise Refusal(403, f"Resource not accessible by {kind}")
        if "check" in name and who["type"] != "Bot":
            raise Refusal(403, "You must authenticate via a GitHub App.")


@dataclass
class _Request:
    """One request being performed."""

    state: State
    place: dict[str, str]
    query: dict[str, str]
    body: Any
    who: dict[str, str]
    accept: str
    base: str

    def perform(self, name: str) -> Answer:
        """Call the method that a route names."""
        return getattr(self, name)()  # type: ignore[no-any-return]  # every route's method answers so

    def git_create(self) -> Answer:
        """Make a tree, a commit or a ref."""
        git = self.state.git
        make = {"trees": git.add_tree, "commits": git.add_commit, "refs": git.add_ref}[self.place["git"]]
        return 201, _answered(make, self.body), False

    def git_move(self) -> Answer:
        """Move a ref."""
        return 200, _answered(self.state.git.move_ref, self.place["name"], self.body), False

    def git_get(self) -> Answer:
        """Read a ref, a tree or a blob."""
        git = self.state.git
        if self.place["git"] == "trees":
            return 200, _answered(lambda name: git.tree(name, is_recursive="recursive" in self.query), self.place["name"]), False
        read = {"ref": git.ref, "blobs": git.get_blob, "commits": git.commit}[self.place["git"]]
        return 200, _answered(read, self.place["name"]), False

    def user(self) -> Answer:
        """``GET /user``: people only."""
        if self.who["type"] != "User":
            raise Refusal(403, NO_ACCESS)
        return 200, _user(self.who["login"]), False

    def repository(self) -> Answer:
        """The repository, with what the account of the token may do; of an app it says no, whatever that may do."""
        may_push = self.who["type"] == "User" and self.who["permission"] == "write"
        permissions = {"admin": False, "maintain": False, "push": may_push, "triage": may_push, "pull": True}
        return 200, {"full_name": self.state.repository, "default_branch": "main", "permissions": permissions}, False

    def pull(self) -> Answer:
        """One pull request, as JSON or as a diff."""
        pull = self._pull()
        if "diff" in self.accept:
            if pull.get("too_large"):
                error = {"resource": "PullRequest", "field": "diff", "code": "too_large"}
                raise Refusal(406, "Sorry, the diff exceeded the maximum number of lines (20000)", [error])
            diff = pull.get("diff", "")
            return 200, diff if isinstance(diff, bytes) else diff.encode("utf-8", "surrogateescape"), False
        facts = self._pull_facts(int(self.place["number"]), pull)
        facts |= {"merged": bool(pull.get("merged_at")), "changed_files": pull.get("changed_files", len(pull.get("files", [])))}
        return 200, facts, False

    def list_pulls(self) -> Answer:
        """Pull requests by state, newest first; as in the real list, without ``merged`` and ``changed_files``."""
        wanted, order = self.query.get("state", "open"), self.query.get("sort", "created")
        if wanted not in ("open", "closed", "all") or order not in ("created", "updated", "popularity", "long-running"):
            raise Refusal(422, "Validation Failed")
        known = [self._pull_facts(int(number), pull) for number, pull in self.state.pulls.items()]
        found = [each for each in known if wanted in ("all", each["state"])]
        if "head" in self.query:
            found = [each for each in found if _label(each) == self.query["head"]]
        if "base" in self.query:
            found = [each for each in found if each["base"]["ref"] == self.query["base"]]
        descending = self.query.get("direction", "desc" if order == "created" else "asc") == "desc"
        return 200, sorted(found, key=lambda each: (each[f"{order}_at"], each["number"]), reverse=descending), True

    def _pull_facts(self, number: int, pull: dict[str, Any]) -> dict[str, Any]:
        repo = {"full_name": self.state.repository}
        head_repo = pull.get("head_repo", self.state.repository)
        author = pull.get("author", "alice")
        closed_at = pull.get("closed_at") or pull.get("merged_at")
        created_at = pull.get("created_at", "2026-01-01T00:00:00Z")
        return {
            "id": 5_000_000 + number,
            "url": f"{self.base}/pulls/{number}",
            "number": number,
            "state": "closed" if closed_at else "open",
            "created_at": created_at,
            "updated_at": pull.get("updated_at") or closed_at or created_at,
            "closed_at": closed_at,
            "merged_at": pull.get("merged_at"),
            "title": pull.get("title", "A change"),
            "body": pull.get("body"),
            "draft": pull.get("draft", False),
            "user": _user(author, pull.get("author_type", "User")) if author else None,
            "labels": [{"name": name} for name in pull.get("labels", [])],
            "html_url": f"https://github.test/{self.state.repository}/pull/{number}",
            "head": {
                "sha": pull["head_sha"],
                "ref": pull.get("head_ref", "topic"),
                "repo": {"full_name": head_repo} if head_repo else None,
            },
            "base": {"sha": pull.get("base_sha", "b" * 40), "ref": pull.get("base_ref", "main"), "repo": repo},
        }

    def create_pull(self) -> Answer:
        """Open a pull request from a branch of this repository: one for a pair of branches, and never one without a change."""
        git, body = self.state.git, self.body
        if not self.state.may_create_pulls and self.who["type"] == "Bot":
            raise Refusal(403, "GitHub Actions is not permitted to create or approve pull requests.")
        head, base = (git.refs.get(f"refs/heads/{body.get(name)}") for name in ("head", "base"))
        wrong = [
            {"resource": "PullRequest", "field": name, "code": "invalid"}
            for name, at in (("head", head), ("base", base))
            if not at
        ]
        if wrong or not body.get("title") or len(body.get("body") or "") > BODY_CHARACTERS_MAX:
            raise Refusal(422, "Validation Failed", wrong)
        if body.get("draft") and not self.state.has_drafts:
            raise Refusal(422, "Draft pull requests are not supported in this repository.")
        pair = (body["head"], body["base"])
        is_open = any(pair == (each.get("head_ref"), each.get("base_ref")) for each in self.state.own_open_pulls())
        said = f"A pull request already exists for {self.state.repository.partition('/')[0]}:{body['head']}." if is_open else ""
        if not said and git.is_ancestor(str(head), str(base)):
            said = f"No commits between {body['base']} and {body['head']}"
        if said:
            raise Refusal(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": said}])
        number = max((int(each) for each in (*self.state.pulls, *self.state.issues)), default=0) + 1
        kept = {name: body.get(name) for name in ("title", "body", "draft")}
        kept |= {"head_sha": head, "head_ref": body["head"], "base_sha": base, "base_ref": body["base"]}
        self.state.pulls[str(number)] = {**kept, "author": self.who["login"], "author_type": self.who["type"]}
        return 201, self._pull_facts(number, self.state.pulls[str(number)]), False

    def edit_pull(self) -> Answer:
        """Change title or body."""
        pull = self._pull()
        pull.update({name: self.body[name] for name in ("title", "body") if name in self.body})
        return 200, self._pull_facts(int(self.place["number"]), pull), False

    def issue(self) -> Answer:
        """One issue; every pull request is one too."""
        number = self.place["number"]
        issue = self.state.issues.get(number) or self._pull()
        labels = [{"name": name} for name in issue.get("labels", [])]
        shown = {"number": int(number), "title": issue.get("title", "A change"), "body": issue.get("body"), "labels": labels}
        return 200, {**shown, "user": _user(issue.get("author", "alice")), "state": "open"}, False

    def list_events(self) -> Answer:
        """What happened to a pull request, oldest first: here its labels, and what every pull request has besides."""
        self._pull()
        number = int(self.place["number"])
        mentioned = {"id": 1, "event": "mentioned", "actor": None}
        return 200, [mentioned, *(each for each in self.state.label_events if each["number"] == number)], True

    def remove_label(self) -> Answer:
        """Take a label off; names are compared without case, as GitHub does."""
        number, name = int(self.place["number"]), unquote(self.place["name"])
        labels = self._pull().get("labels", [])
        found = next((each for each in labels if each.lower() == name.lower()), None)
        if found is None:
            raise Refusal(404, "Label does not exist")
        labels.remove(found)
        self.state._label_event(number, self.who["login"], found, "unlabeled")
        return 200, [{"name": each} for each in labels], False

    def permission(self) -> Answer:
        """What a person may do here: the role, and the base role that it amounts to. ``roles`` holds the roles of people."""
        role = self.state.roles.get(self.place["login"].lower())
        if role is None:
            raise Refusal(404, f"{self.place['login']} is not a user")
        amounts_to = {"maintain": "write", "triage": "read"}.get(role, role)
        return 200, {"permission": amounts_to, "role_name": role, "user": _user(self.place["login"])}, False

    def compare(self) -> Answer:
        """The changes of one commit since it left its base, as JSON or as a diff, whether or not it still is a head."""
        sha = self.place["sha"]
        pull = next((each for each in self.state.pulls.values() if sha in (each["head_sha"], *each.get("older", {}))), None)
        if pull is None:
            raise Refusal(404, "Not Found")
        diff = pull.get("diff", "") if pull["head_sha"] == sha else pull["older"][sha]
        if "diff" not in self.accept:
            return 200, {"status": "diverged", "files": pull.get("files", [])[:300]}, False
        if pull.get("too_large"):
            raise Refusal(406, "Sorry, this diff is taking too long to generate.")
        return 200, diff.encode("utf-8", "surrogateescape"), False

    def _commented(self) -> None:
        if self.place["number"] not in self.state.issues:
            self._pull()

    def files(self) -> Answer:
        """The changed files, 3 000 at most."""
        return 200, self._pull().get("files", [])[:3000], True

    def list_comments(self) -> Answer:
        """Comments of an issue or pull request, oldest first."""
        self._commented()
        number = int(self.place["number"])
        return 200, [self._comment(each) for each in self.state.comments if each["issue"] == number], True

    def create_comment(self) -> Answer:
        """Write one."""
        self._commented()
        text = self._text("IssueComment")
        created = self.state.add_comment(int(self.place["number"]), self.who["login"], text)
        return 201, self._comment(self._find(self.state.comments, created)), False

    def get_comment(self) -> Answer:
        """Read one."""
        return 200, self._comment(self._find(self.state.comments)), False

    def edit_comment(self) -> Answer:
        """Change one."""
        comment = self._find(self.state.comments)
        comment["body"] = self._text("IssueComment")
        comment["edits"] = comment.get("edits", 0) + 1
        return 200, self._comment(comment), False

    def delete_comment(self) -> Answer:
        """Remove one."""
        self.state.comments.remove(self._find(self.state.comments))
        return 204, None, False

    def react(self) -> Answer:
        """React to a comment: 201 for a new reaction, 200 for one that this account has there already."""
        reactions = self._find(self.state.comments).setdefault("reactions", [])
        wanted = {"login": self.who["login"], "content": self.body.get("content")}
        if wanted["content"] not in ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"):
            raise Refusal(422, "Validation Failed")
        there = next((each for each in reactions if wanted.items() <= each.items()), None)
        if there is None:
            reactions.append({"id": self.state.new_id(), **wanted})
        return 200 if there else 201, there or reactions[-1], False

    def unreact(self) -> Answer:
        """Take a reaction back."""
        reactions = self._find(self.state.comments).get("reactions", [])
        reactions.remove(self._find(reactions, int(self.place["reaction"])))
        return 204, None, False

    def list_review_comments(self) -> Answer:
        """Review comments of a pull request."""
        self._pull()
        number = int(self.place["number"])
        return 200, [self._review_comment(each) for each in self.state.review_comments if each["pull"] == number], True

    def create_review_comment(self) -> Answer:
        """Write a single one."""
        self._text("PullRequestReviewComment")
        wrong = self._wrong_place(self.body)
        if wrong:
            names = {"resource": "PullRequestReviewComment", "code": "custom", "field": "pull_request_review_thread.line"}
            raise Refusal(422, "Validation Failed", [{**names, "message": "could not be resolved"}])
        return 201, self._review_comment(self._kept(self.body, self.state.new_id())), False

    def list_reviews(self) -> Answer:
        """Submitted reviews of a pull request: GitHub offers no way to delete one."""
        self._pull()
        number = int(self.place["number"])
        found = [each for each in self.state.reviews if each["pull"] == number]
        return 200, [{"id": each["id"], "body": each["body"], "user": _user(each["login"])} for each in found], True

    def create_review(self) -> Answer:
        """Submit a review: all of its comments, or none."""
        comments = self.body.get("comments") or []
        if self.body.get("event") != "COMMENT" or not (comments or self.body.get("body")):
            raise Refusal(422, "Unprocessable Entity", ["Body can't be blank"])
        for each in comments:
            if not isinstance(each.get("body"), str) or len(each["body"]) > BODY_CHARACTERS_MAX:
                raise Refusal(422, "Unprocessable Entity", ["Body is too long"])
        wrong = next((said for each in comments if (said := self._wrong_place(each))), "")
        if wrong:
            raise Refusal(422, "Unprocessable Entity", [wrong])
        review = self.state.new_id()
        for each in comments:
            self._kept(each, review)
        kept = {"id": review, "pull": int(self.place["number"]), "login": self.who["login"], "body": self.body.get("body") or ""}
        self.state.reviews.append(kept)
        return 200, {"id": review, "user": _user(self.who["login"], self.who["type"]), "state": "COMMENTED"}, False

    def delete_review_comment(self) -> Answer:
        """Remove one."""
        self.state.review_comments.remove(self._find(self.state.review_comments))
        return 204, None, False

    def list_checks(self) -> Answer:
        """Check runs of a commit; ``filter=latest`` shows the last of each name and app."""
        found = [each for each in self.state.check_runs if each["head_sha"] == self.place["sha"]]
        if "check_name" in self.query:
            found = [each for each in found if each["name"] == self.query["check_name"]]
        if self.query.get("filter", "latest") == "latest":
            found = list({(each["name"], each.get("app")): each for each in found}.values())
        return 200, {"total_count": len(found), "check_runs": [self._check(each) for each in reversed(found)]}, True

    def run_attempt(self) -> Answer:
        """One attempt of a workflow run; ``run_attempts`` holds status, conclusion and head_sha by ``ID.ATTEMPT``."""
        attempt = self.state.run_attempts.get(f"{self.place['id']}.{self.place['attempt']}")
        if attempt is None:
            raise Refusal(404, "Not Found")
        return 200, {"id": int(self.place["id"]), "run_attempt": int(self.place["attempt"]), **attempt}, False

    def create_check(self) -> Answer:
        """Make a check run."""
        if not self.body.get("name") or not re.fullmatch(r"[0-9a-f]{40}", str(self.body.get("head_sha"))):
            raise Refusal(422, 'Invalid request.\n\n"name", "head_sha" weren\'t supplied.')
        check = {
            "id": self.state.new_id(),
            "name": self.body["name"],
            "head_sha": self.body["head_sha"],
            "app": self.who["login"],
        }
        self._put_check(check)
        self.state.check_runs.append(check)
        return 201, self._check(check), False

    def edit_check(self) -> Answer:
        """Change a check run of the same app."""
        check = self._find(self.state.check_runs)
        if check.get("app", self.who["login"]) != self.who["login"]:
            raise Refusal(403, NO_ACCESS)
        self._put_check(check)
        return 200, self._check(check), False

    def list_annotations(self) -> Answer:
        """Annotations of a check run, in the order in which they were added."""
        return 200, self._find(self.state.check_runs).get("annotations", []), True

    def _put_check(self, check: dict[str, Any]) -> None:
        status, conclusion = self.body.get("status"), self.body.get("conclusion")
        known = ("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required")
        if (status == "completed") != bool(conclusion) or (conclusion and conclusion not in known):
            raise Refusal(422, 'Invalid request.\n\nNo subschema in "anyOf" matched.\n"conclusion" and "status" do not agree.')
        output = self.body.get("output") or {}
        if output and not (output.get("title") and isinstance(output.get("summary"), str)):
            raise Refusal(422, 'Invalid request.\n\n"title", "summary" weren\'t supplied.')
        if len(output.get("summary", "").encode()) > SUMMARY_MAX:
            raise Refusal(422, f"Invalid request.\n\nOnly {SUMMARY_MAX} characters are allowed; more were supplied.")
        check.update(
            {name: self.body[name] for name in ("status", "conclusion", "external_id", "details_url") if name in self.body}
        )
        added = output.pop("annotations", [])
        if len(added) > ANNOTATIONS_MAX:
            raise Refusal(
                422, f"Invalid request.\n\nNo more than {ANNOTATIONS_MAX} items are allowed; {len(added)} were supplied."
            )
        for each in added:
            _check_annotation(each)
        check.setdefault("annotations", []).extend(added)
        if output or "output" not in check:
            check["output"] = output

    def _pull(self) -> dict[str, Any]:
        pull = self.state.pulls.get(self.place["number"])
        if pull is None:
            raise Refusal(404, "Not Found")
        return pull

    def _find(self, items: list[dict[str, Any]], wanted: int = 0) -> dict[str, Any]:
        wanted = wanted or int(self.place["id"])
        found = next((each for each in items if each["id"] == wanted), None)
        if found is None:
            raise Refusal(404, "Not Found")
        return found

    def _text(self, resource: str) -> str:
        text = self.body.get("body")
        if not isinstance(text, str) or not text.strip():
            raise Refusal(
                422,
                "Validation Failed",
                [{"resource": resource, "code": "unprocessable", "field": "data", "message": "Body cannot be blank"}],
            )
        if len(text) > BODY_CHARACTERS_MAX:
            said = f"Body is too long (maximum is {BODY_CHARACTERS_MAX} characters)"
            raise Refusal(
                422, "Validation Failed", [{"resource": resource, "code": "unprocessable", "field": "data", "message": said}]
            )
        return text

    def _wrong_place(self, comment: dict[str, Any]) -> str:
        """Return what GitHub says of a comment whose place the diff does not have, or empty text."""
        pull = self._pull()
        sha = comment.get("commit_id") or self.body.get("commit_id")
        if sha not in (pull["head_sha"], *pull.get("older", {})):
            return "Commit could not be resolved"
        lines = diff_lines(pull.get("diff", ""))
        path, side, line = comment.get("path"), comment.get("side", "RIGHT"), comment.get("line")
        start, start_place = comment.get("start_line"), (path, comment.get("start_side", side), comment.get("start_line"))
        is_range = start is not None
        is_torn = is_range and lines.get(start_place) != lines.get((path, side, line))
        problems = (
            (path not in {place[0] for place in lines}, "Path could not be resolved"),
            ((path, side, line) not in lines, "Line could not be resolved"),
            (is_range and start >= line, "Pull request review thread start line must precede the end line."),
            (is_torn, "Pull request review thread start line must be part of the same hunk as the line."),
        )
        return next((said for is_wrong, said in problems if is_wrong), "")

    def _kept(self, comment: dict[str, Any], review: int) -> dict[str, Any]:
        kept = {name: comment.get(name) for name in ("path", "line", "side", "start_line", "body")}
        kept |= {"id": self.state.new_id(), "pull": int(self.place["number"]), "login": self.who["login"], "review": review}
        self.state.review_comments.append(kept)
        return kept

    def _comment(self, comment: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": comment["id"],
            "url": f"{self.base}/issues/comments/{comment['id']}",
            "html_url": f"https://github.test/{self.state.repository}/pull/{comment['issue']}#issuecomment-{comment['id']}",
            "user": _user(comment["login"]),
            "body": comment["body"],
        }

    def _review_comment(self, comment: dict[str, Any]) -> dict[str, Any]:
        fields = {name: comment.get(name) for name in ("id", "path", "line", "side", "start_line", "body")}
        return {**fields, "pull_request_review_id": comment.get("review"), "user": _user(comment["login"])}

    def _check(self, check: dict[str, Any]) -> dict[str, Any]:
        fields = {
            name: check.get(name) for name in ("id", "name", "head_sha", "status", "conclusion", "external_id", "details_url")
        }
        url = f"https://github.test/{self.state.repository}/runs/{check['id']}"
        return {**fields, "html_url": url, "output": {"title": None, "summary": None, **check.get("output", {})}}


def _label(facts: dict[str, Any]) -> str:
    """Return a pull request's branch as GitHub's lists name it: with the owner of the repository that it lives in."""
    owner = ((facts["head"]["repo"] or {}).get("full_name") or "").partition("/")[0]
    return f"{owner}:{facts['head']['ref']}"


def _answered(method: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return method(*arguments)
    except GitRefusal as refusal:
        raise Refusal(refusal.status, refusal.message) from None


def _check_annotation(annotation: dict[str, Any]) -> None:
    """Refuse an annotation that GitHub would refuse."""
    lines = (annotation.get("start_line"), annotation.get("end_line"))
    is_placed = isinstance(annotation.get("path"), str) and all(isinstance(line, int) and line > 0 for line in lines)
    level_is_known = annotation.get("annotation_level") in ("notice", "warning", "failure")
    if not is_placed or not level_is_known or not annotation.get("message") or len(annotation.get("title", "")) > TITLE_MAX:
        raise Refusal(422, "Invalid request.\n\nFor 'properties/annotations', an item is not as it should be.")


def _user(login: str, kind: str = "") -> dict[str, str]:
    return {"login": login, "type": kind or ("Bot" if login.endswith("[bot]") else "User")}
