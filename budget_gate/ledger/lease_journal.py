"""What a job spends against its leases, kept in a file beside it: whoever comes after a killed process can settle for it.

One JSON line per event, written before what it announces (a lease is asked for, a call goes out) and after what it reports (what a
call cost). The file holds no secret. Settling from it is ``lease_closing``.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from budget_gate.core.amounts import ZERO, Amount
from budget_gate.core.audit import compact_json
from budget_gate.core.charges import Charge, LimitLine
from budget_gate.core.reservations import Actual, ReserveRequest
from budget_gate.core.scopes import Scope
from budget_gate.core.usage import Usage
from budget_gate.ledger.identity import reservation_id

CallState = Literal["open", "posted", "voided", "held"]


class LeasedCall(NamedTuple):
    """One call against a lease; ``actual`` is what it cost once that is known."""

    reservation: str
    granted: Amount
    state: CallState = "open"
    actual: Actual = Actual(ZERO)


class Lease:
    """A reservation on the inner ledger, and the calls that were made against it."""

    def __init__(self, url: str, request: ReserveRequest) -> None:
        self.url = url
        self.request = request
        self.granted: Amount | None = None
        self.calls: dict[str, LeasedCall] = {}
        self.is_closed = False

    @property
    def key(self) -> str:
        """The key of the operation that took it."""
        return self.request.key

    @property
    def reservation(self) -> str:
        """Its id on the inner ledger: known even if the answer was lost."""
        return reservation_id(self.key)

    @property
    def is_idle(self) -> bool:
        """True when no call is under way."""
        return all(call.state != "open" for call in self.calls.values())


class LeaseBook:
    """The leases of one job, by key, and the journal that they are read back from. Without a path nothing is kept."""

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._path = None if path is None else Path(path)
        self.leases: dict[str, Lease] = {}
        if self._path is not None and self._path.exists():
            for line in self._path.read_text("utf-8").split("\n"):
                event = _parsed(line)
                if event:
                    self._apply(*event)

    def open_leases(self) -> list[Lease]:
        """Return what is not closed yet, oldest first."""
        return [lease for lease in self.leases.values() if not lease.is_closed]

    def asked(self, url: str, request: ReserveRequest) -> None:
        """A lease is about to be asked for."""
        self._note("asked", url, _request_fields(request))

    def granted(self, key: str, amount: Amount) -> None:
        """A lease was granted."""
        self._note("granted", key, amount)

    def called(self, key: str, reservation: str, granted: Amount) -> None:
        """A call is about to go out."""
        self._note("called", key, reservation, granted)

    def settled(self, key: str, reservation: str, actual: Actual) -> None:
        """A call's cost is known."""
        self._note("settled", key, reservation, actual.amount, actual.usage, dict(actual.details))

    def ended(self, key: str, reservation: str, state: CallState) -> None:
        """A call was voided or held."""
        self._note("ended", key, reservation, state)

    def closed(self, key: str) -> None:
        """A lease was settled; once all are, there is nothing left to remember."""
        self._note("closed", key)
        if self._path is not None and not self.open_leases():
            self._path.unlink(missing_ok=True)

    def _note(self, *event: Any) -> None:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as journal:
                journal.write(compact_json(event) + "\n")
        self._apply(*json.loads(compact_json(event)))

    def _apply(self, kind: str, key: str, *rest: Any) -> None:
        """Follow one event. Both the process that writes them and the one that reads them back do this, and so agree."""
        if kind == "asked":
            request = _parsed_request(*rest[0])
            self.leases.setdefault(request.key, Lease(key, request))
            return
        lease = self.leases.get(key)
        if lease is None:  # the line that named it is gone, so the ledger's own hold is all there is to go by
            return
        match kind:
            case "granted":
                lease.granted = Amount(*rest[0])
            case "called":
                lease.calls[rest[0]] = LeasedCall(rest[0], Amount(*rest[1]))
            case "settled":
                reservation, amount, usage, details = rest
                actual = Actual(Amount(*amount), Usage(*usage) if usage else None, details)
                lease.calls[reservation] = lease.calls[reservation]._replace(state="posted", actual=actual)
            case "ended":
                lease.calls[rest[0]] = lease.calls[rest[0]]._replace(state=rest[1])
            case "closed":
                lease.is_closed = True


def _parsed(line: str) -> list[Any]:
    """Return an event; nothing for the half line that a killed process left."""
    try:
        event = json.loads(line) if line else []
    except ValueError:
        return []
    return event if isinstance(event, list) else []


def _request_fields(request: ReserveRequest) -> list[Any]:
    charges = [[*each.scope, each.per, each.limits] for each in request.charges]
    return [request.key, request.amount, charges, request.zone, dict(request.labels), request.ttl_seconds]


def _parsed_request(
    key: str, amount: list[int], charges: list[Any], zone: str, labels: Mapping[str, str], ttl_seconds: int
) -> ReserveRequest:
    known = tuple(
        Charge(Scope(kind, name), per, tuple(LimitLine(*line) for line in limits)) for kind, name, per, limits in charges
    )
    return ReserveRequest(key, Amount(*amount), known, zone, labels, ttl_seconds=ttl_seconds)
