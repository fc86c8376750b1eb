"""A small world for tests of the gate: round prices, a policy, a provider that plays given attempts, a simulated clock.

``crash_child`` runs one call in a process of its own and kills itself at a numbered step.
"""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from budget_gate.core.amounts import ZERO, Amount, CounterValue
from budget_gate.core.attribution import Attribution
from budget_gate.core.errors import LedgerUnavailable
from budget_gate.core.policy import Bounds, Budget, Limit, Policy, Workflow
from budget_gate.core.prices import DatedPrice, ModelPrice, PriceBook, Rate
from budget_gate.core.reservations import Refused
from budget_gate.core.scopes import ORG
from budget_gate.core.tasks import Task
from budget_gate.core.usage import Usage
from budget_gate.gate.events import Event
from budget_gate.gate.gate import Gate
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.verify import verify
from budget_gate.providers.interface import Answer, Failed, Meter

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
INPUT_NANO, OUTPUT_NANO = 1_000, 5_000
"""Nano-dollars per token of the small model, which has no other rates than these two."""

BODY: Mapping[str, Any] = {"messages": [{"role": "user", "content": "Review this, please. " * 20}]}
MODELS = {"small": "model-s", "medium": "model-m"}


def price(input_usd: str, output_usd: str, *, since: str | None = None) -> DatedPrice:
    """Return a price per million tokens."""
    begins = datetime.fromisoformat(since).date() if since else None
    return DatedPrice(begins, Rate(Decimal(input_usd)), Rate(Decimal(output_usd)))


PRICES = PriceBook(
    [
        ModelPrice("model-s", (price("1", "5"), price("2", "10", since="2026-04-01"))),
        ModelPrice("model-m", (price("3", "15"),)),
    ]
)


def budget(**fields: Any) -> Budget:
    """Return an organization-wide budget of ten dollars a month, with fields changed."""
    return Budget(**({"scope": ORG, "limits": (Limit("usd", 10_000_000_000, "month"),)} | fields))


def policy(*budgets: Budget, **fields: Any) -> Policy:
    """Return a policy with these budgets."""
    return Policy("acme", "UTC", fields.pop("models", MODELS), budgets, {}, **fields)


UNBOUNDED = Bounds()


def task(bounds: Bounds = UNBOUNDED, **fields: Any) -> Task:
    """Return a task of a review workflow."""
    workflow = Workflow("review", "code_review", "small", task=bounds, **fields)
    return Task(Attribution("review", team="pay", user="ann", task="pr-7@abc"), workflow, "review-3")


class Play(NamedTuple):
    """How one attempt goes. ``forget`` resolves nothing, as a provider with a fault would."""

    kind: Literal["answer", "void", "hold", "forget"] = "answer"
    usage: Usage = Usage(10, 10)


class PlayedProvider:
    """A provider whose attempts go as given, one send after the other; like the real one, no answer passes ``max_tokens``."""

    name = "played"

    def __init__(self, *sends: Sequence[Play], count: int | None = None, on_send: Callable[[], None] | None = None) -> None:
        self._sends = list(sends)
        self._count = count
        self._on_send = on_send
        self.sent: list[Mapping[str, Any]] = []
        self.counted = 0

    def count_tokens(self, body: Mapping[str, Any]) -> int | None:
        """Return the given count."""
        self.counted += 1
        return self._count

    def send(
        self, body: Mapping[str, Any], meter: Meter, *, deadline_seconds: float, on_text: object = None
    ) -> Answer | Refused | Failed:
        """Play the next send."""
        del deadline_seconds, on_text
        plays = self._sends.pop(0) if self._sends else [Play()]
        for number, play in enumerate(plays, start=1):
            attempt = meter.begin(body)
            if isinstance(attempt, Refused):
                return attempt
            self.sent.append(attempt.body)
            if self._on_send:
                self._on_send()
            if play.kind == "answer":
                output_tokens = min(play.usage.output_tokens, attempt.body["max_tokens"])
                usage = play.usage._replace(output_tokens=output_tokens)
                attempt.settle(usage, {"request_id": f"req_{number}"})
                attempt.settle(usage, {"request_id": "again"})
                return Answer({"content": [], "stop_reason": "end_turn"}, usage, number)
            if play.kind == "void":
                attempt.void("overloaded")
            if play.kind == "hold":
                attempt.hold("connection lost")
        return Failed("overloaded", "no attempt succeeded", len(plays))

    def close(self) -> None:
        """Hold nothing."""


class SimulatedTime:
    """A clock for ledgers, and a monotonic one, moved only by sleeping; ``on_sleep`` is what others do meanwhile."""

    def __init__(self, instant: datetime = START) -> None:
        self.start, self.slept = instant, 0.0
        self.on_sleep: Callable[[], None] = lambda: None

    def __call__(self) -> datetime:
        """Return the instant."""
        return self.start + timedelta(seconds=self.slept)

    def monotonic(self) -> float:
        """Return the seconds slept."""
        return self.slept

    def sleep(self, seconds: float) -> None:
        """Let the others act, then be later."""
        self.on_sleep()
        self.slept += seconds


