"""Calls through the gate, over real ledgers: what is reserved, sent, posted, held and refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.gate_setup import (
    BODY,
    INPUT_NANO,
    OUTPUT_NANO,
    PRICES,
    Play,
    PlayedProvider,
    SimulatedTime,
    assert_exact,
    budget,
    cost,
    counted,
    gate,
    kinds,
    open_ledger,
    policy,
    task,
)

from budget_gate.config.policy_file import load_policy
from budget_gate.config.price_file import load_prices
from budget_gate.core.amounts import ZERO, Amount
from budget_gate.core.attribution import Attribution
from budget_gate.core.charges import charges_for
from budget_gate.core.policy import Bounds, Condition, Degradation, Escalation, Limit, Tiers
from budget_gate.core.reservations import Refused, ReserveRequest
from budget_gate.core.routing import Facts, Route
from budget_gate.core.scopes import Scope
from budget_gate.core.tasks import Task
from budget_gate.core.usage import Usage
from budget_gate.gate.events import Event
from budget_gate.gate.gate import Gate
from budget_gate.gate.interface import Served, is_bound_only
from budget_gate.ledger.interface import Ledger
from budget_gate.providers.interface import Failed
from budget_gate.providers.scripted import ScriptedProvider

ROUTE = Route("small", "model-s", 1_000, "a test")
USED = Usage(40, 60)


@pytest.fixture
def time() -> SimulatedTime:
    """Simulated time."""
    return SimulatedTime()


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, time: SimulatedTime) -> Iterator[Ledger]:
    """A fresh ledger of each kind."""
    opened = open_ledger(request.param, tmp_path, time)
    yield opened
    assert_exact(opened)
    opened.close()


def served(outcome: object) -> Served:
    """Return the outcome, which the test expects to be an answer."""
    assert isinstance(outcome, Served), outcome
    return outcome


def spend(ledger: Ledger, rules: object, nano_usd: int, *, tokens: int = 0, settle: bool = True) -> None:
    """Let somebody else have spent, or reserved, this much of everybody's budgets."""
    charges = charges_for(rules, task().attribution._replace(task=""), "small", task().workflow)  # type: ignore[arg-type]  # a policy
    request = ReserveRequest(f"other/{nano_usd}", Amount(nano_usd, tokens, 0), charges, ttl_seconds=3_600)
    reservation = ledger.reserve(request).reservation  # type: ignore[union-attr]  # admitted: the budget is empty
    if settle:
        from budget_gate.core.reservations import Actual

        ledger.settle(f"other/{nano_usd}", reservation, Actual(Amount(nano_usd, tokens, 0)))


def worst(made: Gate, output_tokens: int = ROUTE.max_output_tokens) -> int:
    """Return the worst case of the usual body with this answer length."""
    return made.estimate(ROUTE._replace(max_output_tokens=output_tokens), BODY).nano_usd


def test_answer_is_posted_at_what_it_used(ledger: Ledger, time: SimulatedTime) -> None:
    """An answered call costs what it used, once, and leaves nothing pending; the route's model and length were sent."""
    provider = PlayedProvider([Play("answer", USED)])
    outcome = served(gate(ledger, provider, policy(budget()), time).call(task(), ROUTE, BODY))
    assert (outcome.cost_nano_usd, outcome.attempts, outcome.accounting) == (cost(USED).nano_usd, 1, "metered")
    assert counted(ledger) == (cost(USED), ZERO, ZERO)
    assert provider.sent == [{**BODY, "model": "model-s", "max_tokens": 1_000}]
    assert provider.counted == 0


def test_worst_case_is_reserved_while_the_call_is_under_way(ledger: Ledger, time: SimulatedTime) -> None:
    """While the request is on the wire, its worst case is pending, so nobody else can spend it."""
    seen = []
    provider = PlayedProvider([Play("answer", USED)], on_send=lambda: seen.append(counted(ledger).pending))
    made = gate(ledger, provider, policy(budget()), time)
    made.call(task(), ROUTE, BODY)
    estimate = made.estimate(ROUTE, BODY)
    assert seen == [Amount(estimate.nano_usd, estimate.input_tokens + estimate.output_tokens, 1)]


