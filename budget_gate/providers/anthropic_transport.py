"""The meter at the wire: every attempt that the SDK makes, retries included, is admitted and resolved here, one by one.

The SDK's client is given ``MeteredTransport`` in place of its own; nothing reaches the network around it. It answers the SDK
itself where nothing may be sent, and decides whether the SDK tries again (``x-should-retry``, which it obeys). How failures are
accounted for is ``anthropic_outcomes``; turning all this into a ``Provider`` is ``anthropic``.
"""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.request import getproxies, proxy_bypass

import httpx2

from budget_gate.core.errors import ProviderError, UnsupportedUsage, UsageError
from budget_gate.core.message_streams import STREAM_BYTES_MOST, StreamMeter
from budget_gate.core.messages_api import RequestFacts, read_json_object, read_usage, request_facts
from budget_gate.core.reservations import Refused
from budget_gate.providers.anthropic_outcomes import FailureKind, Outcome, clean, outcome_of, retry_after_seconds
from budget_gate.providers.interface import Answer, Attempt, Failed, Meter

CONNECT_SECONDS_MOST = 10.0
FIRST_BACKOFF_SECONDS = 0.5
"""The SDK's own first wait between attempts; it doubles each time (anthropic/_constants.py)."""

_GONE = 499
"""The status of answers we make up: the SDK neither retries it nor takes it for success."""


class Call:
    """What all attempts of one ``send`` share. ``meter`` None: a request that is free of charge."""

    def __init__(self, meter: Meter | None, deadline_seconds: float) -> None:
        self.meter = meter
        self.ends_at = time.monotonic() + deadline_seconds
        self.attempts = 0
        self.refused: Refused | None = None
        self.error: BaseException | None = None
        self.failed: Failed | None = None
        self.answer: Answer | None = None

    @property
    def seconds_left(self) -> float:
        """What is left of the deadline."""
        return self.ends_at - time.monotonic()

    def fail(self, outcome: Outcome) -> None:
        """Remember how the latest attempt failed."""
        self.failed = Failed(outcome.kind, outcome.text, self.attempts)

    def retry_headers(self, outcome: Outcome, wanted_seconds: float | None) -> dict[str, str]:
        """Return the headers that tell the SDK whether, and after how long, to try again: never past the deadline."""
        wait_seconds = FIRST_BACKOFF_SECONDS * 2.0 ** (self.attempts - 1) if wanted_seconds is None else wanted_seconds
        if not outcome.is_worth_retrying or wait_seconds >= self.seconds_left:
            return {"x-should-retry": "false"}
        # An asked-for wait of nothing would make the SDK use its own; one millisecond is as good as none.
        return {"x-should-retry": "true", "retry-after-ms": str(max(int(wait_seconds * 1000), 1))}


CURRENT_CALL: ContextVar[Call | None] = ContextVar("CURRENT_CALL", default=None)
"""The call that this thread's SDK is busy with: the SDK offers no way to hand one down to its transport."""


class Watch:
    """Ends one attempt at the deadline, and knows whether any of the request was written.

    Timeouts are per read, so a server that drips bytes outlives any of them; at the deadline the socket is shut instead, which
    makes a blocked read return.
    """

    def __init__(self, seconds: float) -> None:
        self.has_written = False
        self.has_expired = False
        self._stream: Any = None
        self._timer = threading.Timer(max(seconds, 0.0), self._expire)
        self._timer.daemon = True
        self._timer.start()

    def trace(self, name: str, info: Mapping[str, Any]) -> None:
        """Take the HTTP library's events (https://www.encode.io/httpcore/extensions/#trace)."""
        if name.endswith("send_request_headers.started"):
            self.has_written = True
        elif name.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._stream = info.get("return_value")
            if self.has_expired:
                self._shut()

    def stop(self) -> None:
        """The attempt is over."""
        self._timer.cancel()

    def _expire(self) -> None:
        self.has_expired = True
        self._shut()

    def _shut(self) -> None:
        wire = self._stream.get_extra_info("socket") if self._stream is not None else None
        if wire is not None:
            # The plain socket's method, because an SSLSocket's own also drops its state, under the reader's feet.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(wire, socket.SHUT_RDWR)


