"""A meter that admits what it is told to and writes down how every attempt ended: the other side of a provider's contract."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from budget_gate.core.reservations import Refusal, Refused
from budget_gate.core.scopes import ORG
from budget_gate.core.usage import Usage

REFUSED = Refused((Refusal(ORG, "day", "usd", "spent", 5, 0, datetime(2030, 1, 1, tzinfo=UTC)),), ())


class RecordedAttempt:
    """An attempt that remembers how it was resolved. ``ends`` holds every resolution that counted: it must be one."""

    def __init__(self, body: Mapping[str, Any], on_end: Callable[[str], None]) -> None:
        self._body = dict(body)
        self._on_end = on_end
        self.ends: list[str] = []
        self.usage: Usage | None = None
        self.details: Mapping[str, str] = {}
        self.reason = ""

    @property
    def body(self) -> Mapping[str, Any]:
        """The request as admitted."""
        return self._body

    def _end(self, how: str, reason: str = "") -> bool:
        if self.ends:
            return False
        self.ends.append(how)
        self.reason = reason
        self._on_end(how)
        return True

    def settle(self, usage: Usage, details: Mapping[str, str]) -> None:
        """Write down what was used."""
        if self._end("settle"):
            self.usage, self.details = usage, details

    def void(self, reason: str) -> None:
        """Write down that nothing was bought."""
        self._end("void", reason)

    def hold(self, reason: str) -> None:
        """Write down that nobody knows."""
        self._end("hold", reason)


class RecordingMeter:
    """Admits ``admits`` attempts, clamping their answers to ``clamp`` tokens; refuses those after them."""

    def __init__(self, *, admits: int = 100, clamp: int | None = None, on_end: Callable[[str], None] | None = None) -> None:
        self.attempts: list[RecordedAttempt] = []
        self._admits = admits
        self._clamp = clamp
        self._on_end = on_end or (lambda _how: None)

    def begin(self, body: Mapping[str, Any]) -> RecordedAttempt | Refused:
        """Admit or refuse one attempt."""
        if len(self.attempts) >= self._admits:
            return REFUSED
        max_tokens = body["max_tokens"] if self._clamp is None else min(body["max_tokens"], self._clamp)
        self.attempts.append(RecordedAttempt({**body, "max_tokens": max_tokens}, self._on_end))
        return self.attempts[-1]

    @property
    def ends(self) -> list[str]:
        """How the attempts ended, in order; an attempt left open shows as ``open``."""
        return [attempt.ends[0] if attempt.ends else "open" for attempt in self.attempts]
