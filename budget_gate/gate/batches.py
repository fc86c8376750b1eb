"""Message batches through the budgets: one reservation for all requests of a batch, kept until its results have been read.

A create is admitted like a call, only without a shorter answer to fall back on. What its answer means is ``providers``' affair; what
becomes of its reservation afterwards is ``batch_results``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from budget_gate.core.amounts import ZERO, Amount
from budget_gate.core.batches import HOURS_MOST, BatchItem, IdSum, batch_items
from budget_gate.core.charges import Charge, charges_for
from budget_gate.core.errors import UnsupportedUsage, UsageError
from budget_gate.core.exemptions import Exemption
from budget_gate.core.policy import Policy
from budget_gate.core.prices import DatedPrice, PriceBook
from budget_gate.core.reservations import Refused, ReserveRequest
from budget_gate.core.tasks import Task
from budget_gate.gate.attempts import Desk, OpenAttempt, Tally
from budget_gate.gate.batch_notes import HOUR_LABEL, IDS_LABEL, notes_of
from budget_gate.gate.batch_results import BatchReading
from budget_gate.gate.client_calls import CallReport
from budget_gate.gate.estimating import price_or_dearest, quote_at
from budget_gate.gate.metering import call_labels
from budget_gate.gate.primitives import tier_and_model
from budget_gate.gate.refusals import is_enforced, refusals_text, unpriced_refusal
from budget_gate.gate.till import Outage, Till

TTL_SECONDS = (HOURS_MOST + 2) * 3600
"""How long a batch's reservation stays pending: as long as the API works on it, and two hours to read the results. Then it is a
hold, which counts as much and can still be settled."""


class BatchQuote(NamedTuple):
    """The worst case of a whole batch, and what its reservation has to remember."""

    amount: Amount
    is_priced: bool
    labels: Mapping[str, str]


class BatchBooks:
    """Admits the batches of one task, and settles any batch that the ledger knows.

    ``ledger`` behind the till is the one where limits are taken: a lease would end with the job, a batch does not.
    """

    def __init__(
        self,
        policy: Policy,
        prices: PriceBook,
        till: Till,
        *,
        key_prefix: str,
        wait_seconds: float,
        exemptions: Callable[[], Sequence[Exemption]] = tuple,
    ) -> None:
        self._policy = policy
        self._prices = prices
        self._till = till
        self._key_prefix = key_prefix
        self._wait_seconds = wait_seconds
        self._exemptions = exemptions
        self._created = 0

    def meter(self, task: Task, provider: str) -> "BatchMeter":
        """Return the meter of one create call; ``provider`` is for the ledger's entries."""
        self._created += 1
        return BatchMeter(self, task, provider, f"{self._key_prefix}/batch{self._created}")

    def reading(self, batch: str) -> BatchReading:
        """Return what settles a batch while its results are read."""
        return BatchReading(self._prices, self._till, batch)

    def admit(self, key: str, task: Task, provider: str, body: Mapping[str, Any], tally: Tally) -> "BatchAttempt | Refused":
        """Reserve the worst case of every request together, or say which limits refuse. Nothing is shortened to fit.

        Raises ``UsageError`` for what is no batch or names several models, ``UnsupportedUsage`` for what has no price.
        """
        items, tier, model = self._addressed(body)
        price, is_priced = price_or_dearest(self._prices, model, self._till.now(), "batch")
        quote = _quote(items, price, is_priced=is_priced)
        charges = self._charges(task, tier)
        labels = {**call_labels(task, tier, model, provider), **quote.labels}
        if not is_priced and is_enforced(charges):
            refused = unpriced_refusal(self._till, charges, self._policy.timezone, quote.amount)
            self._till.note_unpriced(key, labels, f"model {model!r} has no price")
            return self._refused(key, refused)
        request = ReserveRequest(key, quote.amount, charges, self._policy.timezone, labels, ttl_seconds=TTL_SECONDS)
        decision = self._till.reserve(request, self._wait_seconds)
        if isinstance(decision, Refused):
            return self._refused(key, decision)
        admitted = None if isinstance(decision, Outage) else decision
        self._till.report("unmetered" if admitted is None else "admitted", key)
        sent = {"requests": [{"custom_id": item.custom_id, "params": item.params} for item in items]}
        return BatchAttempt(Desk(self._prices, self._till, tally), request, sent, admitted)

    def _addressed(self, body: Mapping[str, Any]) -> tuple[list[BatchItem], str, str]:
        """Return the requests with the model's id in place of a tier's name, and the tier and the model of all of them."""
        items = batch_items(body)
        named = {tier_and_model(self._policy, str(item.params.get("model") or "")) for item in items}
        if len(named) > 1:
            models = ", ".join(sorted(model for _, model in named))
            raise UsageError(f"the batch names several models ({models}); send one batch per model: each counts where it belongs")
        ((tier, model),) = named
        return [item._replace(params={**item.params, "model": model}) for item in items], tier, model

    def _charges(self, task: Task, tier: str) -> tuple[Charge, ...]:
        return charges_for(self._policy, task.attribution, tier, task.workflow, self._exemptions())

    def _refused(self, key: str, refused: Refused) -> Refused:
        self._till.report("refused", key, refusals_text(refused))
        return refused


