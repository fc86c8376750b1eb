"""One admitted attempt and how it ends: settled, voided or held, once; and the sum of a call's attempts."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from budget_gate.core.amounts import Amount
from budget_gate.core.errors import BudgetGateError, LedgerError, UnsupportedUsage
from budget_gate.core.job_record import UnsettledCost
from budget_gate.core.prices import PriceBook, call_cost_nano_usd
from budget_gate.core.reservations import Actual, Admitted, BudgetState, Crossing, ReserveRequest, Resolution, State
from budget_gate.core.usage import Usage
from budget_gate.gate.estimating import Quote, price_or_dearest
from budget_gate.gate.events import EventKind
from budget_gate.gate.interface import Accounting
from budget_gate.gate.till import Outage, Till

_FROM_GOOD_TO_BAD: tuple[Accounting, ...] = ("metered", "unsettled", "unmetered")

_REPORTED_AS: Mapping[State, EventKind] = {"posted": "settled", "voided": "voided", "held": "held"}


class Tally:
    """What the attempts of one call came to: posted and held dollars, the tiers crossed, the budgets as last seen.

    ``unsettled`` are known costs that the ledger could not be told; ``failure`` is what stopped the call, should anything have.
    """

    def __init__(self) -> None:
        self.cost_nano_usd = 0
        self.crossed: list[Crossing] = []
        self.budgets: tuple[BudgetState, ...] = ()
        self.accounting: Accounting = "metered"
        self.unsettled: list[UnsettledCost] = []
        self.failure: BudgetGateError | None = None

    def add(self, cost_nano_usd: int, accounting: Accounting = "metered") -> None:
        """Add an attempt: what it cost or may have cost, and how well the ledger knows it (the worst remains)."""
        self.cost_nano_usd += cost_nano_usd
        self.accounting = max(self.accounting, accounting, key=_FROM_GOOD_TO_BAD.index)


class Desk(NamedTuple):
    """What the attempts of one call share."""

    prices: PriceBook
    till: Till
    tally: Tally


class OpenAttempt:
    """Something admitted that is not over. ``admitted`` is None while the ledger is away and the policy allows that."""

    def __init__(self, desk: Desk, request: ReserveRequest, body: Mapping[str, Any], admitted: Admitted | None) -> None:
        self._desk = desk
        self._request = request
        self._body = body
        self._admitted = admitted
        self._is_over = False

    @property
    def body(self) -> Mapping[str, Any]:
        """The request to send, as admitted."""
        return self._body

    def void(self, reason: str) -> None:
        """Release the reservation: nothing was bought. Where the ledger gave none, there is nothing to release."""
        if self._admitted is None:
            self._is_over = True
        if self._is_over:
            return
        till, key = self._desk.till, self._request.key
        self._end(0, lambda reservation: till.void(key, reservation, reason))

    def hold(self, reason: str) -> None:
        """Keep the reserved amount counted: it may have been billed."""
        if self._is_over:
            return
        till, key = self._desk.till, self._request.key
        self._end(self._request.amount.nano_usd, lambda reservation: till.hold(key, reservation, reason))

    def _end(self, unmetered_nano_usd: int, resolve: Callable[[str], Resolution | Outage], actual: Actual | None = None) -> None:
        """Resolve the reservation and add the attempt to the tally; whatever happens, nothing resolves it a second time."""
        self._is_over = True
        till, tally, key = self._desk.till, self._desk.tally, self._request.key
        try:
            admitted = self._admitted or till.reserve_late(self._request)
            if isinstance(admitted, Outage):
                tally.add(unmetered_nano_usd, "unmetered")
                till.report("unmetered", key, "the ledger was still away when the call ended; it is counted nowhere")
                return
            resolution = resolve(admitted.reservation)
        except LedgerError as error:
            tally.failure = error
            raise
        if isinstance(resolution, Outage):
            tally.add(admitted.granted.nano_usd, "unsettled")
            tally.unsettled += [UnsettledCost(admitted.reservation, actual.amount)] if actual else []
            till.report("unsettled", key, "the outcome could not be recorded; the reservation will count as held")
            return
        counted = {"posted": resolution.cost.nano_usd, "held": admitted.granted.nano_usd}
        tally.add(counted.get(resolution.state, 0))
        tally.crossed.extend(resolution.crossed)
        tally.budgets = resolution.budgets
        till.report(_REPORTED_AS[resolution.state], key, overrun_text(resolution.overrun))


class CallAttempt(OpenAttempt):
    """Implements ``providers.interface.Attempt``: an attempt at a Messages request."""

    def __init__(
        self, desk: Desk, request: ReserveRequest, quote: Quote, body: Mapping[str, Any], admitted: Admitted | None
    ) -> None:
        super().__init__(desk, request, body, admitted)
        self._quote = quote

    def settle(self, usage: Usage, details: Mapping[str, str]) -> None:
        """Post what the answer used, at the price in force when it was reserved; hold it if such use has no known price."""
        if self._is_over:
            return
        actual = self._actual(usage, details)
        if isinstance(actual, str):
            self.hold(actual)
            return
        till, key = self._desk.till, self._request.key
        self._end(actual.amount.nano_usd, lambda reservation: till.settle(key, reservation, actual), actual)

    def _actual(self, usage: Usage, details: Mapping[str, str]) -> Actual | str:
        """Return what to post, or in words why it cannot be priced."""
        quote = self._quote
        try:
            price, is_priced = quote.price, quote.is_priced
            if self._admitted is not None:
                reserved_at = self._admitted.expires_at - timedelta(seconds=self._request.ttl_seconds)
                price, is_priced = price_or_dearest(self._desk.prices, quote.model, reserved_at, quote.variant)
            cost_nano_usd = call_cost_nano_usd(usage, price)
        except (UnsupportedUsage, ValueError) as error:
            return f"what it used cannot be priced: {error}"
        known = {"model": quote.model, "variant": quote.variant, "prompt_version": self._request.labels.get("prompt_version", "")}
        if not is_priced:
            known["unpriced"] = "counted at the dearest known price"
        kept = {name: value for name, value in {**details, **known}.items() if value}
        return Actual(Amount(cost_nano_usd, usage.total_tokens, 1), usage, kept)


def overrun_text(overrun: Amount) -> str:
    """Return in words by how much a call passed its reservation; empty text if it did not."""
    return f"{overrun.nano_usd} nano-dollars and {overrun.tokens} tokens past its reservation" if any(overrun) else ""
