"""Faults of both services through the whole review: agent, gate, ledger, provider and posting, against strict servers on loopback.

Whatever happens, the books are exact, no dollar that may have been billed is missing from them, there is one comment and one check
run, and a clear verdict comes within the deadline.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from fakes.anthropic_server import AnthropicServer, Behaviour, events_of, message_for
from fakes.gate_setup import assert_exact, counted
from fakes.github_parties import HEAD, state
from fakes.github_server import Fault, GitHubServer

from budget_gate.agents.code_review import CodeReviewAgent
from budget_gate.agents.demo_script import scripted_reviewer
from budget_gate.agents.review_run import NO_ROOM_TO_RETRY
from budget_gate.config.price_file import load_prices
from budget_gate.core.attribution import Attribution
from budget_gate.core.policy import Bounds, Budget, Limit, Policy, Workflow
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.scopes import ORG
from budget_gate.core.tasks import Task
from budget_gate.gate.gate import Gate
from budget_gate.github.client import GitHubClient
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.providers.anthropic import STREAM_FROM_TOKENS, AnthropicProvider
from budget_gate.reports.pr_comment import marker_of
from budget_gate.runs.posting import Posted, RunIdentity, post_result
from budget_gate.runs.review import ReviewJob, render_result, run_review

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MODEL = "claude-haiku-4-5"
DEADLINE_SECONDS, SHORT_DEADLINE_SECONDS = 60.0, 1.0
CALLS_MOST = 5
SECONDS_MOST = 30.0
"""For a review with a fault in it, on a very busy machine; a wait that was obeyed, or a silence that was sat out, takes far longer."""

LINES = 900
RISKY = "    return eval(text)"
DIFF = (
    f"diff --git a/shop/cart.py b/shop/cart.py\nnew file mode 100644\n--- /dev/null\n+++ b/shop/cart.py\n@@ -0,0 +1,{LINES} @@\n+{RISKY}\n"
    + "".join(f"+value_{number} = compute({number})\n" for number in range(LINES - 1))
)
SMALL = "diff --git a/shop/cart.py b/shop/cart.py\n--- a/shop/cart.py\n+++ b/shop/cart.py\n@@ -1 +1,2 @@\n one\n+" + RISKY + "\n"


@pytest.fixture(scope="module", autouse=True)
def _loaded_sdk() -> None:
    """Load the SDK once, so that deadlines measure calls."""
    AnthropicProvider("key", "http://127.0.0.1:9").warm_up().join()


class World:
    """A review of pull request 7 from its diff to what stands on GitHub."""

    def __init__(
        self,
        model: AnthropicServer,
        github: GitHubServer,
        *,
        output_tokens: int = 1_024,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self.deadline_seconds = deadline_seconds
        self.model, self.github = model, github
        self.ledger = MemoryLedger(clock=lambda: NOW)
        self.provider = AnthropicProvider(model.key, model.url)
        self.policy = Policy("acme", "UTC", {"small": MODEL}, (Budget(ORG, (Limit("usd", 10**12, "month"),)),), {})
        bounds = Bounds(hard_tokens=14_000 + output_tokens, steps=CALLS_MOST)
        self.workflow = Workflow(
            "ci_cd_review", "code_review", "small", task=bounds, output_tokens={"small": output_tokens}, on_exceed="block"
        )
        self.runs = 0
        self.seconds = 0.0

    def review(self) -> ReviewOutcome:
        """Review the pull request in a run of its own and check what must hold after any fault."""
        self.runs += 1
        task = Task(Attribution("ci_cd_review", project="acme/shop", task=f"pr-7@{HEAD}:{self.runs}"), self.workflow)
        prices = load_prices()
        gate = Gate(
            self.policy,
            prices,
            self.ledger,
            self.provider,
            key_prefix=f"run-{self.runs}",
            wait_seconds=0,
            deadline_seconds=self.deadline_seconds,
        )
        with self._client() as client:
            pull = client.pull_request(7)
            job = ReviewJob(client.diff(7), pull, pull.head_sha)
        started = time.monotonic()
        outcome = run_review(self.policy, CodeReviewAgent(gate, task), task, job, tag="q7Zk2mVx9")
        self.seconds = time.monotonic() - started
        assert_exact(self.ledger)
        assert not any(counted(self.ledger).pending), "every reservation has its end"
        return outcome

    def post(self, outcome: ReviewOutcome) -> Posted:
        """Post the outcome as the command does; waiting is not real."""
        identity = RunIdentity(1_000 + self.runs, self.runs, 1, "https://github.test/acme/shop/actions/runs/1")
        rendered = render_result(outcome, "ci_cd_review", identity, HEAD, "UTC")
        with self._client() as client:
            return post_result(client, outcome, rendered, identity, HEAD, client.pull_request(7))

    def _client(self) -> GitHubClient:
        return GitHubClient(self.github.token(), self.github.url, "acme/shop", sleep=lambda _: None)

    def ends(self) -> list[str]:
        """Return how each reservation ended, in order."""
        kinds = [entry.parsed().kind for entry in self.ledger.entries()]
        return [kind for kind in kinds if kind in {"post", "void", "hold"}]

    def used_nano_usd(self) -> int:
        """Return what the books count: posted and held."""
        value = counted(self.ledger)
        return value.posted.nano_usd + value.held.nano_usd

    def comments(self) -> list[str]:
        """Return our comments on the pull request."""
        return [each["body"] for each in self.github.state.comments if each["body"].startswith(marker_of("ci_cd_review"))]


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Iterator[Callable[..., World]]:
    """Make worlds that are closed at the end."""
    opened: list[tuple[World, AnthropicServer, GitHubServer]] = []

    def made(answer: Any = scripted_reviewer, diff: str = DIFF, **options: Any) -> World:
        model, github = AnthropicServer(answer).start(), GitHubServer(state(diff=diff))
        github.__enter__()
        world = World(model, github, **options)
        opened.append((world, model, github))
        return world

    yield made
    for world, model, github in opened:
        world.provider.close()
        world.ledger.close()
        model.close()
        github.__exit__()


class Case(NamedTuple):
    """What the model's service does to the calls of a review, how reservations end, and whether the first call got through."""

    behaviours: tuple[Behaviour, ...]
    ends: frozenset[str]
    failure: str = ""
    diff: str = DIFF
    deadline_seconds: float = DEADLINE_SECONDS


