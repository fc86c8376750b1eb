"""What a model provider promises: every attempt that reaches the wire is admitted first and resolved afterwards, one by one.

The request and the answer are Anthropic Messages JSON objects (https://platform.claude.com/docs/en/api/messages); what they mean
in tokens is ``core.messages_api``. A provider raises ``ProviderError`` and nothing else; a refusal by the budget is a value.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, Protocol

from budget_gate.core.reservations import Refused
from budget_gate.core.usage import Usage

OnText = Callable[[str], None]
"""Called with the pieces of an answer's text, as they come; what they add up to is in the answer too."""


class Sendable(Protocol):
    """Something admitted that may be sent once. Exactly one call ends it; a second one does nothing.

    ``body`` is the request as admitted: its ``max_tokens`` may have been shortened to what the budget had left.
    """

    @property
    def body(self) -> Mapping[str, Any]:
        """The request to send, as admitted."""
        ...

    def void(self, reason: str) -> None:
        """Nothing can have been billed: the request never left, or was refused before a token was made."""
        ...

    def hold(self, reason: str) -> None:
        """It may have been billed and nobody can say how much."""
        ...


class Attempt(Sendable, Protocol):
    """One admitted attempt at a Messages request."""

    def settle(self, usage: Usage, details: Mapping[str, str]) -> None:
        """The answer came and says what it used."""
        ...


class BatchAttempt(Sendable, Protocol):
    """One admitted attempt to create a message batch."""

    def accept(self, batch: str) -> None:
        """The API has taken it under this id: what it costs will be known when its results are read."""
        ...


class Meter(Protocol):
    """Admits attempts. Implemented by the gate; called by providers (and later the proxy) before each send."""

    def begin(self, body: Mapping[str, Any]) -> "Attempt | Refused":
        """Admit one attempt to send ``body``, or say which budgets refuse."""
        ...


class BatchMeter(Protocol):
    """Admits attempts to create one message batch."""

    def begin(self, body: Mapping[str, Any]) -> "BatchAttempt | Refused":
        """Admit one attempt to send ``body``, or say which budgets refuse."""
        ...


class BatchReading(Protocol):
    """Settles a message batch while its results pass by. ``find``, ``end`` and ``finish`` may wait for a ledger, ``feed`` never does."""

    def find(self) -> None:
        """Look up whose batch it is, before its results are asked for."""
        ...

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the results, cut anywhere."""
        ...

    @property
    def is_due(self) -> bool:
        """Whether the last result has just come: time to ``finish``, before its bytes are passed on."""
        ...

    def end(self) -> None:
        """The results have ended."""
        ...

    def finish(self) -> None:
        """Settle, if the results came whole."""
        ...


class Answer(NamedTuple):
    """A complete answer: the Messages response object, what it used, and how many attempts it took."""

    message: Mapping[str, Any]
    usage: Usage
    attempts: int


class Failed(NamedTuple):
    """No answer. ``kind`` says what the caller can do about it; every attempt has been resolved already."""

    kind: Literal["overloaded", "rate_limited", "deadline", "rejected", "unreachable", "broken"]
    text: str
    attempts: int


class Provider(Protocol):
    """Sends Messages requests."""

    @property
    def name(self) -> str:
        """What people read in comments: ``anthropic``, or ``scripted`` when no key is set."""
        ...

    def count_tokens(self, body: Mapping[str, Any]) -> int | None:
        """Return the exact input tokens of a request, or None when the provider cannot say. Free of charge."""
        ...

    def send(
        self, body: Mapping[str, Any], meter: Meter, *, deadline_seconds: float, on_text: OnText | None = None
    ) -> Answer | Refused | Failed:
        """Send a request, retrying what is worth retrying, all within the deadline. ``meter`` sees each attempt.

        With ``on_text`` the answer is streamed, and its text handed on meanwhile; no text is handed on twice.
        """
        ...

    def close(self) -> None:
        """Release connections."""
        ...
