"""The check: is there budget for this workflow now? Reads counters, asks no model, takes nothing."""

from collections.abc import Callable, Sequence

from budget_gate.core.amounts import Amount
from budget_gate.core.charges import charges_for
from budget_gate.core.errors import LedgerReadOnly, LedgerUnavailable
from budget_gate.core.exemptions import Exemption
from budget_gate.core.headroom import shortfalls
from budget_gate.core.money import usd_short
from budget_gate.core.policy import Policy
from budget_gate.core.prices import PriceBook, worst_cost_nano_usd
from budget_gate.core.pull_requests import Verdict
from budget_gate.core.reservations import BudgetState, Refusal, Refused
from budget_gate.core.reviews import ReviewOutcome, without_review
from budget_gate.core.tasks import Task
from budget_gate.ledger.interface import Ledger


def check_budget(
    policy: Policy, prices: PriceBook, ledger: Ledger, task: Task, exemptions: Callable[[], Sequence[Exemption]] = tuple
) -> ReviewOutcome:
    """Return the verdict: ``pass``, or by ``on_exceed`` ``pass_with_note`` or ``block`` when a typical run does not fit.

    A typical run is the workflow's ``estimate``; without one, any room at all will do. ``exemptions`` is only asked when there is
    not enough room without them: they are notes of the ledger, and reading them costs more than a counter.

    Raises ``LedgerUnavailable`` when the ledger cannot be read.
    """
    tier = task.workflow.model
    charges = charges_for(policy, task.attribution, tier, task.workflow)
    budgets = ledger.read(charges, policy.timezone)
    need = _typical_need(policy, prices, ledger, task)
    short = shortfalls(budgets, need)
    if short and (in_force := exemptions()):
        budgets = ledger.read(charges_for(policy, task.attribution, tier, task.workflow, in_force), policy.timezone)
        short = shortfalls(budgets, need)
    if not short:
        return _outcome(policy, task, "pass", _room_text(task, need), budgets)
    verdict: Verdict = "block" if task.workflow.on_exceed == "block" else "pass_with_note"
    reason = f"no budget left for {task.workflow.name}: {refusal_text(short[0])}"
    return _outcome(policy, task, verdict, reason, budgets, Refused(short, budgets))


def outage_outcome(policy: Policy, task: Task, error: LedgerUnavailable) -> ReviewOutcome:
    """Return the verdict of a run whose ledger cannot be reached: what the policy's ``ledger: on_outage`` says."""
    if policy.on_outage == "allow":
        reason = "the ledger cannot be reached and the policy says `on_outage: allow`; nothing was counted"
        return _outcome(policy, task, "pass_with_note", reason, (), outage=error)
    reason = "the ledger cannot be reached and the policy says `on_outage: block`; re-run once it is back"
    return _outcome(policy, task, "block", reason, (), outage=error)


def read_only_outcome(policy: Policy, task: Task, error: LedgerReadOnly) -> ReviewOutcome:
    """Return the verdict of a run that may not write to its ledger, as a fork's may not: no money is spent, nobody is stranded."""
    return _outcome(policy, task, "pass_with_note", f"no AI review, because it could not be paid for: {error}", ())


def refusal_text(refusal: Refusal) -> str:
    """Return one refusal in words: which budget, what is left of what is needed."""

    def count(value: int) -> str:
        return usd_short(value) if refusal.unit == "usd" else f"{value:,} {refusal.unit}"

    return f"{refusal.scope.text} per {refusal.per} has {count(refusal.left)} left of the {count(refusal.needed)} needed"


def _typical_need(policy: Policy, prices: PriceBook, ledger: Ledger, task: Task) -> Amount:
    """Return what one typical run takes, or the least that can be asked for where the policy names no estimate."""
    estimate = task.workflow.estimate
    if estimate is None:
        return Amount(1, 1, 1)
    price = prices.price_of(policy.models[task.workflow.model], ledger.now())
    tokens_in, tokens_out = estimate.input_tokens * estimate.turns, estimate.output_tokens * estimate.turns
    return Amount(worst_cost_nano_usd(price, tokens_in, tokens_out), tokens_in + tokens_out, estimate.turns)


def _room_text(task: Task, need: Amount) -> str:
    if task.workflow.estimate is None:
        return f"there is budget for {task.workflow.name}"
    return f"there is budget for {task.workflow.name} (a typical run takes {usd_short(need.nano_usd)})"


def _outcome(
    policy: Policy,
    task: Task,
    verdict: Verdict,
    reason: str,
    budgets: tuple[BudgetState, ...],
    refused: Refused | None = None,
    *,
    outage: LedgerUnavailable | None = None,
) -> ReviewOutcome:
    tier = task.workflow.model
    outcome = without_review(
        verdict,
        reason,
        tier=tier,
        model=policy.models[tier],
        route_reason="the usual tier of this workflow",
        budgets=tuple(state for state in budgets if state.per != "lifetime"),
    )
    return outcome._replace(refused=refused, failure=str(outage or ""), is_outage=outage is not None)
