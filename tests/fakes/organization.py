"""A simulated organization: teams, weekdays, growth, adoption, incidents, pull requests, crashes. Everything follows from a seed.

``calls`` yields one call after the other in time; ``write`` sends them through a real ledger; ``daily_nano_usd`` adds them up
independently of anything in the package.
"""

import math
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from budget_gate.config.price_file import load_prices
from budget_gate.core.amounts import Amount
from budget_gate.core.attribution import Attribution
from budget_gate.core.charges import REPORT_PERIODS, Charge
from budget_gate.core.prices import call_cost_nano_usd
from budget_gate.core.reservations import Actual, Admitted, ReserveRequest
from budget_gate.core.usage import Usage
from budget_gate.ledger.interface import Ledger

FIRST_DAY = date(2026, 1, 1)
MODELS = {"small": "claude-haiku-4-5", "medium": "claude-sonnet-4-6"}
WORKFLOWS = ("ci_cd_review", "qa_test_gen", "dev_assistant")


class SimulatedCall(NamedTuple):
    """One call: when, for whom, what it used and how it ended (``posted``, ``held`` by a crash, ``voided``)."""

    at: datetime
    team: str
    workflow: str
    user: str
    pr: str
    tier: str
    usage: Usage
    nano_usd: int
    end: str


class Team(NamedTuple):
    """How one team works."""

    name: str
    calls_per_day: float
    weekend: float
    growth_per_month: float
    adopted_on: int
    incident_chance: float


def make_teams(rng: random.Random, count: int) -> list[Team]:
    """Return teams of different sizes, growth and habits."""
    return [
        Team(
            name=f"team{number}",
            calls_per_day=rng.uniform(6, 40),
            weekend=rng.choice((0.03, 0.1, 0.35)),
            growth_per_month=rng.choice((-0.05, 0.0, 0.05, 0.12, 0.25)),
            adopted_on=rng.choice((-400, -400, 20)),
            incident_chance=rng.choice((0.0, 0.01, 0.03)),
        )
        for number in range(count)
    ]


class Clock:
    """A clock that the simulator sets."""

    now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


class Organization:
    """One organization's life from ``FIRST_DAY`` on."""

    def __init__(self, seed: int, *, days: int, teams: int = 3) -> None:
        self.days = days
        self._rng = random.Random(seed)
        self.teams = make_teams(self._rng, teams)
        self._prices = load_prices()

    def expected_calls(self, team: Team, number: int) -> float:
        """Return the mean number of calls of a team on day ``number``."""
        weekday = (FIRST_DAY + timedelta(days=number)).weekday()
        season = team.weekend if weekday >= 5 else (1.05, 1.15, 1.1, 1.0, 0.8)[weekday]
        ramp = 1 / (1 + math.exp(-(number - team.adopted_on) / 7))
        return team.calls_per_day * season * ramp * (1 + team.growth_per_month) ** (number / 30.4)

    def counts(self) -> Iterator[tuple[int, Team, int, bool]]:
        """Yield for each day and team how many calls it makes, and whether it is a day of an incident."""
        mood = {team.name: 0.0 for team in self.teams}
        for number in range(self.days):
            for team in self.teams:
                # How busy a team is wanders slowly, as projects come and go.
                mood[team.name] = 0.9 * mood[team.name] + self._rng.gauss(0, 0.08)
                incident = self._rng.random() < team.incident_chance
                mean = self.expected_calls(team, number) * math.exp(mood[team.name]) * (4.0 if incident else 1.0)
                yield number, team, max(round(self._rng.gauss(mean, math.sqrt(mean * 1.5))), 0), incident

    def daily_nano_usd(self) -> dict[str, list[int]]:
        """Return each team's dollars per day without making every single call: costs are drawn as those of calls are."""
        days: dict[str, list[int]] = {team.name: [] for team in self.teams}
        for _, team, count, _ in self.counts():
            days[team.name].append(sum(int(self._rng.lognormvariate(17.5, 0.7)) for _ in range(count)))
        return days

    def calls(self) -> Iterator[SimulatedCall]:
        """Yield every call in the order of time."""
        for number, day_counts in self._by_day():
            made = [self._call(number, team, incident=incident) for team, count, incident in day_counts for _ in range(count)]
            yield from sorted(made, key=lambda call: call.at)

    def _by_day(self) -> Iterator[tuple[int, list[tuple[Team, int, bool]]]]:
        today: list[tuple[Team, int, bool]] = []
        for number, team, count, incident in self.counts():
            today.append((team, count, incident))
            if len(today) == len(self.teams):
                yield number, today
                today = []

    def _call(self, number: int, team: Team, *, incident: bool) -> SimulatedCall:
        rng = self._rng
        midnight = datetime.combine(FIRST_DAY + timedelta(days=number), datetime.min.time(), UTC)
        at = midnight + timedelta(seconds=min(max(rng.gauss(13, 3), 0), 23.9) * 3600)
        workflow = "ci_cd_review" if incident else rng.choice(WORKFLOWS)
        tier = "medium" if rng.random() < 0.25 else "small"
        usage = Usage(
            input_tokens=int(rng.lognormvariate(8, 0.7)),
            output_tokens=int(rng.lognormvariate(6, 0.7)),
            cache_read_tokens=rng.choice((0, 0, 2000)),
            cache_write_5m_tokens=rng.choice((0, 0, 777)),
        )
        price = self._prices.price_of(MODELS[tier], at)
        pr = "" if workflow == "dev_assistant" else str(number // 7 * 10 + rng.randrange(8))
        chance = rng.random()
        end = "held" if chance < 0.01 else "voided" if chance < 0.03 else "posted"
        user = f"{team.name}-user{rng.randrange(4)}"
        return SimulatedCall(at, team.name, workflow, user, pr, tier, usage, call_cost_nano_usd(usage, price), end)

    def write(self, ledger: Ledger, clock: Clock, zone: str = "UTC") -> None:
        """Make every call through the ledger: reserve twice its cost, then end as it does."""
        for number, call in enumerate(self.calls()):
            clock.now = call.at
            self.make_call(ledger, number, call, zone)

    def make_call(self, ledger: Ledger, number: int, call: SimulatedCall, zone: str, more: tuple[Charge, ...] = ()) -> None:
        """Make one call through the ledger, under a key of its number; ``more`` are counters besides those of every call."""
        key = f"call{number}"
        attribution = Attribution(call.workflow, team=call.team, user=call.user, pr=call.pr, project="acme/shop")
        charges = tuple(Charge(scope, per) for scope in attribution.budget_scopes(call.tier) for per in REPORT_PERIODS)
        labels = {**attribution.labels(), "tier": call.tier, "model": MODELS[call.tier], "provider": "scripted"}
        asked = Amount(call.nano_usd * 2, call.usage.total_tokens * 2, 1)
        decision = ledger.reserve(ReserveRequest(key, asked, (*charges, *more), zone, labels))
        assert isinstance(decision, Admitted)
        if call.end == "posted":
            actual = Actual(Amount(call.nano_usd, call.usage.total_tokens, 1), call.usage, {"model": MODELS[call.tier]})
            ledger.settle(key, decision.reservation, actual)
        elif call.end == "voided":
            ledger.void(key, decision.reservation, "not sent")
        else:
            ledger.hold(key, decision.reservation, "the job was killed")
