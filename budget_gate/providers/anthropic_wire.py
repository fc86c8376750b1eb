"""One attempt at the wire, without the wire: what to send, and what the answer, or its absence, means for the reservation.

Blocking and asynchronous transports (``anthropic_transport``, ``anthropic_async``) send and read; all they decide is decided here.
How a failure is accounted for is ``anthropic_outcomes``. Who asked is a ``Call``: our own provider's, or a drop-in client's.
"""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.request import getproxies, proxy_bypass

import httpx2

from budget_gate.core.errors import ProviderError, UnsupportedUsage, UsageError
from budget_gate.core.message_streams import STREAM_BYTES_MOST, StreamMeter
from budget_gate.core.messages_api import read_json_object, read_usage, request_facts
from budget_gate.core.reservations import Refused
from budget_gate.core.usage import Usage
from budget_gate.providers.anthropic_outcomes import FailureKind, Outcome, clean, outcome_of, retry_after_seconds
from budget_gate.providers.interface import Answer, Attempt, BatchReading, Failed, Meter, Sendable

CONNECT_SECONDS_MOST = 10.0
FIRST_BACKOFF_SECONDS = 0.5
"""The SDK's own first wait between attempts; it doubles each time (anthropic/_constants.py)."""

LOSSES = (httpx2.TransportError, httpx2.StreamError, OSError, ProviderError)
"""What may be raised where an answer was to come."""

_GONE = 499
"""The status of answers we make up: the SDK neither retries it nor takes it for success."""

_FRAMING = frozenset({"content-length", "transfer-encoding", "content-encoding", "connection"})
_WAITS = frozenset({"retry-after", "retry-after-ms"})


class Call:
    """What all attempts of one ``send`` share. ``meter`` None: a request that is free of charge.

    This is our provider's; what it does where an attempt brings no answer, a drop-in client's call does otherwise.
    """

    shows_breaks = False
    """Whether a stream that breaks raises to its reader, or just ends."""

    def __init__(self, meter: Meter | None, deadline_seconds: float) -> None:
        self.meter = meter
        self.ends_at = time.monotonic() + deadline_seconds
        self.attempts = 0
        self.refused: Refused | None = None
        self.error: BaseException | None = None
        self.failed: Failed | None = None
        self.answer: Answer | None = None
        self.reading: BatchReading | None = None

    @property
    def is_free(self) -> bool:
        """Whether its requests cost nothing."""
        return self.meter is None

    def admit(self, request: httpx2.Request, content: bytes) -> "Dispatch | Refused":
        """Have one attempt admitted. Blocks; raises what the meter raises, and ``ProviderError`` for what is no request."""
        assert self.meter is not None
        attempt = self.meter.begin(read_json_object(content))
        return attempt if isinstance(attempt, Refused) else Exchange(self, attempt, request)

    @property
    def seconds_left(self) -> float:
        """What is left of the deadline."""
        return self.ends_at - time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether no further attempt may be sent."""
        return self.error is not None or self.refused is not None

    def stopped(self, request: httpx2.Request) -> httpx2.Response:
        """Return what the SDK gets instead of a further attempt."""
        return made_up(request)

    def refuse(self, request: httpx2.Request, refused: Refused) -> httpx2.Response:
        """Return what the SDK gets where a budget refuses. Nothing was sent."""
        self.refused = refused
        return made_up(request)

    def failure(
        self, request: httpx2.Request, outcome: Outcome, answered: httpx2.Response | None, error: Exception | None
    ) -> httpx2.Response:
        """Return what the SDK gets for an attempt that failed: a made-up answer that says whether to try again."""
        del error
        wanted = retry_after_seconds(answered.headers, time.time()) if answered is not None else None
        return made_up(request, self._retry_headers(outcome, wanted))

    def outward(self, error: BaseException) -> BaseException:
        """Remember what broke the call off, and return it as the SDK may see it.

        The SDK would retry an exception; remembered here, it stops the call and is raised to the caller.
        """
        self.error = error
        return error

    def timeout(self, request: httpx2.Request) -> dict[str, float]:
        """Return the timeouts of one attempt, in seconds."""
        del request
        left = max(self.seconds_left, 0.001)
        # A second more for reading, so that it is the watch that ends a silent answer: one way, one account of it.
        return {"connect": min(left, CONNECT_SECONDS_MOST), "read": left + 1, "write": left, "pool": left}

    def _retry_headers(self, outcome: Outcome, wanted_seconds: float | None) -> dict[str, str]:
        """Return the headers that tell the SDK whether, and after how long, to try again: never past the deadline."""
        wait_seconds = FIRST_BACKOFF_SECONDS * 2.0 ** (self.attempts - 1) if wanted_seconds is None else wanted_seconds
        if not outcome.is_worth_retrying or wait_seconds >= self.seconds_left:
            return {"x-should-retry": "false"}
        # An asked-for wait of nothing would make the SDK use its own; one millisecond is as good as none.
        return {"x-should-retry": "true", "retry-after-ms": str(max(int(wait_seconds * 1000), 1))}


CURRENT_CALL: ContextVar[Call | None] = ContextVar("CURRENT_CALL", default=None)
"""The call that this thread's SDK is busy with: the SDK offers no way to hand one down to its transport."""


