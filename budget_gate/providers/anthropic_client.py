"""Drop-in clients: the SDK's own ``Anthropic`` and ``AsyncAnthropic``, over a metered transport.

They are the SDK's classes and nothing less, so any library that takes a client accepts them. The SDK keeps its ways: what the API
answers is passed on as it came, the SDK raises its own errors, and retries as it was told to, each attempt metered by itself.
Only what we have to say ourselves is raised by us, in classes that are both ours and the SDK's.
"""

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

import httpx2

from budget_gate.core.errors import BudgetGateError, ProviderError
from budget_gate.core.messages_api import read_json_object
from budget_gate.core.reservations import Refused
from budget_gate.providers.anthropic import load_sdk
from budget_gate.providers.anthropic_batches import BatchDispatch, batch_request
from budget_gate.providers.anthropic_outcomes import Outcome
from budget_gate.providers.anthropic_wire import LOSSES, Call, is_path
from budget_gate.providers.interface import BatchMeter, BatchReading, Meter

if TYPE_CHECKING:
    import anthropic

FREE_PATHS = ("/v1/messages/count_tokens", "/v1/models")
"""Requests that cost nothing and pass unmetered."""

_CLASSES: dict[type[BudgetGateError], type[BudgetGateError]] = {}
"""Our errors, and beside each the class that is the SDK's too; made when first needed, because the SDK is loaded late."""


class ClientCall(Call):
    """One call of a drop-in client: one request of the caller's and the SDK's retries of it."""

    shows_breaks = True

    def __init__(self, calls: "ClientCalls", meter: Meter | None = None) -> None:
        super().__init__(meter, calls.deadline_seconds)
        self.calls = calls

    def renew(self) -> None:
        """Give the next attempt its time: the SDK's timeouts, too, are for each attempt."""
        self.ends_at = time.monotonic() + self.calls.deadline_seconds

    def stopped(self, request: httpx2.Request) -> httpx2.Response:
        """Raise again what broke the call off."""
        del request
        raise self.error or ProviderError("the call is over")

    def refuse(self, request: httpx2.Request, refused: Refused) -> httpx2.Response:
        """Raise ``BudgetRefused``."""
        del request
        raise self.calls.refusal(refused)

    def failure(
        self, request: httpx2.Request, outcome: Outcome, answered: httpx2.Response | None, error: Exception | None
    ) -> httpx2.Response:
        """Return what the API said, or raise what befell the connection: the SDK decides what to make of it."""
        if answered is not None:
            return answered
        if error is None or (outcome.kind == "deadline" and not isinstance(error, httpx2.TimeoutException)):
            raise httpx2.ReadTimeout(outcome.text, request=request) from error
        raise error

    def outward(self, error: BaseException) -> BaseException:
        """Return the exception as the SDK may see it: what befell a connection it may retry, anything of ours it may not."""
        if isinstance(error, LOSSES) and not isinstance(error, ProviderError):
            return error
        self.error = sdk_error(error) if isinstance(error, BudgetGateError) else error
        return self.error

    def timeout(self, request: httpx2.Request) -> dict[str, float]:
        """Return the SDK's own timeouts, cut to the deadline."""
        wanted = request.extensions.get("timeout") or {}
        ours = super().timeout(request)
        return {name: min(seconds, wanted.get(name) or seconds) for name, seconds in ours.items()}


class BatchCall(ClientCall):
    """The creation of one message batch, and the SDK's retries of it."""

    is_free = False

    def __init__(self, calls: "ClientCalls", meter: BatchMeter) -> None:
        super().__init__(calls)
        self._batch_meter = meter

    def admit(self, request: httpx2.Request, content: bytes) -> "BatchDispatch | Refused":
        """Have one attempt admitted."""
        attempt = self._batch_meter.begin(read_json_object(content))
        return attempt if isinstance(attempt, Refused) else BatchDispatch(self, attempt, request)


class Meters(Protocol):
    """Opens what new calls are metered by."""

    def message(self) -> Meter:
        """Return the meter of one Messages request."""
        ...

    def batch(self) -> BatchMeter:
        """Return the meter of one creation of a batch."""
        ...

    def results(self, batch: str) -> BatchReading:
        """Return what settles a batch by its results."""
        ...


