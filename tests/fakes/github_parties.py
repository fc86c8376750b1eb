"""Processes that post to a fake GitHub at the same time, and a pull request for them to post to."""

import json
import subprocess
import sys
from typing import Any

HEAD = "a" * 40
MARKER = "<!-- budget-gate:ci_cd_review -->"
DIFF = """\
diff --git a/shop/cart.py b/shop/cart.py
--- a/shop/cart.py
+++ b/shop/cart.py
@@ -1,3 +1,4 @@
 def total(items):
-    return sum(items)
+    result = sum(items)
+    return result
 # end
@@ -20,2 +21,3 @@ def tax():
 one
+two
 three
"""

PARTY = """
import json, sys
from budget_gate.github.client import GitHubClient
from budget_gate.github.interface import InlineComment
from budget_gate.core.pull_requests import Finding
job = json.loads(sys.argv[1])
with GitHubClient(job["token"], job["url"], "acme/shop") as github:
    for call, given in job["calls"]:
        if call == "put_check":
            answer = github.put_check(**given)
        elif call == "post_findings":
            comments = [InlineComment(Finding(*each), "**" + each[6] + "**") for each in given]
            answer = github.post_findings(github.pull_request(7), job["marker"], comments)
        else:
            answer = list(github.put_comment(7, job["marker"], **given))
        print(json.dumps(answer))
"""


def state(**changes: Any) -> dict[str, Any]:
    """Return a state with one pull request, number 7, whose fields ``changes`` alter."""
    return {"pulls": {"7": {"head_sha": HEAD, "diff": DIFF, **changes}}}


def party(url: str, token: str, *calls: tuple[str, Any], marker: str = MARKER) -> "subprocess.Popen[str]":
    """Start a process that makes calls on the client, printing each answer as a line of JSON."""
    job = {"url": url, "token": token, "marker": marker, "calls": calls}
    return subprocess.Popen([sys.executable, "-c", PARTY, json.dumps(job)], stdout=subprocess.PIPE, text=True)


def answers(*parties: "subprocess.Popen[str]") -> list[list[Any]]:
    """Wait for processes and return what each of them answered."""
    ended = [each.communicate(timeout=60)[0] for each in parties]
    assert [each.returncode for each in parties] == [0] * len(parties)
    return [[json.loads(line) for line in text.splitlines()] for text in ended]


def comment(run_number: int, text: str, run_attempt: int = 1, marker: str = MARKER) -> tuple[str, dict[str, Any]]:
    """Return the call that posts the sticky comment of a run."""
    return "put_comment", {"body": f"{marker}\n{text}", "run_number": run_number, "run_attempt": run_attempt}
