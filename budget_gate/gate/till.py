"""The ledger as the gate uses it: operations repeated while it cannot be reached, and the policy's word when it stays away.

Every operation carries a key that makes repeating it safe, so all of them are tried more than once. What to do when that was
in vain is decided in one place, ``Till._without_ledger``, for what comes before a call; what comes after a call never stops an
answer that was paid for.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Literal, NamedTuple, TypeVar

from budget_gate.core.charges import Charge
from budget_gate.core.errors import LedgerUnavailable
from budget_gate.core.reservations import Actual, Admitted, BudgetState, Decision, Refused, ReserveRequest, Resolution
from budget_gate.gate.events import Event, EventKind, Listener
from budget_gate.ledger.interface import Ledger, NewNote
from budget_gate.ledger.waiting import reserve_waiting

PAUSES_SECONDS = (0.25, 1.0)
"""How long to wait before the second and the third try of an operation."""

Answer = TypeVar("Answer")


class Outage(NamedTuple):
    """Instead of an answer: the ledger could not be reached."""

    error: LedgerUnavailable


def utc_now() -> datetime:
    """Return this machine's clock: asked only while the ledger, whose clock decides, cannot be reached."""
    return datetime.now(UTC)


class Till:
    """One ledger under one policy's outage rule."""

    def __init__(
        self,
        ledger: Ledger,
        zone: str,
        on_outage: Literal["block", "allow"],
        listener: Listener,
        *,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._zone = zone
        self._on_outage = on_outage
        self._listener = listener
        self._sleep = sleep
        self._clock = clock
        self.monotonic = monotonic

    def report(self, kind: EventKind, key: str = "", text: str = "") -> None:
        """Tell the listener."""
        self._listener(Event(kind, key, text))

    def now(self) -> datetime:
        """Return the ledger's clock, or this machine's when it cannot be asked: the reserve that follows decides, not this."""
        try:
            return self._ledger.now()
        except LedgerUnavailable as error:
            self.report("ledger_down", text=str(error))
            return self._clock()

    def read(self, charges: Sequence[Charge]) -> tuple[BudgetState, ...] | Outage:
        """Return how the limits stand. During an outage: raises ``LedgerUnavailable``, or returns it if the policy allows."""
        limited = [charge for charge in charges if charge.limits]
        if not limited:
            return ()
        answer = self.patiently(lambda ledger: ledger.read(limited, self._zone))
        return self._without_ledger(answer) if isinstance(answer, Outage) else answer

    def reserve(self, request: ReserveRequest, wait_seconds: float) -> Admitted | Refused | Outage:
        """Reserve, waiting while only pending amounts are in the way. During an outage as ``read``."""
        self.report("reserving", request.key)
        answer = self.patiently(
            lambda ledger: reserve_waiting(ledger, request, wait_seconds, sleep=self._sleep, monotonic=self.monotonic)
        )
        return self._without_ledger(answer) if isinstance(answer, Outage) else answer

    def reserve_late(self, request: ReserveRequest) -> Admitted | Outage:
        """Take a reservation for a call that already went ahead without one: no limit refuses it, every counter counts it.

        It repeats the key of the reserve whose answer never came, so that one which had arrived is found, not doubled.
        """
        free = tuple(charge.unenforced() for charge in request.charges)
        for key in (request.key, f"{request.key}/late"):
            late = request._replace(key=key, charges=free, may_wait=False)
            answer = self.patiently(partial(_reserve, late))
            if isinstance(answer, Admitted | Outage):
                return answer
        raise AssertionError("a request without an enforced limit is admitted")

    def settle(self, key: str, reservation: str, actual: Actual) -> Resolution | Outage:
        """Post what a call cost; an outage is an answer here, because the call is over."""
        return self._resolve(key, lambda ledger: ledger.settle(key, reservation, actual))

    def void(self, key: str, reservation: str, reason: str) -> Resolution | Outage:
        """Release a reservation; as ``settle``."""
        return self._resolve(key, lambda ledger: ledger.void(key, reservation, reason))

    def hold(self, key: str, reservation: str, reason: str) -> Resolution | Outage:
        """Keep a reservation counted; as ``settle``."""
        return self._resolve(key, lambda ledger: ledger.hold(key, reservation, reason))

    def note_unpriced(self, key: str, labels: dict[str, str], text: str) -> None:
        """Leave a note that a call was refused for want of a price; refused it is even if the note cannot be left."""
        answer = self.patiently(lambda ledger: ledger.record(key, "unpriced", labels, {"reason": text}))
        if isinstance(answer, Outage):
            self.report("ledger_down", key, str(answer.error))

    def remember(self, notes: Sequence[NewNote]) -> Outage | None:
        """Record notes that are not there yet; an outage is an answer here."""
        return self.patiently(lambda ledger: ledger.record_missing(notes))

    def _resolve(self, key: str, operation: Callable[[Ledger], Resolution]) -> Resolution | Outage:
        self.report("resolving", key)
        answer = self.patiently(operation)
        if isinstance(answer, Outage):
            self.report("ledger_down", key, str(answer.error))
        return answer

    def _without_ledger(self, outage: Outage) -> Outage:
        """Apply the policy's ``on_outage`` before a call: ``block`` raises, ``allow`` hands the outage back to be told of."""
        self.report("ledger_down", text=str(outage.error))
        if self._on_outage == "block":
            raise outage.error
        return outage

    def patiently(self, operation: Callable[[Ledger], Answer]) -> Answer | Outage:
        """Return the operation's answer, trying again a few times; an ``Outage`` when the ledger stays away."""
        for pause_seconds in PAUSES_SECONDS:
            try:
                return operation(self._ledger)
            except LedgerUnavailable:
                self._sleep(pause_seconds)
        try:
            return operation(self._ledger)
        except LedgerUnavailable as error:
            return Outage(error)


def _reserve(request: ReserveRequest, ledger: Ledger) -> Decision:
    return ledger.reserve(request)
