"""Settling a message batch while its results are read: each succeeded request at its own cost, all of them as one posting.

Nothing is settled by half: only a file that came whole, every request of the batch once and no other, says what the batch cost.
"""

from budget_gate.core.amounts import ZERO, Amount
from budget_gate.core.batches import BatchResult, IdSum, ResultLines
from budget_gate.core.errors import ProviderError, UnsupportedUsage
from budget_gate.core.messages_api import RequestFacts, read_usage
from budget_gate.core.prices import PriceBook, call_cost_nano_usd
from budget_gate.core.reservations import Actual, Reservation
from budget_gate.core.usage import Usage
from budget_gate.gate.attempts import Tally, overrun_text
from budget_gate.gate.batch_notes import HOUR_LABEL, IDS_LABEL, reservation_of
from budget_gate.gate.client_calls import CallReport
from budget_gate.gate.estimating import price_or_dearest
from budget_gate.gate.till import Outage, Till


class BatchReading:
    """Implements ``providers.interface.BatchReading``: fed the bytes of a results file as they pass, in constant memory.

    Results of a batch that the ledger does not know, or has settled before, are only passed on.
    """

    def __init__(self, prices: PriceBook, till: Till, batch: str) -> None:
        self._prices = prices
        self._till = till
        self._batch = batch
        self._lines = ResultLines()
        self._reservation: Reservation | None = None
        self._sum: _ResultSum | None = None
        self._tally = Tally()

    def find(self) -> None:
        """Look up the batch's reservation. Results that were paid for are never kept back, not even by a ledger that is away."""
        found = self._till.patiently(lambda ledger: reservation_of(ledger, self._batch))
        if isinstance(found, Outage):
            self._tally.add(0, "unsettled")
            self._till.report("ledger_down", text=str(found.error))
            return
        self._reservation = found
        if found is not None and found.state == "posted":
            self._tally.add(found.cost.nano_usd)
        elif found is not None:
            self._sum = _ResultSum(self._prices, found)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes. Only looks; never raises."""
        if self._sum is not None:
            for result in self._lines.feed(chunk):
                self._sum.add(result)

    @property
    def is_due(self) -> bool:
        """Whether the last result has just come: time to ``finish``, before its bytes are passed on."""
        return self._sum is not None and self._sum.is_whole

    def end(self) -> None:
        """The file has ended."""
        if self._sum is not None:
            for result in self._lines.close():
                self._sum.add(result)
            self.finish()

    def finish(self) -> None:
        """Resolve the reservation, if the file came whole; else it stays as it is, and reading the results again settles it."""
        results, self._sum = self._sum, None
        if results is None or self._reservation is None:
            return
        key, reservation = f"batch/{self._batch}", self._reservation.reservation
        if not results.is_whole:
            reason = self._lines.fault or "they ended early, or are not those of the batch"
            self._tally.add(self._reservation.granted.nano_usd, "unsettled")
            self._till.report("unsettled", key, f"the results of {self._batch} did not come whole: {reason}")
            return
        if results.fault:
            resolution = self._till.hold(key, reservation, results.fault)
        elif results.succeeded:
            resolution = self._till.settle(key, reservation, results.actual(self._batch))
        else:
            resolution = self._till.void(key, reservation, "no request of the batch succeeded")
        if isinstance(resolution, Outage):
            self._tally.add(self._reservation.granted.nano_usd, "unsettled")
            return
        held = self._reservation.granted.nano_usd if resolution.state == "held" else 0
        self._tally.add(resolution.cost.nano_usd + held)
        self._tally.crossed.extend(resolution.crossed)
        self._tally.budgets = resolution.budgets
        self._till.report("held" if held else "settled", key, results.fault or overrun_text(resolution.overrun))

    def report(self) -> CallReport | None:
        """Return what the reading has come to: the batch's cost, once its results have been read to the end."""
        tally, reservation = self._tally, self._reservation
        return CallReport(
            model=reservation.labels.get("model", "") if reservation else "",
            cost_nano_usd=tally.cost_nano_usd,
            attempts=0,
            crossed=tuple(tally.crossed),
            budgets=tally.budgets,
            accounting=tally.accounting if reservation else "unmetered",
        )


class _ResultSum:
    """What the results of one batch come to, at the prices in force when it was reserved."""

    def __init__(self, prices: PriceBook, reservation: Reservation) -> None:
        labels = reservation.labels
        self._expected = labels[IDS_LABEL]
        self._model = labels.get("model", "")
        self._price, self._is_priced = price_or_dearest(prices, self._model, reservation.created_at, "batch")
        # The answer may give only the sum of what was cached; it then counts for an hour if any request asked for one.
        self._facts = RequestFacts(
            self._model,
            0,
            is_streamed=False,
            is_cached=True,
            has_hour_cache=HOUR_LABEL in labels,
            web_searches=0,
            variant="batch",
        )
        self._prompt_version = labels.get("prompt_version", "")
        self._ids = IdSum()
        self._amount, self._usage = ZERO, Usage()
        self.succeeded = 0
        self.fault = ""

    @property
    def is_whole(self) -> bool:
        """Whether every request of the batch was seen once, and no other."""
        return self._ids.text == self._expected

    def add(self, result: BatchResult) -> None:
        """Add one result; what cannot be priced is remembered in ``fault``."""
        self._ids.add(result.custom_id)
        if result.usage is None:
            return
        self.succeeded += 1
        try:
            usage = read_usage(result.usage, self._facts)
            cost_nano_usd = call_cost_nano_usd(usage, self._price)
        except (ProviderError, UnsupportedUsage, ValueError) as error:
            self.fault = self.fault or f"what a request of the batch used cannot be priced: {error}"
            return
        self._amount = self._amount.plus(Amount(cost_nano_usd, usage.total_tokens, 1))
        self._usage = self._usage.plus(usage)

    def actual(self, batch: str) -> Actual:
        """Return what to post. The same for every reading of the same results."""
        known = {
            "batch": batch,
            "model": self._model,
            "variant": "batch",
            "prompt_version": self._prompt_version,
            "unpriced": "" if self._is_priced else "counted at the dearest known price",
        }
        return Actual(self._amount, self._usage, {name: value for name, value in known.items() if value})