class BatchMeter:
    """Implements ``providers.interface.BatchMeter`` for one create call, the SDK's retries included."""

    def __init__(self, books: BatchBooks, task: Task, provider: str, key: str) -> None:
        self._books = books
        self._task = task
        self._provider = provider
        self._key = key
        self._tally = Tally()
        self._begun = 0
        self._attempts: list[BatchAttempt] = []
        self._refused: Refused | None = None

    def begin(self, body: Mapping[str, Any]) -> "BatchAttempt | Refused":
        """Admit one attempt to create the batch, or say which limits refuse."""
        self._begun += 1
        decision = self._books.admit(f"{self._key}/{self._begun}", self._task, self._provider, body, self._tally)
        if isinstance(decision, Refused):
            self._refused = decision
        else:
            self._attempts.append(decision)
        return decision

    def report(self) -> CallReport | None:
        """Return what the create has come to, or None if it has not asked for anything yet."""
        if not self._begun:
            return None
        return CallReport(
            model=self._attempts[-1].model if self._attempts else "",
            cost_nano_usd=self._tally.cost_nano_usd,
            attempts=len(self._attempts),
            crossed=tuple(self._tally.crossed),
            budgets=self._refused.budgets if self._refused else self._tally.budgets,
            accounting=self._tally.accounting,
            refused=self._refused,
            reserved_nano_usd=sum(attempt.kept_nano_usd for attempt in self._attempts),
        )


class BatchAttempt(OpenAttempt):
    """Implements ``providers.interface.BatchAttempt``. ``kept_nano_usd`` is what stays reserved until the results are read."""

    kept_nano_usd = 0

    @property
    def model(self) -> str:
        """The model of every request."""
        return self._request.labels["model"]

    def accept(self, batch: str) -> None:
        """The API has taken the batch under this id: its reservation stays, and the ledger remembers whose it is."""
        if self._is_over:
            return
        self._is_over = True
        till, tally, key = self._desk.till, self._desk.tally, self._request.key
        admitted = self._admitted or till.reserve_late(self._request)
        if isinstance(admitted, Outage):
            tally.add(self._request.amount.nano_usd, "unmetered")
            till.report("unmetered", key, f"the ledger was still away when batch {batch} was created; it is counted nowhere")
            return
        self.kept_nano_usd = admitted.granted.nano_usd
        tally.budgets = admitted.budgets
        noted = till.remember(notes_of(batch, admitted.reservation, self._request.labels))
        if isinstance(noted, Outage):
            tally.add(0, "unsettled")
            till.report("unsettled", key, f"the ledger could not be told that {batch} is the batch of {admitted.reservation}")
            return
        till.report("accepted", key, batch)


def _quote(items: Sequence[BatchItem], price: DatedPrice, *, is_priced: bool) -> BatchQuote:
    total, ids, has_hour_cache = ZERO, IdSum(), False
    for number, item in enumerate(items):
        try:
            quote = quote_at(price, is_priced, "batch", item.params)
            total = total.plus(quote.amount)
        except UnsupportedUsage as error:
            raise UnsupportedUsage(f"requests.{number}: {error}") from None
        except UsageError as error:
            raise UsageError(f"requests.{number}: {error}") from None
        ids.add(item.custom_id)
        has_hour_cache = has_hour_cache or quote.has_hour_cache
    return BatchQuote(total, is_priced, {IDS_LABEL: ids.text} | ({HOUR_LABEL: "yes"} if has_hour_cache else {}))
