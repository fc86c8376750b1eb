"""Every backend against a model in a few lines of plain Python, driven by hypothesis through long random sequences."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from contract.ledgers import Backend, Store
from fakes.ledger_requests import TEAM, actual, charge, line, request, usd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from budget_gate.core.charges import Charge
from budget_gate.core.reservations import Admitted, Decision, Refused, ReserveRequest, Waiting
from budget_gate.core.scopes import ORG
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.verify import verify

# The clock moves in steps of ten minutes from five past, deadlines lie five minutes off that grid, and an example takes seconds:
# so the model never has to know how fast the machine is.
START = datetime(2026, 5, 13, 20, 5, tzinfo=UTC)
STEP = timedelta(minutes=10)
LIMITED = (("org", "day"), ("team/payments", "lifetime"))
ZONES = ("UTC", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kathmandu")

amounts = st.integers(0, 60)


class Model:
    """What a ledger is: numbers per counter, and reservations that move between three of them."""

    def __init__(self) -> None:
        self.now = START
        self.zone = "UTC"
        self.limits = dict.fromkeys(LIMITED, 100)
        self.parts: dict[tuple[str, str], dict[str, int]] = {}
        self.reservations: dict[str, dict[str, Any]] = {}

    def counters(self) -> list[tuple[str, str]]:
        """Name the counters of this moment: the day's in the policy's zone, and the one that never ends."""
        return [("org", f"{self.now.astimezone(ZoneInfo(self.zone)):%Y-%m-%d}"), ("team/payments", "all")]

    def part(self, counter: tuple[str, str]) -> dict[str, int]:
        """Return a counter's three parts."""
        return self.parts.setdefault(counter, {"posted": 0, "pending": 0, "held": 0})

    def expire(self) -> None:
        """Turn what is past its deadline into holds."""
        for each in self.reservations.values():
            if each["state"] == "pending" and each["expires"] <= self.now:
                self.move(each, "held", each["granted"])

    def move(self, each: dict[str, Any], state: str, amount: int) -> None:
        """Move a reservation from its part of every counter to another."""
        for counter in each["counters"]:
            part = self.part(counter)
            if each["state"] in part:
                part[each["state"]] -= each["granted"]
            if state in part:
                part[state] += amount
        each["state"] = state

    def decide(self, amount: int, minimum: int, *, may_wait: bool) -> int | str:
        """Return what is granted, ``wait``, or the scopes that refuse."""
        names = ("org", "team/payments")
        parts = [self.part(counter) for counter in self.counters()]
        rooms = [limit - part["posted"] - part["held"] for limit, part in zip(self.limits.values(), parts, strict=True)]
        left = [room - part["pending"] for room, part in zip(rooms, parts, strict=True)]
        if hopeless := [name for name, room in zip(names, rooms, strict=True) if minimum > room]:
            return ",".join(hopeless)
        if amount <= min(left):
            return amount
        tight = [part["pending"] > 0 for part, free in zip(parts, left, strict=True) if amount > free]
        if may_wait and any(tight):
            return "wait"
        if short := [name for name, free in zip(names, left, strict=True) if minimum > free]:
            return ",".join(short)
        return min(amount, *left)


