"""The meter of one call: every attempt to send it is a reservation of its own, resolved once.

Providers drive it through ``providers.interface.Meter``; they know nothing of budgets, and this knows nothing of the wire. How an
admitted attempt ends is ``gate.attempts``.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from budget_gate.core.charges import Charge
from budget_gate.core.errors import BudgetGateError, ProviderError
from budget_gate.core.prices import PriceBook
from budget_gate.core.reservations import Refused, ReserveRequest
from budget_gate.core.tasks import Task
from budget_gate.gate.attempts import CallAttempt, Desk, Tally
from budget_gate.gate.estimating import Quote, quote_for
from budget_gate.gate.refusals import is_enforced, refusals_text, unpriced_refusal
from budget_gate.gate.till import Outage, Till
from budget_gate.providers.interface import Provider


class Call(NamedTuple):
    """What every attempt of one call shares. ``ends_at`` is its deadline on the monotonic clock."""

    key: str
    charges: tuple[Charge, ...]
    zone: str
    labels: Mapping[str, str]
    wait_seconds: float
    ends_at: float
    ttl_seconds: int

    @property
    def is_enforced(self) -> bool:
        """Whether any limit can refuse the call."""
        return is_enforced(self.charges)


def call_labels(task: Task, tier: str, model: str, provider: str) -> dict[str, str]:
    """Return what ledger entries say of a call: on whose account it was, and what was called."""
    called = {
        "tier": tier,
        "model": model,
        "provider": provider,
        "agent": task.workflow.agent,
        "prompt_version": task.prompt_version,
    }
    return task.attribution.labels() | {name: value for name, value in called.items() if value}


class CallMeter:
    """Admits the attempts of one call; ``tally`` adds up how they ended."""

    def __init__(self, call: Call, prices: PriceBook, provider: Provider, till: Till) -> None:
        self._call = call
        self._prices = prices
        self._provider = provider
        self._till = till
        self._attempts: list[CallAttempt] = []
        self.tally = Tally()
        self._begun = 0

    def begin(self, body: Mapping[str, Any]) -> CallAttempt | Refused:
        """Admit one attempt to send ``body``, shortening its answer to what the budgets have left, or say which refuse."""
        self._begun += 1
        key = f"{self._call.key}/{self._begun}"
        try:
            return self._admit(key, body)
        except BudgetGateError as error:
            self.tally.failure = error
            raise

    def close(self) -> None:
        """Hold whatever the provider left open: it may have been billed."""
        for attempt in self._attempts:
            attempt.hold("left open by the provider")

    def _admit(self, key: str, body: Mapping[str, Any]) -> CallAttempt | Refused:
        """Reserve the worst case. The prompt's upper bound is tried first; where it is too much, the provider's count."""
        monotonic = self._till.monotonic
        patient_until = min(monotonic() + self._call.wait_seconds, self._call.ends_at)
        quote = quote_for(self._prices, self._till.now(), body)
        if self._call.is_enforced and not quote.is_priced:
            return self._refuse_unpriced(key, quote)
        counted = self._counted(key, quote, body) if self._is_tight(quote) else None
        request = self._request(key, counted or quote)
        decision = self._till.reserve(request, patient_until - monotonic())
        if isinstance(decision, Refused) and counted is None and _is_about_size(decision):
            # Somebody took the room between looking and asking, or it came close: an affordable call deserves the exact count.
            counted = self._counted(key, quote, body)
            if counted is not None:
                request = self._request(f"{key}/counted", counted)
                decision = self._till.reserve(request, patient_until - monotonic())
        if isinstance(decision, Refused):
            return self._refused(request.key, decision)
        quote = counted or quote
        admitted = None if isinstance(decision, Outage) else decision
        if admitted is None:
            self._till.report("unmetered", request.key, "sent without a reservation, as the policy's on_outage allows")
        else:
            self._till.report("admitted", request.key)
            body = {**body, "max_tokens": quote.longest_answer(admitted.granted)}
        attempt = CallAttempt(Desk(self._prices, self._till, self.tally), request, quote, body, admitted)
        self._attempts.append(attempt)
        return attempt

    def _request(self, key: str, quote: Quote) -> ReserveRequest:
        call = self._call
        return ReserveRequest(
            key, quote.amount, call.charges, call.zone, call.labels, quote.minimum, ttl_seconds=call.ttl_seconds
        )

    def _is_tight(self, quote: Quote) -> bool:
        """Return whether the bound would have to wait, be clamped or be refused, so that an exact count may save the day.

        Only a look: the reservation stays the one authority.
        """
        if not self._call.is_enforced:
            return False
        budgets = self._till.read(self._call.charges)
        if isinstance(budgets, Outage):
            return False
        short = {state.unit for state in budgets if state.left is not None and quote.amount.of(state.unit) > state.left}
        return bool(short) and "requests" not in short

    def _counted(self, key: str, quote: Quote, body: Mapping[str, Any]) -> Quote | None:
        """Return the quote with the provider's own count, or None when it cannot say or the bound was as good."""
        if not quote.can_be_counted:
            return None
        try:
            count = self._provider.count_tokens(body)
        except ProviderError as error:
            self._till.report("counted", key, f"the provider could not count: {error}")
            return None
        self._till.report("counted", key, f"{count} input tokens, at most {quote.input_tokens} by bound")
        return None if count is None else quote.counted(count)

    def _refused(self, key: str, refused: Refused) -> Refused:
        self.tally.budgets = refused.budgets
        self._till.report("refused", key, refusals_text(refused))
        return refused

    def _refuse_unpriced(self, key: str, quote: Quote) -> Refused:
        """Refuse by law 13, and leave a note of it in the ledger."""
        call = self._call
        refused = unpriced_refusal(self._till, call.charges, call.zone, quote.amount)
        self._till.note_unpriced(key, dict(call.labels), f"model {quote.model!r} has no price")
        return self._refused(key, refused)


def _is_about_size(refused: Refused) -> bool:
    """Return whether a smaller request might have passed: no count of tokens helps against a limit of requests."""
    return all(refusal.unit != "requests" for refusal in refused.refused_by)