def current_call(request: httpx2.Request) -> Call:
    """Return the provider's call that a request belongs to. Raises ``ProviderError`` for one that would not be metered."""
    call = CURRENT_CALL.get()
    if call is None or not is_path(request, "/v1/messages", "/v1/messages/count_tokens"):
        raise ProviderError(f"a request to {request.url.path} would not be metered")
    return call


def is_path(request: httpx2.Request, *endings: str) -> bool:
    """Return whether a request goes to one of these paths; whatever the base URL puts before them does not count."""
    return request.url.path.rstrip("/").endswith(endings)


class Progress:
    """How far one attempt came. ``has_written``: part of the request may have left; ``has_expired``: the deadline ended it."""

    def __init__(self) -> None:
        self.has_written = False
        self.has_expired = False

    def note(self, name: str, info: Mapping[str, Any]) -> None:
        """Take one of the HTTP library's events (https://www.encode.io/httpcore/extensions/#trace)."""
        del info
        self.has_written = self.has_written or name.endswith("send_request_headers.started")


class Dispatch(ABC):
    """Something admitted, from its admission to its end, whatever it buys."""

    is_streamed = False

    def __init__(self, call: Call, admitted: Sendable, request: httpx2.Request) -> None:
        self.call = call
        self.admitted = admitted
        self.request = request
        call.attempts += 1

    @abstractmethod
    def bought(self, response: httpx2.Response, body: bytes) -> None:
        """Resolve by a whole answer of status 200. Raises ``ProviderError`` or ``UnsupportedUsage`` for one that nobody can price."""

    def wire_request(self, trace: Any) -> httpx2.Request:
        """Return the request as it goes out: the admitted bytes."""
        content = json.dumps(self.admitted.body, ensure_ascii=False, separators=(",", ":")).encode()
        return wire_request(self.request, content, self.call, trace)

    def too_late(self) -> httpx2.Response | None:
        """Return the answer to an attempt whose deadline passed before it was sent, or None if there is time."""
        if self.call.seconds_left > 0:
            return None
        return self._over(Outcome("void", "deadline", "the deadline passed before it was sent"))

    def lost(self, error: Exception, progress: Progress) -> httpx2.Response:
        """Resolve an attempt that brought no whole answer."""
        return self._over(lost(error, progress, self.call), error=error)

    def answered(self, response: httpx2.Response, body: bytes) -> httpx2.Response:
        """Resolve an attempt by its whole answer, and return what the SDK gets."""
        if response.status_code != HTTPStatus.OK:
            outcome = outcome_of(response.status_code, body)
            if response.headers.get("x-should-retry") == "false":
                outcome = outcome._replace(is_worth_retrying=False)
            return self._over(outcome, whole(self.request, response, body))
        try:
            self.bought(response, body)
        except (ProviderError, UnsupportedUsage) as error:
            # Held, and not asked for again: it was bought, only not in a form that we can price.
            return self._over(Outcome("hold", "broken", str(error), is_worth_retrying=False), whole(self.request, response, body))
        return whole(self.request, response, body)

    def _over(self, outcome: Outcome, answered: httpx2.Response | None = None, error: Exception | None = None) -> httpx2.Response:
        self.call.failed = Failed(outcome.kind, outcome.text, self.call.attempts)
        if outcome.resolution == "void":
            self.admitted.void(outcome.text)
        else:
            self.admitted.hold(outcome.text)
        return self.call.failure(self.request, outcome, answered, error)


