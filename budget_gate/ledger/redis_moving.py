"""A Redis ledger written out and read in whole, as operations of the kind that ``redis_calls`` makes: no client here.

Redis has no list of reservations and operations, and listing keys would take a right more (SCAN); entries name them all. A load is
many script calls; the first closes the ledger to everybody else and the last opens it, so nobody sees half of one.
"""

import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from budget_gate.core.amounts import Amount
from budget_gate.core.audit import MONEY_KINDS, Entry, ParsedEntry, compact_json, from_microseconds, microseconds
from budget_gate.core.errors import LedgerError
from budget_gate.core.reservations import Crossing, Resolution
from budget_gate.ledger.answers import decision_json, parsed_decision, parsed_resolution
from budget_gate.ledger.books import OpenReservation
from budget_gate.ledger.books import Operation as Answered
from budget_gate.ledger.identity import labels_json, reservation_id
from budget_gate.ledger.interface import CounterRow
from budget_gate.ledger.moving import Crossed, Record, StoredOperation, crossing_of
from budget_gate.ledger.placing import PlacedCharge, PlacedCharges
from budget_gate.ledger.redis_calls import PAGE, Calls, Operation, check_reply
from budget_gate.ledger.redis_names import Names, counter_suffix
from budget_gate.ledger.redis_plans import plan_text, stored_places
from budget_gate.ledger.redis_replies import Made, repeated_decision, stored_plan, stored_reservation
from budget_gate.ledger.redis_wire import Call

LOAD_PAGE = 200
"""Records that one call stores."""

_OPERATION_OF = {"reserve": "reserve", "refuse": "reserve", "post": "settle", "void": "void", "hold": "hold"}


class _Named(NamedTuple):
    """An operation that an entry tells of."""

    kind: str
    key: str
    reservation: str


def dump_page(calls: Calls, entries: Sequence[Entry]) -> Operation[list[Record]]:
    """Return these entries, and the reservations and operations that they made."""
    parsed = [entry.parsed() for entry in entries]
    made = [str(each.body["reservation"]) for each in parsed if each.kind == "reserve"]
    named = [found for each in parsed if (found := _named(each)) is not None]
    names = calls.names
    keys = [*map(names.reservation, made), *(key for each in named for key in _operation_keys(names, each)), names.never]
    reply = yield calls.call("stored", keys, [len(made)])
    check_reply(reply)
    reservations = (_open_reservation(name, fields) for name, fields in zip(made, reply[1], strict=True))
    operations = (_operation(each, fields) for each, fields in zip(named, reply[2], strict=False))
    return [*entries, *(each for each in reservations if each), *(each for each in operations if each)]


def message_page(calls: Calls, behind: int) -> Operation[list[Crossed]]:
    """Return a page of crossings behind message number ``behind``: each has a message, delivered or not."""
    reply = yield calls.call("messages", [calls.names.never], [behind, PAGE])
    check_reply(reply)
    return [_crossed(payload or "", acknowledged_at) for payload, acknowledged_at in reply[1]]


def _named(entry: ParsedEntry) -> _Named | None:
    """Return the operation that wrote an entry; the clock writes some itself."""
    kind = _OPERATION_OF.get(entry.kind, "" if entry.kind in MONEY_KINDS else "record")
    return _Named(kind, str(entry.body["key"]), str(entry.body.get("reservation", ""))) if kind else None


def _operation_keys(names: Names, named: _Named) -> tuple[str, str]:
    """Return where an operation is stored and where schema 1 had it."""
    older = names.operation(named.kind, named.key)
    return (names.reservation(reservation_id(named.key)) if named.kind == "reserve" else older), older


def _open_reservation(name: str, fields: Sequence[str | None]) -> OpenReservation | None:
    shown = stored_reservation(name, fields)
    if shown is None:
        return None
    places = PlacedCharges(PlacedCharge(*place) for place in stored_places(stored_plan(fields)))
    times = (shown.created_at, shown.expires_at, shown.cost, shown.resolved_at)
    return OpenReservation(name, shown.key, shown.state, shown.granted, shown.labels, places, *times)


def _operation(named: _Named, fields: Sequence[str | None]) -> StoredOperation | None:
    digest, answer, sequence = fields
    if digest is None:
        return None
    if named.kind == "record":
        text = str(sequence)
    elif named.kind == "reserve":
        text = decision_json(repeated_decision(json.loads(answer or ""), reservation_id(named.key), (), ()))
    else:
        state, cost, overrun, crossed = json.loads(answer or "")
        crossings = [[*scope.partition("/")[::2], *rest] for scope, *rest in crossed]
        text = compact_json([named.reservation, state, cost, overrun, crossings])
    return StoredOperation(named.kind, named.key, Answered(digest, text))


def _crossed(payload: str, acknowledged_at: str | None) -> Crossed:
    crossing = crossing_of(payload)
    if crossing is None:
        raise LedgerError("a message of the outbox was edited: it does not say which tier was crossed")
    return Crossed(crossing, from_microseconds(int(json.loads(payload)["at"])), "" if acknowledged_at else payload)


Words = list[str]


