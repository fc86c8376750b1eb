"""Prompt caching: the second call of a task reads what the first one wrote, only where the model caches so little, and never unreserved."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from fakes.anthropic_server import AnthropicServer, Behaviour
from fakes.gate_setup import assert_exact

from budget_gate.agents.code_review import CodeReviewAgent
from budget_gate.config.price_file import load_prices
from budget_gate.core.attribution import Attribution
from budget_gate.core.policy import Bounds, Budget, Limit, Policy, Workflow
from budget_gate.core.prices import call_cost_nano_usd
from budget_gate.core.prompt_caching import is_surely_cacheable, least_cacheable_tokens
from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.scopes import ORG
from budget_gate.core.tasks import Task
from budget_gate.core.usage import Usage
from budget_gate.gate.gate import Gate
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.providers.anthropic import AnthropicProvider
from budget_gate.reports.outcome_view import tokens_text

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PULL = PullRequest("acme/app", 7, "Call the service", "Why this is needed. " * 60, "mona", "abc", "def", "main")
CACHING, OTHER = "claude-opus-4-8", "claude-haiku-4-5"
PREFIX_TOKENS = 1_500


def large(lines: int = 2_000) -> str:
    """Return the diff of a new file that does not fit into one call."""
    body = "".join(f"+value_{number} = compute({number})\n" for number in range(lines))
    return f"diff --git a/a.py b/a.py\nnew file mode 100644\n--- /dev/null\n+++ b/a.py\n@@ -0,0 +1,{lines} @@\n{body}"


def usage(**counts: int) -> dict[str, Any]:
    """Return usage as the API reports it."""
    written = counts.get("written", 0)
    return {
        "input_tokens": counts.get("plain", 900),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": counts.get("read", 0),
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 80,
        "service_tier": "standard",
    }


@pytest.fixture
def server() -> Iterator[AnthropicServer]:
    """A Messages API whose first answer wrote the prefix to the cache and whose others read it."""
    with AnthropicServer() as started:
        started.queue(Behaviour(usage=usage(written=PREFIX_TOKENS)))
        started.queue(*[Behaviour(usage=usage(read=PREFIX_TOKENS))] * 9)
        yield started


class World:
    """One model, one task, the real provider and gate."""

    def __init__(self, server: AnthropicServer, model: str, bounds: Bounds) -> None:
        self.ledger = MemoryLedger(clock=lambda: NOW)
        policy = Policy("acme", "UTC", {"small": model}, (Budget(ORG, (Limit("usd", 10**12, "month"),)),), {})
        workflow = Workflow("ci_cd_review", "code_review", "small", task=bounds, output_tokens={"small": 1_024})
        self.provider = AnthropicProvider(server.key, server.url)
        gate = Gate(policy, load_prices(), self.ledger, self.provider, key_prefix="run", wait_seconds=0)
        self.agent = CodeReviewAgent(gate, Task(Attribution("ci_cd_review", task="pr-7@abc"), workflow))

    def review(self, diff: str) -> ReviewOutcome:
        """Review a diff and close everything."""
        outcome = self.agent.review(diff, PULL, tag="q7Zk2mVx9")
        assert not outcome.failure
        self.provider.close()
        assert_exact(self.ledger)
        self.ledger.close()
        return outcome

    def reserved_nano_usd(self) -> list[int]:
        """Return what each call reserved."""
        kinds = [entry.parsed() for entry in self.ledger.entries()]
        return [entry.delta.pending.nano_usd for entry in kinds if entry.delta.pending.nano_usd > 0]


def shared_part(body: Mapping[str, Any]) -> str:
    """Return everything up to the last cache mark, in the API's order: tools, system, messages."""
    (message,) = body["messages"]
    marked = [index for index, block in enumerate(message["content"]) if "cache_control" in block]
    assert marked == [0]
    assert "cache_control" in body["system"][-1]
    return json.dumps([body["model"], body["tools"], body["tool_choice"], body["system"], message["content"][:1]])


def test_the_second_call_reads_the_first_one_s_prefix(server: AnthropicServer) -> None:
    """Instructions, tool and the author's words are the same bytes in both calls, and the bill is the cache's."""
    world = World(server, CACHING, Bounds(soft_tokens=6_000, hard_tokens=20_000, steps=3))
    outcome = world.review(large())
    assert len(server.messages) >= 2
    assert len({shared_part(body) for body in server.messages}) == 1
    diffs = [body["messages"][0]["content"][1]["text"] for body in server.messages]
    assert len(set(diffs)) == len(diffs)
    calls = len(server.messages)
    spent = Usage(900 * calls, 80 * calls, PREFIX_TOKENS * (calls - 1), PREFIX_TOKENS)
    price = load_prices().price_of(CACHING, NOW)
    assert outcome.usage == spent
    assert outcome.cost_nano_usd == call_cost_nano_usd(spent, price)
    assert f"{100 * spent.cache_read_tokens // spent.prompt_tokens}" in tokens_text(outcome.usage)
    assert "cached" in tokens_text(outcome.usage)


def test_the_worst_case_is_reserved_at_the_rate_of_writing(server: AnthropicServer) -> None:
    """A marked call whose every token were written to the cache costs no more than it reserved; an hour's rate is not asked for."""
    world = World(server, CACHING, Bounds(hard_tokens=20_000, steps=3))
    world.review(large())
    price = load_prices().price_of(CACHING, NOW)
    for body, reserved in zip(server.messages, world.reserved_nano_usd(), strict=True):
        bound = Usage(output_tokens=body["max_tokens"], cache_write_5m_tokens=_bound(body))
        assert reserved == call_cost_nano_usd(bound, price)


def _bound(body: dict[str, Any]) -> int:
    from budget_gate.core.tokens import input_tokens_bound

    return input_tokens_bound(body)


@pytest.mark.parametrize(("model", "lines"), [(OTHER, 2_000), (CACHING, 5)])
def test_there_is_no_mark_where_it_would_only_cost(server: AnthropicServer, model: str, lines: int) -> None:
    """A model that caches longer prefixes only, or a change of one call, gets plain requests."""
    World(server, model, Bounds(hard_tokens=20_000, steps=3)).review(large(lines))
    assert server.messages
    assert all("cache_control" not in json.dumps(body) for body in server.messages)
    assert all(len(body["messages"][0]["content"]) == 1 for body in server.messages)


@pytest.mark.parametrize(
    ("model", "least"),
    [
        *(("claude-opus-4-6", 4_096), ("claude-opus-4-7", 4_096), ("claude-haiku-4-5-20251001", 4_096), ("some-model", 4_096)),
        *(("claude-sonnet-4-6", 2_048), ("claude-sonnet-4-5-20250929", 1_024), ("claude-opus-4-8", 1_024)),
        *(
            ("claude-sonnet-5", 1_024),
            ("claude-sonnet-5-5", 4_096),
            ("claude-3-5-haiku-20241022", 2_048),
            ("claude-sonnet-4-20250514", 1_024),
        ),
    ],
)
def test_the_shortest_prefix_is_the_model_s_own(model: str, least: int) -> None:
    """Published lengths, the longest for models nobody knows; a bound has to pass them by what it may be too high."""
    assert least_cacheable_tokens(model) == least
    assert not is_surely_cacheable(model, least)
    assert is_surely_cacheable(model, 2 * least)
