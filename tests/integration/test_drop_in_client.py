"""The SDK's own client with a budget behind it: what passes, what is refused, and that every attempt is on the books."""

import contextlib
import pickle
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import anthropic
import pytest
from fakes.anthropic_server import AnthropicServer, Behaviour
from fakes.open_gates import ASK, MODEL, ends, opened, race_child, spent, write_policy

from budget_gate.client import Gate
from budget_gate.core.amounts import ZERO
from budget_gate.core.errors import BudgetRefused, LedgerUnavailable, PolicyError, ProviderError, UnsupportedUsage, UsageError

TOOL = {
    "name": "lookup",
    "description": "Look something up.",
    "input_schema": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
}


@pytest.fixture
def server() -> Iterator[AnthropicServer]:
    """A fake API."""
    with AnthropicServer() as running:
        yield running


@pytest.fixture
def gate(server: AnthropicServer, tmp_path: Path) -> Iterator[Gate]:
    """A gate of five dollars before the fake API."""
    with opened(tmp_path, server.url) as made:
        yield made


def test_a_message_is_answered_and_paid_for(gate: Gate, tmp_path: Path) -> None:
    """The client is the SDK's own, its answer the API's own, and what it cost is on the books and in ``last_call``."""
    client = gate.anthropic()
    assert isinstance(client, anthropic.Anthropic)
    message = client.messages.create(**ASK)
    assert isinstance(message, anthropic.types.Message)
    assert message.content[0].text == "All is well: nothing to report."
    report = gate.last_call
    assert report is not None
    assert (report.model, report.attempts, report.accounting, report.refused) == (MODEL, 1, "metered", None)
    usage = message.usage
    assert report.cost_nano_usd == usage.input_tokens * 1_000 + usage.output_tokens * 5_000
    assert spent(tmp_path).posted.nano_usd == report.cost_nano_usd
    states = {(state.scope.text, state.unit): state.posted for state in report.budgets}
    assert states == {("org", "usd"): report.cost_nano_usd, ("user/alice", "requests"): 1}
    assert {(state.scope.text, state.unit): state.posted for state in gate.budgets()} == states


def test_a_tier_of_the_policy_is_a_model(gate: Gate, server: AnthropicServer) -> None:
    """``model`` may name a tier; what is sent is the model that the policy has for it."""
    gate.anthropic().messages.create(**{**ASK, "model": "medium"})
    assert server.messages[0]["model"] == "claude-sonnet-4-6"


@pytest.mark.parametrize("way", ["create", "stream"])
def test_a_streamed_message_is_settled_at_its_end(gate: Gate, tmp_path: Path, way: str) -> None:
    """Both ways of streaming bring the text, and the counts of the last event are what is posted."""
    client = gate.anthropic()
    if way == "create":
        with client.messages.create(**ASK, stream=True) as events:
            text = "".join(event.delta.text for event in events if event.type == "content_block_delta")
    else:
        with client.messages.stream(**ASK) as stream:
            text = "".join(stream.text_stream)
    assert text == "All is well: nothing to report."
    assert ends(tmp_path) == (True, False, False)
    assert gate.last_call is not None
    assert gate.last_call.cost_nano_usd == spent(tmp_path).posted.nano_usd


