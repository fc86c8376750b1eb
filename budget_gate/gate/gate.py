"""The gate: every call of every agent passes here. It routes, estimates, and sends calls through the budgets.

The parts: ``estimating`` (worst cases), ``metering`` (admitting attempts), ``attempts`` (how they end), ``till`` (the ledger and
its outages). Who is alerted is the outbox's business, what an agent says is the agent's.
"""

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from budget_gate.core.charges import Charge, charges_for
from budget_gate.core.exemptions import Exemption
from budget_gate.core.policy import Policy
from budget_gate.core.prices import PriceBook
from budget_gate.core.reservations import BudgetState, Refused
from budget_gate.core.routing import Facts, Route, candidate_tiers, choose_route, fallback_route
from budget_gate.core.tasks import Task
from budget_gate.gate.alternatives import Alternative, alternatives_for, extremes
from budget_gate.gate.attempts import Tally
from budget_gate.gate.estimating import quote_for
from budget_gate.gate.events import Listener, ignore
from budget_gate.gate.interface import Accounting, Estimate, Served
from budget_gate.gate.metering import Call, CallMeter, call_labels
from budget_gate.gate.till import Outage, Till, utc_now
from budget_gate.ledger.interface import Ledger
from budget_gate.providers.interface import Answer, Failed, OnText, Provider

WAIT_SECONDS = 60.0
"""How long a call waits, by default, for the reservations of others to settle."""

DEADLINE_SECONDS = 300.0
"""How long a call may take in all, by default, waiting and retries included."""

TTL_MARGIN_SECONDS = 120
"""How much longer than a call's deadline its reservations live: time to record the outcome before it becomes a hold."""

REASON_CHARACTERS_MOST = 160
"""How much of a route's reason a ledger entry keeps."""

_ACCOUNTING_TEXTS: Mapping[Accounting, str] = {
    "metered": "",
    "unsettled": "; the ledger could not record how it ended, so it counts as reserved",
    "unmetered": "; the ledger could not be reached, so it is not counted",
}


