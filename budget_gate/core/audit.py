"""Ledger entries: one line of JSON each, appended and never changed, chained by hash.

The text is hashed exactly as it is stored, so a backend may assemble it where its atomic step runs (Redis does, in Lua), as long
as it parses to these fields::

    {"seq": 7, "at": 1790000000000000, "kind": "reserve", "delta": [[0,0,0],[512000,900,1],[0,0,0]], "body": {...}}

``at`` is the ledger's clock in microseconds since 1970 UTC. ``delta`` is what the entry added to every counter of its
reservation: posted, pending and held, each as nano-dollars, tokens and requests. ``body`` by kind:

- ``reserve``: ``reservation``, ``key``, ``labels``, ``counters`` as ``[scope, per, label]`` triples
- ``post``: ``reservation``, ``key``, ``labels``, ``usage`` (tokens by kind), ``details``, ``overrun`` (three counts);
  with ``counters`` again if the reservation had been voided
- ``void``, ``hold``: ``reservation``, ``key``, ``reason``; ``expire`` (a hold by the clock): ``reservation``
- ``refuse``: ``key``, ``labels``, ``asked`` (three counts), ``refused_by`` as ``[scope, per, unit, reason]``
- anything else is a note that moves no money (an outcome, an exemption): ``key``, ``labels``, ``details``
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from budget_gate.core.amounts import Amount, CounterValue

GENESIS = "0" * 64
"""What the first entry names as the hash before it."""

MONEY_KINDS = ("reserve", "post", "void", "hold", "expire", "refuse")
"""Kinds that only the ledger itself writes."""

AVOIDED = "avoided"
"""Kind of the note in which a run says what it did not have to pay (``nano_usd``) for ``hunks`` that an earlier run had read."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# json.dumps would make an encoder for each text, and write down every container on the way to find one inside itself.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False)


class Entry(NamedTuple):
    """One entry as stored: its place, its exact text, and the chain hash ``algorithm:hex`` over the hash before and the text."""

    seq: int
    text: str
    chain_hash: str

    def parsed(self) -> "ParsedEntry":
        """Return the fields; raises ``ValueError`` if the text is not an entry."""
        return parse_entry(self.text)


class ParsedEntry(NamedTuple):
    """The fields of an entry's text."""

    seq: int
    at: datetime
    kind: str
    delta: CounterValue
    body: Mapping[str, Any]


def microseconds(instant: datetime) -> int:
    """Return an aware datetime as whole microseconds since 1970 UTC, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """Return the UTC datetime that ``microseconds`` named."""
    return _EPOCH + timedelta(microseconds=count)


def compact_json(value: object) -> str:
    """Return JSON without spaces, keys sorted, text as it is: the form in which entries are stored and hashed."""
    return _ENCODER.encode(value)


def entry_text(seq: int, at: datetime, kind: str, delta: CounterValue, body: Mapping[str, Any]) -> str:
    """Return the text of an entry."""
    moved = ",".join([f"[{part[0]},{part[1]},{part[2]}]" for part in delta])
    texts = (compact_json(body), moved, compact_json(kind))
    return f'{{"at":{microseconds(at)},"body":{texts[0]},"delta":[{texts[1]}],"kind":{texts[2]},"seq":{seq}}}'


def parse_entry(text: str) -> ParsedEntry:
    """Return the fields of an entry's text; raises ``ValueError`` if it is not one."""
    try:
        fields = json.loads(text)
        posted, pending, held = (_parsed_amount(*part) for part in fields["delta"])
        at = from_microseconds(_integer(fields["at"]))
        seq, kind, body = _integer(fields["seq"]), str(fields["kind"]), dict(fields["body"])
        return ParsedEntry(seq, at, kind, CounterValue(posted, pending, held), body)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"not a ledger entry: {error}") from None


def _parsed_amount(nano_usd: object, tokens: object, requests: object) -> Amount:
    return Amount(_integer(nano_usd), _integer(tokens), _integer(requests))


def _integer(value: object) -> int:
    """Return a count that is one: money that came as a float, or as text, was not written by a ledger."""
    if type(value) is not int:
        raise ValueError(f"{value!r} is not an integer")
    return value


def chain_hash(previous: str, text: str, algorithm: str = "sha256") -> str:
    """Return ``algorithm:hex`` over the previous entry's whole ``chain_hash`` (or ``GENESIS``), a line feed, and the text."""
    import hashlib  # loads OpenSSL: 3 ms that reading a budget does not need

    data = f"{previous}\n{text}".encode()
    # Every entry that is written goes the short way; naming an algorithm costs as much again as hashing an entry does.
    digest = hashlib.sha256(data) if algorithm == "sha256" else hashlib.new(algorithm, data, usedforsecurity=False)
    return f"{algorithm}:{digest.hexdigest()}"