def test_each_attempt_is_a_reservation_of_its_own(ledger: Ledger, time: SimulatedTime) -> None:
    """A voided, a held and an answered attempt have keys of their own; the cost is what was posted and held."""
    provider = PlayedProvider([Play("void"), Play("hold"), Play("answer", USED)])
    made = gate(ledger, provider, policy(budget()), time)
    outcome = served(made.call(task(), ROUTE, BODY))
    assert outcome.attempts == 3
    assert outcome.cost_nano_usd == worst(made) + cost(USED).nano_usd
    assert [entry.parsed().body["key"] for entry in ledger.entries() if entry.parsed().kind == "reserve"] == [
        "run/1/1",
        "run/1/2",
        "run/1/3",
    ]
    value = counted(ledger)
    assert (value.posted, value.pending, value.held.nano_usd) == (cost(USED), ZERO, worst(made))


def test_entries_say_on_whose_account_and_what_was_called(ledger: Ledger, time: SimulatedTime) -> None:
    """Reservations carry attribution, tier, model, provider, agent and prompt version; posts the model and request id.

    The reason for the route is there too, and what the cheapest and the dearest choice would have cost at worst.
    """
    made = gate(ledger, PlayedProvider([Play("answer", USED)]), policy(budget()), time)
    made.call(task(), ROUTE, BODY)
    reserve, post = (entry.parsed().body for entry in ledger.entries())
    labels = dict(reserve["labels"])
    assert labels.pop("route_reason") == ROUTE.reason
    assert int(labels.pop("cheapest_nano_usd")) == worst(made) <= int(labels.pop("dearest_nano_usd"))
    assert labels == {
        "workflow": "review",
        "team": "pay",
        "user": "ann",
        "task": "pr-7@abc",
        "tier": "small",
        "model": "model-s",
        "provider": "played",
        "agent": "code_review",
        "prompt_version": "review-3",
    }
    assert post["details"] == {
        "model": "model-s",
        "variant": "standard",
        "prompt_version": "review-3",
        "request_id": "req_1",
    }


def test_attempt_left_open_is_held(ledger: Ledger, time: SimulatedTime) -> None:
    """An attempt that the provider forgot may have been billed: it ends as a hold."""
    made = gate(ledger, PlayedProvider([Play("forget")]), policy(budget()), time)
    assert isinstance(made.call(task(), ROUTE, BODY), Failed)
    assert counted(ledger).held.nano_usd == worst(made)


