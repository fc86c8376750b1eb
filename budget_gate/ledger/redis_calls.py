"""What is said to Redis for each operation, without a client: every operation is a generator of calls that is sent their replies.

So a blocking and an asyncio shell share it: a shell only sends a script and hands its reply back. An operation is one call, and
one more whenever the server's clock turns out to be in another period than the caller thought (law 9).
"""

import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from budget_gate.core.amounts import Amount
from budget_gate.core.audit import Entry, from_microseconds
from budget_gate.core.charges import Charge
from budget_gate.core.errors import KeyReused, LedgerError, LedgerTooNew, LedgerUnavailable, UnknownReservation
from budget_gate.core.reservations import Actual, BudgetState, Decision, Reservation, ReserveRequest, Resolution
from budget_gate.ledger import checks, redis_replies
from budget_gate.ledger.admitting import reserve_body
from budget_gate.ledger.identity import labels_json, note_digest, reservation_id, reserve_digest, resolve_digest, settle_digest
from budget_gate.ledger.interface import CounterRow, Delivery
from budget_gate.ledger.redis_names import Names
from budget_gate.ledger.redis_plans import Plan, Planner, states
from budget_gate.ledger.redis_scripts import script
from budget_gate.ledger.redis_wire import NO_WORDS, Call, Packed, Word, pack

SCHEMA_VERSION = 2
"""Of what the scripts store. Schema 1 is read as it is, and what is written to it moves to schema 2; see docs/decisions/0005-redis.md."""

PAGE = 200
"""Rows that one call of a paging reader fetches."""

SWEEP_PAGE = 256
"""Expired reservations that one call of ``sweep`` turns into holds: a script keeps everybody else waiting."""

STALE_MOST = 8
"""How often the server's clock may disagree before the operation is given up; twice in a row is already remarkable."""

_SECOND = 1_000_000

_ADMITTED = '["admitted"'

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
"""``compact_json`` with its encoder made once: a reserve encodes several texts."""

_quoted: Callable[[str], str] = json.encoder.encode_basestring
"""The same for one text, without the detour through an encoder."""

_parsed: Callable[[str], tuple[Any, int]] = json.JSONDecoder().raw_decode
"""``json.loads`` of a text that a script wrote, without spaces around; answers where it ends, too."""

Answer = TypeVar("Answer")
Operation = Generator[Call, Any, Answer]
"""Yields calls, is sent their replies (to start: None), returns the answer."""