def open_ledger(kind: str, folder: Path, clock: Callable[[], datetime]) -> Ledger:
    """Open a ledger of a kind that needs no server."""
    if kind == "memory":
        from budget_gate.ledger.memory import MemoryLedger

        return MemoryLedger(clock=clock)
    from budget_gate.ledger.sqlite import SqliteLedger

    return SqliteLedger(folder / "ledger.db", clock=clock)


class LostLedger:
    """A ledger out of reach for so many operations as ``lost`` says; those in ``lost_answers`` happen, and nobody hears."""

    def __init__(self, inner: Ledger) -> None:
        self._inner = inner
        self.lost: dict[str, int] = {}
        self.lost_answers: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        """Return the operation, unreliable."""
        operation = getattr(self._inner, name)

        def unreliable(*arguments: Any) -> Any:
            if self.lost.get(name, 0) > 0:
                self.lost[name] -= 1
                raise LedgerUnavailable("no route to the ledger")
            answer = operation(*arguments)
            if self.lost_answers.get(name, 0) > 0:
                self.lost_answers[name] -= 1
                raise LedgerUnavailable("the connection broke")
            return answer

        return unreliable

    @property
    def as_ledger(self) -> Ledger:
        """This, as what it stands in for."""
        return cast("Ledger", self)


def gate(ledger: Ledger, provider: PlayedProvider, rules: Policy, time: SimulatedTime, **options: Any) -> Gate:
    """Return a gate in simulated time."""
    chosen: dict[str, Any] = {"key_prefix": "run", "clock": time, "sleep": time.sleep, "monotonic": time.monotonic}
    return Gate(rules, PRICES, ledger, provider, **(chosen | options))


def counted(ledger: Ledger, scope: str = "org", per: str = "month") -> CounterValue:
    """Return what a scope's counters of a kind of period hold, all periods together."""
    total = CounterValue()
    for row in ledger.counters():
        if (row.scope, row.per) == (scope, per):
            total = total.plus(row.value)
    return total


def kinds(ledger: Ledger) -> list[str]:
    """Return the kinds of all entries, in order."""
    return [entry.parsed().kind for entry in ledger.entries()]


def assert_exact(ledger: Ledger) -> None:
    """The chain is whole, every counter is the sum of the entries that name it, and what is open is what reservations say."""
    assert verify(ledger).ok
    sums: dict[tuple[str, str, str], CounterValue] = {}
    places: dict[str, list[list[str]]] = {}
    for entry in ledger.entries():
        fields = entry.parsed()
        if "reservation" not in fields.body:
            continue
        name = fields.body["reservation"]
        places[name] = fields.body.get("counters", places.get(name, []))
        for scope, per, label in places[name]:
            sums[scope, per, label] = sums.get((scope, per, label), CounterValue()).plus(fields.delta)
    stored = {(row.scope, row.per, row.label): row.value for row in ledger.counters()}
    assert {place: value for place, value in sums.items() if any(map(any, value))} == {
        place: value for place, value in stored.items() if any(map(any, value))
    }
    pending, held = ZERO, ZERO
    for reservation in ledger.open_reservations():
        if reservation.state == "pending":
            pending = pending.plus(reservation.granted)
        else:
            held = held.plus(reservation.granted)
    value = counted(ledger)
    assert (value.pending, value.held) == (pending, held)


def cost(usage: Usage) -> Amount:
    """Return what the small model charges for such use before April."""
    return Amount(usage.input_tokens * INPUT_NANO + usage.output_tokens * OUTPUT_NANO, usage.total_tokens, 1)


def crash_child(path: str, step: int) -> None:
    """Make one call with three attempts on the ledger at ``path``; die at step ``step``, without a word to anybody."""
    from budget_gate.ledger.sqlite import SqliteLedger

    steps = 0

    def count_step(event: Event | None = None) -> None:
        nonlocal steps
        steps += 1
        if steps == step:
            os.kill(os.getpid(), signal.SIGKILL)

    ledger = SqliteLedger(Path(path), clock=SimulatedTime())
    provider = PlayedProvider([Play("void"), Play("hold"), Play("answer", Usage(40, 60))], on_send=count_step)
    served = gate(ledger, provider, policy(budget()), SimulatedTime(), on_event=count_step)
    route = served.route(task(), _facts())
    served.call(task(), route, BODY)
    count_step()
    ledger.close()


def _facts() -> Any:
    from budget_gate.core.routing import Facts

    return Facts()


def race_child(path: str, name: str, calls: int, limit_nano_usd: int) -> None:
    """Make calls on the ledger at ``path`` in real time, as one of several processes under one limit."""
    from budget_gate.ledger.sqlite import SqliteLedger

    rules = policy(budget(limits=(Limit("usd", limit_nano_usd, "year"),)))
    ledger = SqliteLedger(Path(path))
    provider = PlayedProvider(*([Play("answer", Usage(40, 200))] for _ in range(calls)))
    served = Gate(rules, PRICES, ledger, provider, key_prefix=name, wait_seconds=5)
    route = served.route(task(), _facts())
    for _ in range(calls):
        served.call(task(), route, BODY)
    ledger.close()
