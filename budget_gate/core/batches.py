"""Message batches as JSON: what a create asks for, and what each line of a results file says. Pure; money is ``gate.batches``.

Sources: https://platform.claude.com/docs/en/build-with-claude/batch-processing, and the types of the official SDK 2.12
(``anthropic/types/messages/``). A batch ends within 24 hours; its results come in any order, and only succeeded ones are billed.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from budget_gate.core.errors import ProviderError, UnsupportedUsage, UsageError
from budget_gate.core.message_streams import STREAM_BYTES_MOST
from budget_gate.core.messages_api import read_json_object

REQUESTS_MOST = 100_000
"""In one batch, by the API's own limit."""

HOURS_MOST = 24
"""How long the API works on a batch; what it has not got to by then is expired, and costs nothing."""

BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,256}")
"""What an id of a batch may look like: it becomes part of a path and of a ledger key."""

_FREE_OUTCOMES = ("errored", "canceled", "expired")

_DIGEST_BYTES = 32


class BatchItem(NamedTuple):
    """One request of a batch: the caller's name for it, and the Messages request."""

    custom_id: str
    params: Mapping[str, Any]


class BatchResult(NamedTuple):
    """One line of a results file. ``usage`` is the wire's usage object of a request that succeeded, None for a free one."""

    custom_id: str
    usage: object = None


class IdSum:
    """A digest of names in any order, in constant memory: tells whether a results file is whole, and which batch it is of.

    It is the sum of the names' SHA-256, and how many there were; ``text`` is both.
    """

    def __init__(self) -> None:
        self._count = 0
        self._sum = 0

    def add(self, name: str) -> None:
        """Take one more name."""
        self._count += 1
        self._sum += int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest())

    @property
    def text(self) -> str:
        """What the names came to so far."""
        return f"{self._count}.{self._sum % 2 ** (8 * _DIGEST_BYTES):0{2 * _DIGEST_BYTES}x}"


def batch_items(body: Mapping[str, Any]) -> tuple[BatchItem, ...]:
    """Return the requests of a create call. Raises ``UsageError`` for what is no batch, ``UnsupportedUsage`` for what has no price."""
    for key, value in body.items():
        if key != "requests" and value is not None:
            raise UnsupportedUsage(f"the batch field {key!r} has no known price; leave it out")
    requests = body.get("requests")
    if not isinstance(requests, list | tuple) or not 1 <= len(requests) <= REQUESTS_MOST:
        raise UsageError(f"a batch is a list of 1 to {REQUESTS_MOST} `requests`; split it, or give it some")
    items = tuple(_item(number, request) for number, request in enumerate(requests))
    if len({item.custom_id for item in items}) != len(items):
        raise UsageError("two requests of the batch have the same `custom_id`; give each its own")
    return items


def _item(number: int, request: object) -> BatchItem:
    place = f"requests.{number}"
    if not isinstance(request, Mapping) or not isinstance(request.get("params"), Mapping):
        raise UsageError(f"{place} is no request; write `custom_id` and `params`")
    for key, value in request.items():
        if key not in {"custom_id", "params"} and value is not None:
            raise UnsupportedUsage(f"{place}.{key} has no known price; leave it out")
    custom_id, params = request.get("custom_id"), request["params"]
    if not isinstance(custom_id, str) or not custom_id:
        raise UsageError(f"{place} has no name; set `custom_id` to a text of its own")
    if params.get("speed") not in (None, "standard"):
        raise UnsupportedUsage(f"{place}: batches have no price for `speed: {params['speed']}`; leave it out")
    return BatchItem(custom_id, params)


def read_batch_id(answer: Mapping[str, Any]) -> str:
    """Return the id in the API's answer to a create. Raises ``ProviderError`` for what is no batch."""
    name = answer.get("id")
    if answer.get("type") != "message_batch" or not isinstance(name, str) or not BATCH_ID.fullmatch(name):
        raise ProviderError("the answer is not a message batch")
    return name


class ResultLines:
    """Cuts a results file, fed in any pieces, into its results. Holds one line at a time.

    Never raises: a line that cannot be read is told in ``fault``, after which nothing more is read.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0
        self.fault = ""

    def feed(self, chunk: bytes) -> Iterator[BatchResult]:
        """Yield the results that are complete with these bytes."""
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            yield from self._result(b"".join((*self._parts, line)))
            self._parts, self._length = [], 0
        self._parts.append(rest)
        self._length += len(rest)
        if self._length > STREAM_BYTES_MOST:
            self.fault = self.fault or "a line of the results is longer than any message"
            self._parts, self._length = [], 0

    def close(self) -> Iterator[BatchResult]:
        """Yield the last result, where no line feed ended it."""
        line, self._parts = b"".join(self._parts), []
        yield from self._result(line)

    def _result(self, line: bytes) -> Iterator[BatchResult]:
        if self.fault or not line.strip():
            return
        try:
            yield _read_result(line)
        except ProviderError as error:
            self.fault = str(error)


def _read_result(line: bytes) -> BatchResult:
    fields = read_json_object(line)
    custom_id, result = fields.get("custom_id"), fields.get("result")
    kind = result.get("type") if isinstance(result, dict) else None
    if not isinstance(custom_id, str) or not isinstance(result, dict):
        raise ProviderError("a line of the results names no request or no result")
    if kind in _FREE_OUTCOMES:
        return BatchResult(custom_id)
    message = result.get("message")
    # A result of a kind that nobody knows, and one without usage, are read on: their price is what is not known.
    usage = message.get("usage") if kind == "succeeded" and isinstance(message, dict) else None
    return BatchResult(custom_id, {} if usage is None else usage)
