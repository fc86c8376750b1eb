"""The primitive operations priced: what ``ledger reserve`` and ``ledger settle`` do for callers that bring token counts.

The gate meters whole Messages requests; scripts and other languages count for themselves, and meet the same budgets here.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from budget_gate.core.amounts import Amount
from budget_gate.core.charges import Charge, charges_for
from budget_gate.core.errors import UnknownModel
from budget_gate.core.exemptions import Exemption
from budget_gate.core.policy import Policy
from budget_gate.core.prices import DatedPrice, PriceBook, call_cost_nano_usd, worst_cost_nano_usd
from budget_gate.core.reservations import Admitted, BudgetState, Refusal, Refused, Reservation, ReserveRequest
from budget_gate.core.tasks import Task
from budget_gate.core.usage import Usage
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.waiting import reserve_waiting


class PrimitiveCall(NamedTuple):
    """A call that somebody else will make. ``model`` is a tier of the policy or a model id.

    With ``min_output_tokens`` the caller accepts a shorter answer, down to that many tokens. ``cached`` says that the prompt may be
    written to a cache, which is dearer. ``nano_usd`` replaces the worst case by price.
    """

    key: str
    task: Task
    model: str
    input_tokens: int
    max_output_tokens: int
    min_output_tokens: int | None = None
    cached: bool = False
    nano_usd: int | None = None
    ttl_seconds: int = 900


class Reserved(NamedTuple):
    """The ledger's answer, and how long the model's answer may be (None when refused)."""

    decision: Admitted | Refused
    max_output_tokens: int | None


def tier_and_model(policy: Policy, model: str) -> tuple[str, str]:
    """Return the tier and the model id that ``model`` means; a model outside the policy belongs to no tier."""
    if model in policy.models:
        return model, policy.models[model]
    tier = next((tier for tier, known in policy.models.items() if known == model), "")
    return tier, model


def reserve_call(
    policy: Policy,
    prices: PriceBook,
    ledger: Ledger,
    call: PrimitiveCall,
    wait_seconds: float,
    *,
    sleep: Callable[[float], None],
    monotonic: Callable[[], float],
    exemptions: Sequence[Exemption] = (),
) -> Reserved:
    """Reserve the worst case of a call, waiting up to ``wait_seconds`` while only pending amounts are in the way."""
    tier, model = tier_and_model(policy, call.model)
    charges = charges_for(policy, call.task.attribution, tier, call.task.workflow, exemptions)
    price = None
    if call.nano_usd is None:
        try:
            price = prices.price_of(model, ledger.now())
        except UnknownModel:
            if any(line.admission_line is not None for charge in charges for line in charge.limits):
                return Reserved(_unpriced(ledger.read(charges, policy.timezone)), None)
            price = prices.dearest_at(ledger.now())
    request = _request(policy, call, charges, price, {"tier": tier, "model": model})
    decision = reserve_waiting(ledger, request, wait_seconds, sleep=sleep, monotonic=monotonic)
    if isinstance(decision, Refused):
        return Reserved(decision, None)
    return Reserved(decision, _affordable_output_tokens(call, price, decision.granted))


def _request(
    policy: Policy, call: PrimitiveCall, charges: tuple[Charge, ...], price: DatedPrice | None, labels: dict[str, str]
) -> ReserveRequest:
    least = None if call.min_output_tokens is None else _amount(call, price, min(call.min_output_tokens, call.max_output_tokens))
    return ReserveRequest(
        key=call.key,
        amount=_amount(call, price, call.max_output_tokens),
        charges=charges,
        zone=policy.timezone,
        labels={**call.task.attribution.labels(), **{name: value for name, value in labels.items() if value}},
        minimum=least,
        ttl_seconds=call.ttl_seconds,
    )


def _amount(call: PrimitiveCall, price: DatedPrice | None, output_tokens: int) -> Amount:
    """Return the worst case with an answer of this length."""
    cost = call.nano_usd
    if cost is None:
        assert price is not None
        cost = worst_cost_nano_usd(price, call.input_tokens, output_tokens, cached=call.cached)
    return Amount(cost, call.input_tokens + output_tokens, 1)


def _affordable_output_tokens(call: PrimitiveCall, price: DatedPrice | None, granted: Amount) -> int:
    """Return the longest answer whose worst case stays within the grant."""
    low, high = 0, min(call.max_output_tokens, granted.tokens - call.input_tokens)
    while low < high:
        middle = (low + high + 1) // 2
        if _amount(call, price, middle).nano_usd <= granted.nano_usd:
            low = middle
        else:
            high = middle - 1
    return low


def _unpriced(budgets: tuple[BudgetState, ...]) -> Refused:
    """Return law 13's refusal, naming every enforced limit that an unpriced call would have met."""
    refusals = tuple(
        Refusal(state.scope, state.per, state.unit, "unpriced", 0, state.left or 0, state.resets_at, state.owner)
        for state in budgets
        if state.admission_line is not None
    )
    return Refused(refusals, budgets)


def usage_cost_nano_usd(prices: PriceBook, reservation: Reservation, usage: Usage) -> int:
    """Return what a reserved call cost at the price in force when it was reserved.

    A model without a price is counted at the dearest known one, as it was when it was admitted.
    """
    try:
        price = prices.price_of(reservation.labels.get("model", ""), reservation.created_at)
    except UnknownModel:
        price = prices.dearest_at(reservation.created_at)
    return call_cost_nano_usd(usage, price)