class Loader:
    """One load: turns records into commands, and remembers what the next ones need."""

    def __init__(self, calls: Calls, behind: int, name: str) -> None:
        self._calls = calls
        self._names: Names = calls.names
        self._behind = behind
        self._name = name
        self._reservations = 0
        self._newest = Entry(behind, "", "")

    def load(self, records: Iterable[Record]) -> Generator[Call, Any, None]:
        """Store all records. Reading them may fail: then the ledger stays closed until a load has come to its end."""
        yield from self._send([], first=str(self._behind))
        page: list[Words] = []
        for record in records:
            page += self._commands(record)
            if len(page) >= LOAD_PAGE:
                yield from self._send(page)
                page = []
        yield from self._send(page, last=(str(self._newest.seq), self._newest.chain_hash))

    def _send(self, page: Sequence[Words], first: str = "", last: tuple[str, str] = ("", "")) -> Generator[Call, Any, None]:
        words = [word for command in page for word in (str(len(command)), *command)]
        reply = yield self._calls.call("load", [], [self._name, first, *last, *words])
        check_reply(reply)
        match reply[0]:
            case "moved_on":
                raise LedgerError(f"the ledger has {reply[1]} entries, not {self._behind}; somebody wrote to it meanwhile")
            case "other":
                raise LedgerError("another process is filling this ledger; let it finish")

    def _commands(self, record: Record) -> Iterator[Words]:
        match record:
            case Entry():
                if record.seq > self._behind:
                    self._newest = record
                    yield ["ENTRY", f"{record.seq}-0", record.text, record.chain_hash]
            case OpenReservation():
                yield from self._reservation(record)
            case StoredOperation():
                yield self._operation(record)
            case CounterRow():
                suffix = counter_suffix(record.scope, record.per, record.label)  # type: ignore[arg-type]  # a ledger wrote it
                value = record.value
                yield ["COUNTER", suffix, ",".join(map(str, (*value.pending, *value.posted, *value.held)))]
            case Crossed():
                yield self._crossed(record)

    def _reservation(self, each: OpenReservation) -> Iterator[Words]:
        self._reservations += 1
        key, name = self._names.reservation(each.reservation), each.reservation
        made = Made(
            _joined(each.granted),
            str(microseconds(each.created_at)),
            str(microseconds(each.expires_at)),
            compact_json(each.key),
            labels_json(each.labels),
            compact_json(each.labels.get("workflow", "")),
            plan_text(each.charges),
        )
        fields = {"state": each.state, "made": "\n".join(made), "cost": _joined(each.cost)}
        if each.resolved_at is not None:
            fields["resolved_at"] = str(microseconds(each.resolved_at))
        yield ["HSET", key, *(word for pair in fields.items() for word in pair)]
        deadlines, still_open = self._names.own[2:4]
        is_open = each.state in {"pending", "held"}
        yield ["ZADD", deadlines, made.expires_at, name] if each.state == "pending" else ["ZREM", deadlines, name]
        yield ["ZADD", still_open, str(self._reservations), name] if is_open else ["ZREM", still_open, name]

    def _operation(self, each: StoredOperation) -> Words:
        key, (digest, answer) = _operation_keys(self._names, _Named(each.kind, each.key, ""))[0], each.operation
        if each.kind == "record":
            return ["HSET", key, "digest", digest, "sequence", answer]
        if each.kind == "reserve":
            return ["HSET", key, "digest", digest, "answer", _reserve_answer(answer)]
        return ["HSET", key, "digest", digest, "answer", _resolve_answer(parsed_resolution(answer, ()))]

    def _crossed(self, each: Crossed) -> Words:
        crossing = each.crossing
        suffix = counter_suffix(crossing.scope.text, crossing.per, crossing.label)  # type: ignore[arg-type]  # a ledger wrote it
        payload = each.payload or _bare_payload(crossing, microseconds(each.at))
        mark = f" {crossing.unit}.{crossing.tier}"
        return ["CROSSED", suffix, mark, payload, "waiting" if each.payload else "delivered"]


def _joined(amount: Amount) -> str:
    return ",".join(map(str, amount))


def _reserve_answer(answer: str) -> str:
    """Return an answer to reserve in the words of ``lua/reserve.lua``."""
    fields: Mapping[str, Any] = json.loads(answer)
    if "admitted" in fields:
        _, granted, expires_at = fields["admitted"]
        return compact_json(["admitted", granted, expires_at])
    refused = parsed_decision(answer, ())
    refusals = [
        [each.scope.text, each.per, each.unit, each.reason, each.needed, each.left, microseconds(each.resets_at), each.owner]
        for each in getattr(refused, "refused_by", ())
    ]
    return compact_json(["refused", refusals])


def _resolve_answer(answer: Resolution) -> str:
    """Return an answer to settle, void or hold in the words of their scripts."""
    crossed = [[each.scope.text, each.per, each.label, each.unit, each.tier] for each in answer.crossed]
    return compact_json([answer.state, answer.cost, answer.overrun, crossed])


def _bare_payload(crossing: Crossing, at: int) -> str:
    """Return what is kept of a message that was delivered long ago: which tier it announced."""
    scope, rest = crossing.scope.text, crossing[1:]
    return compact_json({"scope": scope, **dict(zip(("per", "label", "unit", "tier"), rest, strict=True)), "at": at})
