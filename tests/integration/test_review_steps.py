"""The steps of a review on the real gate: triage within the task's bound, two models, one prefix read twice, and one comment."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from fakes.gate_setup import assert_exact

from budget_gate.agents.code_review import CodeReviewAgent
from budget_gate.agents.demo_script import scripted_reviewer
from budget_gate.agents.triage_request import TRIAGE_TOOL_NAME
from budget_gate.config.price_file import load_prices
from budget_gate.core.attribution import Attribution
from budget_gate.core.policy import Bounds, Budget, Condition, Degradation, Escalation, Limit, Policy, Workflow
from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.scopes import ORG
from budget_gate.core.tasks import Task
from budget_gate.gate.gate import Gate
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.providers.scripted import ScriptedProvider

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MODELS = {"small": "claude-haiku-4-5", "medium": "claude-sonnet-4-6", "large": "claude-opus-4-6"}
PULL = PullRequest("acme/app", 7, "Call the service", "Uses requests.", "mona", "abc", "def", "main")
RAISED = Workflow(
    name="ci_cd_review",
    agent="code_review",
    model="small",
    escalate=Escalation("medium", Condition(input_tokens_over=6_000, paths=("**/money/**",))),
    degrade=Degradation("small", 8_000),
    task=Bounds(hard_tokens=20_000, nano_usd=500_000_000, steps=8),
    output_tokens={"small": 1_024, "medium": 2_048},
)
RISKY = ["def fetch(url, seen=[]):", "    return eval(url)"]
PLAIN = [f"value_{number} = compute({number})" for number in range(100)]


def added(path: str, lines: list[str]) -> str:
    """Return the diff of a new file."""
    body = "".join(f"+{line}\n" for line in lines)
    return f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n{body}"


LARGE = (
    added("src/auth/login.py", PLAIN[:20])
    + added("src/money/sum.py", PLAIN[:20])
    + added("src/risky.py", RISKY)
    + "".join(added(f"src/plain{number}.py", PLAIN) for number in range(12))
)

MANY = "".join(
    added(f"src/many{number}.py", [f"total_{at} = compute({at}) + {number}" for at in range(1_500)]) for number in range(6)
)
"""More than one call can hold."""


class World:
    """Acme's review workflow, raised to the middle model; the provider answers triage and reviews as scripted."""

    def __init__(self, **workflow: Any) -> None:
        self.ledger = MemoryLedger(clock=lambda: NOW)
        self.sent: list[Mapping[str, Any]] = []
        self.triage: Any = scripted_reviewer
        self._workflow = RAISED._replace(**workflow)
        self._policy = Policy("acme", "UTC", MODELS, (Budget(ORG, (Limit("usd", 10**12, "month"),)),), {})

    def _answer(self, body: Mapping[str, Any]) -> Any:
        self.sent.append(body)
        return self.triage(body) if body["tool_choice"]["name"] == TRIAGE_TOOL_NAME else scripted_reviewer(body)

    @property
    def agent(self) -> CodeReviewAgent:
        """The agent of one run."""
        gate = Gate(self._policy, load_prices(), self.ledger, ScriptedProvider(self._answer), key_prefix="run", wait_seconds=0)
        attribution = Attribution("ci_cd_review", project="acme/app", user="mona", task="pr-7@abc", pr="7")
        return CodeReviewAgent(gate, Task(attribution, self._workflow))

    def review(self, diff: str = LARGE, *, dry_run: bool = False) -> ReviewOutcome:
        """Review a diff."""
        return self.agent.review(diff, PULL, tag="q7Zk2mVx9", dry_run=dry_run)

    def reviews(self, model: str) -> list[str]:
        """Return the texts of the review calls that a model got."""
        calls = [body for body in self.sent if body["model"] == MODELS[model] and body["tool_choice"]["name"] != TRIAGE_TOOL_NAME]
        return ["\n".join(block["text"] for block in body["messages"][0]["content"]) for body in calls]

    def triages(self) -> list[Mapping[str, Any]]:
        """Return the triage calls."""
        return [body for body in self.sent if body["tool_choice"]["name"] == TRIAGE_TOOL_NAME]

    def spent(self) -> tuple[int, int]:
        """Return the tokens and nano-dollars that the ledger counts for the organization, nothing being open."""
        (row,) = [row for row in self.ledger.counters() if (row.scope, row.per) == ("org", "month")]
        assert not any(row.value.pending)
        return row.value.posted.tokens, row.value.posted.nano_usd


