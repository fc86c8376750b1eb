"""The review agent on the real gate, a real ledger and the scripted reviewer: what people get, and what the books say."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from budget_gate.agents.code_review import CodeReviewAgent
from budget_gate.agents.demo_script import scripted_reviewer
from budget_gate.config.price_file import load_prices
from budget_gate.core.attribution import Attribution
from budget_gate.core.policy import Bounds, Budget, Condition, Escalation, Limit, Policy, Workflow
from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.scopes import ORG, Scope
from budget_gate.core.tasks import Task
from budget_gate.gate.gate import Gate
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.providers.scripted import ScriptedProvider

TAG = "q7Zk2mVx9"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MODELS = {"small": "claude-haiku-4-5", "medium": "claude-sonnet-4-6", "large": "claude-opus-4-6"}
REVIEW = Workflow(
    name="ci_cd_review",
    agent="code_review",
    model="small",
    escalate=Escalation("medium", Condition(input_tokens_over=6_000, paths=("**/auth/**", "**/*secret*"))),
    task=Bounds(soft_tokens=6_000, hard_tokens=12_000, nano_usd=500_000_000, steps=5),
    output_tokens={"small": 1_024, "medium": 2_048},
)
PULL = PullRequest("acme/app", 7, "Call the service", "Uses requests.", "mona", "abc", "def", "main")
CODE = ["def fetch(url, seen=[]):", "    try:", "        return requests.get(url)", "    except:", "        return None"]


def added(path: str, lines: list[str]) -> str:
    """Return the diff of a new file."""
    body = "".join(f"+{line}\n" for line in lines)
    return f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n{body}"


class World:
    """Acme's review workflow on a ledger in memory; every agent is a new run of the program."""

    def __init__(self, daily_nano_usd: int = 7_000_000_000, **workflow: Any) -> None:
        self.ledger = MemoryLedger(clock=lambda: NOW)
        self.provider = ScriptedProvider(self._answer)
        self.sent: list[Mapping[str, Any]] = []
        self._workflow = REVIEW._replace(**workflow)
        budgets = (
            Budget(ORG, (Limit("usd", 800_000_000_000, "month"),)),
            Budget(Scope("workflow", "ci_cd_review"), (Limit("usd", daily_nano_usd, "day"),)),
        )
        self._policy = Policy("acme", "UTC", MODELS, budgets, {"ci_cd_review": self._workflow})
        self._runs = 0

    def _answer(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        self.sent.append(body)
        return scripted_reviewer(body)

    def review(self, diff: str, *, task: str = "pr-7@abc", **options: Any) -> ReviewOutcome:
        """Review a diff in a run of its own."""
        self._runs += 1
        gate = Gate(self._policy, load_prices(), self.ledger, self.provider, key_prefix=f"run-{self._runs}", wait_seconds=0)
        attribution = Attribution("ci_cd_review", project="acme/app", user="mona", task=task, pr="7")
        return CodeReviewAgent(gate, Task(attribution, self._workflow)).review(diff, PULL, tag=TAG, **options)

    def task_tokens(self, task: str = "pr-7@abc") -> int:
        """Return what the ledger counts for a task: spent, promised and held."""
        rows = [row for row in self.ledger.counters() if row.scope == f"task/ci_cd_review/{task}"]
        return sum(row.value.posted.tokens + row.value.pending.tokens + row.value.held.tokens for row in rows)

    def spent_nano_usd(self) -> int:
        """Return what the organization's month holds."""
        rows = [row for row in self.ledger.counters() if (row.scope, row.per) == ("org", "month")]
        return sum(row.value.posted.nano_usd for row in rows)


@pytest.fixture
def world() -> Iterator[World]:
    """Acme with nothing spent."""
    made = World()
    yield made
    made.ledger.close()


def test_a_review_finds_what_is_there_and_the_books_agree(world: World) -> None:
    """Findings stand on the right lines, and the outcome's cost and tokens are the ledger's, to the nano-dollar."""
    outcome = world.review(added("src/client.py", CODE) + added("uv.lock", ["x"] * 3_000))
    assert outcome.verdict == "pass"
    assert [(each.path, each.line, each.category) for each in outcome.findings] == [
        *(("src/client.py", 1, "correctness"), ("src/client.py", 3, "reliability"), ("src/client.py", 4, "error handling")),
    ]
    assert (outcome.tier, outcome.model, outcome.provider, outcome.dropped_findings) == ("small", MODELS["small"], "scripted", 0)
    assert (outcome.reviewed_files, outcome.reviewed_hunks) == (1, 1)
    assert [(each.path, each.reason) for each in outcome.not_reviewed] == [("uv.lock", "lock file")]
    assert outcome.cost_nano_usd == world.spent_nano_usd() > 0
    assert outcome.usage.total_tokens == world.task_tokens()
    assert {state.scope.text for state in outcome.budgets} >= {"org", "workflow/ci_cd_review", "task/ci_cd_review/pr-7@abc"}
    labels = [entry.parsed().body.get("labels", {}) for entry in world.ledger.entries()]
    assert {each["prompt_version"] for each in labels if each} == {"code_review/2"}


def test_paths_escalate(world: World) -> None:
    """A change under ``auth/`` goes to the better model, with its longer answer."""
    outcome = world.review(added("src/auth/login.py", CODE))
    assert (outcome.tier, outcome.model) == ("medium", MODELS["medium"])
    assert "auth" in outcome.route_reason
    assert world.sent[0]["max_tokens"] <= 2_048


def test_acme_s_bound_holds_for_a_large_change(world: World) -> None:
    """With 12 000 tokens for the task, several calls read what they can; the ledger never counts more, and the rest is named."""
    big = "".join(
        added(f"src/part{number:02}.py", [f"value_{line} = compute({line})" for line in range(60)]) for number in range(30)
    )
    outcome = world.review(big)
    assert outcome.verdict == "pass_with_note"
    assert outcome.refused is None
    assert world.task_tokens() <= 12_000
    assert 1 <= len(world.sent) <= 5
    assert outcome.reviewed_files >= 1
    named = {each.path for each in outcome.not_reviewed}
    assert outcome.reviewed_files + len(named) >= 30
    assert all(each.estimated_nano_usd for each in outcome.not_reviewed)


def test_a_second_run_of_the_task_has_only_what_is_left(world: World) -> None:
    """Re-running the job on the same commit does not double its bound; a new commit starts afresh."""
    big = added("src/app.py", [f"value_{line} = compute({line})" for line in range(2_000)])
    world.review(big)
    first = len(world.sent)
    again = world.review(big)
    assert world.task_tokens() <= 12_000
    assert len(world.sent) - first < first or first == 1
    assert again.verdict == "pass_with_note"
    assert world.review(added("src/app.py", CODE), task="pr-7@def").verdict == "pass"


@pytest.mark.parametrize(("on_exceed", "verdict"), [("comment", "pass_with_note"), ("block", "block")])
def test_a_spent_budget_refuses_and_nothing_is_spent(on_exceed: str, verdict: str) -> None:
    """With a day's budget too small for one call nothing is sent or taken; the comment can name the budget and the estimate."""
    world = World(daily_nano_usd=1_000, on_exceed=on_exceed)
    outcome = world.review(added("src/client.py", CODE))
    assert outcome.verdict == verdict
    assert outcome.refused is not None
    assert {each.scope.text for each in outcome.refused.refused_by} == {"workflow/ci_cd_review"}
    assert (world.sent, outcome.cost_nano_usd, world.spent_nano_usd()) == ([], 0, 0)
    assert [each.path for each in outcome.not_reviewed] == ["src/client.py"]
    assert outcome.not_reviewed[0].estimated_nano_usd
    world.ledger.close()


def test_a_dry_run_takes_nothing(world: World) -> None:
    """No entry is written and no call is sent; the estimate is there."""
    outcome = world.review(added("src/client.py", CODE), dry_run=True)
    assert outcome.is_dry_run
    assert (world.sent, list(world.ledger.entries())) == ([], [])
    assert outcome.not_reviewed[0].estimated_nano_usd
