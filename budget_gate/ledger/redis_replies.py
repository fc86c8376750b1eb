"""What the scripts answer, read into our values. Numbers arrive as text, because a counter may pass what Lua can count.

Sans-IO: nothing here knows a client; a reply is nested lists of text, integers and None.
"""

import json
from collections.abc import Sequence
from typing import Any

from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import Entry, from_microseconds
from budget_gate.core.errors import LedgerError
from budget_gate.core.reservations import Admitted, BudgetState, Crossing, Refusal, Refused, Reservation, Resolution, Waiting
from budget_gate.ledger.admitting import retry_seconds
from budget_gate.ledger.interface import CounterRow, Delivery
from budget_gate.ledger.redis_names import counter_parts
from budget_gate.ledger.redis_plans import Place, scope_named, states, stored_places

Raw = Sequence[str | None]

COUNTER_FIELDS = 9
"""Posted, pending and held, each in three units."""


def counter_values(text: str) -> list[CounterValue]:
    """Return what counters hold, sent as a JSON list of nine numbers each; ``[[]]`` for no counter at all."""
    try:
        rows = [row for row in json.loads(text) if row]
        values = [CounterValue(Amount(*row[:3]), Amount(*row[3:6]), Amount(*row[6:9])) for row in rows]
        are_whole = all(type(sum(row)) is int and len(row) == COUNTER_FIELDS for row in rows)
    except (ValueError, TypeError):
        are_whole = False
    if not are_whole:
        raise LedgerError("a counter was edited: it holds something that is not a whole number")
    return values


def decision(reply: Sequence[Any], reservation: str, places: Sequence[Place]) -> Admitted | Waiting | Refused:
    """Return what a reserve script decided."""
    match reply:
        case ["admitted", granted_json, expires_at, counters]:
            granted = Amount(*json.loads(granted_json))
            more = CounterValue(pending=granted)
            values = [value.plus(more) for value in counter_values(counters)]
            return Admitted(reservation, granted, from_microseconds(int(expires_at)), states(places, values))
        case ["waiting", ahead, counters]:
            return Waiting(ahead, retry_seconds(ahead), _states(places, counters))
        case ["refused", answer, counters]:
            return Refused(_refusals(json.loads(answer)[1]), _states(places, counters))
        case ["replayed", answer, counters]:
            return repeated_decision(json.loads(answer), reservation, places, counters)
    raise ValueError(f"not an answer to reserve: {reply[0]!r}")


def repeated_decision(answer: list[Any], reservation: str, places: Sequence[Place], counters: str) -> Admitted | Refused:
    """Return the answer given before, with the budgets as they stand now."""
    budgets = _states(places, counters)
    if answer[0] == "admitted":
        return Admitted(reservation, Amount(*answer[1]), from_microseconds(answer[2]), budgets, replayed=True)
    return Refused(_refusals(answer[1]), budgets, replayed=True)


def _states(places: Sequence[Place], counters: str) -> tuple[BudgetState, ...]:
    return states(places, counter_values(counters))


def _refusals(found: list[list[Any]]) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(scope_named(scope), per, unit, reason, needed, left, from_microseconds(resets_at), owner)
        for scope, per, unit, reason, needed, left, resets_at, owner in found
    )


def resolution(reply: Sequence[Any], reservation: str) -> Resolution:
    """Return how a settle, void or hold left a reservation; ``replayed`` when it changed nothing."""
    kind, answer, plan, counters = reply[:4]
    more = CounterValue()
    if kind == "moved":
        more = CounterValue(*(Amount(*part) for part in json.loads(reply[4])))
    state, cost, overrun, crossed = json.loads(answer)
    return Resolution(
        reservation=reservation,
        state=state,
        cost=Amount(*cost),
        overrun=Amount(*overrun),
        crossed=tuple(Crossing(scope_named(scope), *rest) for scope, *rest in crossed),
        budgets=states(stored_places(plan), [value.plus(more) for value in counter_values(counters)]),
        replayed=kind == "replayed",
    )


def stored_reservation(name: str, fields: Raw) -> Reservation | None:
    """Return the reservation whose fields ``lua/show.lua`` answers, or None when there is none."""
    if fields[1] is None:
        return None
    key, state, *counts = fields[:8]
    labels, created_at, expires_at, resolved_at = fields[8:12]
    granted, cost = Amount(*map(_count, counts[:3])), Amount(*map(_count, counts[3:]))
    return Reservation(
        reservation=name,
        key=json.loads(key or '""'),
        state=state,  # type: ignore[arg-type]  # only the scripts write it
        granted=granted,
        cost=cost,
        labels=json.loads(labels or "{}"),
        created_at=from_microseconds(_count(created_at)),
        expires_at=from_microseconds(_count(expires_at)),
        resolved_at=None if resolved_at is None else from_microseconds(_count(resolved_at)),
    )


def _count(text: str | None) -> int:
    return int(text or 0)


def reservation_page(rows: Sequence[Sequence[Any]]) -> list[Reservation]:
    """Return a page of open reservations."""
    read = (stored_reservation(name, fields) for name, fields in rows)
    return [each for each in read if each is not None]


def counter_page(suffixes: Sequence[str], counters: str) -> list[CounterRow]:
    """Return a page of counters."""
    values = counter_values(counters)
    return [CounterRow(*counter_parts(suffix), value) for suffix, value in zip(suffixes, values, strict=True)]


def entry_page(rows: Sequence[Sequence[Any]]) -> list[Entry]:
    """Return a page of entries, read from the stream's ``<sequence>-0`` rows."""
    return [_entry(identity, fields) for identity, fields in rows]


def notes(rows: Sequence[Sequence[Any]]) -> tuple[Entry | None, ...]:
    """Return notes in the order asked, None for an empty row."""
    return tuple(Entry(int(row[0]), row[1], row[2]) if row else None for row in rows)


def _entry(identity: str, fields: Sequence[str]) -> Entry:
    named = dict(zip(fields[::2], fields[1::2], strict=True))
    return Entry(int(identity.partition("-")[0]), named.get("text", ""), named.get("hash", ""))


def deliveries(rows: Sequence[Sequence[Any]]) -> tuple[Delivery, ...]:
    """Return claimed messages."""
    return tuple(Delivery(name, payload, int(attempt)) for name, payload, attempt in rows)
