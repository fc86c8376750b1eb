"""A runaway simulator: five weeks of an organization's ordinary work in a ledger of memory, and then loops that nobody wanted.

Nothing here knows how anomalies are found. Times are UTC; every call costs whole cents.
"""

import random
from datetime import UTC, datetime, timedelta

from fakes.history import SimulatedClock, spend

from budget_gate.ledger.memory import MemoryLedger

CENT = 10**7
MONDAY = datetime(2026, 9, 7, tzinfo=UTC)
ORDINARY_DAYS = 36
"""Five weeks and a Monday; the loops run on the Tuesday."""

LOOP_DAY = MONDAY + timedelta(days=ORDINARY_DAYS)
TEAMS = {"payments": ("alice", "bob", "release-bot"), "search": ("carol", "dan"), "mobile": ("eve", "frank")}
WORKFLOWS = ("ci_cd_review", "qa_test_gen", "dev_assistant")


class Runaway:
    """One organization; ``advance`` lives on to an instant, with ordinary work and with the loops that were started."""

    def __init__(self, seed: int) -> None:
        self.clock = SimulatedClock(MONDAY)
        self.ledger = MemoryLedger(clock=self.clock)
        self._rng = random.Random(seed)
        self._loops: list[tuple[datetime, datetime, int, dict[str, str]]] = []
        self._lived_to = MONDAY
        self._number = 0

    def loop(self, begins_at: datetime, ends_at: datetime, cents: int, **who: str) -> None:
        """From one instant to another, spend ``cents`` every ten minutes on somebody's account."""
        self._loops.append((begins_at, ends_at, cents, who))

    def advance(self, until: datetime) -> None:
        """Live on to ``until`` in steps of ten minutes."""
        while self._lived_to < until:
            self.clock.now = self._lived_to
            self._ordinary()
            for begins_at, ends_at, cents, who in self._loops:
                if begins_at <= self._lived_to < ends_at:
                    self._spend(cents, **who)
            self._lived_to += timedelta(minutes=10)
        self.clock.now = until

    def _ordinary(self) -> None:
        is_weekend, is_day = self._lived_to.weekday() > 4, 8 <= self._lived_to.hour < 18
        for team, users in TEAMS.items():
            if is_day and self._rng.random() < (0.04 if is_weekend else 0.3):
                self._spend(
                    self._rng.randint(5, 30),
                    team=team,
                    user=self._rng.choice(users),
                    workflow=self._rng.choice(WORKFLOWS),
                    pr=str(self._rng.randint(1, 40)),
                )

    def _spend(self, cents: int, **who: str) -> None:
        self._number += 1
        spend(self.ledger, f"call{self._number}", cents * CENT, **who)