class Exchange(Dispatch):
    """One admitted attempt at a Messages request."""

    def __init__(self, call: Call, attempt: Attempt, request: httpx2.Request) -> None:
        super().__init__(call, attempt, request)
        self.attempt = attempt
        try:
            self.facts = request_facts(attempt.body)
        except UsageError:
            attempt.void("what was admitted is not a request")
            raise
        self.is_streamed = self.facts.is_streamed

    def bought(self, response: httpx2.Response, body: bytes) -> None:
        """Settle by a message."""
        message = read_json_object(body)
        if message.get("type") != "message" or not isinstance(message.get("content"), list):
            _refuse("the answer is not a message")
        self.settle(message, read_usage(message.get("usage"), self.facts), response)

    def settle(self, message: dict[str, Any], usage: Usage, response: httpx2.Response) -> None:
        """Settle by a complete answer."""
        details = {
            "request_id": clean(response.headers.get("request-id", "")),
            "served_by": clean(str(message.get("model", ""))),
            "stop_reason": clean(str(message.get("stop_reason", ""))),
        }
        self.call.answer = Answer(message, usage, self.call.attempts)
        self.attempt.settle(usage, {name: value for name, value in details.items() if value})


class StreamedAttempt:
    """A streamed answer on its way: fed what passes, resolved when it ends, however it ends."""

    def __init__(self, exchange: Exchange, response: httpx2.Response, progress: Progress) -> None:
        self._exchange = exchange
        self._response = response
        self._progress = progress
        self._meter = StreamMeter(exchange.facts)
        self._is_over = False

    @property
    def is_whole(self) -> bool:
        """Whether the message came to its end."""
        return self._meter.is_complete

    @property
    def is_due(self) -> bool:
        """Whether it did just now: time to ``finish``, before its last bytes are passed on."""
        return self._meter.is_complete and not self._is_over

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes. Only looks; never raises."""
        self._meter.feed(chunk)

    def end(self) -> None:
        """The server has closed the stream."""
        self._meter.close()
        self.finish("the stream ended before the message did")

    def finish(self, reason: str = "") -> None:
        """Resolve the attempt, once: by the counts of a complete message, else as one whose bill nobody knows."""
        if self._is_over:
            return
        self._is_over = True
        call = self._exchange.call
        try:
            if self._meter.is_complete:
                self._exchange.settle(self._meter.message(), self._meter.usage(), self._response)
                return
            if self._meter.error is not None:
                reason = clean(": ".join(("the API ended the stream with an error", *self._meter.error)))
            reason = self._meter.fault or reason
        except (ProviderError, UnsupportedUsage) as error:
            reason = str(error)
        except BaseException as error:
            call.error = error
            raise
        kind: FailureKind = "broken"
        if self._progress.has_expired or call.seconds_left <= 0:
            kind, reason = "deadline", f"no whole answer before the deadline ({reason})"
        call.failed = Failed(kind, reason, call.attempts)
        self._exchange.attempt.hold(reason)


def lost(error: Exception, progress: Progress, call: Call) -> Outcome:
    """Return what it means that an attempt brought no whole answer: void only if not a byte of the request can have left."""
    # A proxy that refuses the tunnel never saw the request, though something was written to it.
    was_sent = progress.has_written and not isinstance(error, httpx2.ProxyError)
    reason = str(error) if isinstance(error, ProviderError) else type(error).__name__
    is_late = progress.has_expired or call.seconds_left <= 0 or (was_sent and isinstance(error, httpx2.TimeoutException))
    if is_late:
        return Outcome("hold" if was_sent else "void", "deadline", f"no whole answer before the deadline ({reason})")
    if isinstance(error, ProviderError):
        # It did answer, only not in a form we read: asking again would be billed again.
        return Outcome("hold", "broken", reason)
    if was_sent:
        return Outcome("hold", "broken", f"the connection was lost after the request was sent ({reason})", is_worth_retrying=True)
    return Outcome("void", "unreachable", f"the API could not be reached ({reason})", is_worth_retrying=True)


def made_up(request: httpx2.Request, headers: Mapping[str, str] | None = None) -> httpx2.Response:
    """Return an answer that never came from the API; without headers it tells the SDK to stop."""
    return httpx2.Response(_GONE, headers=headers or {"x-should-retry": "false"}, json={}, request=request)


def wire_request(request: httpx2.Request, content: bytes, call: Call, trace: Any) -> httpx2.Request:
    """Return a request as it goes out: an answer that is not compressed is asked for, in what is left of the time."""
    kept = [(name, value) for name, value in request.headers.multi_items() if name not in {"content-length", "accept-encoding"}]
    extensions = {"timeout": call.timeout(request), "trace": trace}
    headers = [*kept, ("accept-encoding", "identity")]
    return httpx2.Request(request.method, request.url, headers=headers, content=content, extensions=extensions)


class Body:
    """The parts of an answer as they are read; raises ``ProviderError`` for one that is compressed or longer than any message."""

    def __init__(self, response: httpx2.Response) -> None:
        refuse_encoding(response)
        self._parts: list[bytes] = []
        self._length = 0

    def add(self, part: bytes) -> None:
        """Take the next part."""
        self._length += len(part)
        if self._length > STREAM_BYTES_MOST:
            raise ProviderError("the answer is longer than any message")
        self._parts.append(part)

    def joined(self) -> bytes:
        """Return all of it."""
        return b"".join(self._parts)


def refuse_encoding(response: httpx2.Response) -> None:
    """Raise if the answer is compressed though that was not asked for: a few bytes could unfold to any number."""
    encoding = response.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        _refuse(f"the answer is encoded as {clean(encoding)}, which was not asked for")


def _refuse(reason: str) -> NoReturn:
    raise ProviderError(reason)


def whole(request: httpx2.Request, response: httpx2.Response, body: bytes) -> httpx2.Response:
    """Return an answer that has been read, for the SDK to take in."""
    return httpx2.Response(response.status_code, headers=passed_headers(response), content=body, request=request)


def passed_headers(response: httpx2.Response) -> list[tuple[str, str]]:
    """Return the headers that are passed on: of a good answer all but those of its framing, and the waits that go with a failure."""
    left_out = _FRAMING | _WAITS if response.is_success else _FRAMING
    return [(name, value) for name, value in response.headers.multi_items() if name not in left_out]


def proxy_for(request: httpx2.Request) -> str | None:
    """Return the proxy that the environment names for a request's host, or None."""
    proxies = getproxies()
    return None if proxy_bypass(request.url.host) else proxies.get(request.url.scheme, proxies.get("all"))


def no_kept_connections() -> httpx2.Limits:
    """Return the limits of a transport: a kept connection that the server closes just then would lose a request unaccounted for."""
    return httpx2.Limits(max_keepalive_connections=0)