def test_attempt_left_open_by_an_error_is_held(ledger: Ledger, time: SimulatedTime) -> None:
    """An interruption in the middle of a send holds the attempt and goes on to the caller."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    made = gate(ledger, PlayedProvider([Play()], on_send=interrupt), policy(budget()), time)
    with pytest.raises(KeyboardInterrupt):
        made.call(task(), ROUTE, BODY)
    assert counted(ledger).held.nano_usd == worst(made)


def test_answer_is_clamped_to_what_is_left(ledger: Ledger, time: SimulatedTime) -> None:
    """When less than the worst case is left, the answer sent for is shorter, and fits to the nano-dollar."""
    provider = PlayedProvider([Play("answer", Usage(40, 10_000))])
    empty = gate(ledger, provider, policy(), time)
    left = worst(empty, 400) + OUTPUT_NANO - 1
    rules = policy(budget(limits=(Limit("usd", left, "month"),)))
    served(gate(ledger, provider, rules, time).call(task(), ROUTE, BODY))
    assert provider.sent[0]["max_tokens"] == 400
    assert counted(ledger).posted.nano_usd <= left


def test_answer_is_clamped_by_tokens_too(ledger: Ledger, time: SimulatedTime) -> None:
    """A limit in tokens shortens the answer as one in dollars does."""
    provider = PlayedProvider([Play("answer", USED)])
    bound = gate(ledger, provider, policy(), time).estimate(ROUTE, BODY).input_tokens
    rules = policy(budget(limits=(Limit("tokens", bound + 300, "month"),)))
    served(gate(ledger, provider, rules, time).call(task(), ROUTE, BODY))
    assert provider.sent[0]["max_tokens"] == 300


def test_too_little_for_a_useful_answer_is_refused(ledger: Ledger, time: SimulatedTime) -> None:
    """Below the shortest useful answer the call is refused by name, nothing is sent, and one refusal is recorded."""
    provider = PlayedProvider()
    left = worst(gate(ledger, provider, policy(), time), 256) - 1
    rules = policy(budget(limits=(Limit("usd", left, "month"),), owner="cfo@acme.test"))
    outcome = gate(ledger, provider, rules, time).call(task(), ROUTE, BODY)
    assert isinstance(outcome, Refused)
    assert [(each.scope.text, each.reason, each.owner) for each in outcome.refused_by] == [("org", "spent", "cfo@acme.test")]
    assert (provider.sent, kinds(ledger)) == ([], ["refuse"])
    assert not is_bound_only(outcome)


def test_exact_count_admits_what_the_bound_would_refuse(ledger: Ledger, time: SimulatedTime) -> None:
    """Near the line the provider's free count decides, and no refusal was recorded on the way."""
    provider = PlayedProvider([Play("answer", Usage(30, 500))], count=30)
    left = 100 * INPUT_NANO + 500 * OUTPUT_NANO
    assert worst(gate(ledger, provider, policy(), time), 500) > left
    rules = policy(budget(limits=(Limit("usd", left, "month"),)))
    served(gate(ledger, provider, rules, time).call(task(), ROUTE, BODY))
    assert (provider.counted, kinds(ledger)) == (1, ["reserve", "post"])
    assert provider.sent[0]["max_tokens"] >= 500
    assert counted(ledger).posted.nano_usd <= left


def test_refusal_after_a_count_is_recorded_once(ledger: Ledger, time: SimulatedTime) -> None:
    """When even the exact count does not fit, the ledger shows one refusal, of the exact amount."""
    provider = PlayedProvider(count=100)
    rules = policy(budget(limits=(Limit("usd", 1, "month"),)))
    assert isinstance(gate(ledger, provider, rules, time).call(task(), ROUTE, BODY), Refused)
    (entry,) = ledger.entries()
    assert entry.parsed().body["asked"][1] == 134 + 1_000


def test_room_taken_between_looking_and_asking_is_counted_then(ledger: Ledger, time: SimulatedTime) -> None:
    """If the bound looked fine and was refused a moment later, the exact count gets its try under a key of its own."""
    provider = PlayedProvider([Play("answer", Usage(30, 10))], count=30)
    rules = policy(budget())
    left = worst(gate(ledger, provider, rules, time), 256) - 1

    def rush(event: Event) -> None:
        if event.kind == "reserving" and event.key == "run/1/1":
            spend(ledger, rules, 10_000_000_000 - left)

    served(gate(ledger, provider, rules, time, on_event=rush).call(task(), ROUTE._replace(max_output_tokens=500), BODY))
    assert kinds(ledger) == ["reserve", "post", "refuse", "reserve", "post"]
    assert [entry.parsed().body["key"] for entry in ledger.entries()][-1] == "run/1/1/counted"


