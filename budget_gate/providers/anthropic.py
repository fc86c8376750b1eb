"""The Anthropic API through the official SDK (``anthropic`` 2.x), with every attempt metered at the wire.

Here the SDK is loaded, driven and translated: nothing of its own passes ``send``. What happens to one attempt is
``anthropic_wire``. The SDK takes seconds to import, so that happens at the first call, or beforehand in ``warm_up``.
"""

import gc
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from budget_gate.core.errors import BudgetGateError, ProviderError
from budget_gate.core.message_streams import delta_text
from budget_gate.core.reservations import Refused
from budget_gate.providers.interface import Answer, Failed, Meter, OnText

if TYPE_CHECKING:
    import anthropic

    from budget_gate.providers.anthropic_wire import Call

STREAM_FROM_TOKENS = 8_192
"""Longer answers are streamed, asked for or not: networks drop a connection that stays silent for minutes
(https://platform.claude.com/docs/en/api/errors, "Long requests")."""

COUNT_SECONDS_MOST = 5.0
"""A count saves money, not lives: it may not hold up a call for longer."""

_COUNTED_KEYS = ("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control", "speed")
"""What the counting endpoint takes of a Messages request (SDK, ``message_count_tokens_params.py``)."""


class AnthropicProvider:
    """Implements ``providers.interface.Provider``. Safe to share between threads; a call stays in the thread that made it.

    ``base_url`` None means ``ANTHROPIC_BASE_URL``, else the public API. The key is sent as the SDK sends it (from 2.x on as
    ``Authorization: Bearer``), and appears nowhere else.
    """

    def __init__(self, api_key: str, base_url: str | None = None) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._lock = threading.Lock()
        self._client: anthropic.Anthropic | None = None

    def __repr__(self) -> str:
        return "AnthropicProvider()"

    @property
    def name(self) -> str:
        """``anthropic``."""
        return "anthropic"

    def warm_up(self) -> threading.Thread:
        """Load the SDK in the background, so that other work can go on; return the thread, for who wants to wait for it."""
        thread = threading.Thread(target=self._load_quietly, name="load-anthropic", daemon=True)
        thread.start()
        return thread

    def count_tokens(self, body: Mapping[str, Any]) -> int | None:
        """Return the API's own count of a request's input tokens, or None if it does not say within a few seconds."""
        from budget_gate.providers.anthropic_wire import Call

        call = Call(None, COUNT_SECONDS_MOST)
        wanted = {key: body[key] for key in _COUNTED_KEYS if body.get(key) is not None}
        try:
            counted = self._exchange(call, "/v1/messages/count_tokens", wanted, retries=0)
        except Exception:  # noqa: BLE001  # whatever the SDK raises, the answer is "cannot say"
            return None
        tokens = counted.get("input_tokens") if isinstance(counted, Mapping) else None
        return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens >= 0 else None

    def send(
        self, body: Mapping[str, Any], meter: Meter, *, deadline_seconds: float, on_text: OnText | None = None
    ) -> Answer | Refused | Failed:
        """Send a request within the deadline; loading the SDK, waiting for the meter and the SDK's retries count against it.

        Raises ``ProviderError``, and what the meter raises.
        """
        from budget_gate.providers.anthropic_wire import Call

        call = Call(meter, deadline_seconds)
        max_tokens = body.get("max_tokens")
        is_long = isinstance(max_tokens, int) and max_tokens > STREAM_FROM_TOKENS
        wanted = {**body, "stream": True} if is_long or on_text or body.get("stream") else dict(body)
        cause: Exception | None = None
        try:
            self._exchange(call, "/v1/messages", wanted, on_text=on_text)
        except Exception as error:  # noqa: BLE001  # the SDK lets exceptions of other libraries through; none may pass here
            cause = error
        return self._result(call, cause)

    def close(self) -> None:
        """Release connections."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _exchange(
        self, call: "Call", path: str, wanted: Mapping[str, Any], *, retries: int = 2, on_text: OnText | None = None
    ) -> object:
        """Drive the SDK through one call; the transport notes in ``call`` what comes of it."""
        from budget_gate.providers.anthropic_wire import CURRENT_CALL

        client = self._connected()
        token = CURRENT_CALL.set(call)
        try:
            # `post` sends any body as it is; the typed methods would warn about models and refuse fields they do not know.
            client = client.with_options(max_retries=retries)
            if not wanted.get("stream"):
                return client.post(path, body=wanted, cast_to=object)
            import anthropic

            with client.post(path, body=wanted, cast_to=object, stream=True, stream_cls=anthropic.Stream[object]) as events:
                for event in events:
                    text = delta_text(event)
                    if on_text is not None and text:
                        on_text(text)
            return None
        finally:
            CURRENT_CALL.reset(token)

    def _result(self, call: "Call", cause: Exception | None) -> Answer | Refused | Failed:
        """Return what came of a call. The SDK's own account of a failure is not used: it may quote headers or the prompt."""
        if isinstance(call.error, BudgetGateError):
            raise call.error
        if call.error is not None:
            raise ProviderError(f"the call broke off: {type(call.error).__name__}") from call.error
        if call.refused is not None:
            return call.refused
        if call.answer is not None:
            return call.answer
        if call.failed is not None:
            return call.failed._replace(text=self._without_key(call.failed.text))
        if isinstance(cause, BudgetGateError):
            raise cause
        raise ProviderError(f"the request could not be sent: {type(cause).__name__}")

    def _without_key(self, text: str) -> str:
        return text.replace(self._api_key, "[key]") if self._api_key else text

    def _load_quietly(self) -> None:
        """Load ahead of time; a failure is left to the call that needs the SDK, which reports it."""
        try:
            self._connected()
        except ProviderError:
            return

    def _connected(self) -> "anthropic.Anthropic":
        """Return the SDK's client over the metered transport, made once. Raises ``ProviderError``."""
        with self._lock:
            if self._client is None:
                anthropic = load_sdk()
                import httpx2

                from budget_gate.providers.anthropic_transport import MeteredTransport

                # No redirects and no .netrc: either could carry the key, or the request, somewhere unmetered.
                http_client = httpx2.Client(transport=MeteredTransport(), trust_env=False, follow_redirects=False)
                try:
                    self._client = anthropic.Anthropic(
                        api_key=self._api_key, base_url=self._base_url, http_client=http_client, open_telemetry=False
                    )
                except (httpx2.InvalidURL, ValueError, TypeError):
                    http_client.close()
                    raise ProviderError("the SDK cannot be set up; check ANTHROPIC_BASE_URL") from None
            return self._client


def load_sdk() -> Any:
    """Import the SDK, without the garbage collector: it runs in vain over thousands of classes, for a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        import anthropic
    except ImportError:
        raise ProviderError("the Anthropic SDK is not installed; install budget-gate-ci[anthropic]") from None
    finally:
        if was_enabled:
            gc.enable()
    return anthropic
