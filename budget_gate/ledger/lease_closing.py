"""How a lease ends: settled once with the sum of its calls, while what nobody knows the cost of stays counted as held.

Every operation's key comes from the lease's, so that closing may be repeated by another process, and counts once.
"""

import os
from collections.abc import Sequence

from budget_gate.core.amounts import ZERO
from budget_gate.core.audit import compact_json
from budget_gate.core.errors import UnknownReservation
from budget_gate.core.reservations import Actual, Admitted, ReserveRequest
from budget_gate.core.usage import Usage
from budget_gate.ledger.identity import reservation_id
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.lease_journal import Lease, LeaseBook, LeasedCall


def settle_left_open(journal: str | os.PathLike[str], inner: Ledger) -> int:
    """Settle what a job's process left open, by its journal; return how many leases there were. Repeating it changes nothing.

    Leases of another ledger than ``inner`` are left alone.
    """
    book = LeaseBook(journal)
    mine = [lease for lease in book.open_leases() if lease.url == inner.url]
    for lease in mine:
        try:
            inner.show(lease.reservation)
        except UnknownReservation:
            book.closed(lease.key)  # killed before the ledger had heard of it, or refused: nothing was taken
        else:
            close_lease(inner, book, lease)
    return len(mine)


def close_lease(inner: Ledger, book: LeaseBook, lease: Lease) -> None:
    """Settle a lease at what its calls cost; a lease without a paid call is voided.

    A call whose end is unknown is first held by a reservation of its own: the other way round, somebody could take its room.
    """
    for call in lease.calls.values():
        if call.state in {"open", "held"}:
            name = reserve_outside(inner, lease, call)
            inner.hold(held_key(lease, call), name, "its job ended before the cost was known")
    paid = [call for call in lease.calls.values() if call.state == "posted"]
    if paid:
        inner.settle(f"{lease.key}/close", lease.reservation, summed(paid))
    else:
        inner.void(f"{lease.key}/close", lease.reservation, "no call was paid for")
    book.closed(lease.key)


def held_key(lease: Lease, call: LeasedCall) -> str:
    """Return the key of the reservation that a call gets on the inner ledger, should it need one of its own."""
    return f"{lease.key}/{call.reservation}"


def reserve_outside(inner: Ledger, lease: Lease, call: LeasedCall) -> str:
    """Take a reservation for one call that its lease no longer covers, and return its id.

    No limit refuses it, because what is spent is never refused (law 5); every counter counts it.
    """
    free = tuple(charge.unenforced() for charge in lease.request.charges)
    key = held_key(lease, call)
    labels = lease.request.labels
    decision = inner.reserve(ReserveRequest(key, call.granted, free, lease.request.zone, labels))
    assert isinstance(decision, Admitted), "a request without an enforced limit is admitted"
    return reservation_id(key)


def summed(calls: Sequence[LeasedCall]) -> Actual:
    """Return the cost of several calls as one: amounts and tokens by kind added up, each call's own story under ``calls``."""
    amount, usage = ZERO, Usage()
    for call in calls:
        amount = amount.plus(call.actual.amount)
        usage = usage.plus(call.actual.usage or Usage())
    stories = [
        {"cost_nano_usd": call.actual.amount.nano_usd, "usage": call.actual.usage or (), **call.actual.details} for call in calls
    ]
    names = {name for call in calls for name in call.actual.details}
    told = {name: {call.actual.details.get(name, "") for call in calls} for name in sorted(names)}
    alike = {name: values.pop() for name, values in told.items() if len(values) == 1}
    return Actual(amount, usage, {**alike, "calls": compact_json(stories)})