class LedgerMachine(RuleBasedStateMachine):
    """Does the same to a ledger and to the model, and compares."""

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store: Store = backend.open(Path(self.folder.name))
        self.store.set_time(START)
        self.is_shared = backend.is_shared
        self.heir: Ledger | None = None
        self.model = Model()
        self.sent: list[tuple[ReserveRequest, Decision]] = []
        self.moves: list[tuple[str, str, int, Any]] = []
        self.steps = 0

    @property
    def ledger(self) -> Ledger:
        """The handle in use: the first one, or that of whoever came after a crash."""
        return self.heir or self.store.ledger

    def charges(self) -> tuple[Charge, ...]:
        """Return the limits as they are now."""
        org, team = self.model.limits.values()
        return charge(ORG, "day", line(org)), charge(TEAM, "lifetime", line(team))

    @rule(amount=amounts, spare=st.integers(0, 60), may_wait=st.booleans(), slots=st.integers(0, 3))
    def reserve(self, amount: int, spare: int, slots: int, *, may_wait: bool) -> None:
        """Ask, and be answered as the model says."""
        self.steps += 1
        minimum, lifetime = max(amount - spare, 0), slots * STEP + STEP / 2
        asked = request(
            f"k{self.steps}",
            usd(amount),
            *self.charges(),
            minimum=usd(minimum),
            may_wait=may_wait,
            ttl_seconds=int(lifetime.total_seconds()),
        )._replace(zone=self.model.zone)
        self.model.expire()
        expected = self.model.decide(amount, minimum, may_wait=may_wait)
        decision = self.ledger.reserve(asked)
        if isinstance(decision, Waiting):
            assert expected == "wait"
            self.ledger.leave_queue(asked.key)
            return
        self.sent.append((asked, decision))
        if isinstance(decision, Refused):
            assert expected == ",".join(each.scope.text for each in decision.refused_by)
            return
        assert expected == decision.granted.nano_usd
        each = {"granted": expected, "expires": self.model.now + lifetime, "counters": self.model.counters(), "state": ""}
        self.model.reservations[decision.reservation] = each
        self.model.move(each, "pending", decision.granted.nano_usd)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        """Lose an answer and send the same request again."""
        asked, answer = data.draw(st.sampled_from(self.sent))
        again = self.ledger.reserve(asked._replace(charges=self.charges(), zone=self.model.zone))
        assert isinstance(again, Admitted | Refused)
        assert again.replayed
        assert again._replace(budgets=answer.budgets, replayed=False) == answer

    @precondition(lambda self: self.model.reservations)
    @rule(data=st.data(), move=st.sampled_from(["settle", "settle", "void", "hold"]), cost=amounts)
    def resolve(self, data: st.DataObject, move: str, cost: int) -> None:
        """Settle, void or hold any reservation, whatever became of it before."""
        self.steps += 1
        name = data.draw(st.sampled_from(sorted(self.model.reservations)))
        each = self.model.reservations[name]
        to = {"settle": "posted", "void": "voided", "hold": "held"}[move]
        allowed = {"pending": ("posted", "voided", "held"), "held": ("posted", "voided"), "voided": ("posted",), "posted": ()}
        if to in allowed[each["state"]]:
            self.model.move(each, to, cost if to == "posted" else each["granted"])
            if to == "posted":
                each["cost"] = cost
        answer = self._resolve(move, f"m{self.steps}", cost, name)
        assert (answer.state, answer.cost) == (each["state"], usd(each.get("cost", 0)))
        self.moves.append((move, f"m{self.steps}", cost, (name, answer.state, answer.cost)))

    @precondition(lambda self: self.moves)
    @rule(data=st.data())
    def resolve_again(self, data: st.DataObject) -> None:
        """Lose the answer of a settle, void or hold and repeat it."""
        move, key, cost, (name, state, paid) = data.draw(st.sampled_from(self.moves))
        again = self._resolve(move, key, cost, name)
        assert (again.state, again.cost, again.replayed) == (state, paid, True)

    def _resolve(self, move: str, key: str, cost: int, name: str) -> Any:
        if move == "settle":
            return self.ledger.settle(key, name, actual(usd(cost)))
        return getattr(self.ledger, move)(key, name, "because")

    @rule(which=st.sampled_from(LIMITED), limit=st.integers(0, 200))
    def change_limit(self, which: tuple[str, str], limit: int) -> None:
        """Raise or lower a limit in the policy."""
        self.model.limits[which] = limit

    @rule(steps=st.integers(1, 12))
    def let_time_pass(self, steps: int) -> None:
        """Move the clock, at times past midnight."""
        self.model.now += steps * STEP
        self.store.set_time(self.model.now)
        if self.heir is not None:
            self.take_over()

    @rule(zone=st.sampled_from(ZONES))
    def change_zone(self, zone: str) -> None:
        """Move the policy to another zone: what is open stays in the day it was reserved in."""
        self.model.zone = zone

    @precondition(lambda self: self.is_shared)
    @rule()
    def crash(self) -> None:
        """Lose the process, with all it knew: another one goes on with what is stored."""
        self.take_over()

    def take_over(self) -> None:
        """Open the storage anew, as a process does that has never seen it."""
        if self.heir is not None:
            self.heir.close()
        self.heir = self.store.opener()()

    @rule()
    def sweep(self) -> None:
        """Turn the expired into holds."""
        self.model.expire()
        self.ledger.sweep(100)

    @invariant()
    def budgets_agree(self) -> None:
        """Each limit stands as in the model."""
        states = self.ledger.read(self.charges(), self.model.zone)
        for counter, state in zip(self.model.counters(), states, strict=True):
            part = self.model.part(counter)
            assert (state.posted, state.pending, state.held) == (part["posted"], part["pending"], part["held"])

    def teardown(self) -> None:
        """Every counter of every day agrees, and the entries add up to them."""
        for row in self.ledger.counters():
            part = self.model.part((row.scope, row.label))
            assert [each.nano_usd for each in row.value] == [part["posted"], part["pending"], part["held"]]
        finding = verify(self.ledger)
        if self.heir is not None:
            self.heir.close()
        self.store.close()
        self.folder.cleanup()
        assert finding.ok, finding


def test_every_backend_does_as_the_model(backend: Backend) -> None:
    """Laws 1 to 8: after any sequence of operations, retries, crashes and changes of limit, zone and clock, ledger and model agree."""
    run_state_machine_as_test(
        lambda: LedgerMachine(backend),  # type: ignore[arg-type]  # hypothesis calls it; it need not be a class
        settings=settings(
            max_examples=4 if backend.is_slow else 80,
            stateful_step_count=15 if backend.is_slow else 30,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