class Gate:
    """Implements ``GateService`` over one policy, price book, ledger and provider.

    ``key_prefix`` must be new for every run of the program: operation keys are made of it, the number of the call and the number
    of the attempt, so that repeating an operation is recognized. May be used by several threads if the ledger may.
    """

    def __init__(  # noqa: PLR0913 (the composition root names each once; a bundle would only move the list)
        self,
        policy: Policy,
        prices: PriceBook,
        ledger: Ledger,
        provider: Provider,
        *,
        key_prefix: str,
        wait_seconds: float = WAIT_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        on_event: Listener = ignore,
        clock: Callable[[], datetime] = utc_now,
        exemptions: Callable[[], Sequence[Exemption]] = tuple,
    ) -> None:
        self._policy = policy
        self._prices = prices
        self._provider = provider
        self._key_prefix = key_prefix
        self._wait_seconds = wait_seconds
        self._deadline_seconds = deadline_seconds
        self._exemptions = exemptions
        self._call_numbers = itertools.count(1)
        self._till = Till(ledger, policy.timezone, policy.on_outage, on_event, sleep=sleep, monotonic=monotonic, clock=clock)

    @property
    def provider_name(self) -> str:
        """What people read: ``anthropic`` or ``scripted``."""
        return self._provider.name

    def route(self, task: Task, facts: Facts) -> Route:
        """Choose the model tier for a task, reading the budgets of every tier it may get once.

        Raises ``LedgerUnavailable`` when the policy says that an outage blocks; else such a route's reason says so.
        """
        tiers = candidate_tiers(task.workflow)
        charges = dict.fromkeys(charge for tier in tiers for charge in self._charges(task, tier))
        budgets = self._till.read(tuple(charges))
        if isinstance(budgets, Outage):
            route = choose_route(self._policy, task.workflow, facts, ())
            route = route._replace(reason=f"{route.reason}; the ledger could not be reached, so no budget was looked at")
        else:
            route = choose_route(self._policy, task.workflow, facts, budgets)
        self._till.report("routed", text=f"{route.tier}: {route.reason}")
        return route

    def estimate(self, route: Route, body: Mapping[str, Any]) -> Estimate:
        """Return the worst case of a Messages request on a route, at the price of the ledger's day."""
        quote = quote_for(self._prices, self._till.now(), _routed(body, route))
        return Estimate(quote.input_tokens, quote.max_output_tokens, quote.amount.nano_usd)

    def alternatives(self, route: Route, body: Mapping[str, Any]) -> tuple[Alternative, ...]:
        """Return the worst case of a request on every tier of the policy, with the route's longest answer, cheapest first."""
        return alternatives_for(self._policy, self._prices, self._till.now(), body, route.max_output_tokens)

    def fallback(self, task: Task, route: Route) -> Route | None:
        """Return another tier for a task whose route is overloaded, or None."""
        return fallback_route(self._policy, task.workflow, route)

    def budgets(self, task: Task, tier: str) -> tuple[BudgetState, ...]:
        """Return how every limit of a task stands now; nothing when the ledger is down and the policy lets work go on."""
        budgets = self._till.read(self._charges(task, tier))
        return () if isinstance(budgets, Outage) else budgets

    def call(
        self, task: Task, route: Route, body: Mapping[str, Any], *, on_text: OnText | None = None
    ) -> Served | Refused | Failed:
        """Send a Messages request through the budgets: each attempt is reserved, sent, and settled, voided or held."""
        meter = self.meter(task, route.tier, route.model, self._choice(route, body))
        try:
            seconds = self._deadline_seconds
            result = self._provider.send(_routed(body, route), meter, deadline_seconds=seconds, on_text=on_text)
        finally:
            meter.close()
        return _concluded(result, meter.tally)

    def meter(self, task: Task, tier: str, model: str, choice: Mapping[str, str] | None = None) -> CallMeter:
        """Return the meter of one call that somebody else sends, attempt by attempt; ``close`` it when no more will follow.

        ``choice`` is what the ledger's entries say of why this model was chosen, where it was.
        """
        return CallMeter(self._new_call(task, tier, model, choice or {}), self._prices, self._provider, self._till)

    def _charges(self, task: Task, tier: str) -> tuple[Charge, ...]:
        return charges_for(self._policy, task.attribution, tier, task.workflow, self._exemptions())

    def _new_call(self, task: Task, tier: str, model: str, choice: Mapping[str, str]) -> Call:
        return Call(
            key=f"{self._key_prefix}/{next(self._call_numbers)}",
            charges=self._charges(task, tier),
            zone=self._policy.timezone,
            labels={**call_labels(task, tier, model, self._provider.name), **choice},
            wait_seconds=self._wait_seconds,
            ends_at=self._till.monotonic() + self._deadline_seconds,
            ttl_seconds=math.ceil(self._deadline_seconds) + TTL_MARGIN_SECONDS,
        )

    def _choice(self, route: Route, body: Mapping[str, Any]) -> dict[str, str]:
        """Return what ledger entries say of a choice: its reason, and what the cheapest and the dearest model would have cost."""
        reason = {"route_reason": route.reason[:REASON_CHARACTERS_MOST]} if route.reason else {}
        return reason | extremes(self.alternatives(route, body))


def _routed(body: Mapping[str, Any], route: Route) -> dict[str, Any]:
    """Return the complete request: an agent leaves the model and the length of the answer to the route."""
    return {**body, "model": route.model, "max_tokens": route.max_output_tokens}


def _concluded(result: Answer | Refused | Failed, tally: Tally) -> Served | Refused | Failed:
    """Return what the agent gets. A failure of the ledger stops a call, but never takes away an answer."""
    if isinstance(result, Answer):
        return Served(
            message=result.message,
            usage=result.usage,
            cost_nano_usd=tally.cost_nano_usd,
            attempts=result.attempts,
            crossed=tuple(tally.crossed),
            budgets=tally.budgets,
            accounting=tally.accounting,
            unsettled=tuple(tally.unsettled),
        )
    if tally.failure is not None:
        raise tally.failure
    if isinstance(result, Failed):
        return result._replace(text=result.text + _ACCOUNTING_TEXTS[tally.accounting], cost_nano_usd=tally.cost_nano_usd)
    return result._replace(cost_nano_usd=tally.cost_nano_usd)