def test_steps_of_a_task_are_a_bound_not_a_budget(ledger: Ledger, time: SimulatedTime) -> None:
    """The call after the last step is refused by the task alone, told apart from a budget, without counting tokens."""
    provider = PlayedProvider(count=5)
    made = gate(ledger, provider, policy(budget()), time)
    bounded = task(Bounds(steps=2, hard_tokens=100_000))
    for _ in range(2):
        served(made.call(bounded, ROUTE, BODY))
    outcome = made.call(bounded, ROUTE, BODY)
    assert isinstance(outcome, Refused)
    assert is_bound_only(outcome)
    assert [(each.scope.text, each.unit) for each in outcome.refused_by] == [("task/review/pr-7@abc", "requests")]
    assert provider.counted == 0


def test_hard_tokens_of_a_task_clamp_then_stop(ledger: Ledger, time: SimulatedTime) -> None:
    """A task never uses more tokens than its hard bound, whatever the model answers."""
    provider = PlayedProvider(*([Play("answer", Usage(50, 10_000))] for _ in range(20)))
    made = gate(ledger, provider, policy(), time)
    bound = made.estimate(ROUTE, BODY).input_tokens + 1_500
    outcomes = [made.call(task(Bounds(hard_tokens=bound)), ROUTE, BODY) for _ in range(20)]
    assert isinstance(outcomes[-1], Refused)
    assert counted(ledger, "task/review/pr-7@abc", "lifetime").posted.tokens <= bound


def test_unpriced_model_is_refused_under_enforce(ledger: Ledger, time: SimulatedTime) -> None:
    """With an enforced limit an unpriced model is refused for that reason; a note remains, and nothing is sent."""
    provider = PlayedProvider()
    made = gate(ledger, provider, policy(budget()), time)
    outcome = made.call(task(), ROUTE._replace(model="model-x"), BODY)
    assert isinstance(outcome, Refused)
    assert [(each.scope.text, each.unit, each.reason) for each in outcome.refused_by] == [("org", "usd", "unpriced")]
    assert outcome.refused_by[0].left == 10_000_000_000
    assert (provider.sent, kinds(ledger)) == ([], ["unpriced"])


@pytest.mark.parametrize("mode", ["advise", "observe"])
def test_unpriced_model_is_counted_at_the_dearest_price_otherwise(ledger: Ledger, time: SimulatedTime, mode: str) -> None:
    """Without force an unpriced call goes ahead and is posted at the dearest known price, marked as such."""
    made = gate(ledger, PlayedProvider([Play("answer", USED)]), policy(budget(mode=mode)), time)
    outcome = served(made.call(task(), ROUTE._replace(model="model-x"), BODY))
    assert outcome.cost_nano_usd == 40 * 3_000 + 60 * 15_000
    assert "unpriced" in list(ledger.entries())[-1].parsed().body["details"]


def test_crossed_tiers_surface_once(ledger: Ledger, time: SimulatedTime) -> None:
    """The call that crosses a tier says so; the next one does not."""
    limit = cost(USED).nano_usd * 100
    rules = policy(budget(limits=(Limit("usd", limit, "month"),), tiers=Tiers(warn=100)))
    made = gate(ledger, PlayedProvider([Play("answer", USED)], [Play("answer", USED)]), rules, time)
    crossed = [served(made.call(task(), ROUTE._replace(max_output_tokens=70), BODY)).crossed for _ in range(2)]
    assert [(each.scope.text, each.tier) for each in crossed[0]] == [("org", "warn")]
    assert crossed[1] == ()


def test_use_past_the_reservation_is_an_overrun(ledger: Ledger, time: SimulatedTime) -> None:
    """A call that used more than it reserved is posted in full, and the entry says by how much."""
    made = gate(ledger, PlayedProvider([Play("answer", Usage(1_000_000, 60))]), policy(budget()), time)
    outcome = served(made.call(task(), ROUTE, BODY))
    assert outcome.cost_nano_usd == 1_000_000 * INPUT_NANO + 60 * OUTPUT_NANO
    assert list(ledger.entries())[-1].parsed().body["overrun"][0] == outcome.cost_nano_usd - worst(made)