class MeteredTransport(httpx2.BaseTransport):
    """What the SDK sends through. Only Messages requests pass, and only as the meter admitted them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._certificates = httpx2.create_ssl_context()
        self._inner: httpx2.HTTPTransport | None = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one attempt, or answer in the API's place. Raises nothing that the SDK would retry by itself."""
        call = CURRENT_CALL.get()
        path = request.url.path.rstrip("/")
        if call is None or not path.endswith(("/v1/messages", "/v1/messages/count_tokens")):
            raise ProviderError(f"a request to {request.url.path} would not be metered")
        if call.error is not None or call.refused is not None:
            return _made_up(request)
        if call.meter is None:
            return self._free(call, request)
        try:
            return self._metered(call, call.meter, request)
        except BaseException as error:
            # The SDK would retry an exception; remembered here, it stops the call and is raised to the caller.
            call.error = error
            raise

    def close(self) -> None:
        """Close the connections."""
        if self._inner is not None:
            self._inner.close()

    def _free(self, call: Call, request: httpx2.Request) -> httpx2.Response:
        watch = Watch(call.seconds_left)
        try:
            wire = _wire_request(request, request.read(), call, watch)
            response = self._transport(request).handle_request(wire)
            return _whole(request, response, _read_all(response), {"x-should-retry": "false"})
        finally:
            watch.stop()

    def _metered(self, call: Call, meter: Meter, request: httpx2.Request) -> httpx2.Response:
        attempt = meter.begin(read_json_object(request.read()))
        if isinstance(attempt, Refused):
            call.refused = attempt
            return _made_up(request)
        call.attempts += 1
        try:
            return self._attempt(call, attempt, request)
        except BaseException as error:
            attempt.hold(f"interrupted by {type(error).__name__}")
            raise

    def _attempt(self, call: Call, attempt: Attempt, request: httpx2.Request) -> httpx2.Response:
        """Send an admitted attempt and resolve it; a streamed answer resolves it while it is read."""
        try:
            facts = request_facts(attempt.body)
        except UsageError:
            attempt.void("what was admitted is not a request")
            raise
        if call.seconds_left <= 0:
            return _over(call, attempt, request, Outcome("void", "deadline", "the deadline passed before it was sent"))
        content = json.dumps(attempt.body, ensure_ascii=False, separators=(",", ":")).encode()
        watch = Watch(call.seconds_left)
        try:
            response = self._transport(request).handle_request(_wire_request(request, content, call, watch))
            if response.status_code == HTTPStatus.OK and facts.is_streamed:
                stream = MeteredStream(call, attempt, facts, response, watch)
                return httpx2.Response(200, headers=_passed_headers(response), stream=stream, request=request)
            body = _read_all(response)
        except (httpx2.TransportError, httpx2.StreamError, OSError, ProviderError) as error:
            watch.stop()
            return _over(call, attempt, request, lost(error, watch, call))
        except BaseException:
            watch.stop()
            raise
        watch.stop()
        if response.status_code == HTTPStatus.OK:
            return _answered(call, attempt, facts, request, response, body)
        asked_seconds = retry_after_seconds(response.headers, time.time())
        outcome = outcome_of(response.status_code, body)
        if response.headers.get("x-should-retry") == "false":
            outcome = outcome._replace(is_worth_retrying=False)
        return _over(call, attempt, request, outcome, asked_seconds)

    def _transport(self, request: httpx2.Request) -> httpx2.HTTPTransport:
        """Return the real transport, made at the first request: through the environment's proxy, if it names one for this host.

        Connections are not kept: a kept one that the server closes just then would lose a request nobody can account for.
        """
        with self._lock:
            if self._inner is None:
                proxies, host = getproxies(), request.url.host
                proxy = None if proxy_bypass(host) else proxies.get(request.url.scheme, proxies.get("all"))
                limits = httpx2.Limits(max_keepalive_connections=0)
                self._inner = httpx2.HTTPTransport(verify=self._certificates, proxy=proxy, limits=limits)
            return self._inner


class MeteredStream(httpx2.SyncByteStream):
    """A streamed answer on its way to whoever asked; the attempt is resolved when it ends, however it ends."""

    def __init__(self, call: Call, attempt: Attempt, facts: RequestFacts, response: httpx2.Response, watch: Watch) -> None:
        self._call = call
        self._attempt = attempt
        self._response = response
        self._watch = watch
        self._meter = StreamMeter(facts)
        self._is_over = False
        _refuse_encoding(response)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes as they come. A stream that breaks ends here; the attempt says how."""
        try:
            for chunk in self._response.iter_raw():
                self._meter.feed(chunk)
                if self._meter.is_complete:
                    self._finish("")
                yield chunk
            self._meter.close()
            self._finish("the stream ended before the message did")
        except (httpx2.TransportError, httpx2.StreamError, OSError) as error:
            self._finish(f"the stream broke: {type(error).__name__}")
        except BaseException as error:
            self._finish(f"interrupted by {type(error).__name__}")
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Release the connection; an answer that was not read to its end is held."""
        self._watch.stop()
        self._finish("the stream was left unread")
        self._response.close()

    def _finish(self, reason: str) -> None:
        """Resolve the attempt, once: by the counts of a complete message, else as one whose bill nobody knows."""
        if self._is_over:
            return
        self._is_over = True
        try:
            if self._meter.is_complete:
                _settle(self._call, self._attempt, self._meter.message(), self._meter.usage(), self._response)
                return
            if self._meter.error is not None:
                reason = clean(": ".join(("the API ended the stream with an error", *self._meter.error)))
            reason = self._meter.fault or reason
        except (ProviderError, UnsupportedUsage) as error:
            reason = str(error)
        except BaseException as error:
            self._call.error = error
            raise
        kind: FailureKind = "broken"
        if self._watch.has_expired or self._call.seconds_left <= 0:
            kind, reason = "deadline", f"no whole answer before the deadline ({reason})"
        self._call.failed = Failed(kind, reason, self._call.attempts)
        self._attempt.hold(reason)


