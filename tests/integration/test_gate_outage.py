"""When the ledger cannot be reached: the policy decides before a call; after a call the answer is never lost."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pytest
from fakes.gate_setup import (
    BODY,
    LostLedger,
    Play,
    PlayedProvider,
    SimulatedTime,
    assert_exact,
    budget,
    cost,
    counted,
    gate,
    policy,
    task,
)

from budget_gate.core.amounts import ZERO
from budget_gate.core.errors import KeyReused, LedgerUnavailable
from budget_gate.core.policy import Limit
from budget_gate.core.reservations import Refused
from budget_gate.core.routing import Facts, Route
from budget_gate.core.usage import Usage
from budget_gate.gate.events import Event
from budget_gate.gate.interface import Served
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.providers.interface import Answer, Failed, Meter

ROUTE = Route("small", "model-s", 1_000, "a test")
USED = Usage(40, 60)
ALWAYS = 1_000


class World:
    """A ledger that can be lost, and what was told."""

    def __init__(self) -> None:
        self.time = SimulatedTime()
        self.inner = MemoryLedger(clock=self.time)
        self.ledger = LostLedger(self.inner)
        self.events: list[Event] = []
        self.rules = policy(budget())

    def call(self, on_outage: Literal["block", "allow"], *plays: Play) -> tuple[Served | Refused | Failed, PlayedProvider]:
        """Make one call."""
        provider = PlayedProvider(list(plays) or [Play("answer", USED)])
        rules = self.rules._replace(on_outage=on_outage)
        made = gate(self.ledger.as_ledger, provider, rules, self.time, on_event=self.events.append)
        return made.call(task(), ROUTE, BODY), provider

    def told(self) -> list[str]:
        """Return the kinds of events."""
        return [event.kind for event in self.events]


@pytest.fixture
def world() -> Iterator[World]:
    """A world whose counters are checked at the end."""
    made = World()
    yield made
    assert_exact(made.inner)
    made.inner.close()


@pytest.mark.parametrize("operation", ["read", "reserve"])
def test_block_raises_before_anything_is_sent(world: World, operation: str) -> None:
    """With ``on_outage: block`` a call stops where the ledger is first missed, and nothing reaches the wire."""
    world.ledger.lost = {operation: ALWAYS}
    with pytest.raises(LedgerUnavailable):
        world.call("block")
    assert "ledger_down" in world.told()
    assert counted(world.inner) == (ZERO, ZERO, ZERO)


def test_provider_cannot_hide_an_outage(world: World) -> None:
    """Even a provider that turns every error into a failure does not hide that the ledger is what failed."""

    class Swallowing(PlayedProvider):
        def send(
            self, body: Mapping[str, Any], meter: Meter, *, deadline_seconds: float, on_text: object = None
        ) -> Answer | Refused | Failed:
            try:
                return super().send(body, meter, deadline_seconds=deadline_seconds)
            except LedgerUnavailable:
                return Failed("broken", "something", 1)

    world.ledger.lost = {"reserve": ALWAYS}
    made = gate(world.ledger.as_ledger, Swallowing(), policy(budget()), world.time)
    with pytest.raises(LedgerUnavailable):
        made.call(task(), ROUTE, BODY)


def test_allow_sends_and_says_so(world: World) -> None:
    """With ``on_outage: allow`` the call goes ahead uncounted, and the answer, the cost and an event say so."""
    world.ledger.lost = dict.fromkeys(["now", "read", "reserve", "settle"], ALWAYS)
    outcome, provider = world.call("allow")
    assert isinstance(outcome, Served)
    assert (outcome.accounting, outcome.cost_nano_usd) == ("unmetered", cost(USED).nano_usd)
    assert provider.sent[0]["max_tokens"] == 1_000
    assert "unmetered" in world.told()
    assert counted(world.inner) == (ZERO, ZERO, ZERO)


def test_allowed_call_is_counted_if_the_ledger_comes_back(world: World) -> None:
    """A call that began without the ledger and ended with it is counted after all."""
    world.ledger.lost = {"reserve": 3}
    outcome, _ = world.call("allow")
    assert isinstance(outcome, Served)
    assert outcome.accounting == "metered"
    assert counted(world.inner).posted == cost(USED)


@pytest.mark.parametrize("way", ["lost", "lost_answers"])
def test_allowed_call_is_counted_past_a_limit(world: World, way: str) -> None:
    """What was bought during an outage is counted although a limit would have refused it, or did and nobody heard."""
    world.rules = policy(budget(limits=(Limit("usd", 1_000, "month"),)), on_outage="allow")
    setattr(world.ledger, way, {"reserve": 3})
    outcome, _ = world.call("allow")
    assert isinstance(outcome, Served)
    assert outcome.accounting == "metered"
    assert {"warn", "alert"} <= {each.tier for each in outcome.crossed}
    assert counted(world.inner) == (cost(USED), ZERO, ZERO)


def test_reserve_whose_answer_was_lost_is_found_not_doubled(world: World) -> None:
    """When a reservation was made but every answer was lost, the call's cost lands on that one reservation."""
    world.ledger.lost_answers = {"reserve": 3}
    outcome, _ = world.call("allow")
    assert isinstance(outcome, Served)
    assert counted(world.inner) == (cost(USED), ZERO, ZERO)