def test_a_stream_passes_as_it_comes(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """The first words are there while the answer is still being written, and still pending."""
    server.queue(Behaviour("stall_stream", events=4, seconds=30))
    with gate.anthropic(timeout=60).messages.create(**ASK, stream=True) as events:
        seen = [next(events).type for _ in range(3)]
        assert seen == ["message_start", "content_block_start", "content_block_delta"]
        assert ends(tmp_path) == (False, True, False)
        server.closing.set()
    assert ends(tmp_path) == (False, False, True)


@pytest.mark.parametrize("kind", ["cut_stream", "error_event"])
def test_a_cut_stream_is_held(gate: Gate, server: AnthropicServer, tmp_path: Path, kind: str) -> None:
    """A stream that ends before the message did may have been billed: its reservation stays counted."""
    server.queue(Behaviour(kind, events=4))
    client = gate.anthropic()
    told = pytest.raises(anthropic.APIError) if kind == "error_event" else contextlib.nullcontext()
    with told:
        for _ in client.messages.create(**ASK, stream=True):
            pass
    assert ends(tmp_path) == (False, False, True)


def test_tools_are_called_as_ever(gate: Gate) -> None:
    """A forced tool comes back as a ``tool_use`` block of the SDK's."""
    choice: Any = {"type": "tool", "name": "lookup"}
    message = gate.anthropic().messages.create(**ASK, tools=[TOOL], tool_choice=choice)
    (block,) = message.content
    assert (block.type, block.name, block.input) == ("tool_use", "lookup", {"word": ""})


def test_the_sdk_retries_and_each_attempt_is_metered(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """An overload is voided, a lost connection held, the answer posted; ``last_call`` counts all three."""
    hurry = {"retry-after-ms": "1"}
    server.queue(Behaviour("status", status=529, headers=hurry), Behaviour("reset"), Behaviour("answer"))
    gate.anthropic(max_retries=2).messages.create(**ASK)
    value, report = spent(tmp_path), gate.last_call
    assert report is not None
    assert report.attempts == len(server.messages) == 3
    assert report.cost_nano_usd == value.posted.nano_usd + value.held.nano_usd
    assert ends(tmp_path) == (True, False, True)


def test_the_beta_resource_is_metered_too(gate: Gate, tmp_path: Path) -> None:
    """``client.beta.messages`` is the same endpoint, and on the same books."""
    message = gate.anthropic().beta.messages.create(**ASK, betas=["some-beta-2026-01-01"])
    assert message.usage.output_tokens > 0
    assert ends(tmp_path) == (True, False, False)


def test_with_options_stays_behind_the_gate(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """A client derived with ``with_options`` is metered too, and obeys its options: no retry here, and the API's own error."""
    server.queue(Behaviour("status", status=429, headers={"retry-after": "7"}))
    with pytest.raises(anthropic.RateLimitError) as caught:
        gate.anthropic().with_options(max_retries=0).messages.create(**ASK)
    assert caught.value.response.headers["retry-after"] == "7"
    assert len(server.messages) == 1
    assert ends(tmp_path) == (False, False, False)


def test_a_refusal_sends_nothing_and_names_every_limit(server: AnthropicServer, tmp_path: Path) -> None:
    """Where budgets refuse, ``BudgetRefused`` names each limit on one line, and no byte reaches the API."""
    write_policy(tmp_path, usd="0.00135", requests=1)
    with opened(tmp_path, server.url) as gate:
        gate.anthropic().messages.create(**ASK)
        with pytest.raises(BudgetRefused) as caught:
            gate.anthropic().messages.create(**ASK)
        assert isinstance(caught.value, anthropic.AnthropicError)
        assert {each.scope.text for each in caught.value.refused.refused_by} == {"org", "user/alice"}
        assert "org per month" in str(caught.value)
        assert "user/alice per day" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert gate.last_call is not None
        assert gate.last_call.refused == caught.value.refused
        read_back = pickle.loads(pickle.dumps(caught.value))
        assert (type(read_back), str(read_back)) == (BudgetRefused, str(caught.value))
    assert len(server.messages) == 1
    assert ends(tmp_path) == (True, False, False)


def test_a_retry_needs_room_of_its_own(server: AnthropicServer, tmp_path: Path) -> None:
    """When the budget has room for one attempt, the SDK's retry of a lost one is refused and not sent."""
    write_policy(tmp_path, requests=1)
    server.queue(Behaviour("status", status=500, headers={"retry-after-ms": "1"}))
    with opened(tmp_path, server.url) as gate, pytest.raises(BudgetRefused):
        gate.anthropic(max_retries=5).messages.create(**ASK)
    assert len(server.messages) == 1
    assert ends(tmp_path) == (False, False, True)


def test_an_answer_is_shortened_to_what_is_left(server: AnthropicServer, tmp_path: Path) -> None:
    """A budget with room for a shorter answer gets one: what is sent asks for no more than was reserved."""
    write_policy(tmp_path, usd="0.0016")
    with opened(tmp_path, server.url) as gate:
        gate.anthropic().messages.create(**{**ASK, "max_tokens": 1000})
    assert 256 <= server.messages[0]["max_tokens"] < 320


def test_what_costs_nothing_passes_and_what_cannot_be_metered_does_not(
    gate: Gate, server: AnthropicServer, tmp_path: Path
) -> None:
    """Counting is free; endpoints that nobody meters are refused in plain words, and nothing is sent to them."""
    client = gate.anthropic()
    counted = client.messages.count_tokens(model=MODEL, messages=ASK["messages"])
    assert counted.input_tokens > 0
    with pytest.raises(ProviderError, match="would not be metered"):
        client.post("/v1/complete", body={}, cast_to=object)
    assert {seen.path for seen in server.requests} == {"/v1/messages/count_tokens"}
    assert ends(tmp_path) == (False, False, False)


def test_content_without_a_price_is_refused(gate: Gate, server: AnthropicServer) -> None:
    """A request whose cost has no bound raises ``UnsupportedUsage``, at once and unsent."""
    with pytest.raises(UnsupportedUsage, match="mcp_servers"):
        gate.anthropic().messages.create(**ASK, extra_body={"mcp_servers": []})
    assert server.messages == []


def test_a_ledger_out_of_reach_blocks(server: AnthropicServer, tmp_path: Path) -> None:
    """When the ledger cannot be opened, no request is sent (the policy's default), and the error is ours and the SDK's."""
    blocked = tmp_path / "ledger.db"
    blocked.mkdir()
    gate = opened(tmp_path, server.url)
    with pytest.raises(LedgerUnavailable):
        gate.anthropic().messages.create(**ASK)
    gate.close()
    assert server.messages == []


def test_mistakes_are_told_in_one_line(tmp_path: Path) -> None:
    """A wrong workflow, an unknown name, no key, and a client of one's own are refused with what to write instead."""
    with pytest.raises(UsageError, match=r"no workflow 'nope'.*scripts"):
        opened(tmp_path, "http://127.0.0.1:9", workflow="nope")
    with pytest.raises(UsageError, match="open_gate knows no colour; name team"):
        opened(tmp_path, "http://127.0.0.1:9", colour="red")
    with opened(tmp_path, "http://127.0.0.1:9", api_key="") as gate:
        with pytest.raises(UsageError, match="ANTHROPIC_API_KEY"):
            gate.anthropic()
        assert len(gate.budgets()) == 2
    with opened(tmp_path, "http://127.0.0.1:9") as gate, pytest.raises(UsageError, match="http_client"):
        gate.anthropic(http_client=None)
    (tmp_path / "budget-gate.yml").write_text("version: 2\n")
    with pytest.raises(PolicyError, match=r"budget-gate.yml:1"):
        opened(tmp_path, "http://127.0.0.1:9")


def test_processes_racing_for_a_budget_stay_within_it(server: AnthropicServer, tmp_path: Path) -> None:
    """Processes that ask as fast as they can, through clients of their own, never spend past the cap together."""
    cap = 2_500_000
    write_policy(tmp_path, usd="0.0025")
    context = get_context("forkserver")
    context.set_forkserver_preload(["anthropic"])
    children = [context.Process(target=race_child, args=(str(tmp_path), server.url, 12)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0, 0]
    value = spent(tmp_path)
    assert value.pending == ZERO
    assert 0 < value.posted.nano_usd + value.held.nano_usd <= cap
    assert value.posted.requests == len(server.messages)