class Calls:
    """The operations of one organization's ledger."""

    def __init__(self, organization: str, clock_offset_seconds: float = 0.0) -> None:
        checks.check_text(organization, "organization")
        self._names = Names(organization)
        self._planner = Planner()
        self._fronts: dict[int, Packed] = {}
        self._stored: Plan | None = None
        """The plan that the server has for sure, because it admitted a request by it: the text of that need not be sent again."""
        self._offset = int(clock_offset_seconds * _SECOND)
        self._ahead = self._offset
        """How far the server's clock is ahead of ours, in microseconds, as far as we know: zero until it tells us otherwise."""

    @property
    def names(self) -> Names:
        """The names of this ledger's keys."""
        return self._names

    @property
    def head_key(self) -> str:
        """A key of this ledger: it tells a cluster which node has it."""
        return self._names.head

    def move_clock(self, offset_seconds: float) -> None:
        """Make the server's clock count as ``offset_seconds`` later than it is. For tests; what is asked next is asked then."""
        self._offset = int(offset_seconds * _SECOND)

    def reserve(self, request: ReserveRequest) -> Operation[Decision]:
        """Check every limit and take the amount from all of them, or take nothing."""
        checks.check_asked(request)
        key, reservation = request.key, reservation_id(request.key)
        labels = labels_json(request.labels)
        keys = (self._names.reservation(reservation), self._names.operation("reserve", key))
        least = "" if request.minimum is None else _joined(request.minimum)
        asked = (_joined(request.amount), least, request.ttl_seconds * _SECOND, int(request.may_wait))
        key_json, workflow_json = _quoted(key), _quoted(request.labels.get("workflow", ""))
        for _ in range(STALE_MOST):
            plan = self._plan(request.charges, request.zone)
            digest = reserve_digest(request, plan.scopes, labels)
            kept = f"{key_json}\n{labels}\n{workflow_json}\n{plan.name}"
            body = reserve_body(plan.counters, key_json, labels, reservation)
            told = (*asked, digest, kept, body)
            reply = yield self.call("reserve", keys, told, plan.for_next_reserve if plan is self._stored else plan.for_reserve)
            if type(reply) is str:
                self._stored = plan if reply.startswith(_ADMITTED) else self._stored
                return redis_replies.decision(_parsed(reply)[0], reservation, plan.limits)
            self._stored = None
            if not self._is_stale(reply):
                check_reply(reply, key)
        raise _clock_astray()

    def leave_queue(self, key: str) -> Operation[None]:
        """Give up the place of a waiting reserve."""
        checks.check_key(key)
        reservation = reservation_id(key)
        check_reply((yield self.call("leave", [self._names.waiter(reservation), self._names.never], [reservation])))

    def settle(self, key: str, reservation: str, actual: Actual) -> Operation[Resolution]:
        """Post what a call cost, in the period of its reservation."""
        checks.check_key(key)
        checks.check_text(reservation, "reservation")
        checks.check_actual(actual)
        reply = yield self.call(
            "settle",
            [self._names.operation("settle", key), self._names.reservation(reservation)],
            [
                *(settle_digest(reservation, actual), reservation, _json(key), _json(dict(actual.details))),
                *(_json(actual.usage._asdict() if actual.usage else {}), *actual.amount),
            ],
        )
        check_reply(reply, key, reservation)
        return redis_replies.resolution(reply, reservation)

    def release(self, kind: str, key: str, reservation: str, reason: str) -> Operation[Resolution]:
        """Void or hold (``kind``) a reservation."""
        checks.check_key(key)
        checks.check_text(reservation, "reservation")
        checks.check_text(reason, "reason")
        reply = yield self.call(
            "release",
            [self._names.operation(kind, key), self._names.reservation(reservation)],
            [resolve_digest(reservation, kind), reservation, _json(key), _json(reason), kind],
        )
        check_reply(reply, key, reservation)
        return redis_replies.resolution(reply, reservation)

    def read(self, charges: Sequence[Charge], zone: str) -> Operation[tuple[BudgetState, ...]]:
        """Return how each limit of the charges stands now."""
        for _ in range(STALE_MOST):
            plan = self._plan(charges, zone)
            reply = yield self.call("read", [self._names.never], [], plan.for_read)
            if not self._is_stale(reply):
                check_reply(reply)
                return states(plan.limits, redis_replies.counter_rows(reply[1]))
        raise _clock_astray()

    def show(self, reservation: str) -> Operation[Reservation]:
        """Return one reservation."""
        checks.check_text(reservation, "reservation")
        reply = yield self.call("show", [self._names.reservation(reservation)], [])
        check_reply(reply)
        found = redis_replies.stored_reservation(reservation, reply[1])
        if found is None:
            raise _unknown(reservation)
        return found

    def sweep(self, most: int) -> Operation[int]:
        """Turn up to ``most`` expired pending reservations into holds."""
        done = 0
        while done < most:
            wanted = min(most - done, SWEEP_PAGE)
            reply = yield self.call("sweep", [self._names.never], [wanted])
            check_reply(reply)
            done += reply[1]
            if reply[1] < wanted:
                break
        return done

    def record(self, key: str, kind: str, labels: Mapping[str, str], details: Mapping[str, str]) -> Operation[Entry]:
        """Append a note that moves no money, once per key."""
        checks.check_note_fields(key, kind, labels, details)
        body = _json({"key": key, "labels": dict(labels), "details": dict(details)})
        arguments = [note_digest(kind, labels, details), _json(kind), body]
        reply = yield self.call("record", [self._names.operation("record", key)], arguments)
        check_reply(reply, key)
        return Entry(int(reply[1]), reply[2], reply[3])

    def notes(self, keys: Sequence[str]) -> Operation[tuple[Entry | None, ...]]:
        """Return the note under each key, None where there is none."""
        for key in keys:
            checks.check_key(key)
        reply = yield self.call("notes", [self._names.operation("record", key) for key in keys], [])
        check_reply(reply)
        return redis_replies.notes(reply[1])

    def open_page(self, behind: str) -> Operation[tuple[str, list[Reservation]]]:
        """Return a page of open reservations behind a position (first ``0``), and the position of its last."""
        reply = yield self.call("open", [self._names.never], [behind, PAGE])
        check_reply(reply)
        return reply[1], redis_replies.reservation_page(reply[2])

    def counter_page(self, behind: str, labels: Sequence[str] = ()) -> Operation[tuple[str, list[CounterRow]]]:
        """Return a page of counters behind a position (first ``0``), and the position of its last.

        Those with other ``labels`` are passed over and count for the page all the same, a tenth each: nothing of them is read.
        """
        reply = yield self.call("counters", [self._names.never], [behind, PAGE * 10 if labels else PAGE, *labels])
        check_reply(reply)
        return reply[1], redis_replies.counter_page(reply[2], reply[3])

    def entry_page(self, behind: str) -> Operation[tuple[str, list[Entry]]]:
        """Return a page of entries behind a sequence number, and the number of its last."""
        reply = yield self.call("entries", [], [behind, PAGE])
        check_reply(reply)
        page = redis_replies.entry_page(reply[1])
        return (str(page[-1].seq) if page else behind), page

    def head(self) -> Operation[tuple[int, datetime]]:
        """Return the sequence number of the newest entry, and the server's clock."""
        reply = yield self.call("head", [], [])
        check_reply(reply)
        return int(reply[1]), from_microseconds(int(reply[2]))

    def claim(self, claimant: str, most: int, lease_seconds: int) -> Operation[tuple[Delivery, ...]]:
        """Claim messages that nobody holds."""
        checks.check_text(claimant, "claimant")
        reply = yield self.call("claim", [self._names.never], [claimant, max(most, 0), lease_seconds * _SECOND])
        check_reply(reply)
        return redis_replies.deliveries(reply[1])

    def acknowledge(self, delivery: str, claimant: str) -> Operation[bool]:
        """Mark a message as delivered by its claimant."""
        checks.check_text(claimant, "claimant")
        checks.check_text(delivery, "delivery")
        reply = yield self.call("acknowledge", [self._names.delivery(delivery)], [delivery, claimant])
        check_reply(reply)
        return bool(reply[1])

    def _plan(self, charges: Sequence[Charge], zone: str) -> Plan:
        return self._planner.plan(charges, zone, time.time_ns() // 1000 + self._ahead)

    def _is_stale(self, reply: Sequence[Any]) -> bool:
        """Set our idea of the server's clock right when a period of the plan had not begun, or was over."""
        if reply[0] != "stale":
            return False
        self._ahead = int(reply[1]) - time.time_ns() // 1000
        return True

    def call(self, name: str, keys: Sequence[str], arguments: Sequence[Word], more: Packed = NO_WORDS) -> Call:
        """Return a script call: the ledger's own keys and what every script is told come first, arguments packed before last."""
        front = self._fronts.get(len(keys))
        if front is None:
            own = self._names.own
            front = self._fronts[len(keys)] = pack((len(own) + len(keys), *own))
        return Call(script(name), front, (*keys, self._offset, SCHEMA_VERSION, *arguments), more)


def _joined(amount: Amount) -> str:
    return f"{amount[0]},{amount[1]},{amount[2]}"


def check_reply(reply: Sequence[Any], key: str = "", reservation: str = "") -> None:
    """Raise the failure that a script answered, if it did."""
    match reply[0]:
        case "too_new":
            raise LedgerTooNew(
                f"the ledger has schema version {reply[1]}, this program knows {SCHEMA_VERSION}; upgrade budget-gate-ci"
            )
        case "loading":
            raise LedgerUnavailable("the ledger is being filled by `ledger copy` or repaired; if that was cut off, run it again")
        case "reused":
            raise KeyReused(f"key {key!r} came before with other arguments; make a new key for each operation")
        case "unknown":
            raise _unknown(reservation)
        case "too_large":
            raise LedgerError("a counter holds more than can be counted exactly; nothing was added to it")


def _unknown(reservation: str) -> UnknownReservation:
    return UnknownReservation(f"no reservation {reservation!r} in this ledger")


def _clock_astray() -> LedgerUnavailable:
    return LedgerUnavailable("the Redis server's clock keeps jumping between periods; check its time synchronization")
