"""Answers as JSON, the form in which a ledger remembers them: what was answered once is answered again.

The state of the budgets is left out: a repeated answer carries how they stand when it is repeated.
"""

import json
from typing import Any

from budget_gate.core.amounts import Amount
from budget_gate.core.audit import compact_json, from_microseconds, microseconds
from budget_gate.core.reservations import Admitted, BudgetState, Crossing, Refusal, Refused, Resolution
from budget_gate.core.scopes import Scope


def decision_json(decision: Admitted | Refused) -> str:
    """Return an admission or a refusal as text."""
    if isinstance(decision, Admitted):
        nano_usd, tokens, requests = decision.granted
        made = f"{compact_json(decision.reservation)},[{nano_usd},{tokens},{requests}],{microseconds(decision.expires_at)}"
        return f'{{"admitted":[{made}]}}'
    return compact_json({"refused_by": [_refusal_fields(each) for each in decision.refused_by]})


def parsed_decision(text: str, budgets: tuple[BudgetState, ...]) -> Admitted | Refused:
    """Return the decision that ``decision_json`` wrote, marked as repeated."""
    fields = json.loads(text)
    if "admitted" in fields:
        reservation, granted, expires_at = fields["admitted"]
        return Admitted(reservation, Amount(*granted), from_microseconds(expires_at), budgets, replayed=True)
    return Refused(tuple(_parsed_refusal(each) for each in fields["refused_by"]), budgets, replayed=True)


def resolution_json(resolution: Resolution) -> str:
    """Return how a reservation was resolved as text."""
    crossed = [[*each.scope, each.per, each.label, each.unit, each.tier] for each in resolution.crossed]
    return compact_json([resolution.reservation, resolution.state, resolution.cost, resolution.overrun, crossed])


def parsed_resolution(text: str, budgets: tuple[BudgetState, ...]) -> Resolution:
    """Return the resolution that ``resolution_json`` wrote, marked as repeated."""
    reservation, state, cost, overrun, crossed = json.loads(text)
    crossings = tuple(Crossing(Scope(kind, name), *rest) for kind, name, *rest in crossed)
    return Resolution(reservation, state, Amount(*cost), Amount(*overrun), crossings, budgets, replayed=True)


def _refusal_fields(refusal: Refusal) -> list[Any]:
    scope, per, unit, reason, needed, left, resets_at, owner = refusal
    return [*scope, per, unit, reason, needed, left, microseconds(resets_at), owner]


def _parsed_refusal(fields: list[Any]) -> Refusal:
    kind, name, per, unit, reason, needed, left, resets_at, owner = fields
    return Refusal(Scope(kind, name), per, unit, reason, needed, left, from_microseconds(resets_at), owner)
