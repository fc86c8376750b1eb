"""What the command line asks of the review agent. The implementation is ``agents.code_review``."""

from typing import Protocol

from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.reviews import ReviewOutcome


class Reviewer(Protocol):
    """Reviews a diff within a budget."""

    def review(self, diff: bytes | str, pull: PullRequest | None = None, *, tag: str, dry_run: bool = False) -> ReviewOutcome:
        """Review a unified diff and say what was found, what was left out, and what it cost.

        ``tag`` is at least eight letters and digits drawn at random for this review: it fences the author's data off from
        the instructions. A dry run sends nothing and estimates. Raises ``LedgerError`` when the ledger cannot be asked,
        ``UnknownModel`` when the model has no price, ``ValueError`` for a poor tag; a failing model is part of the outcome.
        """
        ...