@pytest.mark.parametrize("operation", ["reserve", "settle", "read"])
@pytest.mark.parametrize("way", ["lost", "lost_answers"])
def test_short_outages_are_ridden_out(world: World, operation: str, way: str) -> None:
    """Two lost operations, or two lost answers, change nothing: the key makes trying again safe."""
    setattr(world.ledger, way, {operation: 2})
    outcome, _ = world.call("block")
    assert isinstance(outcome, Served)
    assert outcome.accounting == "metered"
    assert counted(world.inner) == (cost(USED), ZERO, ZERO)


def test_unrecorded_settlement_keeps_the_answer_and_counts_as_reserved(world: World) -> None:
    """When settling fails for good, the answer is returned, its cost is what was reserved, and the ledger holds that much."""
    world.ledger.lost = {"settle": ALWAYS}
    outcome, _ = world.call("block")
    assert isinstance(outcome, Served)
    assert outcome.accounting == "unsettled"
    assert "unsettled" in world.told()
    (told,) = outcome.unsettled
    assert (told.amount, world.inner.show(told.reservation).state) == (cost(USED), "pending")
    world.time.slept += 3_600
    world.inner.sweep(10)
    assert counted(world.inner).held.nano_usd == outcome.cost_nano_usd


def test_failure_text_tells_of_lost_accounting(world: World) -> None:
    """A failed call whose holds could not be recorded says in its text that it counts as reserved."""
    world.ledger.lost = {"hold": ALWAYS}
    outcome, _ = world.call("block", Play("hold"))
    assert isinstance(outcome, Failed)
    assert "counts as reserved" in outcome.text


def test_other_failures_of_the_ledger_are_raised(world: World) -> None:
    """A failure that is no outage is a fault and is not passed over."""

    def reused(*_: object) -> None:
        raise KeyReused("run/1/1")

    world.ledger.settle = reused  # type: ignore[attr-defined]  # shadows what is delegated
    with pytest.raises(KeyReused):
        world.call("allow")


def test_routing_without_the_ledger(world: World) -> None:
    """Routing raises under ``block``; under ``allow`` it routes by the facts alone and its reason says so."""
    world.ledger.lost = {"read": ALWAYS}
    blocking = gate(world.ledger.as_ledger, PlayedProvider(), policy(budget()), world.time)
    with pytest.raises(LedgerUnavailable):
        blocking.route(task(), Facts())
    with pytest.raises(LedgerUnavailable):
        blocking.budgets(task(), "small")
    allowing = gate(world.ledger.as_ledger, PlayedProvider(), policy(budget(), on_outage="allow"), world.time)
    route = allowing.route(task(), Facts())
    assert (route.tier, "no budget was looked at" in route.reason) == ("small", True)
    assert allowing.budgets(task(), "small") == ()


def test_unpriced_model_stays_refused_without_the_ledger(world: World) -> None:
    """An outage under ``allow`` does not open the gate to a model that has no price."""
    world.ledger.lost = dict.fromkeys(["now", "read", "reserve", "record"], ALWAYS)
    provider = PlayedProvider()
    made = gate(world.ledger.as_ledger, provider, policy(budget(), on_outage="allow"), world.time)
    outcome = made.call(task(), ROUTE._replace(model="model-x"), BODY)
    assert isinstance(outcome, Refused)
    assert provider.sent == []
