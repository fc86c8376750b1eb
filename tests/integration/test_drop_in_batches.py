"""Message batches of the SDK's own clients: one reservation for all requests, at half the price, settled by whoever reads the results."""

import asyncio
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
from fakes.anthropic_server import AnthropicServer, Behaviour
from fakes.command_line import run
from fakes.gate_setup import SimulatedTime
from fakes.open_gates import ASK, MODEL, ends, opened, spent, write_policy

from budget_gate.client import Gate
from budget_gate.core.amounts import ZERO
from budget_gate.core.errors import BudgetRefused, LedgerUnavailable, UnsupportedUsage, UsageError
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.ledger.verify import verify

ROOT = Path(__file__).parents[2]
INPUT_NANO, OUTPUT_NANO = 500, 2_500
"""Nano-dollars per token of the small model in a batch: half of what a message costs."""


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


def batch_of(*names: str, **fields: Any) -> list[dict[str, Any]]:
    """Return the requests of a batch, one per name."""
    return [{"custom_id": name, "params": {**ASK, **fields}} for name in names]


def cost_of(results: list[Any]) -> int:
    """Return what results cost, in nano-dollars."""
    usages = [each.result.message.usage for each in results if each.result.type == "succeeded"]
    return sum(usage.input_tokens * INPUT_NANO + usage.output_tokens * OUTPUT_NANO for usage in usages)