def test_use_without_a_price_is_held_and_still_answered(ledger: Ledger, time: SimulatedTime) -> None:
    """Tokens of a kind that has no price cannot be posted: the reservation is held, and the answer is not lost."""
    made = gate(ledger, PlayedProvider([Play("answer", Usage(10, 10, cache_read_tokens=5))]), policy(budget()), time)
    outcome = served(made.call(task(), ROUTE, BODY))
    assert outcome.cost_nano_usd == worst(made) == counted(ledger).held.nano_usd


def test_price_is_that_of_the_reservation(ledger: Ledger, time: SimulatedTime) -> None:
    """A call reserved on the last day of a price and answered on the first of the next one pays the price it was reserved at."""
    from datetime import UTC, datetime

    time.start = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    provider = PlayedProvider([Play("answer", USED)], [Play("answer", USED)], on_send=lambda: time.sleep(60))
    made = gate(ledger, provider, policy(budget()), time)
    assert served(made.call(task(), ROUTE, BODY)).cost_nano_usd == cost(USED).nano_usd
    assert served(made.call(task(), ROUTE, BODY)).cost_nano_usd == 2 * cost(USED).nano_usd


def test_kept_back_share_is_not_for_uncritical_work(ledger: Ledger, time: SimulatedTime) -> None:
    """What is kept back clamps or refuses an uncritical call and lets a critical one through."""
    provider = PlayedProvider()
    full = worst(gate(ledger, provider, policy(), time))
    rules = policy(budget(limits=(Limit("usd", full, "month"),), keep_back=9_900))
    made = gate(ledger, provider, rules, time)
    assert isinstance(made.call(task(), ROUTE, BODY), Refused)
    assert isinstance(made.call(task(critical=True), ROUTE, BODY), Served)


def test_waits_for_pending_amounts_to_settle(ledger: Ledger, time: SimulatedTime) -> None:
    """A call that only another's reservation keeps out waits, and gets its full answer when that one settles cheaply."""
    provider = PlayedProvider([Play("answer", USED)])
    rules = policy(budget())
    made = gate(ledger, provider, rules, time, wait_seconds=60)
    spend(ledger, rules, 10_000_000_000, settle=False)

    def settle_other() -> None:
        if time.slept > 5:
            for each in list(ledger.open_reservations()):
                if each.key.startswith("other/"):
                    ledger.void("other/void", each.reservation, "cancelled")

    time.on_sleep = settle_other
    served(made.call(task(), ROUTE, BODY))
    assert provider.sent[0]["max_tokens"] == 1_000
    assert 5 < time.slept < 60


def test_waits_are_bounded_then_clamped(ledger: Ledger, time: SimulatedTime) -> None:
    """When the others never settle, the wait ends in time and the answer is shortened to what is free."""
    provider = PlayedProvider([Play("answer", USED)])
    rules = policy(budget())
    made = gate(ledger, provider, rules, time, wait_seconds=10)
    spend(ledger, rules, 10_000_000_000 - worst(made, 300), settle=False)
    served(made.call(task(), ROUTE, BODY))
    assert provider.sent[0]["max_tokens"] == 300
    assert 9 <= time.slept <= 12


def test_wait_ends_with_the_deadline_of_the_call(ledger: Ledger, time: SimulatedTime) -> None:
    """A call never waits past its own deadline, however patient the gate is."""
    rules = policy(budget())
    made = gate(ledger, PlayedProvider(), rules, time, wait_seconds=1_000, deadline_seconds=20)
    spend(ledger, rules, 10_000_000_000, settle=False)
    outcome = made.call(task(), ROUTE, BODY)
    assert isinstance(outcome, Refused)
    assert outcome.refused_by[0].reason == "pending"
    assert time.slept <= 21


