"""What the scripts answer, read into our values. Numbers arrive as text, because a counter may pass what Lua can count.

Sans-IO: nothing here knows a client; a reply is nested lists of text, integers and None.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import Entry, from_microseconds
from budget_gate.core.errors import LedgerError
from budget_gate.core.reservations import Admitted, Crossing, Refusal, Refused, Reservation, Resolution, Waiting
from budget_gate.ledger.admitting import retry_seconds
from budget_gate.ledger.interface import CounterRow, Delivery
from budget_gate.ledger.placing import PlacedLimit
from budget_gate.ledger.redis_names import counter_parts
from budget_gate.ledger.redis_plans import scope_named, states, stored_limits

Raw = Sequence[str | None]

COUNTER_FIELDS = 9
"""Pending, posted and held, each in three units; then comes which tiers were crossed."""


def counter_rows(text: str) -> list[list[int]]:
    """Return what counters hold, sent as a JSON list of such lists; ``[[]]`` for no counter at all."""
    try:
        rows = [row for row in json.loads(text) if row]
        are_whole = all(type(number) is int for row in rows for number in row[:COUNTER_FIELDS])
    except ValueError:
        are_whole = False
    if not are_whole or any(len(row) != COUNTER_FIELDS + 1 for row in rows):
        raise LedgerError("a counter was edited: it holds something that is not a whole number")
    return rows


def decision(reply: Sequence[Any], reservation: str, limits: Sequence[PlacedLimit]) -> Admitted | Waiting | Refused:
    """Return what a reserve script decided."""
    match reply:
        case ["admitted", granted, expires_at, counters]:
            return Admitted(reservation, Amount._make(granted), from_microseconds(expires_at), states(limits, counters, granted))
        case ["waiting", ahead, counters]:
            return Waiting(ahead, retry_seconds(ahead), states(limits, counters))
        case ["refused", refused_by, counters]:
            return Refused(_refusals(refused_by), states(limits, counters))
        case ["replayed", answer, counters]:
            return repeated_decision(answer, reservation, limits, counters)
    raise ValueError(f"not an answer to reserve: {reply[0]!r}")


def repeated_decision(
    answer: list[Any], reservation: str, limits: Sequence[PlacedLimit], counters: Sequence[Sequence[int]]
) -> Admitted | Refused:
    """Return the answer given before, with the budgets as they stand now."""
    budgets = states(limits, counters)
    if answer[0] == "admitted":
        return Admitted(reservation, Amount(*answer[1]), from_microseconds(answer[2]), budgets, replayed=True)
    return Refused(_refusals(answer[1]), budgets, replayed=True)


def _refusals(found: list[list[Any]]) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(scope_named(scope), per, unit, reason, needed, left, from_microseconds(resets_at), owner)
        for scope, per, unit, reason, needed, left, resets_at, owner in found
    )


def resolution(reply: Sequence[Any], reservation: str) -> Resolution:
    """Return how a settle, void or hold left a reservation; ``replayed`` when it changed nothing."""
    kind, (state, cost, overrun, crossed), counters = json.loads(reply[0])
    return Resolution(
        reservation=reservation,
        state=state,
        cost=Amount(*cost),
        overrun=Amount(*overrun),
        crossed=tuple(Crossing(scope_named(scope), *rest) for scope, *rest in crossed),
        budgets=states(stored_limits(reply[1]), counters),
        replayed=kind == "replayed",
    )


class Made(NamedTuple):
    """What never changes of a stored reservation: the lines of its field ``made``. See ``lua/moves.lua``."""

    granted: str
    created_at: str
    expires_at: str
    key: str
    labels: str
    workflow: str
    plan: str


def stored_reservation(name: str, fields: Raw) -> Reservation | None:
    """Return the reservation whose fields ``lua/show.lua`` answers, or None when there is none."""
    state, made_text, cost, resolved_at = fields
    if state is None or made_text is None:
        return None
    made = Made(*made_text.split("\n"))
    return Reservation(
        reservation=name,
        key=json.loads(made.key),
        state=state,  # type: ignore[arg-type]  # only the scripts write it
        granted=_amount(made.granted),
        cost=_amount(cost or "0,0,0"),
        labels=json.loads(made.labels),
        created_at=from_microseconds(int(made.created_at)),
        expires_at=from_microseconds(int(made.expires_at)),
        resolved_at=None if resolved_at is None else from_microseconds(int(resolved_at)),
    )


def stored_plan(fields: Raw) -> str:
    """Return the plan of a stored reservation."""
    return Made(*(fields[1] or "").split("\n")).plan


def _amount(text: str) -> Amount:
    return Amount(*map(int, text.split(",")))


def reservation_page(rows: Sequence[Sequence[Any]]) -> list[Reservation]:
    """Return a page of open reservations."""
    read = (stored_reservation(name, fields) for name, fields in rows)
    return [each for each in read if each is not None]


def counter_page(suffixes: Sequence[str], counters: str) -> list[CounterRow]:
    """Return a page of counters."""
    return [
        CounterRow(*counter_parts(suffix), CounterValue(Amount(*row[3:6]), Amount(*row[:3]), Amount(*row[6:9])))
        for suffix, row in zip(suffixes, counter_rows(counters), strict=True)
    ]


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
