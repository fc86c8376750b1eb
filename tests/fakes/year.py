"""A simulated year with everything that reports count: calls, pull requests of every end, exemptions, refusals, avoided work.

``months`` writes it into a ledger and stops in the last second of each month, so that a test can look at the month as it ran. What
happened late in a month is sometimes recorded early in the next. Everything follows from the seed.
"""

import heapq
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fakes.history import record
from fakes.ledger_requests import charge, line, request, usd
from fakes.organization import Clock, Organization

from budget_gate.core.charges import Charge
from budget_gate.core.errors import UsageError
from budget_gate.core.exemptions import Request
from budget_gate.core.policy import Budget, ExemptionRule, Limit, Policy, Tiers
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.interface import Ledger, NewNote
from budget_gate.runs.exempting import approve, deny, request_exemption, revoke

ZONE = "America/New_York"
DOLLAR = 10**9
TEAM = Scope("team", "team0")

LIMITED = tuple(Charge(ORG, per) for per in ("week", "quarter", "year"))
"""Counters that only exist because the policy has limits of these periods."""

_Event = tuple[datetime, int, Callable[[Ledger], object]]


def year_policy() -> Policy:
    """Return budgets of every kind of period, low enough that some are passed."""
    limits = tuple(
        Limit("usd", amount * DOLLAR, per)
        for amount, per in ((1, "day"), (4, "week"), (15, "month"), (45, "quarter"), (170, "year"))
    )
    budgets = (
        Budget(ORG, limits, Tiers(8_000, 10_000, 12_000), mode="advise"),
        Budget(TEAM, limits[2:3]),
        Budget(Scope("user", "*"), limits[:1], mode="advise"),
    )
    rule = ExemptionRule(("vp",), 100 * DOLLAR, 30)
    return Policy("acme", ZONE, {"small": "claude-haiku-4-5", "medium": "claude-sonnet-4-6"}, budgets, {}, exemptions=rule)


class Year:
    """One seed's year of one small team."""

    def __init__(self, seed: int) -> None:
        self.policy = year_policy()
        self.clock = Clock()
        self._rng = random.Random(seed)
        self._organization = Organization(seed, days=365, teams=1)
        self._serial = 0

    def months(self, ledger: Ledger) -> Iterator[str]:
        """Write the year; yield each month in its last second, by the zone's clocks."""
        events = heapq.merge(self._calls(), sorted(self._others()))
        coming = next(events, None)
        for number in range(1, 13):
            end = datetime(2026 + number // 12, number % 12 + 1, 1, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
            while coming is not None and coming[0] < end - timedelta(seconds=1):
                self.clock.now = max(coming[0], self.clock.now)
                coming[2](ledger)
                coming = next(events, None)
            self.clock.now = end - timedelta(seconds=1)
            yield f"2026-{number:02d}"

    def _event(self, at: datetime, do: Callable[[Ledger], object]) -> _Event:
        self._serial += 1
        return at, self._serial, do

    def _calls(self) -> Iterator[_Event]:
        for number, call in enumerate(self._organization.calls()):
            if number % 4 == 0:  # a quarter of a team's calls is enough
                yield self._event(
                    call.at, lambda ledger, n=number, c=call: self._organization.make_call(ledger, n, c, ZONE, LIMITED)
                )

    def _others(self) -> Iterator[_Event]:
        yield from self._pull_requests()
        for number in range(26):
            at = self._day(number * 14 + self._rng.randrange(14))
            yield from self._exemption(f"ex-{number}", at)
            refused = request(f"refused-{number}", usd(self._rng.randint(1, DOLLAR)), charge(ORG, "month", line(1)))
            yield self._event(at, lambda ledger, asked=refused: ledger.reserve(asked._replace(zone=ZONE)))
            labels = {"team": "team0", "user": self._rng.choice(["team0-user0", "team0-user1"])}
            for part in range(self._rng.randint(0, 3)):
                details = {"nano_usd": str(self._rng.randint(1, DOLLAR)), "hunks": str(part + 1), "reason": "same content"}
                note = NewNote(f"avoided/{number}/{part}", "avoided", labels, details)
                yield self._event(at, lambda ledger, each=note: ledger.record(*each))

    def _pull_requests(self) -> Iterator[_Event]:
        """Yield what became of each week's pull requests: some merged, some closed, some reverted later, some reverts reverted."""
        rng = self._rng
        for week in range(51):
            for number in range(8):
                pull, at = str(week * 10 + number), self._day(week * 7 + rng.randint(3, 12))
                ending = rng.choice(["merged"] * 6 + ["closed", "closed then merged", "open"])
                for name in ending.split(" then ") if ending != "open" else ():
                    yield from self._ended(pull, name, at)
                    at += timedelta(days=rng.randint(1, 20))
                if "merged" in ending and rng.random() < 0.2:
                    revert = str(10_000 + int(pull))
                    yield from self._ended(revert, "merged", at)
                    yield from self._ended(pull, "reverted", at, revert)
                    if rng.random() < 0.3:
                        later = at + timedelta(days=rng.randint(1, 30))
                        yield from self._ended(str(20_000 + int(pull)), "merged", later)
                        yield from self._ended(revert, "reverted", later, str(20_000 + int(pull)))

    def _ended(self, pull: str, ending: Any, at: datetime, by: str = "") -> Iterator[_Event]:
        recorded_at = at + timedelta(hours=self._rng.choice([0, 0, 0, 30]))
        yield self._event(recorded_at, lambda ledger: record(ledger, pull, ending, at, by))

    def _exemption(self, name: str, at: datetime) -> Iterator[_Event]:
        scope, per = self._rng.choice([(ORG, "day"), (ORG, "month"), (ORG, "week"), (TEAM, "month"), (ORG, "quarter")])
        asked = Request(name, scope, per, self._rng.randint(1, 5) * DOLLAR, self._rng.randint(1, 30), "maya", "busy")
        yield self._event(at, lambda ledger: request_exemption(ledger, self.policy, asked))
        decide = self._rng.choice([approve, approve, approve, deny, None])
        if decide is not None:
            yield self._event(at + timedelta(hours=5), lambda ledger: decide(ledger, self.policy, name, "vp", _in_no_team))
            if self._rng.random() < 0.3:
                yield self._event(at + timedelta(days=6), lambda ledger: self._revoke(ledger, name))

    def _revoke(self, ledger: Ledger, name: str) -> None:
        with suppress(UsageError):  # denied, or over by then
            revoke(ledger, self.policy, name, "vp", _in_no_team)

    def _day(self, number: int) -> datetime:
        return datetime(2026, 1, 1, self._rng.randrange(24), tzinfo=UTC) + timedelta(days=number)


def _in_no_team(*_: str) -> bool:
    return False
