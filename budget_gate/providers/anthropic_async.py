"""The metered transport of the asynchronous SDK client; what an attempt means is ``anthropic_wire``, shared with the blocking one.

A ledger blocks, and may make a request wait for others to settle. So admissions and endings run in threads of their own: two
pools, because a call that waits must never keep another from settling what it waits for.
"""

import threading
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

import anyio
import anyio.to_thread
import httpx2
from anyio.lowlevel import RunVar

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
    no_kept_connections,
    passed_headers,
    proxy_for,
    refuse_encoding,
    whole,
    wire_request,
)
from budget_gate.providers.interface import BatchReading

ADMISSIONS_MOST = 256
"""How many requests of one event loop ask for admission at a time; those behind them wait for a thread."""

ENDINGS_MOST = 16
"""How many are settled at a time."""

Result = TypeVar("Result")

_ADMISSIONS: RunVar[anyio.CapacityLimiter] = RunVar("budget_gate_admissions")
_ENDINGS: RunVar[anyio.CapacityLimiter] = RunVar("budget_gate_endings")


class Admission:
    """One request for admission, in a thread. If nobody waits for it any more, what it was granted is given back."""

    def __init__(self, call: Call, request: httpx2.Request, content: bytes) -> None:
        self._call = call
        self._request = request
        self._content = content
        self._lock = threading.Lock()
        self._is_abandoned = False
        self._dispatch: Dispatch | None = None

    def ask(self) -> Dispatch | Refused:
        """Ask the meter; blocks."""
        decision = self._call.admit(self._request, self._content)
        if isinstance(decision, Refused):
            return decision
        with self._lock:
            self._dispatch = decision
            is_unwanted = self._is_abandoned
        if is_unwanted:
            decision.admitted.void("cancelled before it was sent")
        return decision

    def abandon(self) -> None:
        """Give back what was or will be granted."""
        with self._lock:
            self._is_abandoned = True
            dispatch = self._dispatch
        if dispatch is not None:
            dispatch.admitted.void("cancelled before it was sent")


class AsyncMeteredTransport(httpx2.AsyncBaseTransport):
    """What the asynchronous SDK sends through; the counterpart of ``anthropic_transport.MeteredTransport``."""

    def __init__(self, call_of: Callable[[httpx2.Request], Call]) -> None:
        self._call_of = call_of
        self._certificates = httpx2.create_ssl_context()
        self._inner: httpx2.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one attempt, or answer in the API's place."""
        call = self._call_of(request)
        if call.is_over:
            return call.stopped(request)
        if call.is_free and call.reading is None:
            return await self._free(call, request)
        try:
            if call.reading is not None:
                return await self._results(call, call.reading, request)
            return await self._metered(call, request)
        except BaseException as error:
            outward = call.outward(error)
            if outward is error:
                raise
            raise outward from error

    async def aclose(self) -> None:
        """Close the connections."""
        if self._inner is not None:
            await self._inner.aclose()

    async def _free(self, call: Call, request: httpx2.Request) -> httpx2.Response:
        with anyio.fail_after(call.seconds_left):
            wire = wire_request(request, await request.aread(), call, _tracer(Progress()))
            response = await self._transport(request).handle_async_request(wire)
            return whole(request, response, await _read_all(response))

    async def _results(self, call: Call, reading: BatchReading, request: httpx2.Request) -> httpx2.Response:
        """Pass on a batch's results as they come: of no size that we know, and read at the caller's pace, so without a deadline."""
        await _ending(reading.find)
        with anyio.fail_after(call.seconds_left):
            wire = wire_request(request, b"", call, _tracer(Progress()))
            response = await self._transport(request).handle_async_request(wire)
            if response.status_code != HTTPStatus.OK:
                return whole(request, response, await _read_all(response))
            stream = AsyncResultsStream(response, reading)
            await _check_encoding(response)
            return httpx2.Response(200, headers=passed_headers(response), stream=stream, request=request)

    async def _metered(self, call: Call, request: httpx2.Request) -> httpx2.Response:
        admission = Admission(call, request, await request.aread())
        try:
            dispatch = await _admitted(admission.ask)
        except BaseException:
            admission.abandon()
            raise
        if isinstance(dispatch, Refused):
            return call.refuse(request, dispatch)
        try:
            return await self._attempt(dispatch)
        except BaseException as error:
            # Not in a thread: whoever cancels may do so again, and this has to be on the books before anything else happens.
            dispatch.admitted.hold(f"interrupted by {type(error).__name__}")
            raise

    async def _attempt(self, exchange: Dispatch) -> httpx2.Response:
        """Send an admitted attempt and resolve it; a streamed answer resolves it while it is read."""
        if exchange.call.seconds_left <= 0 and (late := await _ending(exchange.too_late)):
            return late
        progress = Progress()
        try:
            with anyio.fail_after(max(exchange.call.seconds_left, 0)):
                wire = exchange.wire_request(_tracer(progress))
                response = await self._transport(exchange.request).handle_async_request(wire)
                if response.status_code == HTTPStatus.OK and isinstance(exchange, Exchange) and exchange.is_streamed:
                    stream = AsyncMeteredStream(exchange, response, progress)
                    await _check_encoding(response)
                    return httpx2.Response(200, headers=passed_headers(response), stream=stream, request=exchange.request)
                body = await _read_all(response)
        except LOSSES as error:
            progress.has_expired = isinstance(error, TimeoutError)
            return await _ending(partial(exchange.lost, _as_timeout(error), progress))
        return await _ending(partial(exchange.answered, response, body))

    def _transport(self, request: httpx2.Request) -> httpx2.AsyncHTTPTransport:
        """Return the real transport, made at the first request."""
        if self._inner is None:
            self._inner = httpx2.AsyncHTTPTransport(
                verify=self._certificates, proxy=proxy_for(request), limits=no_kept_connections()
            )
        return self._inner


