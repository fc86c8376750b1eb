"""Nobody pays twice for reading the same lines; and secrets never leave with them."""

from collections.abc import Mapping
from typing import Any

import pytest
from fakes.gate_service import ACME_BOUNDS, TaskGate, nothing_found, reported, review_task

from budget_gate.agents.code_review import CodeReviewAgent
from budget_gate.core.errors import LedgerUnavailable
from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.tasks import Task
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.memory import MemoryLedger

TAG = "q7Zk2mVx9"
PULL = PullRequest("acme/app", 1, "Add login", "Text.", "mona", "abc", "def", "main")


def changed(path: str, first: int, lines: list[str]) -> str:
    """Return a modified file with one hunk of added lines that begins at line ``first``."""
    body = "".join(f"+{line}\n" for line in lines)
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -{first},0 +{first},{len(lines)} @@\n{body}"


def finding(path: str, line: int, **fields: Any) -> dict[str, Any]:
    """Return a finding as a model reports it."""
    place = {"path": path, "line": line, "side": "RIGHT", "severity": "high", "category": "correctness", "text": "It breaks."}
    return {**place, **fields}


def sent(gate: TaskGate) -> str:
    """Return everything that was sent to the model."""
    return "\n".join(str(body["messages"][0]["content"][0]["text"]) for body in gate.bodies)


def review(ledger: Ledger, gate: TaskGate, diff: str, **options: Any) -> ReviewOutcome:
    """Review a diff as a run of its own that shares the ledger."""
    return CodeReviewAgent(gate, gate.task, ledger=ledger, **options).review(diff, PULL, tag=TAG)


def gate_for(reply: Any = nothing_found, run: str = "1", **attribution: str) -> TaskGate:
    """Return a gate for a run of the same workflow on the same pull request."""
    task = review_task(ACME_BOUNDS._replace(soft_tokens=None))
    named = {"project": "acme/app", "pr": "1", "task": f"pr-1@abc:{run}", **attribution}
    return TaskGate(Task(task.attribution._replace(**named), task.workflow), reply)


def avoided(ledger: Ledger) -> list[Mapping[str, str]]:
    """Return the details of every note of avoided dollars."""
    return [each.body["details"] for each in (entry.parsed() for entry in ledger.entries()) if each.kind == "avoided"]


CODE = ["total = 0", "for item in items:", "    total += item.price"]


def test_a_rerun_pays_nothing_and_finds_the_same() -> None:
    """The same content, prompt, model and workflow: no call, the same findings, and the avoided dollars are recorded once."""
    ledger = MemoryLedger()
    diff = changed("src/app.py", 10, CODE)
    first = review(ledger, gate_for(lambda _body: reported(finding("src/app.py", 11))), diff)
    gate = gate_for(run="2")
    again = review(ledger, gate, diff)
    assert (gate.bodies, again.cost_nano_usd, again.verdict) == ([], 0, "pass")
    assert again.findings == first.findings != ()
    assert (again.reviewed_files, again.reviewed_hunks, again.reused_hunks) == (1, 1, 1)
    assert again.avoided_nano_usd == first.cost_nano_usd > 0
    assert "1 hunk unchanged since the last review" in again.reason
    assert [each["nano_usd"] for each in avoided(ledger)] == [str(first.cost_nano_usd)]
    review(ledger, gate_for(run="2"), diff)
    assert len(avoided(ledger)) == 1, "a retry of the same run counts once"


def test_a_push_reviews_only_what_changed() -> None:
    """Of two hunks one changed: only that one is sent, and the comment still has the findings of both."""
    ledger = MemoryLedger()
    old, new = changed("src/a.py", 1, CODE), changed("src/b.py", 1, CODE)
    review(ledger, gate_for(lambda _body: reported(finding("src/a.py", 2), finding("src/b.py", 2))), old + new)
    gate = gate_for(lambda _body: reported(finding("src/b.py", 3, text="Still wrong.")), run="2")
    outcome = review(ledger, gate, old + changed("src/b.py", 1, [*CODE, "print(total)"]))
    assert "src/b.py" in sent(gate)
    assert "src/a.py" not in sent(gate)
    assert [(each.path, each.line) for each in outcome.findings] == [("src/a.py", 2), ("src/b.py", 3)]


