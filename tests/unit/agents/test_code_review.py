"""The review agent against a gate that counts: what is sent, what is kept, and when it stops."""

from collections.abc import Mapping
from typing import Any

import pytest
from fakes.gate_service import ACME_BOUNDS, TaskGate, nothing_found, reported, review_task

from budget_gate.agents.code_review import CodeReviewAgent
from budget_gate.core.errors import ProviderError
from budget_gate.core.policy import Bounds
from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.routing import Route
from budget_gate.core.tasks import Task
from budget_gate.providers.interface import Failed

TAG = "q7Zk2mVx9"
PULL = PullRequest("acme/app", 1, "Add login", "Adds a security check.", "mona", "abc", "def", "main", labels=("backend",))


def added(path: str, lines: int = 3, width: int = 20) -> str:
    """Return the diff of a new file."""
    body = "".join(f"+line {number}".ljust(width, "x") + "\n" for number in range(lines))
    return f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{lines} @@\n{body}"


def finding(path: str = "app.py", line: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a finding as a model reports it."""
    place = {"path": path, "line": line, "side": "RIGHT", "severity": "high", "category": "correctness", "text": "It breaks."}
    return {**place, **fields}


def user_text(body: Mapping[str, Any]) -> str:
    """Return the data of a request."""
    return str(body["messages"][0]["content"][0]["text"])


def review(gate: TaskGate, diff: str, pull: PullRequest | None = PULL, **options: Any) -> ReviewOutcome:
    """Review a diff with a gate's own task."""
    return CodeReviewAgent(gate, gate.task, **options).review(diff, pull, tag=TAG)


def gate_for(diff_reply: Any = nothing_found, bounds: Bounds = ACME_BOUNDS, **fields: Any) -> TaskGate:
    """Return a gate for a task of these bounds; fields are the workflow's."""
    return TaskGate(review_task(bounds, **fields), diff_reply)


def test_a_small_change_is_one_call_and_passes() -> None:
    """Findings, cost and usage of the one call make the outcome."""
    gate = gate_for(lambda _body: reported(finding(), summary="Small."))
    outcome = review(gate, added("app.py"))
    assert (outcome.verdict, outcome.reason) == ("pass", "1 finding")
    assert [(each.path, each.line) for each in outcome.findings] == [("app.py", 1)]
    assert (outcome.reviewed_files, outcome.reviewed_hunks, outcome.not_reviewed) == (1, 1, ())
    assert (len(gate.bodies), outcome.cost_nano_usd, outcome.usage.total_tokens) == (1, gate.nano_usd, gate.used_tokens)
    assert (outcome.tier, outcome.model, outcome.provider, outcome.summary) == ("small", "claude-haiku-4-5", "scripted", "Small.")
    assert outcome.budgets[0].used == gate.used_tokens
    assert not outcome.is_dry_run


def test_calls_carry_the_prompt_s_version() -> None:
    """A change of cost can be traced to a change of words."""
    gate = gate_for()
    review(gate, added("app.py"))
    assert gate.prompt_versions == {"code_review/2"}


def test_a_call_the_ledger_missed_is_said() -> None:
    """Where the policy lets work go on without the ledger, the outcome passes and says that the books have a gap."""
    gate = gate_for()
    gate.accounting = "unmetered"
    outcome = review(gate, added("app.py"))
    assert (outcome.verdict, outcome.reason) == ("pass", "nothing found; the ledger could not record every call")


def test_routing_sees_size_paths_labels_and_words() -> None:
    """The model is chosen by what all of the selected change would be to read, and by the pull request's own words."""
    gate = gate_for()
    review(gate, added("src/auth/login.py", 200) + added("uv.lock", 5_000))
    facts = gate.facts[-1]
    assert facts.paths == ("src/auth/login.py",)
    assert facts.labels == ("backend",)
    assert "security check" in facts.text
    assert 3_000 < facts.input_tokens < 12_000


@pytest.mark.parametrize(
    ("diff", "reason"), [("", "the diff is empty"), (added("uv.lock"), "nothing to review: 1 changed file set aside")]
)
def test_nothing_to_review_costs_nothing(diff: str, reason: str) -> None:
    """No call is made for an empty diff or one of lock files, and the check passes."""
    gate = gate_for()
    outcome = review(gate, diff)
    assert (outcome.verdict, outcome.reason, outcome.cost_nano_usd, gate.bodies, gate.facts) == ("pass", reason, 0, [], [])


def test_more_than_the_task_holds_is_reviewed_by_risk_and_the_rest_named() -> None:
    """The riskiest file is read first, the task's bound is kept, and what stays out has an estimate: nothing is stranded."""
    gate = gate_for(bounds=ACME_BOUNDS._replace(soft_tokens=None))
    outcome = review(
        gate, added("docs/a.md", 300) + added("src/app.py", 100) + added("src/auth.py", 150) + added("tests/b.py", 900)
    )
    assert "file src/auth.py" in user_text(gate.bodies[0])
    assert "docs/a.md" not in user_text(gate.bodies[0])
    assert gate.used_tokens <= 12_000
    assert outcome.verdict == "pass_with_note"
    assert "12,000 tokens" in outcome.reason
    assert "not held up" in outcome.reason
    assert {each.path for each in outcome.not_reviewed} <= {"tests/b.py", "docs/a.md"}
    assert all(each.estimated_nano_usd for each in outcome.not_reviewed)
    assert all(each.input_tokens + each.output_tokens <= 12_000 for each in gate.reserved)


def test_each_call_is_planned_with_what_the_last_one_left() -> None:
    """A worst case that was not used pays for another call, up to the steps of the task; no line is sent twice."""
    gate = gate_for(bounds=ACME_BOUNDS._replace(soft_tokens=None))
    outcome = review(gate, added("src/app.py", 700, width=30))
    assert 1 < len(gate.bodies) <= 5
    sent = [line for body in gate.bodies for line in user_text(body).split("\n") if line.startswith("R")]
    assert len(sent) == len(set(sent))
    (rest,) = outcome.not_reviewed
    assert rest.reason.endswith(f"lines {len(sent) + 1}-700, {700 - len(sent)} changed lines)")


def test_what_an_earlier_run_used_counts() -> None:
    """A second run of the same task starts with what the first one left in the ledger."""
    gate = TaskGate(review_task(), used_tokens=11_500)
    outcome = review(gate, added("app.py"))
    assert (gate.bodies, outcome.verdict, outcome.reviewed_hunks) == ([], "pass_with_note", 0)
    assert outcome.refused is None, "the agent knows before it asks"
    assert [each.path for each in outcome.not_reviewed] == ["app.py"]


def test_without_a_counter_the_agent_counts_for_itself() -> None:
    """A task that nobody named has no counter in the ledger; its bounds hold all the same."""
    task = review_task(ACME_BOUNDS._replace(steps=2, soft_tokens=None))
    gate = TaskGate(Task(task.attribution._replace(task=""), task.workflow))
    outcome = review(gate, added("src/app.py", 2_000))
    assert len(gate.bodies) == 2
    assert gate.used_tokens <= 12_000
    assert "2 calls" in outcome.reason


def test_past_the_soft_bound_only_source_is_read() -> None:
    """Narrowing leaves tests and documents out and says so; it is a note and never blocks."""
    gate = gate_for(bounds=Bounds(soft_tokens=4_700, hard_tokens=50_000), on_exceed="block")
    outcome = review(gate, added("tests/test_app.py", 100) + added("src/app.py", 5))
    assert [each.path for each in outcome.not_reviewed] == ["tests/test_app.py"]
    assert outcome.verdict == "pass_with_note"
    assert "narrowed past the task's soft bound of 4,700 tokens" in outcome.reason


@pytest.mark.parametrize(("on_exceed", "verdict"), [("comment", "pass_with_note"), ("block", "block")])
def test_a_refusal_keeps_what_was_found(on_exceed: str, verdict: str) -> None:
    """When a budget refuses midway the findings so far stay, the rest is named, and the policy decides the verdict."""
    task = review_task(ACME_BOUNDS._replace(soft_tokens=None), on_exceed=on_exceed)
    gate = TaskGate(task, lambda _body: reported(finding("src/app.py")), refuse_after=1)
    outcome = review(gate, added("src/app.py", 700))
    assert outcome.verdict == verdict
    assert outcome.reason.startswith("stopped by the budget of workflow/ci_cd_review per day")
    assert ("not held up" in outcome.reason) == (verdict == "pass_with_note")
    assert len(outcome.findings) == 1
    assert outcome.refused is not None
    assert [each.path for each in outcome.not_reviewed] == ["src/app.py"]
    assert outcome.cost_nano_usd == gate.nano_usd > 0


@pytest.mark.parametrize(("on_exceed", "verdict"), [("comment", "pass_with_note"), ("block", "block")])
def test_a_task_bound_counts_as_exceeded(on_exceed: str, verdict: str) -> None:
    """Under ``block`` nobody gets unread source past the check by making the change too large for its task."""
    assert review(gate_for(on_exceed=on_exceed), added("src/app.py", 3_000)).verdict == verdict


def test_a_failed_call_never_strands_the_pull_request() -> None:
    """Even under ``block`` a broken service is a note; what was found before stays and the failure is one line."""
    answers = iter([reported(finding("src/app.py")), Failed("overloaded", "busy\nvery", 3)])
    gate = gate_for(lambda _body: next(answers), ACME_BOUNDS._replace(soft_tokens=None), on_exceed="block")
    outcome = review(gate, added("src/app.py", 700))
    assert (outcome.verdict, outcome.failure) == ("pass_with_note", "the model's service failed (overloaded): busy very")
    assert len(outcome.findings) == 1
    assert outcome.not_reviewed[0].reason.startswith("the model's service failed")


def test_a_provider_that_raises_is_a_failed_call() -> None:
    """An exception of the provider becomes the failure line."""

    def broken(_body: Mapping[str, Any]) -> Failed:
        raise ProviderError("no key")

    outcome = review(gate_for(broken), added("app.py"))
    assert (outcome.verdict, outcome.reviewed_hunks) == ("pass_with_note", 0)
    assert "no key" in outcome.failure


def test_an_unusable_answer_is_paid_for_and_said() -> None:
    """Text instead of a report reviews nothing: its cost counts and its files are not reviewed."""
    gate = gate_for(lambda _body: {"content": [{"type": "text", "text": "LGTM"}], "stop_reason": "end_turn"})
    outcome = review(gate, added("app.py"))
    assert (outcome.verdict, outcome.reviewed_files, len(gate.bodies)) == ("pass_with_note", 0, 1)
    assert outcome.failure == "the model's answer is not of the agreed form"
    assert outcome.cost_nano_usd > 0
    assert outcome.not_reviewed[0].path == "app.py"


def test_findings_on_lines_that_were_not_shown_are_dropped_and_counted() -> None:
    """An answer cannot put a remark where the diff has no line."""
    outcome = review(gate_for(lambda _body: reported(finding(line=99), finding("other.py"), finding())), added("app.py"))
    assert (len(outcome.findings), outcome.dropped_findings) == (1, 2)


def test_findings_are_capped_most_severe_first() -> None:
    """A long list is cut at its least severe end, and the reason says how many are missing."""
    many = [finding(line=line, severity="low") for line in range(1, 41)] + [finding(line=5, severity="critical")]
    outcome = review(gate_for(lambda _body: reported(*many)), added("app.py", 60), findings_most=10)
    assert len(outcome.findings) == 10
    assert outcome.findings[0].severity == "critical"
    assert outcome.reason == "10 findings; 30 less severe left out"


def test_a_dry_run_sends_nothing_and_names_every_file() -> None:
    """Estimates only: no call, no cost, and the outcome says that it is one."""
    gate = gate_for()
    outcome = CodeReviewAgent(gate, gate.task).review(added("app.py") + added("uv.lock"), PULL, tag=TAG, dry_run=True)
    assert outcome.is_dry_run
    assert (gate.bodies, outcome.cost_nano_usd, outcome.verdict) == ([], 0, "pass")
    assert outcome.reason.startswith("dry run: nothing was sent; 1 call would use at most ")
    assert [(each.path, each.estimated_nano_usd is None) for each in outcome.not_reviewed] == [
        ("app.py", False),
        ("uv.lock", True),
    ]


def test_the_estimate_of_a_dry_run_is_what_the_call_would_reserve() -> None:
    """The per-file estimates add up to no less than the gate's own worst case for the request."""
    gate = gate_for()
    diff = added("app.py") + added("b.py")
    estimated = CodeReviewAgent(gate, gate.task).review(diff, PULL, tag=TAG, dry_run=True)
    review(gate, diff)
    (reserved,) = gate.reserved
    total = sum(each.estimated_nano_usd or 0 for each in estimated.not_reviewed)
    assert reserved.nano_usd <= total <= reserved.nano_usd * 11 // 10


def test_the_fence_is_not_in_the_data() -> None:
    """A diff that holds the caller's tag is fenced by another one."""
    gate = gate_for()
    diff = added("app.py").replace("line 1", f"</diff-{TAG}>")
    review(gate, diff)
    text = user_text(gate.bodies[0])
    assert text.endswith(f"</diff-{TAG}x>")
    assert f"+</diff-{TAG}>" in text


def test_a_bare_diff_needs_no_pull_request() -> None:
    """``review --diff`` has neither title nor labels."""
    gate = gate_for()
    assert review(gate, added("app.py"), pull=None).verdict == "pass"
    assert "pull-request" not in user_text(gate.bodies[0])


def test_a_line_too_long_to_send_is_named_and_the_rest_reviewed() -> None:
    """One minified line neither breaks the review nor goes unmentioned."""
    gate = gate_for()
    outcome = review(gate, added("big.py", 1, width=40_000) + added("app.py"))
    assert outcome.reviewed_files == 1
    assert [(each.path, each.reason) for each in outcome.not_reviewed] == [
        ("big.py", "at a line too long to send (lines 1-1, 1 changed line)")
    ]


def test_the_same_diff_gives_the_same_requests() -> None:
    """Nothing but the tag, which the caller draws, varies between runs."""
    diff = added("src/app.py", 400) + added("src/auth.py", 400) + added("tests/c.py", 400)
    first, second = gate_for(), gate_for()
    assert review(first, diff) == review(second, diff)
    assert first.bodies == second.bodies


OVERLOADED = Failed("overloaded", "busy", 2)
OTHER = Route("medium", "claude-sonnet-4-6", 1_024, "small was overloaded, so medium took over")


def test_an_overloaded_model_hands_over_once() -> None:
    """After an overload the review goes on with another tier, admitted anew, and the outcome says which and why."""
    answers = iter([OVERLOADED, reported(finding())])
    gate = gate_for(lambda _body: next(answers))
    gate.fallback_to = OTHER
    outcome = review(gate, added("app.py"))
    assert (outcome.verdict, outcome.tier, outcome.model, outcome.failure) == ("pass", "medium", "claude-sonnet-4-6", "")
    assert "overloaded" in outcome.route_reason
    assert len(outcome.findings) == 1
    assert len(gate.reserved) == 2, "the second attempt has a reservation of its own"


def test_two_overloads_end_the_review() -> None:
    """There is one fallback in a review, never a tour through all tiers."""
    gate = gate_for(lambda _body: OVERLOADED)
    gate.fallback_to = OTHER
    outcome = review(gate, added("app.py"))
    assert (len(gate.bodies), outcome.verdict) == (2, "pass_with_note")
    assert "overloaded" in outcome.failure


def test_a_fallback_that_the_budget_refuses_is_the_overload_s_fault() -> None:
    """Even under ``block`` nobody is stranded because the tier that would have taken over has no budget."""
    gate = gate_for(lambda _body: OVERLOADED, on_exceed="block")
    gate.fallback_to = OTHER
    gate._refuse_after = 1
    outcome = review(gate, added("app.py"))
    assert (outcome.verdict, outcome.refused) == ("pass_with_note", None)
    assert "overloaded" in outcome.failure
    assert "medium has no budget to take over" in outcome.failure


def test_explaining_a_route_calls_nothing() -> None:
    """The route and its alternatives are those of the masked, selected change; nothing is sent."""
    gate = gate_for()
    explained = CodeReviewAgent(gate, gate.task).explain(added("src/a.py") + added("uv.lock"), tag=TAG)
    assert (explained.route.tier, explained.files, explained.hunks, gate.bodies) == ("small", 1, 1, [])
    assert explained.alternatives[0].nano_usd > 0
