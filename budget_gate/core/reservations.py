"""Two-phase spending: what is asked of a ledger and what it answers.

A reservation is ``pending`` until it is resolved, once: ``posted`` (the cost is known), ``voided`` (nothing was bought) or, when
nobody can say, ``held`` (counted at the reserved amount until somebody can). Refusals are values here, never exceptions.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from budget_gate.core.amounts import Amount, CounterValue, Unit
from budget_gate.core.charges import Charge, LimitLine
from budget_gate.core.periods import Window
from budget_gate.core.policy import Mode
from budget_gate.core.scopes import Scope
from budget_gate.core.usage import Usage

State = Literal["pending", "posted", "voided", "held"]
RefusalReason = Literal["spent", "pending", "held", "unpriced"]

LEGAL_MOVES: Mapping[State, tuple[State, ...]] = {
    "pending": ("posted", "voided", "held"),
    "held": ("posted", "voided"),
    "voided": ("posted",),
    "posted": (),
}
"""From a state to those that may follow. ``voided`` may still be posted: a cost that turns up late must not be lost."""


class ReserveRequest(NamedTuple):
    """Everything one admission needs. The ledger's clock, not the caller, decides which periods it falls into.

    ``key`` is the caller's, stored before sending, so that a retry is recognized. ``amount`` is the worst case; with
    ``minimum`` the caller accepts anything from there up and will shorten its answer to fit. ``may_wait`` False makes this
    the last try: what fits is granted, else it is refused.
    """

    key: str
    amount: Amount
    charges: tuple[Charge, ...]
    zone: str = "UTC"
    labels: Mapping[str, str] = {}
    minimum: Amount | None = None
    ttl_seconds: int = 900
    may_wait: bool = False


class BudgetState(NamedTuple):
    """One limit and how it stands. Counts are of ``unit``; ``tier`` is the highest tier reached, empty below them all.

    ``admission_line`` is what this very request may fill the limit to: the stop line, less what is kept back from it; None when
    the limit refuses nothing.
    """

    scope: Scope
    per: str
    unit: Unit
    mode: Mode
    limit: int
    stop: int
    posted: int
    pending: int
    held: int
    tier: str
    resets_at: datetime
    owner: str
    admission_line: int | None = None

    @property
    def left(self) -> int | None:
        """What a request may still take now, pending counted as taken; None when the limit refuses nothing."""
        return None if self.admission_line is None else max(self.admission_line - self.used - self.pending, 0)

    @property
    def used(self) -> int:
        """What is spent or may have been: posted and held."""
        return self.posted + self.held

    @property
    def used_basis_points(self) -> int:
        """``used`` as ten-thousandths of the limit, rounded down; 10 000 for a limit of nothing."""
        return self.used * 10_000 // self.limit if self.limit else 10_000


class Refusal(NamedTuple):
    """One limit that keeps a request out: how much of it was needed and left, when it resets, whom to ask."""

    scope: Scope
    per: str
    unit: Unit
    reason: RefusalReason
    needed: int
    left: int
    resets_at: datetime
    owner: str = ""


class Admitted(NamedTuple):
    """The request may spend ``granted``, at most what it asked for. ``replayed`` marks the answer to a repeated key."""

    reservation: str
    granted: Amount
    expires_at: datetime
    budgets: tuple[BudgetState, ...]
    replayed: bool = False


class Waiting(NamedTuple):
    """Only what others reserved keeps the request out. Ask again, with the same key, within ``retry_seconds``."""

    ahead: int
    retry_seconds: float
    budgets: tuple[BudgetState, ...]


class Refused(NamedTuple):
    """Every limit that keeps the request out. Nothing was taken.

    Where it is the end of a call, ``cost_nano_usd`` is what that call's earlier attempts were billed, or may have been.
    """

    refused_by: tuple[Refusal, ...]
    budgets: tuple[BudgetState, ...]
    replayed: bool = False
    cost_nano_usd: int = 0


Decision = Admitted | Waiting | Refused


class Crossing(NamedTuple):
    """A tier that this very operation crossed, first in its period."""

    scope: Scope
    per: str
    label: str
    unit: Unit
    tier: str


class Resolution(NamedTuple):
    """How a reservation stands after settle, void or hold.

    ``cost`` is what was posted (zero unless posted), ``overrun`` by how much that passed what was granted.
    ``replayed`` is true when the reservation had been resolved before and this call changed nothing.
    """

    reservation: str
    state: State
    cost: Amount
    overrun: Amount
    crossed: tuple[Crossing, ...]
    budgets: tuple[BudgetState, ...]
    replayed: bool = False


class Actual(NamedTuple):
    """What a call turned out to cost. ``usage`` keeps the tokens by kind for reports; ``details`` is anything worth keeping."""

    amount: Amount
    usage: Usage | None = None
    details: Mapping[str, str] = {}


class Reservation(NamedTuple):
    """A reservation as it is stored: for ``ledger show``, and for finding what a dead process left open."""

    reservation: str
    key: str
    state: State
    granted: Amount
    cost: Amount
    labels: Mapping[str, str]
    created_at: datetime
    expires_at: datetime
    resolved_at: datetime | None


def budget_state(charge: Charge, line: LimitLine, window: Window, value: CounterValue) -> BudgetState:
    """Return how one limit stands, given its counter."""
    return limit_state(charge, line, window)(*value.of(line.unit))


def limit_state(charge: Charge, line: LimitLine, window: Window) -> Callable[[int, int, int], BudgetState]:
    """Return what says how one limit stands, given what its counter has posted, pending and held of its unit.

    What never changes of a limit is put together once: a ledger asks of every limit at every step.
    """
    front = (charge.scope, charge.per, line.unit, line.mode, line.limit, line.stop_line)
    back = (window.ends_at, line.owner, line.admission_line)
    lowest = line.tier_lines[0][1] if line.tier_lines else None
    # A named tuple's own way to be made unpacks and packs its fields anew, which takes longer than all the rest here.
    make = tuple.__new__

    def stands(posted: int, pending: int, held: int) -> BudgetState:
        used = posted + held
        tier = "" if lowest is None or used < lowest else tier_reached(line, used)
        return make(BudgetState, (*front, posted, pending, held, tier, *back))

    return stands


def tier_reached(line: LimitLine, used: int) -> str:
    """Return the highest tier whose line ``used`` has reached, or empty text."""
    reached = ""
    for tier, at in line.tier_lines:
        if used >= at:
            reached = tier
    return reached