def lost(error: Exception, watch: Watch, call: Call) -> Outcome:
    """Return what it means that an attempt brought no whole answer: void only if not a byte of the request can have left."""
    # A proxy that refuses the tunnel never saw the request, though something was written to it.
    was_sent = watch.has_written and not isinstance(error, httpx2.ProxyError)
    reason = str(error) if isinstance(error, ProviderError) else type(error).__name__
    is_late = watch.has_expired or call.seconds_left <= 0 or (was_sent and isinstance(error, httpx2.TimeoutException))
    if is_late:
        return Outcome("hold" if was_sent else "void", "deadline", f"no whole answer before the deadline ({reason})")
    if isinstance(error, ProviderError):
        # It did answer, only not in a form we read: asking again would be billed again.
        return Outcome("hold", "broken", reason)
    if was_sent:
        return Outcome("hold", "broken", f"the connection was lost after the request was sent ({reason})", is_worth_retrying=True)
    return Outcome("void", "unreachable", f"the API could not be reached ({reason})", is_worth_retrying=True)


def _answered(
    call: Call, attempt: Attempt, facts: RequestFacts, request: httpx2.Request, response: httpx2.Response, body: bytes
) -> httpx2.Response:
    """Settle a whole plain answer; one that cannot be read, or whose use has no price, is held and not asked for again."""
    try:
        message = read_json_object(body)
        if message.get("type") != "message" or not isinstance(message.get("content"), list):
            _refuse("the answer is not a message")
        usage = read_usage(message.get("usage"), facts)
    except (ProviderError, UnsupportedUsage) as error:
        return _over(call, attempt, request, Outcome("hold", "broken", str(error), is_worth_retrying=False))
    _settle(call, attempt, message, usage, response)
    return _whole(request, response, body, {})


def _settle(call: Call, attempt: Attempt, message: dict[str, Any], usage: Any, response: httpx2.Response) -> None:
    details = {
        "request_id": clean(response.headers.get("request-id", "")),
        "served_by": clean(str(message.get("model", ""))),
        "stop_reason": clean(str(message.get("stop_reason", ""))),
    }
    call.answer = Answer(message, usage, call.attempts)
    attempt.settle(usage, {name: value for name, value in details.items() if value})


def _over(
    call: Call, attempt: Attempt, request: httpx2.Request, outcome: Outcome, asked_seconds: float | None = None
) -> httpx2.Response:
    """Resolve a failed attempt and tell the SDK whether to try again."""
    call.fail(outcome)
    if outcome.resolution == "void":
        attempt.void(outcome.text)
    else:
        attempt.hold(outcome.text)
    return _made_up(request, call.retry_headers(outcome, asked_seconds))


def _made_up(request: httpx2.Request, headers: Mapping[str, str] | None = None) -> httpx2.Response:
    """Return an answer that never came from the API; without headers it tells the SDK to stop."""
    return httpx2.Response(_GONE, headers=headers or {"x-should-retry": "false"}, json={}, request=request)


def _wire_request(request: httpx2.Request, content: bytes, call: Call, watch: Watch) -> httpx2.Request:
    """Return the request as it goes out: the admitted bytes, an answer that is not compressed, and what is left of the time."""
    kept = [(name, value) for name, value in request.headers.multi_items() if name not in {"content-length", "accept-encoding"}]
    left = max(call.seconds_left, 0.001)
    # A second more for reading, so that it is the watch that ends a silent answer: one way, one account of it.
    timeout = {"connect": min(left, CONNECT_SECONDS_MOST), "read": left + 1, "write": left, "pool": left}
    extensions = {"timeout": timeout, "trace": watch.trace}
    headers = [*kept, ("accept-encoding", "identity")]
    return httpx2.Request(request.method, request.url, headers=headers, content=content, extensions=extensions)


def _read_all(response: httpx2.Response) -> bytes:
    """Return the whole body, as it was sent; raises ``ProviderError`` for one that is longer than any answer."""
    parts, length = [], 0
    try:
        _refuse_encoding(response)
        for part in response.iter_raw():
            length += len(part)
            if length > STREAM_BYTES_MOST:
                raise ProviderError("the answer is longer than any message")
            parts.append(part)
    finally:
        response.close()
    return b"".join(parts)


def _refuse_encoding(response: httpx2.Response) -> None:
    """Raise if the answer is compressed though that was not asked for: a few bytes could unfold to any number."""
    encoding = response.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        _refuse(f"the answer is encoded as {clean(encoding)}, which was not asked for")


def _refuse(reason: str) -> NoReturn:
    raise ProviderError(reason)


def _whole(request: httpx2.Request, response: httpx2.Response, body: bytes, headers: Mapping[str, str]) -> httpx2.Response:
    """Return an answer that has been read, for the SDK to take in."""
    passed = {**dict(_passed_headers(response)), **headers}
    return httpx2.Response(response.status_code, headers=passed, content=body, request=request)


def _passed_headers(response: httpx2.Response) -> list[tuple[str, str]]:
    framing = {"content-length", "transfer-encoding", "content-encoding", "connection", "retry-after", "retry-after-ms"}
    return [(name, value) for name, value in response.headers.multi_items() if name not in framing]
