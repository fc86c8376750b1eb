"""Where monthly reports are posted: what every channel promises, so that one report is posted once."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol


class PostResult(NamedTuple):
    """How a post ended: ``posted``, ``refused`` (certainly not posted), or ``unknown`` (sent, and no answer came back).

    ``reason`` is one line without any secret, empty for a post that succeeded.
    """

    state: Literal["posted", "refused", "unknown"]
    reason: str = ""


class ReportChannel(Protocol):
    """One place that takes a rendered report."""

    @property
    def name(self) -> str:
        """The channel's kind, as ledger notes name it: ``slack``."""
        ...

    def post(self, message: Mapping[str, Any]) -> PostResult:
        """Post a message, trying once: only the caller knows whether trying again may post twice."""
        ...