def status(code: int, **headers: str) -> Behaviour:
    """Return an error answer."""
    return Behaviour("status", status=code, headers={name.replace("_", "-"): value for name, value in headers.items()})


ANSWER = Behaviour("answer")
CASES = {
    "429 for an hour": Case((status(429, retry_after="3600"),), frozenset({"void"}), "rate_limited"),
    "429 once": Case((status(429, retry_after="0"),), frozenset({"void", "post"})),
    "529 once": Case((status(529),), frozenset({"void", "post"})),
    "529 for good": Case((status(529),) * 9, frozenset({"void"}), "overloaded"),
    "500 for good": Case((status(500),) * 9, frozenset({"hold"}), "broken", SMALL),
    "500 for good, no room to try again": Case((status(500),) * 9, frozenset({"hold"}), NO_ROOM_TO_RETRY),
    "reset once": Case((Behaviour("reset"),), frozenset({"hold", "post"}), diff=SMALL),
    "reset for good": Case((Behaviour("reset"),) * 9, frozenset({"hold"}), "broken", SMALL),
    "reset, no room to try again": Case((Behaviour("reset"),) * 9, frozenset({"hold"}), NO_ROOM_TO_RETRY),
    "cut": Case((Behaviour("cut"),) * 9, frozenset({"hold"}), "broken", SMALL),
    "silence": Case((Behaviour("stall", seconds=300),) * 9, frozenset({"hold"}), "deadline", SMALL, SHORT_DEADLINE_SECONDS),
    "garbage": Case((Behaviour("garbage"),), frozenset({"hold"}), "broken"),
    "no usage": Case((Behaviour("no_usage"),), frozenset({"hold"}), "broken"),
    "second call: 429": Case((ANSWER, status(429, retry_after="3600")), frozenset({"post", "void"}), "rate_limited"),
    "second call: reset": Case((ANSWER, *(Behaviour("reset"),) * 9), frozenset({"post", "hold"}), NO_ROOM_TO_RETRY),
    "second call: garbage": Case((ANSWER, Behaviour("garbage")), frozenset({"post", "hold"}), "broken"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_of_the_model_s_service(make: Callable[..., World], name: str) -> None:
    """Each attempt ends as it should, nothing that may be billed is missing, what was found stays, and nobody is held up."""
    case = CASES[name]
    world = make(diff=case.diff, deadline_seconds=case.deadline_seconds)
    world.model.queue(*case.behaviours)
    outcome = world.review()
    assert set(world.ends()) == case.ends
    assert len(world.ends()) == len(world.model.messages)
    assert world.seconds < SECONDS_MOST
    if case.failure:
        assert case.failure in outcome.failure
        assert outcome.verdict == "pass_with_note", "a broken service never blocks, though the policy would"
        assert {each.path for each in outcome.not_reviewed} == {"shop/cart.py"}
    else:
        assert outcome.failure == ""
    has_answer = not case.failure or case.behaviours[0] == ANSWER
    assert [each.line for each in outcome.findings] == ([1 if case.diff == DIFF else 2] if has_answer else [])
    assert outcome.cost_nano_usd == world.used_nano_usd()
    posted = world.post(outcome)
    assert posted.notes == ()
    assert len(world.comments()) == len(world.github.state.check_runs) == 1
    assert ("s service failed" in world.comments()[0]) == bool(case.failure)


def stream_length() -> int:
    """Return how many events the answer to the small change is streamed in."""
    body = {"model": MODEL, "max_tokens": 9_000, "messages": []}
    finding = scripted_reviewer(
        {
            "tool_choice": {"name": "report_findings"},
            "messages": [{"content": f"<diff-x\nfile shop/cart.py (modified)\nR2 +{RISKY}"}],
        }
    )
    return len(list(events_of(message_for(body, finding, None, 1))))


def test_a_stream_cut_at_each_event(make: Callable[..., World]) -> None:
    """Wherever a stream breaks off, what it may have cost is held; only one that came to its end is posted."""
    length = stream_length()
    assert length > 20
    world = make(diff=SMALL, output_tokens=STREAM_FROM_TOKENS + 1)
    for events in range(length):
        world.model.queue(Behaviour("cut_stream", events=events))
        before = counted(world.ledger).held.nano_usd
        outcome = world.review()
        assert (outcome.verdict, world.ends()[-1]) == ("pass_with_note", "hold"), events
        assert "broken" in outcome.failure
        assert counted(world.ledger).held.nano_usd > before
        assert outcome.findings == ()
    whole = world.review()
    assert (whole.verdict, len(whole.findings), world.ends()[-1]) == ("pass", 1, "post")
    world.post(whole)
    assert len(world.comments()) == 1


def tool_call(given: Any) -> list[dict[str, Any]]:
    """Return an answer that calls the tool with anything."""
    return [{"type": "tool_use", "id": "toolu_1", "name": "report_findings", "input": given}]


@pytest.mark.parametrize(
    "content",
    [
        [],
        [{"type": "text", "text": ""}],
        [{"type": "text", "text": "LGTM"}],
        tool_call({}),
        tool_call({"findings": "none", "summary": "x"}),
        tool_call({"findings": None}),
        tool_call({"findings": [1, None, "x", [], {"path": 3}], "summary": 7}),
        tool_call(
            {
                "findings": [
                    {"path": "../../etc/passwd", "line": 10**30, "side": "UP", "severity": "!", "category": "", "text": "x"}
                ]
            }
        ),
    ],
    ids=str,
)
def test_an_answer_that_is_none(make: Callable[..., World], content: list[dict[str, Any]]) -> None:
    """Empty and malformed answers are paid for, report nothing, and the comment says so or counts what was dropped."""
    world = make(lambda _body: content, SMALL)
    outcome = world.review()
    assert world.ends() == ["post"]
    assert outcome.findings == ()
    assert outcome.cost_nano_usd == world.used_nano_usd() > 0
    assert outcome.failure or outcome.dropped_findings
    assert outcome.verdict == ("pass_with_note" if outcome.failure else "pass")
    world.post(outcome)
    assert len(world.comments()) == 1


def test_an_answer_longer_than_asked_is_counted_as_long_as_it_is(make: Callable[..., World]) -> None:
    """More output than the request allowed is posted at its true cost, and the difference is an overrun in the ledger."""
    world = make(diff=SMALL)
    usage = {"input_tokens": 1_500, "output_tokens": 50_000, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    world.model.queue(Behaviour(usage=usage))
    outcome = world.review()
    assert outcome.cost_nano_usd == world.used_nano_usd() == 1_500 * 1_000 + 50_000 * 5_000
    (posted,) = [entry.parsed().body for entry in world.ledger.entries() if entry.parsed().kind == "post"]
    assert posted["overrun"][0] > 0
    assert len(outcome.findings) == 1


def test_a_flood_of_findings_is_one_comment(make: Callable[..., World]) -> None:
    """An answer with hundreds of findings ends in a comment that GitHub takes."""

    def flood(_body: Mapping[str, Any]) -> list[dict[str, Any]]:
        place = {"path": "shop/cart.py", "line": 2, "side": "RIGHT", "severity": "low"}
        return tool_call(
            {
                "findings": [{**place, "category": f"kind {number}", "text": f"w{number} " * 100} for number in range(500)],
                "summary": "x",
            }
        )

    world = make(flood, SMALL)
    outcome = world.review()
    posted = world.post(outcome)
    assert len(outcome.findings) <= 25
    assert posted.notes == ()
    assert len(world.comments()) == 1


COMMENTS, CHECKS, REVIEWS = r"/issues/7/comments$", r"/check-runs$", r"/pulls/7/reviews$"
GITHUB_FAULTS = {
    "502 before the comment": [Fault("POST", COMMENTS, "before")],
    "comment made, answer 502": [Fault("POST", COMMENTS, "after")],
    "comment made, answer lost": [Fault("POST", COMMENTS, "drop")],
    "check made, answer lost": [Fault("POST", CHECKS, "drop")],
    "remarks made, answer lost": [Fault("POST", REVIEWS, "drop")],
    "secondary limit on the comment": [Fault("POST", COMMENTS, "rate")],
    "secondary limit on everything": [Fault("POST", path, "rate") for path in (COMMENTS, CHECKS, REVIEWS)],
    "every answer lost once": [Fault("POST", path, "drop") for path in (COMMENTS, CHECKS, REVIEWS)],
    "502 on every list": [Fault("GET", COMMENTS, "before", times=2), Fault("GET", r"/check-runs", "before", times=2)],
}


@pytest.mark.parametrize("name", GITHUB_FAULTS)
def test_a_fault_of_github(make: Callable[..., World], name: str) -> None:
    """A write whose answer was lost is not made again: one comment, one check run, one remark, also after the job is run again."""
    world = make(diff=SMALL)
    outcome = world.review()
    world.github.faults.extend(GITHUB_FAULTS[name])
    first = world.post(outcome)
    second = world.post(outcome)
    assert (first.notes, second.notes) == ((), ())
    assert len(world.comments()) == 1
    assert len(world.github.state.check_runs) == 1
    assert len(world.github.state.review_comments) == 1
    assert first.comment_url == second.comment_url != ""


def test_github_out_of_order_for_long_strands_nobody(make: Callable[..., World]) -> None:
    """When nothing can be posted the notes say so, the verdict stands, and the next run makes up for it."""
    world = make(diff=SMALL)
    outcome = world.review()
    world.github.faults.extend(Fault("POST", path, "before", times=99) for path in (COMMENTS, CHECKS, REVIEWS))
    posted = world.post(outcome)
    assert len(posted.notes) == 3
    assert all("could not be posted" in note for note in posted.notes)
    assert outcome.verdict == "pass"
    world.github.faults.clear()
    assert world.post(outcome).notes == ()
    assert (len(world.comments()), len(world.github.state.check_runs)) == (1, 1)