def test_a_rebase_that_moves_lines_reuses_and_moves_the_findings() -> None:
    """The same lines forty lines further down are the same content; their remark stands where they are now."""
    ledger = MemoryLedger()
    review(ledger, gate_for(lambda _body: reported(finding("src/app.py", 11, end_line=12))), changed("src/app.py", 10, CODE))
    gate = gate_for(run="2")
    (moved,) = review(ledger, gate, changed("src/app.py", 50, CODE)).findings
    assert (gate.bodies, moved.line, moved.end_line) == ([], 51, 52)


@pytest.mark.parametrize("change", [{"pr": "2"}, {"project": "acme/other"}], ids=["another pull request", "another repository"])
def test_results_stay_with_their_subject(change: dict[str, str]) -> None:
    """What was said about one pull request is not used for another: its author could have prepared it."""
    ledger = MemoryLedger()
    diff = changed("src/app.py", 10, CODE)
    review(ledger, gate_for(), diff)
    gate = gate_for(run="2", **change)
    review(ledger, gate, diff)
    assert len(gate.bodies) == 1


def test_another_model_or_workflow_reads_for_itself() -> None:
    """A result is keyed by what made it."""
    ledger = MemoryLedger()
    diff = changed("src/app.py", 10, CODE)
    review(ledger, gate_for(), diff)
    gate = gate_for(run="2")
    gate.task = gate.task._replace(workflow=gate.task.workflow._replace(name="nightly"))
    review(ledger, gate, diff)
    assert len(gate.bodies) == 1


def test_an_incomplete_answer_is_not_kept() -> None:
    """An answer cut off at its longest length may miss findings, so its lines are read again."""
    ledger = MemoryLedger()
    diff = changed("src/app.py", 10, CODE)
    review(ledger, gate_for(lambda _body: reported(stop_reason="max_tokens")), diff)
    gate = gate_for(run="2")
    review(ledger, gate, diff)
    assert len(gate.bodies) == 1


def test_a_large_result_is_not_stored() -> None:
    """Notes are bounded: more findings than fit are read again rather than kept in part."""
    ledger = MemoryLedger()
    diff = changed("src/app.py", 10, CODE)
    many = [finding("src/app.py", 11, category=f"kind {number}", text="x" * 1_500) for number in range(4)]
    review(ledger, gate_for(lambda _body: reported(*many)), diff)
    assert list(ledger.entries()) == []


def test_a_hunk_too_large_for_one_run_is_continued_by_the_next() -> None:
    """The parts that the first run read in one go are not read again, so the second one's budget goes further down."""
    ledger = MemoryLedger()
    diff = changed("src/app.py", 1, [f"value_{number} = compute({number})" for number in range(1_500)])
    first, second = gate_for(), gate_for(run="2")
    review(ledger, first, diff)
    review(ledger, second, diff)
    numbers = [
        [int(line[1:].split(" ")[0]) for line in sent(gate).split("\n") if line.startswith("R")] for gate in (first, second)
    ]
    assert min(numbers[1]) > min(numbers[0])
    assert max(numbers[1]) > max(numbers[0])


def test_a_dry_run_prices_only_what_is_new_and_notes_nothing() -> None:
    """An estimate after a review is zero calls, and it writes no entry."""
    ledger = MemoryLedger()
    diff = changed("src/app.py", 10, CODE)
    review(ledger, gate_for(), diff)
    before = ledger.head()
    gate = gate_for(run="2")
    outcome = CodeReviewAgent(gate, gate.task, ledger=ledger).review(diff, PULL, tag=TAG, dry_run=True)
    assert "0 calls" in outcome.reason
    assert ledger.head() == before