class AsyncMeteredStream(httpx2.AsyncByteStream):
    """A streamed answer on its way to whoever asked; the attempt is resolved when it ends, however it ends."""

    def __init__(self, exchange: Exchange, response: httpx2.Response, progress: Progress) -> None:
        self._call = exchange.call
        self._attempt = StreamedAttempt(exchange, response, progress)
        self._response = response
        self._progress = progress

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they come. A stream that breaks raises; the attempt says how it broke."""
        try:
            chunks = self._response.aiter_raw()
            while (chunk := await self._next(chunks)) is not None:
                self._attempt.feed(chunk)
                if self._attempt.is_due:
                    await _ending(self._attempt.finish)
                yield chunk
            await _ending(self._attempt.end)
        except (httpx2.TransportError, httpx2.StreamError, OSError) as error:
            self._progress.has_expired = isinstance(error, TimeoutError)
            await _ending(partial(self._attempt.finish, f"the stream broke: {type(error).__name__}"))
            if self._call.shows_breaks:
                raise _as_timeout(error) from None
        except BaseException as error:
            self._attempt.finish(f"interrupted by {type(error).__name__}")
            raise
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Release the connection; an answer that was not read to its end is held."""
        self._attempt.finish("the stream was left unread")
        with anyio.CancelScope(shield=True):
            await self._response.aclose()

    async def _next(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        """Return the next bytes, or None at the end. Raises ``TimeoutError`` at the deadline."""
        with anyio.fail_after(max(self._call.seconds_left, 0)):
            return await anext(chunks, None)


class AsyncResultsStream(httpx2.AsyncByteStream):
    """A batch's results on their way to whoever asked; the batch is settled when the last of them has come."""

    def __init__(self, response: httpx2.Response, reading: BatchReading) -> None:
        self._response = response
        self._reading = reading

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the bytes as they come. Where they break off, nothing is settled, and the error is the caller's."""
        try:
            async for chunk in self._response.aiter_raw():
                self._reading.feed(chunk)
                if self._reading.is_due:
                    await _ending(self._reading.finish)
                yield chunk
            await _ending(self._reading.end)
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Release the connection."""
        with anyio.CancelScope(shield=True):
            await self._response.aclose()


async def _check_encoding(response: httpx2.Response) -> None:
    """Raise ``ProviderError`` for a stream that cannot be read, closed."""
    try:
        refuse_encoding(response)
    except ProviderError:
        await response.aclose()
        raise


async def _admitted(ask: Callable[[], Result]) -> Result:
    """Run an admission in a thread; who is cancelled does not wait for it."""
    return await anyio.to_thread.run_sync(ask, limiter=_limiter(_ADMISSIONS, ADMISSIONS_MOST), abandon_on_cancel=True)


async def _ending(end: Callable[[], Result]) -> Result:
    """Run what ends an attempt in a thread, to its end."""
    return await anyio.to_thread.run_sync(end, limiter=_limiter(_ENDINGS, ENDINGS_MOST))


def _limiter(variable: "RunVar[anyio.CapacityLimiter]", most: int) -> anyio.CapacityLimiter:
    """Return this event loop's limiter, made when it is first asked for."""
    try:
        return variable.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(most)
        variable.set(limiter)
        return limiter


def _tracer(progress: Progress) -> Callable[[str, Mapping[str, Any]], Any]:
    """Return what the HTTP library's asynchronous half reports to."""

    async def note(name: str, info: Mapping[str, Any]) -> None:
        progress.note(name, info)

    return note


def _as_timeout(error: Exception) -> Exception:
    """Return the deadline's error as the HTTP library's own, which the SDK knows how to name."""
    return httpx2.ReadTimeout("no whole answer before the deadline") if isinstance(error, TimeoutError) else error


async def _read_all(response: httpx2.Response) -> bytes:
    """Return the whole body, as it was sent; raises ``ProviderError`` for one that is longer than any answer."""
    try:
        body = Body(response)
        async for part in response.aiter_raw():
            body.add(part)
    finally:
        with anyio.CancelScope(shield=True):
            await response.aclose()
    return body.joined()
