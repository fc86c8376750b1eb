"""What a job knew and could not tell the ledger, as one hidden line that it leaves on GitHub beside its verdict.

When the ledger is away at the end of a call, the cost is known and the reservation stays open. The job writes it here; once GitHub
says that the job is over, whoever sweeps settles the hold at it. The line holds ids and integers only.
"""

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

from budget_gate.core.amounts import Amount
from budget_gate.core.money import COUNT_MAX

RECORDED_MOST = 200
"""How many costs one line carries: a review makes some dozen calls."""

_LINE = re.compile(r"<!-- budget-gate-unsettled:(\{[^{}<>]*\}) -->")
_RESERVATION = re.compile(r"res_[0-9a-f]{32}")
_UNITS = 3


class UnsettledCost(NamedTuple):
    """A reservation whose call is over, and what it cost, which the ledger has not heard."""

    reservation: str
    amount: Amount


def job_record(unsettled: Iterable[UnsettledCost]) -> str:
    """Return the hidden line, empty where there is nothing to tell."""
    costs = {each.reservation: list(each.amount) for each in unsettled if _RESERVATION.fullmatch(each.reservation)}
    if not costs:
        return ""
    kept = dict(list(costs.items())[:RECORDED_MOST])
    return f"<!-- budget-gate-unsettled:{json.dumps(kept, separators=(',', ':'))} -->"


def read_job_record(text: str) -> tuple[UnsettledCost, ...]:
    """Return what the last such line of a text says; nothing where there is none, or where it is not as we write it."""
    lines = _LINE.findall(text)
    try:
        costs = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return ()
    found = [_cost(reservation, counts) for reservation, counts in costs.items()]
    return tuple(each for each in found if each is not None)


def _cost(reservation: str, counts: object) -> UnsettledCost | None:
    if not _RESERVATION.fullmatch(reservation) or not isinstance(counts, list) or len(counts) != _UNITS:
        return None
    if not all(type(count) is int and 0 <= count <= COUNT_MAX for count in counts):
        return None
    return UnsettledCost(reservation, Amount(*counts))
