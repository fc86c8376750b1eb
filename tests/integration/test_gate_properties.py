"""Whatever sequence of calls and outcomes: counters are the sum of what happened, and no admission passes a limit."""

from fakes.gate_setup import BODY, Play, PlayedProvider, SimulatedTime, assert_exact, budget, counted, gate, policy, task
from hypothesis import given, settings
from hypothesis import strategies as st

from budget_gate.core.amounts import ZERO
from budget_gate.core.policy import Bounds, Limit
from budget_gate.core.routing import Route
from budget_gate.core.scopes import Scope
from budget_gate.core.usage import Usage
from budget_gate.gate.events import Event
from budget_gate.gate.interface import Served
from budget_gate.ledger.memory import MemoryLedger

plays = st.builds(
    Play,
    st.sampled_from(["answer", "answer", "void", "hold", "forget"]),
    st.builds(Usage, st.integers(0, 60), st.integers(0, 5_000)),
)
sends = st.lists(st.lists(plays, min_size=1, max_size=3), min_size=1, max_size=8)
units = st.tuples(st.integers(0, 30_000_000), st.integers(0, 8_000), st.integers(0, 8))


@settings(max_examples=80, deadline=None)
@given(sends=sends, limits=units, lengths=st.lists(st.integers(1, 2_000), min_size=8, max_size=8), count=st.none() | st.just(60))
def test_counters_are_the_sum_of_what_happened(
    sends: list[list[Play]], limits: tuple[int, int, int], lengths: list[int], count: int | None
) -> None:
    """Limits in dollars, tokens and requests hold at every step; posted and held are the calls' costs to the nano-dollar."""
    time = SimulatedTime()
    ledger = MemoryLedger(clock=time)
    nano_usd, tokens, requests = limits
    rules = policy(
        budget(limits=(Limit("usd", nano_usd, "month"),)),
        budget(scope=Scope("team", "*"), limits=(Limit("tokens", tokens, "day"),)),
    )

    def within(_: Event) -> None:
        total = counted(ledger)
        taken = total.posted.plus(total.pending).plus(total.held)
        assert taken.nano_usd <= nano_usd
        assert taken.tokens <= tokens
        assert taken.requests <= requests

    provider = PlayedProvider(*sends, count=count)
    made = gate(ledger, provider, rules, time, wait_seconds=3, on_event=within)
    served_nano_usd = 0
    for length in lengths[: len(sends)]:
        before = counted(ledger)
        outcome = made.call(task(Bounds(steps=requests)), Route("small", "model-s", length, ""), BODY)
        value = counted(ledger)
        moved = value.posted.plus(value.held).minus(before.posted.plus(before.held))
        if isinstance(outcome, Served):
            assert outcome.cost_nano_usd == moved.nano_usd
            served_nano_usd += outcome.cost_nano_usd
        assert value.pending == ZERO
    assert all(body["max_tokens"] >= 1 for body in provider.sent)
    assert served_nano_usd <= nano_usd
    assert_exact(ledger)
    ledger.close()
