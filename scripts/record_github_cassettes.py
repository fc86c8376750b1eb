"""Records the exchanges of a review with GitHub as cassettes: ``.venv/bin/python scripts/record_github_cassettes.py``.

They are recorded from the fake in ``tests/fakes/github_server.py``, because the machine they were made on cannot reach
github.com; each file says so in its first line. Tokens and addresses of the recording machine are left out. The tests replay
them, and fail when recording again would give anything else.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "cassettes" / "github"
COMMAND = ".venv/bin/python scripts/record_github_cassettes.py"
FIRST_LINE = f"# Recorded from tests/fakes/github_server.py, not from github.com. Record again with: {COMMAND}\n"
REPLAY_URL = "http://github.test"
HEAD = "a" * 40
MARKER = "<!-- budget-gate:ci_cd_review -->"
DIFF = """\
diff --git a/cart.py b/cart.py
--- a/cart.py
+++ b/cart.py
@@ -1,2 +1,3 @@
 def total(items):
+    items = list(items)
     return sum(items)
"""
KEPT_HEADERS = ("Accept", "Content-Type", "X-GitHub-Api-Version")


def review(github: Any, run: int) -> list[object]:
    """Do what a review does on GitHub and return every answer, for replay to compare with."""
    from budget_gate.core.pull_requests import Finding
    from budget_gate.github.interface import InlineComment

    pull = github.pull_request(7)
    findings = [InlineComment(Finding("cart.py", 2, 2, "RIGHT", "low", "style", "Why copy?"), "**low** Why copy?")]
    return [
        list(pull),
        github.diff(7),
        github.put_check(HEAD, "success", "Within budget", "All of it.", run_id=run, run_attempt=1),
        github.post_findings(pull, MARKER, findings),
        list(github.put_comment(7, MARKER, f"{MARKER}\nRun {run}.", run, 1)),
    ]


def first_run(github: Any) -> list[object]:
    """The first review of a pull request: everything is created."""
    return review(github, 1)


def later_runs(github: Any) -> list[object]:
    """Two reviews after one another: the second updates, and repeats no finding."""
    return [review(github, 1), review(github, 2), review(github, 1)]


def fork(github: Any) -> list[object]:
    """A fork's pull request: reading works, writing is refused."""
    from budget_gate.core.errors import ReadOnlyToken

    try:
        return [github.diff(7), *github.put_comment(7, MARKER, f"{MARKER}\nRun 1.", 1, 1)]
    except ReadOnlyToken as error:
        return [str(error)]


SCENARIOS: dict[str, tuple[str, Callable[[Any], list[object]]]] = {
    "first_run": ("ghs_writes", first_run),
    "later_runs": ("ghs_writes", later_runs),
    "fork": ("ghs_reads", fork),
}


def recorder(address: str = REPLAY_URL) -> Any:
    """Return a VCR that writes and reads cassettes without tokens, as if the server at ``address`` were ``REPLAY_URL``."""
    from vcr import VCR

    def neutral_request(request: Any) -> Any:
        request.uri = request.uri.replace(address, REPLAY_URL)
        request.headers = {name: request.headers[name] for name in KEPT_HEADERS if name in request.headers}
        return request

    def neutral_response(response: Any) -> Any:
        response["body"]["string"] = response["body"]["string"].replace(address.encode(), REPLAY_URL.encode())
        response["headers"] = {
            name: [value.replace(address, REPLAY_URL) for value in values]
            for name, values in response["headers"].items()
            if name.lower() not in ("content-length", "date")  # the address may have changed the one, the time changes the other
        }
        return response

    return VCR(
        before_record_request=neutral_request,
        before_record_response=neutral_response,
        match_on=("method", "scheme", "host", "path", "query", "body"),
    )


def record(folder: Path) -> None:
    """Record every scenario into a folder, replacing what is there."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    from fakes.github_server import GitHubServer

    from budget_gate.github.client import GitHubClient

    folder.mkdir(parents=True, exist_ok=True)
    for name, (token, scenario) in SCENARIOS.items():
        path = folder / f"{name}.yaml"
        path.unlink(missing_ok=True)
        with (
            GitHubServer({"pulls": {"7": {"head_sha": HEAD, "diff": DIFF}}}) as server,
            recorder(server.url).use_cassette(str(path), record_mode="all"),
            GitHubClient(token, server.url, "acme/shop") as github,
        ):
            scenario(github)
        path.write_text(FIRST_LINE + path.read_text("utf-8"), "utf-8")


if __name__ == "__main__":
    record(FOLDER)
