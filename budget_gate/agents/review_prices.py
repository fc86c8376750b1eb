"""What pieces and calls of a review can cost at most, and what is left of the task they belong to."""

from collections.abc import Iterable
from typing import NamedTuple

from budget_gate.agents.review_request import CACHE_MARK, Briefing, piece_text
from budget_gate.core.diff_pieces import Piece
from budget_gate.core.packing import Pack, Price, Priced, Room
from budget_gate.core.policy import Bounds
from budget_gate.core.reservations import BudgetState
from budget_gate.core.routing import Route
from budget_gate.gate.interface import GateService


class PriceList:
    """Worst-case prices on one route. A piece's price is what its text adds to a request, rounded up."""

    def __init__(self, gate: GateService, route: Route, briefing: Briefing) -> None:
        self._gate, self._route, self._briefing = gate, route, briefing
        self._empty = self._input_price("")
        self._known: dict[tuple[object, ...], Price] = {}

    def call(self, pieces: Iterable[Piece] = (), *, is_narrow: bool = False) -> Price:
        """Return the price of one whole call: instructions, pieces, and the longest answer."""
        estimate = self._gate.estimate(self._route, self._briefing.request(pieces, is_narrow=is_narrow))
        return Price(estimate.input_tokens + estimate.output_tokens, estimate.nano_usd)

    def piece(self, piece: Piece) -> Price:
        """Return what a piece adds to a call. Plans are made again and again, of the same pieces: each is worked out once."""
        name = (piece.hunk, piece.lines[0], len(piece.lines))  # neighbouring lines of one hunk, so this says which they are
        if name not in self._known:
            price = self._input_price(piece_text(piece))
            self._known[name] = Price(price.tokens - self._empty.tokens + 1, price.nano_usd - self._empty.nano_usd + 1)
        return self._known[name]

    def priced(self, pieces: Iterable[Piece]) -> list[Priced]:
        """Return the pieces, each with its price."""
        return [Priced(piece, self.piece(piece)) for piece in pieces]

    def _input_price(self, text: str) -> Price:
        mark = {"cache_control": CACHE_MARK} if self._briefing.is_cached else {}  # any token may then be billed as written
        content = [{"type": "text", "text": text, **mark}]
        estimate = self._gate.estimate(self._route, {"messages": [{"role": "user", "content": content}]})
        return Price(estimate.input_tokens, estimate.nano_usd)

    def within(self, pack: Pack, room: Room, *, is_narrow: bool) -> Pack:
        """Return the pack, less its last pieces while the whole request would pass the room after all.

        Prices of pieces are sums of parts; this asks once more about the request as it will be sent.
        """
        pieces = list(pack.pieces)
        while pieces:
            price = self.call((each.piece for each in pieces), is_narrow=is_narrow)
            if room.holds(price, 1) is None:
                return Pack(tuple(pieces), price)
            pieces.pop()
        return Pack((), self.call(is_narrow=is_narrow))


class Spent(NamedTuple):
    """What this run has used of its task: for tasks that have no counter in the ledger."""

    tokens: int = 0
    nano_usd: int = 0
    steps: int = 0


def room_left(bounds: Bounds, budgets: Iterable[BudgetState], spent: Spent) -> Room:
    """Return what a task may still use. The ledger's counters decide where there are any: an earlier run of the task counts."""
    left = {state.unit: state.limit - state.used - state.pending for state in budgets if state.scope.kind == "task"}
    tokens = _tightest(bounds.hard_tokens, spent.tokens, left.get("tokens"))
    used_tokens = spent.tokens
    if tokens is not None and bounds.hard_tokens is not None:
        used_tokens = bounds.hard_tokens - tokens
    return Room(
        tokens=tokens,
        nano_usd=_tightest(bounds.nano_usd, spent.nano_usd, left.get("usd")),
        steps=_tightest(bounds.steps, spent.steps, left.get("requests")),
        soft_tokens=None if bounds.soft_tokens is None else max(bounds.soft_tokens - used_tokens, 0),
    )


def _tightest(bound: int | None, spent: int, left_in_ledger: int | None) -> int | None:
    candidates = [] if bound is None else [bound - spent]
    if left_in_ledger is not None:
        candidates.append(left_in_ledger)
    return max(min(candidates), 0) if candidates else None