def test_a_ledger_that_cannot_be_asked_has_nothing_to_recall() -> None:
    """The memory is a saving, never a condition: without it the review reads everything."""

    class Down(MemoryLedger):
        """A ledger that is away whenever notes are concerned."""

        def notes(self, keys: Any) -> Any:
            """Fail."""
            raise LedgerUnavailable("away")

    gate = gate_for()
    assert review(Down(), gate, changed("src/app.py", 10, CODE)).verdict == "pass"
    assert len(gate.bodies) == 1


@pytest.mark.parametrize(
    "text", ["[", "[[1]]", '[["RIGHT",0,9,"high","a","b","c"]]', '[["RIGHT",0,0,"worse","a","b","c"]]', "{}", '"x"']
)
def test_a_note_that_is_not_ours_is_read_anew(text: str) -> None:
    """A note of another form, or one that points beyond its lines, is as good as none."""

    class Strange(MemoryLedger):
        """A ledger whose notes all say the same."""

        def notes(self, keys: Any) -> Any:
            """Return one strange note for every key."""
            key = f"strange/{self.head()}"
            return tuple(self.record(key, "reviewed", {}, {"findings": text, "nano_usd": "5"}) for _ in keys)

    gate = gate_for()
    outcome = review(Strange(), gate, changed("src/app.py", 10, CODE))
    assert (outcome.findings, outcome.verdict) == ((), "pass")


def test_secrets_are_masked_before_they_are_sent_and_counted() -> None:
    """Neither a line, a heading nor the description takes a token along; the outcome says how many there were."""
    token = "gh" + "p_" + "a1B2" * 9
    diff = changed("src/app.py", 10, [f'connect("{token}")', "x = 1"]).replace("@@\n", f"@@ def f(key='{token}'):\n")
    gate = gate_for()
    agent = CodeReviewAgent(gate, gate.task)
    outcome = agent.review(diff, PULL._replace(title=f"Use {token}", body=f"With {token}."), tag=TAG)
    assert token not in str(gate.bodies)
    assert '+connect("[masked-github-token]")' in sent(gate)
    assert outcome.masked_secrets == 4
    assert outcome.reason.endswith("4 secrets masked before sending")


def test_a_suggestion_never_commits_a_mask() -> None:
    """A suggestion that holds a mask would replace a working secret by a word: the remark stays without it."""
    reply = reported(finding("src/app.py", 10, suggestion='connect("[masked-github-token]")'))
    (found,) = review(MemoryLedger(), gate_for(lambda _body: reply), changed("src/app.py", 10, CODE)).findings
    assert found.suggestion == ""


def test_a_suggestion_for_lines_beyond_those_shown_is_dropped() -> None:
    """It was written for more lines than would be replaced, so it would not apply cleanly; within them it stays."""
    items = [finding("src/app.py", 10, end_line=99, suggestion="a"), finding("src/app.py", 11, end_line=12, suggestion="b")]
    found = review(MemoryLedger(), gate_for(lambda _body: reported(*items)), changed("src/app.py", 10, CODE)).findings
    assert [(each.line, each.end_line, each.suggestion) for each in found] == [(10, 12, ""), (11, 12, "b")]


def test_findings_below_the_threshold_are_left_out_and_counted() -> None:
    """``min_severity`` hides the minor ones and says how many; a later run with a lower threshold still has them."""
    ledger = MemoryLedger()
    diff = changed("src/app.py", 10, CODE)
    items = [finding("src/app.py", 10, severity="low"), finding("src/app.py", 11, severity="medium")]
    gate = gate_for(lambda _body: reported(*items))
    gate.task = gate.task._replace(workflow=gate.task.workflow._replace(min_severity="medium"))
    outcome = review(ledger, gate, diff)
    assert [each.severity for each in outcome.findings] == ["medium"]
    assert outcome.reason == "1 finding; 1 below the severity asked for"
    assert len(review(ledger, gate_for(run="2"), diff).findings) == 2
