"""Where monthly reports are posted: what every channel promises, so that one report is posted once."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol


class PostResult(NamedTuple):
    """How a post ended: ``posted``, ``refused`` (certainly not posted), or ``unknown`` (sent, and no answer came back).

    ``reason`` is one line without any secret, empty for a post that succeeded as a whole.
    """

    state: Literal["posted", "refused", "unknown"]
    reason: str = ""


class ReportChannel(Protocol):
    """One place that takes a rendered report."""

    @property
    def name(self) -> str:
        """The channel, as ledger notes name it: ``slack`` for the webhook."""
        ...

    @property
    def has_threads(self) -> bool:
        """True if more than one message can be posted, the others below the first."""
        ...

    def post(self, messages: Sequence[Mapping[str, Any]]) -> PostResult:
        """Post a message and, where there are threads, the others below it. What may have been posted is never sent again."""
        ...