def test_route_reads_the_budgets_of_every_tier_it_may_choose(ledger: Ledger, time: SimulatedTime) -> None:
    """A full budget of the dearer tier sends the call to the cheaper one; a full budget of an unused tier does nothing."""
    workflow: dict[str, Any] = {
        "escalate": Escalation("medium", Condition(keywords=("security",))),
        "degrade": Degradation("small", 8_000),
    }
    medium = budget(scope=Scope("model", "medium"), limits=(Limit("usd", 1_000_000_000, "day"),))
    rules = policy(medium)
    made = gate(ledger, PlayedProvider(), rules, time)
    assert made.route(task(**workflow), Facts(text="security")).tier == "medium"
    charges = charges_for(rules, task().attribution, "medium", task().workflow)
    ledger.reserve(ReserveRequest("fill", Amount(900_000_000, 1, 1), charges))
    for each in list(ledger.open_reservations()):
        ledger.hold("fill", each.reservation, "unknown")
    route = made.route(task(**workflow), Facts(text="security"))
    assert (route.tier, "model/medium has used 90%" in route.reason) == ("small", True)
    assert made.route(task(**workflow), Facts()).reason == "the usual tier of this workflow"
    assert [state.scope.text for state in made.budgets(task(), "medium")] == ["model/medium"]


def test_scripted_provider_passes_the_same_gate(ledger: Ledger, time: SimulatedTime) -> None:
    """The provider of demos and dry runs is metered like the real one, within its bound."""
    rules = policy(budget())
    made = Gate(rules, PRICES, ledger, ScriptedProvider(), key_prefix="run", sleep=time.sleep, monotonic=time.monotonic)
    outcome = served(made.call(task(), made.route(task(), Facts()), BODY))
    assert outcome.message["content"][0]["type"] == "text"
    assert counted(ledger) == (cost(outcome.usage), ZERO, ZERO)
    assert outcome.cost_nano_usd < worst(made)
    assert made.provider_name == "scripted"


def test_example_policy_routes_and_meters_with_published_prices(ledger: Ledger, time: SimulatedTime) -> None:
    """Under the example policy an authentication change goes to the medium model and is counted for everyone it concerns."""
    rules = load_policy(Path(__file__).parents[2] / "examples" / "acme" / "budget-gate.yml")
    prices = load_prices(rules.prices)
    made = Gate(rules, prices, ledger, ScriptedProvider(), key_prefix="run", sleep=time.sleep, monotonic=time.monotonic)
    review = Task(Attribution("ci_cd_review", team="payments", user="ann", task="pr-7@abc"), rules.workflows["ci_cd_review"])
    route = made.route(review, Facts(paths=("src/auth/login.py",)))
    assert (route.tier, route.model, route.max_output_tokens) == ("medium", "claude-sonnet-4-6", 2048)
    outcome = served(made.call(review, route, BODY))
    bought = Amount(outcome.cost_nano_usd, outcome.usage.total_tokens, 1)
    for scope in ("org", "team/payments", "workflow/ci_cd_review", "user/ann", "model/medium"):
        assert counted(ledger, scope).posted == bought
        assert counted(ledger, scope, "day").posted == bought
    assert counted(ledger, "task/ci_cd_review/pr-7@abc", "lifetime").posted == bought
    assert {state.scope.kind for state in outcome.budgets} == {"org", "team", "workflow", "user", "task"}


def test_estimate_takes_nothing(ledger: Ledger, time: SimulatedTime) -> None:
    """Estimating leaves no trace, and prices by the ledger's day."""
    made = gate(ledger, PlayedProvider(), policy(budget()), time)
    before = made.estimate(ROUTE, BODY)
    assert before.nano_usd == before.input_tokens * INPUT_NANO + 1_000 * OUTPUT_NANO
    time.slept += 30 * 24 * 3_600
    assert made.estimate(ROUTE, BODY).nano_usd == 2 * before.nano_usd
    assert kinds(ledger) == []
    assert made.provider_name == "played"
    assert PRICES.is_priced(ROUTE.model)