@pytest.fixture
def world() -> Iterator[World]:
    """A world with nothing spent."""
    made = World()
    yield made
    made.ledger.close()


def test_triage_divides_the_change_between_two_models(world: World) -> None:
    """The dearer model gets what triage picked and the guarded paths; the cheaper one the rest; all of it is paid for once."""
    outcome = world.review()
    (triage,) = world.triages()
    assert triage["model"] == MODELS["small"]
    listed = triage["messages"][0]["content"][0]["text"]
    assert "src/risky.py" in listed
    assert "src/auth/login.py" not in listed
    assert "src/money/sum.py" not in listed
    dear, cheap = "\n".join(world.reviews("medium")), "\n".join(world.reviews("small"))
    assert [path in dear for path in ("src/auth/login.py", "src/money/sum.py", "src/risky.py", "src/plain")] == [True] * 3 + [
        False
    ]
    assert "src/plain0.py" in cheap
    assert not any(path in cheap for path in ("src/auth", "src/money", "src/risky"))
    assert (outcome.tier, outcome.model) == ("medium", MODELS["medium"])
    assert outcome.route_reason.endswith("triage left 3 of 15 hunks to it, and the rest to small")
    assert {each.path for each in outcome.findings} == {"src/risky.py"}
    assert (outcome.usage.total_tokens, outcome.cost_nano_usd) == world.spent()
    assert outcome.usage.total_tokens <= 20_000
    versions = {entry.parsed().body.get("labels", {}).get("prompt_version") for entry in world.ledger.entries()}
    assert {"triage/1", "code_review/2"} <= versions
    assert_exact(world.ledger)


def test_no_line_is_sent_twice_or_lost(world: World) -> None:
    """What the two models read and what is named as not reviewed make up the change."""
    outcome = world.review()
    texts = world.reviews("medium") + world.reviews("small")
    lines = sum(row[:1] == "R" for text in texts for row in text.split("\n"))
    named = sum(int(each.reason.split(", ")[-1].split(" ")[0]) for each in outcome.not_reviewed)
    assert lines + named == 20 + 20 + 2 + 12 * 100


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"escalate": None, "degrade": None}, "not raised"),
        ({"task": RAISED.task._replace(steps=2)}, "too few calls left"),
        ({"task": RAISED.task._replace(hard_tokens=6_000)}, "a quarter of the task is too little to ask"),
        ({"task": Bounds()}, "one call is enough"),
    ],
)
def test_where_triage_is_not_worth_it_there_is_none(fields: dict[str, Any], why: str) -> None:
    """A review that was not raised, has no room for the question, or fits into one call is one pass."""
    world = World(**fields)
    outcome = world.review()
    assert world.triages() == [], why
    assert "triage" not in outcome.route_reason
    assert len({body["model"] for body in world.sent}) == 1
    world.ledger.close()


@pytest.mark.parametrize(
    "content", [[{"type": "text", "text": "all fine"}], [{"type": "tool_use", "id": "t", "name": TRIAGE_TOOL_NAME, "input": {}}]]
)
def test_an_unusable_triage_leaves_everything_to_the_dearer_model(world: World, content: list[dict[str, Any]]) -> None:
    """The call is paid for and counted, and the review goes on as if there had been none."""
    world.triage = lambda _body: content
    outcome = world.review()
    assert len(world.triages()) == 1
    assert world.reviews("small") == []
    assert world.reviews("medium")
    assert (outcome.usage.total_tokens, outcome.cost_nano_usd) == world.spent()