def test_a_batch_is_reserved_whole_and_settled_by_its_results(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """One reservation takes the worst case of all requests; the results post what each succeeded one used, at the batch price."""
    client = gate.anthropic()
    batch = client.messages.batches.create(requests=batch_of("a", "b", "c", "d"))
    assert isinstance(batch, anthropic.types.messages.MessageBatch)
    created = gate.last_call
    assert created is not None
    assert (created.model, created.cost_nano_usd, created.attempts, created.accounting) == (MODEL, 0, 1, "metered")
    assert created.reserved_nano_usd > 4 * 300 * OUTPUT_NANO
    pending = spent(tmp_path).pending
    assert (pending.nano_usd, pending.requests) == (created.reserved_nano_usd, 4)
    server.batches.end(b="errored", c="expired", d="canceled")
    results = list(client.messages.batches.results(batch.id))
    assert {each.custom_id: each.result.type for each in results} == {
        "a": "succeeded",
        "b": "errored",
        "c": "expired",
        "d": "canceled",
    }
    value, report = spent(tmp_path), gate.last_call
    assert report is not None
    assert (value.posted.nano_usd, value.posted.requests) == (cost_of(results), 1)
    assert (value.pending, value.held) == (ZERO, ZERO)
    assert (report.model, report.cost_nano_usd, report.accounting) == (MODEL, cost_of(results), "metered")
    assert {state.scope.text for state in report.budgets} == {"org", "user/alice"}


def test_the_same_request_costs_half_in_a_batch(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """What a message costs, the same request costs half of in a batch, and so does its worst case."""
    client = gate.anthropic()
    client.messages.create(**ASK)
    single = spent(tmp_path).posted.nano_usd
    batch = client.messages.batches.create(requests=batch_of("a"))
    server.batches.end()
    assert gate.last_call is not None
    assert gate.last_call.reserved_nano_usd < 300 * 2 * OUTPUT_NANO
    list(client.messages.batches.results(batch.id))
    assert (spent(tmp_path).posted.nano_usd - single) * 2 == single


def test_the_asynchronous_client_does_the_same(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """Create, retrieve, list, cancel and results work behind the asynchronous client, and settle alike."""

    async def ask() -> list[Any]:
        async with gate.async_anthropic() as client:
            batches = client.messages.batches
            batch = await batches.create(requests=batch_of("a", "b"))
            assert gate.last_call is not None
            assert gate.last_call.reserved_nano_usd == spent(tmp_path).pending.nano_usd > 0
            assert (await batches.retrieve(batch.id)).processing_status == "in_progress"
            assert [each.id async for each in await batches.list()] == [batch.id]
            assert (await batches.cancel(batch.id)).processing_status == "canceling"
            server.batches.end(b="canceled")
            results = [each async for each in await batches.results(batch.id)]
            assert (await batches.delete(batch.id)).id == batch.id
            return results

    results = asyncio.run(ask())
    assert [each.custom_id for each in results] == ["b", "a"]
    assert spent(tmp_path).posted.nano_usd == cost_of(results) > 0
    assert ends(tmp_path) == (True, False, False)


def test_looking_cancelling_and_deleting_are_free(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """Nothing but create reserves: retrieve, list, cancel and delete pass, and a batch nobody got to is released by its results."""
    batches = gate.anthropic().messages.batches
    batch = batches.create(requests=batch_of("a", "b"))
    before = spent(tmp_path)
    assert batches.retrieve(batch.id).id == batch.id
    assert [each.id for each in batches.list()] == [batch.id]
    assert batches.cancel(batch.id).processing_status == "canceling"
    assert spent(tmp_path) == before
    server.batches.end(a="canceled", b="canceled")
    assert len(list(batches.results(batch.id))) == 2
    assert batches.delete(batch.id).type == "message_batch_deleted"
    assert ends(tmp_path) == (False, False, False)


@pytest.mark.parametrize("way", ["beta", "tier"])
def test_betas_and_tiers_are_understood(gate: Gate, server: AnthropicServer, tmp_path: Path, way: str) -> None:
    """The beta resource is the same endpoint; a tier of the policy is sent as its model, and counts on its counter."""
    client = gate.anthropic()
    if way == "beta":
        batch = client.beta.messages.batches.create(requests=batch_of("a"), betas=["some-beta-2026-01-01"])
        server.batches.end()
        list(client.beta.messages.batches.results(batch.id))
    else:
        batch = client.messages.batches.create(requests=batch_of("a", model="small"))
        assert server.batches.batches[batch.id].requests[0]["params"]["model"] == MODEL
        server.batches.end()
        list(client.messages.batches.results(batch.id))
    assert spent(tmp_path, "model/small").posted == spent(tmp_path).posted != ZERO


def test_results_read_twice_are_paid_once(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """The second reading brings the same results and the same report, and posts nothing more."""
    batches = gate.anthropic().messages.batches
    batch = batches.create(requests=batch_of("a", "b"))
    server.batches.end()
    first = [each.model_dump()["custom_id"] for each in batches.results(batch.id)]
    value, report = spent(tmp_path), gate.last_call
    assert [each.custom_id for each in batches.results(batch.id)] == first
    assert spent(tmp_path) == value
    assert gate.last_call is not None
    assert report is not None
    assert gate.last_call.cost_nano_usd == report.cost_nano_usd == value.posted.nano_usd


def test_readers_at_the_same_time_pay_once(server: AnthropicServer, tmp_path: Path) -> None:
    """Two gates that are both in the middle of the results settle the batch once."""
    with opened(tmp_path, server.url) as one, opened(tmp_path, server.url) as other:
        batch = one.anthropic().messages.batches.create(requests=batch_of("a", "b", "c"))
        server.batches.end()
        mine = one.anthropic().messages.batches.results(batch.id)
        theirs = other.anthropic().messages.batches.results(batch.id)
        results = list(mine)
        assert len(list(theirs)) == 3
    assert spent(tmp_path).posted.nano_usd == cost_of(results)
    assert ends(tmp_path) == (True, False, False)


def test_a_process_killed_after_the_create_is_settled_by_another(server: AnthropicServer, tmp_path: Path) -> None:
    """The batch's id is in the ledger: a process that knows nothing but the id settles what the dead one reserved."""
    write_policy(tmp_path)
    code = (
        "import os, signal, sys; from pathlib import Path; from fakes.open_gates import *\n"
        f"gate = opened(Path({str(tmp_path)!r}), {server.url!r})\n"
        "requests = [{'custom_id': name, 'params': ASK} for name in 'ab']\n"
        "gate.anthropic().messages.batches.create(requests=requests)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "/usr/bin"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert ends(tmp_path) == (False, True, False)
    server.batches.end()
    with opened(tmp_path, server.url, user="bob") as gate:
        results = list(gate.anthropic().messages.batches.results(next(iter(server.batches.batches))))
    assert spent(tmp_path).posted.nano_usd == spent(tmp_path, "user/alice").posted.nano_usd == cost_of(results) > 0
    assert spent(tmp_path, "user/bob").posted == ZERO
    assert ends(tmp_path) == (True, False, False)


def test_results_cut_in_the_middle_settle_nothing_until_they_come_whole(
    gate: Gate, server: AnthropicServer, tmp_path: Path
) -> None:
    """A file that breaks off raises to its reader and leaves the reservation as it was; read again, it is settled exactly."""
    batches = gate.anthropic().messages.batches
    batch = batches.create(requests=batch_of("a", "b", "c"))
    server.batches.end()
    for cut_at in (700, 1000, 1):
        server.batches.cut_at = cut_at
        with pytest.raises((httpx2.TransportError, anthropic.APIError, ValueError)):
            list(batches.results(batch.id))
        assert ends(tmp_path) == (False, True, False)
        assert gate.last_call is not None
    results = list(batches.results(batch.id))
    assert spent(tmp_path).posted.nano_usd == cost_of(results) > 0
    assert ends(tmp_path) == (True, False, False)


def test_results_left_unread_settle_nothing(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """Who stops before the end has not seen what the batch cost: it stays reserved."""
    batches = gate.anthropic().messages.batches
    batch = batches.create(requests=batch_of(*map(str, range(50)), system="x" * 9_000))
    server.answer = lambda _: [{"type": "text", "text": "y" * 90_000}]
    server.batches.end()
    results = batches.results(batch.id)
    next(iter(results))
    results.close()
    assert ends(tmp_path) == (False, True, False)


FAULTS = {
    "400": (Behaviour("status", status=400), False, anthropic.BadRequestError),
    "429": (Behaviour("status", status=429), False, anthropic.RateLimitError),
    "529": (Behaviour("status", status=529), False, anthropic.APIStatusError),
    "500": (Behaviour("status", status=500), True, anthropic.InternalServerError),
    "reset": (Behaviour("reset"), True, anthropic.APIConnectionError),
    "cut": (Behaviour("cut"), True, anthropic.APIConnectionError),
    "drip": (Behaviour("drip", seconds=0.05), True, anthropic.APITimeoutError),
    "garbage": (Behaviour("garbage"), True, Exception),
}


def create(gate: Gate) -> None:
    """Create a batch of two requests through the blocking client, without a retry."""
    gate.anthropic(max_retries=0).messages.batches.create(requests=batch_of("a", "b"))


def create_asynchronously(gate: Gate) -> None:
    """Create it through the asynchronous client."""

    async def ask() -> None:
        async with gate.async_anthropic(max_retries=0) as client:
            await client.messages.batches.create(requests=batch_of("a", "b"))

    asyncio.run(ask())


@pytest.mark.parametrize("send", [create, create_asynchronously])
@pytest.mark.parametrize("name", FAULTS)
def test_a_create_that_fails_is_void_only_where_nothing_was_bought(
    server: AnthropicServer, tmp_path: Path, name: str, send: Any
) -> None:
    """An overload or refusal releases the reservation; a create whose answer was lost keeps it: the batch may be at work."""
    behaviour, is_held, error = FAULTS[name]
    server.queue(behaviour)
    with opened(tmp_path, server.url, deadline_seconds=1.0) as gate:
        with pytest.raises(error):
            send(gate)
        server.closing.set()
        report = gate.last_call
    value = spent(tmp_path)
    assert (value.pending, value.posted) == (ZERO, ZERO)
    assert value.held.requests == (2 if is_held else 0)
    assert report is not None
    assert (report.reserved_nano_usd, report.cost_nano_usd) == (0, value.held.nano_usd)


def test_each_retry_of_a_create_is_admitted_by_itself(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """An overload is void, a lost answer held, and the batch that was made at last is the one that its results settle."""
    hurry = {"retry-after-ms": "1"}
    server.queue(Behaviour("status", status=529, headers=hurry), Behaviour("status", headers=hurry), Behaviour("answer"))
    batches = gate.anthropic(max_retries=2).messages.batches
    batch = batches.create(requests=batch_of("a"))
    assert gate.last_call is not None
    assert gate.last_call.attempts == 3
    assert ends(tmp_path) == (False, True, True)
    server.batches.end()
    list(batches.results(batch.id))
    assert ends(tmp_path) == (True, False, True)


def test_a_refusal_names_every_limit_and_sends_nothing(server: AnthropicServer, tmp_path: Path) -> None:
    """A batch that does not fit as a whole is refused as a whole, by all limits it does not fit into."""
    write_policy(tmp_path, usd="0.0012", requests=1)
    with opened(tmp_path, server.url, wait_seconds=0) as gate:
        with pytest.raises(BudgetRefused) as caught:
            gate.anthropic().messages.batches.create(requests=batch_of("a", "b"))
        assert {each.scope.text for each in caught.value.refused.refused_by} == {"org", "user/alice"}
        assert gate.last_call is not None
        assert gate.last_call.refused == caught.value.refused
        assert server.requests == []
        gate.anthropic().messages.batches.create(requests=batch_of("a"))
        with pytest.raises(BudgetRefused):
            gate.anthropic().messages.batches.create(requests=batch_of("a"))
    assert len(server.batches.batches) == 1
    assert ends(tmp_path) == (False, True, False)


@pytest.mark.parametrize(
    ("requests", "error", "words"),
    [
        (batch_of("a") + batch_of("b", model="claude-sonnet-4-6"), UsageError, r"several models.*one batch per model"),
        (batch_of("a", speed="fast"), UnsupportedUsage, r"requests\.0: batches have no price for `speed: fast`"),
        (batch_of("a") + batch_of("b", mcp_servers=[]), UnsupportedUsage, r"requests\.1: .*mcp_servers"),
        (batch_of("a", "a"), UsageError, "same `custom_id`"),
        ([{"custom_id": "a"}], UsageError, r"requests\.0 is no request"),
        (batch_of("a", max_tokens=None), UsageError, r"requests\.0: .*max_tokens"),
        (batch_of("a", model="gpt-9"), BudgetRefused, "unpriced|no price"),
        ([], UsageError, "1 to 100000"),
    ],
)
def test_what_cannot_be_counted_is_refused_unsent(
    gate: Gate, server: AnthropicServer, requests: Any, error: type[Exception], words: str
) -> None:
    """Mixed models, unknown prices and what is no batch are refused in one line that says where, and nothing is sent."""
    with pytest.raises(error, match=words):
        gate.anthropic().messages.batches.create(requests=requests)
    assert server.requests == []


def test_unknown_endpoints_beside_batches_are_not_sent(gate: Gate, server: AnthropicServer) -> None:
    """A path that only looks like one of a batch passes no more than any other unknown endpoint."""
    client = gate.anthropic()
    for method, path in (("post", "/x"), ("post", "/x/y"), ("get", "/x/results/y"), ("post", "/../complete"), ("put", "")):
        with pytest.raises(Exception, match="would not be metered"):
            getattr(client, method)(f"/v1/messages/batches{path}", cast_to=object)
    assert server.requests == []


def test_usage_without_a_price_is_held(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """Where one result counts something that has no price, the whole reservation stays counted: a guess is not a price."""
    batches = gate.anthropic().messages.batches
    batch = batches.create(requests=batch_of("a", "b"))
    server.batches.end(a="dreamt")
    assert len(list(batches.results(batch.id))) == 2
    assert ends(tmp_path) == (False, False, True)
    assert gate.last_call is not None
    assert gate.last_call.cost_nano_usd == spent(tmp_path).held.nano_usd


def test_results_of_a_batch_that_the_ledger_does_not_know_pass(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """A batch that was not made through this ledger is read like any other, and counted nowhere."""
    made = server.batches.create({"requests": batch_of("a")})
    server.batches.end()
    assert len(list(gate.anthropic().messages.batches.results(made.name))) == 1
    assert gate.last_call is not None
    assert gate.last_call.accounting == "unmetered"
    assert ends(tmp_path) == (False, False, False)


def test_a_batch_never_read_becomes_a_hold_that_sweep_names(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """A day later an unread batch is held, named by ``ledger sweep`` with its dollars; its results settle it even then."""
    server.queue(Behaviour("answer"), Behaviour("status", status=500))
    client = gate.anthropic(max_retries=0)
    batch = client.messages.batches.create(requests=batch_of("a", "b"))
    with pytest.raises(anthropic.InternalServerError):
        client.messages.batches.create(requests=batch_of("lost"))
    later = SqliteLedger(tmp_path / "ledger.db", clock=SimulatedTime(datetime.now(UTC) + timedelta(hours=25)))
    assert later.sweep(10) == 0
    later.close()
    later = SqliteLedger(tmp_path / "ledger.db", clock=SimulatedTime(datetime.now(UTC) + timedelta(hours=27)))
    assert later.sweep(10) == 1
    later.close()
    where = ["--policy", str(tmp_path / "budget-gate.yml"), "--ledger", f"sqlite:///{tmp_path / 'ledger.db'}"]
    said = run("ledger", "sweep", *where).out
    assert f"batch {batch.id} " in said
    assert "its results were never read to the end" in said
    assert "a batch whose id is not known" in said
    document = run("ledger", "sweep", "--json", *where).document()
    assert [each["batch"] for each in document["unread_batches"]] == [batch.id, None]
    assert {each["state"] for each in document["unread_batches"]} == {"held"}
    server.batches.end()
    results = list(client.messages.batches.results(batch.id))
    value = spent(tmp_path)
    assert value.posted.nano_usd == cost_of(results)
    assert value.held.requests == 1
    ledger = SqliteLedger(tmp_path / "ledger.db")
    assert verify(ledger).ok
    ledger.close()


def test_a_ledger_away_keeps_no_results_back(
    gate: Gate, server: AnthropicServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results were paid for: they pass while the ledger is away, and the next reading settles them."""
    batches = gate.anthropic().messages.batches
    batch = batches.create(requests=batch_of("a"))
    server.batches.end()

    def away(*_: object) -> None:
        raise LedgerUnavailable("away")

    monkeypatch.setattr("budget_gate.gate.till.PAUSES_SECONDS", (0.0,))
    with monkeypatch.context() as patched:
        patched.setattr(SqliteLedger, "notes", away)
        assert len(list(batches.results(batch.id))) == 1
    with monkeypatch.context() as patched:
        patched.setattr(SqliteLedger, "settle", away)
        assert len(list(batches.results(batch.id))) == 1
    assert gate.last_call is not None
    assert gate.last_call.accounting == "unsettled"
    assert ends(tmp_path) == (False, True, False)
    list(batches.results(batch.id))
    assert ends(tmp_path) == (True, False, False)


def test_a_ledger_away_when_the_batch_was_made_leaves_a_hold(gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch whose id could not be written down is handed to the caller all the same; its dollars stay reserved."""

    def away(*_: object) -> None:
        raise LedgerUnavailable("away")

    monkeypatch.setattr("budget_gate.gate.till.PAUSES_SECONDS", (0.0,))
    monkeypatch.setattr(SqliteLedger, "record_missing", away)
    assert gate.anthropic().messages.batches.create(requests=batch_of("a")).id
    assert gate.last_call is not None
    assert gate.last_call.accounting == "unsettled"
    assert gate.last_call.reserved_nano_usd == spent(tmp_path).pending.nano_usd > 0


def test_results_are_metered_in_bounded_memory(gate: Gate, server: AnthropicServer, tmp_path: Path) -> None:
    """Twenty times the results take no more memory: never more than a few lines are held."""
    server.answer = lambda _: [{"type": "text", "text": "z" * 100_000}]
    batches = gate.anthropic().messages.batches
    peaks = []
    for size in (10, 200):
        batch = batches.create(requests=batch_of(*map(str, range(size))))
        server.batches.end()
        tracemalloc.start()
        assert sum(1 for _ in batches.results(batch.id)) == size
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2_000_000
    assert ends(tmp_path) == (True, False, False)