_LATEST: ContextVar[ClientCall | None] = ContextVar("LATEST_CLIENT_CALL", default=None)
"""The call that this thread or task last sent a request of: a retry belongs to it."""


class ClientCalls:
    """Says which call a drop-in client's request belongs to. ``refusal`` makes the exception that tells of a refusal."""

    def __init__(self, meters: Meters, refusal: Callable[[Refused], BudgetGateError], deadline_seconds: float) -> None:
        self._meters = meters
        self.refusal = refusal
        self.deadline_seconds = deadline_seconds

    def call_of(self, request: httpx2.Request) -> Call:
        """Return the call of a request; raises ``ProviderError`` for one that could cost money unmetered."""
        if is_path(request, "/v1/messages") and request.method == "POST":
            return self._continued(request, lambda: ClientCall(self, self._meters.message()))
        wanted = batch_request(request)
        if wanted is not None and wanted.action == "create":
            return self._continued(request, lambda: BatchCall(self, self._meters.batch()))
        is_free = is_path(request, *FREE_PATHS) or (request.method == "GET" and "/v1/models/" in request.url.path)
        if wanted is None and not is_free:
            text = f"a request to {request.url.path} would not be metered; send it with a client of its own"
            raise sdk_error(ProviderError(text))
        call = ClientCall(self)
        if wanted is not None and wanted.action == "results":
            call.reading = self._meters.results(wanted.batch)
        return call

    def _continued(self, request: httpx2.Request, begin: Callable[[], ClientCall]) -> ClientCall:
        """Return the call that a request is a retry of, or a new one.

        The SDK numbers its attempts. Were the number missing, each attempt would be a call, and metered all the same.
        """
        call = _LATEST.get()
        if request.headers.get("x-stainless-retry-count", "0") == "0" or call is None or call.calls is not self:
            call = begin()
            _LATEST.set(call)
        call.renew()
        return call


def make_client(api_key: str, base_url: str | None, calls: ClientCalls, **options: Any) -> "anthropic.Anthropic":
    """Return a client of the SDK whose every request passes the meter. ``options`` are the SDK's own."""
    sdk = load_sdk()
    from budget_gate.providers.anthropic_transport import MeteredTransport

    # No redirects and no .netrc: either could carry the key, or the request, somewhere unmetered.
    http_client = httpx2.Client(transport=MeteredTransport(calls.call_of), trust_env=False, follow_redirects=False)
    client: anthropic.Anthropic = sdk.Anthropic(api_key=api_key, base_url=base_url, http_client=http_client, **options)
    return client


def make_async_client(api_key: str, base_url: str | None, calls: ClientCalls, **options: Any) -> "anthropic.AsyncAnthropic":
    """Return an asynchronous client of the SDK whose every request passes the meter."""
    sdk = load_sdk()
    from budget_gate.providers.anthropic_async import AsyncMeteredTransport

    http_client = httpx2.AsyncClient(transport=AsyncMeteredTransport(calls.call_of), trust_env=False, follow_redirects=False)
    client: anthropic.AsyncAnthropic = sdk.AsyncAnthropic(api_key=api_key, base_url=base_url, http_client=http_client, **options)
    return client


def sdk_error(error: BudgetGateError) -> BudgetGateError:
    """Return ``error`` as one that the SDK passes on as it is: of its own class, and of the SDK's ``AnthropicError`` too.

    The SDK wraps and retries whatever is foreign to it; a refusal retried is a refusal that nobody sees.
    """
    made = _class_for(type(error))
    copy = made.__new__(made, *error.args)
    copy.__dict__.update(error.__dict__)
    return copy


def _class_for(kind: type[BudgetGateError]) -> type[BudgetGateError]:
    if kind not in _CLASSES:
        reduce = {"__reduce__": lambda self: (_revived, (kind, self.args, self.__dict__)), "__module__": kind.__module__}
        _CLASSES[kind] = type(kind.__name__, (kind, load_sdk().AnthropicError), reduce)
    return _CLASSES[kind]


def _revived(kind: type[BudgetGateError], arguments: tuple[Any, ...], state: dict[str, Any]) -> BudgetGateError:
    """Return a pickled error as its plain class: the process that reads it may have no SDK."""
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error
