"""A seeded history of an organization in a ledger of memory: teams, months, failures, merges and reverts, with a simulated clock.

Every reservation is charged as ``core.charges`` would charge it without any budget: report counters for each scope.
``recount`` helps tests add up raw entries without the code under test.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from budget_gate.analytics.outcomes import Event, PullName, note_of
from budget_gate.core.amounts import Amount
from budget_gate.core.attribution import Attribution
from budget_gate.core.charges import REPORT_PERIODS, Charge
from budget_gate.core.reservations import Actual, Admitted, ReserveRequest
from budget_gate.core.usage import Usage
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.memory import MemoryLedger

PROJECT = "acme/shop"
MODELS = {"small": "claude-haiku-4-5", "medium": "claude-sonnet-4-6"}


class SimulatedClock:
    """A clock that only moves when told."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


def spend(
    ledger: Ledger,
    key: str,
    nano_usd: int,
    *,
    tier: str = "small",
    end: str = "settle",
    zone: str = "UTC",
    cost_nano_usd: int | None = None,
    **attribution: str,
) -> str:
    """Reserve ``nano_usd`` and end it (``settle``, ``void``, ``hold``, or ``leave`` it pending); return the reservation."""
    account = Attribution(**{"workflow": "ci_cd_review", "project": PROJECT, **attribution})
    charges = tuple(Charge(scope, per) for scope in account.budget_scopes(tier) for per in REPORT_PERIODS)
    labels = account.labels() | {"tier": tier, "model": MODELS.get(tier, tier)}
    tokens = nano_usd // 1000
    decision = ledger.reserve(ReserveRequest(key, Amount(nano_usd, tokens, 1), charges, zone, labels))
    assert isinstance(decision, Admitted), decision
    if end == "settle":
        cost = nano_usd if cost_nano_usd is None else cost_nano_usd
        usage = Usage(input_tokens=tokens)
        ledger.settle(key, decision.reservation, Actual(Amount(cost, tokens, 1), usage))
    elif end == "void":
        ledger.void(key, decision.reservation, "not sent")
    elif end == "hold":
        ledger.hold(key, decision.reservation, "cut")
    return decision.reservation


def record(ledger: Ledger, pr: str, ending: Any, at: datetime, by: str = "") -> None:
    """Record what became of a pull request."""
    key, labels, details = note_of(Event(PullName(PROJECT, pr), ending, at, by))
    ledger.record(key, "outcome", labels, details)


def random_history(
    seed: int, *, start: datetime = datetime(2026, 8, 30, tzinfo=UTC), days: int = 75, zone: str = "UTC"
) -> MemoryLedger:
    """Return a ledger with some 75 days of work: growth, quiet weekends, calls of every fate, pull requests of every end."""
    rng = random.Random(seed)
    clock = SimulatedClock(start)
    ledger = MemoryLedger(clock=clock)
    people = [("alice", "payments"), ("bob", "payments"), ("carol", "marketing"), ("dan", "")]
    pr, merged = 0, list[str]()
    for day in range(days):
        for at in range(rng.randint(0, 2) if (start + timedelta(days=day)).weekday() > 4 else rng.randint(2, 7)):
            clock.now = start + timedelta(days=day, minutes=at * 60 + rng.randint(0, 59))
            user, team = rng.choice(people)
            pr += rng.random() < 0.4
            number = str(rng.randint(max(1, pr - 3), pr)) if pr and rng.random() < 0.8 else ""
            spend(
                ledger,
                f"{day}.{at}",
                rng.randint(1, 900_000_000),
                tier=rng.choice(["small", "small", "medium"]),
                end=rng.choice(["settle"] * 8 + ["void", "hold", "leave"]),
                zone=zone,
                cost_nano_usd=rng.randint(1, 900_000_000),
                workflow=rng.choice(["ci_cd_review", "qa_test_gen"]),
                user=user,
                team=team,
                pr=number,
                run=str(day),
            )
        if pr and rng.random() < 0.5:
            ended = str(rng.randint(1, pr))
            if ended not in merged:
                ending = rng.choice(["merged", "merged", "closed"])
                record(ledger, ended, ending, clock.now)
                merged += [ended] if ending == "merged" else []
        if merged and rng.random() < 0.1:
            record(ledger, rng.choice(merged), "reverted", clock.now, by=str(1000 + day))
    return ledger


class Raw(NamedTuple):
    """One reservation as raw entries have it, in plain words: its labels, its month, and what is posted and held."""

    labels: dict[str, str]
    month: str
    posted: int
    held: int


def recount(ledger: Ledger) -> Iterator[Raw]:
    """Yield every reservation, added up from the text of the entries and nothing else."""
    found: dict[str, dict[str, Any]] = {}
    for entry in ledger.entries():
        fields = json.loads(entry.text)
        body = fields["body"]
        if fields["kind"] not in ("reserve", "post", "void", "hold", "expire"):
            continue
        known = found.setdefault(body["reservation"], {"posted": 0, "held": 0, **body})
        known["posted"] += fields["delta"][0][0]
        known["held"] += fields["delta"][2][0]
    for each in found.values():
        month = next(label for _, per, label in each["counters"] if per == "month")
        yield Raw(each["labels"], month, each["posted"], each["held"])
