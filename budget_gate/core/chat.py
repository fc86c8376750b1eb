"""What one turn of an assistant came to."""

from typing import NamedTuple

from budget_gate.core.reservations import BudgetState, Refused
from budget_gate.core.usage import Usage


class Turn(NamedTuple):
    """One turn. Without ``refused`` and ``failure`` there is an answer in ``text`` (foreign text, like every model's).

    ``notes`` say what was done to the conversation or the answer; cost and usage include a summary made for this turn.
    ``is_over``: the session has reached its hard bound.
    """

    model: str
    tier: str
    route_reason: str
    provider: str
    text: str = ""
    notes: tuple[str, ...] = ()
    cost_nano_usd: int = 0
    usage: Usage = Usage()
    budgets: tuple[BudgetState, ...] = ()
    refused: Refused | None = None
    failure: str = ""
    is_over: bool = False