def test_a_talked_round_triage_cannot_keep_the_guarded_paths_from_the_dearer_model(world: World) -> None:
    """Picking nothing sends security-looking and named paths to the dearer model all the same, and the rest is still read."""
    world.triage = lambda _body: [{"type": "tool_use", "id": "t", "name": TRIAGE_TOOL_NAME, "input": {"picks": []}}]
    world.review()
    dear, cheap = "\n".join(world.reviews("medium")), "\n".join(world.reviews("small"))
    assert "src/auth/login.py" in dear
    assert "src/money/sum.py" in dear
    assert "src/risky.py" in cheap


def dry_run_numbers(outcome: ReviewOutcome) -> tuple[int, bool, int, int]:
    """Return the calls that a dry run announces, whether triage is one, and the most they use: tokens and hundredths of a cent."""
    said = re.search(r"(\d+) calls?(, one of them triage,)? would use at most ([\d,]+) tokens, \$([\d.]+)$", outcome.reason)
    assert said, outcome.reason
    calls, triage, tokens, dollars = said.groups()
    return int(calls), triage is not None, int(tokens.replace(",", "")), round(float(dollars) * 10_000)


def test_a_dry_run_counts_the_triage_call(world: World) -> None:
    """The estimate includes what triage reserves, shown by ``explain`` too, stays within the task, and takes nothing."""
    outcome = world.review(dry_run=True)
    calls, has_triage, tokens, _ = dry_run_numbers(outcome)
    assert has_triage
    assert calls > 2
    assert outcome.cost_nano_usd == 0
    assert world.sent == []
    assert list(world.ledger.entries()) == []
    triage = world.agent.explain(LARGE, PULL, tag="q7Zk2mVx9").triage
    assert triage is not None
    assert triage.route.model == MODELS["small"]
    world.review()
    first = next(iter(world.ledger.entries())).parsed()
    assert first.body["labels"]["prompt_version"] == "triage/1"
    assert (first.delta.pending.nano_usd, first.delta.pending.tokens) == (triage.price.nano_usd, triage.price.tokens)
    assert tokens <= 20_000


def test_a_dry_run_without_a_task_bound_is_never_below_what_is_reserved() -> None:
    """Where nothing is left out, no run of the review reserves more than the dry run said, whatever triage picks."""
    bounds = RAISED.task._replace(hard_tokens=None, nano_usd=10**12, soft_tokens=None)
    for picks in ([], [{"hunk": number, "why": "x"} for number in range(1, 14)]):
        world = World(task=bounds, output_tokens={"small": 1_024, "medium": 2_048}, escalate=RAISED.escalate)
        world.triage = lambda _body, picks=picks: [
            {"type": "tool_use", "id": "t", "name": TRIAGE_TOOL_NAME, "input": {"picks": picks}}
        ]
        _, _, tokens, ten_thousandths = dry_run_numbers(world.review(MANY, dry_run=True))
        world.review(MANY)
        entries = [entry.parsed() for entry in world.ledger.entries()]
        reserved = [entry.delta.pending for entry in entries if entry.kind == "reserve"]
        assert sum(each.tokens for each in reserved) <= tokens
        assert sum(each.nano_usd for each in reserved) <= (ten_thousandths + 100) * 100_000
        world.ledger.close()


@pytest.mark.parametrize("fields", [{"escalate": None, "degrade": None}, {"task": RAISED.task._replace(steps=2)}])
def test_a_dry_run_of_a_review_without_triage_names_none(fields: dict[str, Any]) -> None:
    """Where no triage call would be made, none is estimated."""
    world = World(**fields)
    assert not dry_run_numbers(world.review(dry_run=True))[1]
    assert world.agent.explain(LARGE, PULL, tag="q7Zk2mVx9").triage is None
    world.ledger.close()
