"""The meter at the wire: every attempt that the SDK makes, retries included, is admitted and resolved here, one by one.

The SDK's client is given ``MeteredTransport`` in place of its own; nothing reaches the network around it. Here requests are sent
and answers read, with blocking calls (``anthropic_async`` does the same for the asynchronous client); what they mean is
``anthropic_wire``.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

import httpx2

from budget_gate.core.errors import ProviderError
from budget_gate.core.reservations import Refused
from budget_gate.providers.anthropic_wire import (
    LOSSES,
    Body,
    Call,
    Dispatch,
    Exchange,
    Progress,
    StreamedAttempt,
    current_call,
    no_kept_connections,
    passed_headers,
    proxy_for,
    refuse_encoding,
    whole,
    wire_request,
)
from budget_gate.providers.interface import BatchReading


class Watch(Progress):
    """Ends one attempt at the deadline, and knows how far it came.

    Timeouts are per read, so a server that drips bytes outlives any of them; at the deadline the socket is shut instead, which
    makes a blocked read return.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._stream: Any = None
        self._timer = threading.Timer(max(seconds, 0.0), self._expire)
        self._timer.daemon = True
        self._timer.start()

    def note(self, name: str, info: Mapping[str, Any]) -> None:
        """Take an event; where a connection is made, keep it at hand."""
        super().note(name, info)
        if name.endswith(("connect_tcp.complete", "start_tls.complete")):
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
    """What the SDK sends through. ``call_of`` says which call a request belongs to, and raises where it may not be sent at all."""

    def __init__(self, call_of: Callable[[httpx2.Request], Call] = current_call) -> None:
        self._call_of = call_of
        self._lock = threading.Lock()
        self._certificates = httpx2.create_ssl_context()
        self._inner: httpx2.HTTPTransport | None = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one attempt, or answer in the API's place. Raises nothing that the SDK would retry against a budget."""
        call = self._call_of(request)
        if call.is_over:
            return call.stopped(request)
        if call.is_free and call.reading is None:
            return self._free(call, request)
        try:
            return self._metered(call, request) if call.reading is None else self._results(call, call.reading, request)
        except BaseException as error:
            outward = call.outward(error)
            if outward is error:
                raise
            raise outward from error

    def close(self) -> None:
        """Close the connections."""
        if self._inner is not None:
            self._inner.close()

    def _free(self, call: Call, request: httpx2.Request) -> httpx2.Response:
        watch = Watch(call.seconds_left)
        try:
            response = self._transport(request).handle_request(wire_request(request, request.read(), call, watch.note))
            return whole(request, response, _read_all(response))
        finally:
            watch.stop()

    def _results(self, call: Call, reading: BatchReading, request: httpx2.Request) -> httpx2.Response:
        """Pass on a batch's results as they come: of no size that we know, and read at the caller's pace, so without a deadline."""
        reading.find()
        watch = Watch(call.seconds_left)
        try:
            response = self._transport(request).handle_request(wire_request(request, b"", call, watch.note))
            if response.status_code != HTTPStatus.OK:
                return whole(request, response, _read_all(response))
            stream = ResultsStream(response, reading)
            return httpx2.Response(200, headers=passed_headers(response), stream=stream, request=request)
        finally:
            watch.stop()

    def _metered(self, call: Call, request: httpx2.Request) -> httpx2.Response:
        dispatch = call.admit(request, request.read())
        if isinstance(dispatch, Refused):
            return call.refuse(request, dispatch)
        try:
            return self._attempt(dispatch)
        except BaseException as error:
            dispatch.admitted.hold(f"interrupted by {type(error).__name__}")
            raise

    def _attempt(self, exchange: Dispatch) -> httpx2.Response:
        """Send an admitted attempt and resolve it; a streamed answer resolves it while it is read."""
        if late := exchange.too_late():
            return late
        watch = Watch(exchange.call.seconds_left)
        try:
            response = self._transport(exchange.request).handle_request(exchange.wire_request(watch.note))
            if response.status_code == HTTPStatus.OK and isinstance(exchange, Exchange) and exchange.is_streamed:
                stream = MeteredStream(exchange, response, watch)
                return httpx2.Response(200, headers=passed_headers(response), stream=stream, request=exchange.request)
            body = _read_all(response)
        except LOSSES as error:
            watch.stop()
            return exchange.lost(error, watch)
        except BaseException:
            watch.stop()
            raise
        watch.stop()
        return exchange.answered(response, body)

    def _transport(self, request: httpx2.Request) -> httpx2.HTTPTransport:
        """Return the real transport, made at the first request: through the environment's proxy, if it names one for this host."""
        with self._lock:
            if self._inner is None:
                self._inner = httpx2.HTTPTransport(
                    verify=self._certificates, proxy=proxy_for(request), limits=no_kept_connections()
                )
            return self._inner


class MeteredStream(httpx2.SyncByteStream):
    """A streamed answer on its way to whoever asked; the attempt is resolved when it ends, however it ends."""

    def __init__(self, exchange: Exchange, response: httpx2.Response, watch: Watch) -> None:
        try:
            refuse_encoding(response)
        except ProviderError:
            response.close()
            raise
        self._call = exchange.call
        self._attempt = StreamedAttempt(exchange, response, watch)
        self._response = response
        self._watch = watch

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes as they come. Whether a stream that breaks raises is the call's affair; the attempt says how it broke."""
        try:
            for chunk in self._response.iter_raw():
                self._attempt.feed(chunk)
                if self._attempt.is_due:
                    self._attempt.finish()
                yield chunk
            self._attempt.end()
            self._raise_if_shut()
        except (httpx2.TransportError, httpx2.StreamError, OSError) as error:
            self._attempt.finish(f"the stream broke: {type(error).__name__}")
            if self._call.shows_breaks:
                raise
        except BaseException as error:
            self._attempt.finish(f"interrupted by {type(error).__name__}")
            raise
        finally:
            self.close()

    def _raise_if_shut(self) -> None:
        """A socket that was shut reads like an end; whoever reads must not take a part for the whole."""
        if self._watch.has_expired and not self._attempt.is_whole and self._call.shows_breaks:
            raise httpx2.ReadTimeout("no whole answer before the deadline")

    def close(self) -> None:
        """Release the connection; an answer that was not read to its end is held."""
        self._watch.stop()
        self._attempt.finish("the stream was left unread")
        self._response.close()


class ResultsStream(httpx2.SyncByteStream):
    """A batch's results on their way to whoever asked; the batch is settled when the last of them has come."""

    def __init__(self, response: httpx2.Response, reading: BatchReading) -> None:
        self._response = response
        self._reading = reading
        try:
            refuse_encoding(response)
        except ProviderError:
            response.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes as they come. Where they break off, nothing is settled, and the error is the caller's."""
        try:
            for chunk in self._response.iter_raw():
                self._reading.feed(chunk)
                if self._reading.is_due:
                    self._reading.finish()
                yield chunk
            self._reading.end()
        finally:
            self.close()

    def close(self) -> None:
        """Release the connection."""
        self._response.close()


def _read_all(response: httpx2.Response) -> bytes:
    """Return the whole body, as it was sent; raises ``ProviderError`` for one that is longer than any answer."""
    try:
        body = Body(response)
        for part in response.iter_raw():
            body.add(part)
    finally:
        response.close()
    return body.joined()
