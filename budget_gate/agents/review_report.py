"""The words of a review's outcome: verdict, reason, and what was not reviewed, with what it would have cost. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from budget_gate.core.diff_pieces import Piece
from budget_gate.core.money import usd_short
from budget_gate.core.packing import Cause, LeftOut, Price
from budget_gate.core.policy import Bounds, Workflow
from budget_gate.core.pull_requests import NotReviewed, Verdict
from budget_gate.core.reservations import Refused


class Ending(NamedTuple):
    """How a review ended: which causes left something out, which budgets refused, what failed.

    ``reused_hunks`` were not read again, which spared ``avoided_nano_usd``; ``masked_secrets`` were not sent; ``minor`` findings
    are below the threshold of severity, ``dismissed`` ones were dismissed by people. ``is_recorded`` is False when the ledger missed a
    call that the policy let go on without it.
    """

    causes: frozenset[Cause]
    refused: Refused | None = None
    failure: str = ""
    is_recorded: bool = True
    reused_hunks: int = 0
    avoided_nano_usd: int = 0
    masked_secrets: int = 0
    minor: int = 0
    dismissed: int = 0

    @property
    def is_exceeded(self) -> bool:
        """True when a budget, or a bound of the task, kept something out. The soft bound narrows and does not count."""
        return self.refused is not None or bool(self.causes - {"soft"})


def verdict_of(workflow: Workflow, ending: Ending) -> Verdict:
    """Return the verdict. Only an exceeded budget under ``on_exceed: block`` blocks: a failure never strands a pull request."""
    if ending.is_exceeded and workflow.on_exceed == "block":
        return "block"
    return "pass_with_note" if ending.is_exceeded or ending.causes or ending.failure else "pass"


def reason_of(workflow: Workflow, ending: Ending, findings: int, findings_left_out: int) -> str:
    """Return the one-line reason for the verdict."""
    parts = []
    if ending.refused is not None:
        parts.append(f"stopped by {_refusing(ending.refused)}")
    elif ending.is_exceeded:
        parts += [f"stopped {why(cause, workflow.task)}" for cause in sorted(ending.causes - {"soft"})]
    if ending.failure:
        parts.append(f"the review is not complete: {ending.failure}")
    if "soft" in ending.causes:
        parts.append(f"narrowed {why('soft', workflow.task)}")
    if parts and verdict_of(workflow, ending) == "pass_with_note":
        parts.append("the pull request is not held up")
    found = {0: "nothing found", 1: "1 finding"}.get(findings, f"{findings} findings")
    parts.append(found if not parts else f"{found} in what was reviewed")
    if not ending.is_recorded:
        parts.append("the ledger could not record every call")
    if findings_left_out:
        parts.append(f"{findings_left_out} less severe left out")
    return "; ".join([*parts, *_spared(ending)])


def _spared(ending: Ending) -> list[str]:
    """Return the words for what was not paid, not sent, and not shown."""
    parts = []
    if ending.minor:
        parts.append(f"{ending.minor} below the severity asked for")
    if ending.dismissed:
        parts.append(f"{ending.dismissed} dismissed earlier")
    if ending.reused_hunks:
        spared = f", {usd_short(ending.avoided_nano_usd)} spared" if ending.avoided_nano_usd else ""
        hunks = f"{ending.reused_hunks} hunk{'' if ending.reused_hunks == 1 else 's'}"
        parts.append(f"{hunks} unchanged since the last review{spared}")
    if ending.masked_secrets:
        parts.append(f"{ending.masked_secrets} secret{'' if ending.masked_secrets == 1 else 's'} masked before sending")
    return parts


def _refusing(refused: Refused) -> str:
    names = dict.fromkeys(f"{each.scope.text} per {each.per}" for each in refused.refused_by)
    return f"the budget of {', '.join(names)}" if names else "a budget"


def why(cause: Cause, bounds: Bounds) -> str:
    """Return the words for what left a piece out."""
    if cause == "tokens":
        return f"at the task's {bounds.hard_tokens or 0:,} tokens"
    if cause == "usd":
        return f"at the task's {usd_short(bounds.nano_usd or 0)}"
    if cause == "steps":
        return f"at the task's {bounds.steps or 'most'} calls"
    if cause == "soft":
        return f"past the task's soft bound of {bounds.soft_tokens or 0:,} tokens"
    return "at a line too long to send"


def not_reviewed(left_out: Iterable[tuple[str, LeftOut]], call: Price) -> tuple[NotReviewed, ...]:
    """Return one entry per file and reason, dearest mistakes first as they come.

    The estimate is the worst case of the pieces, with one more call's fixed part shared among the files.
    """
    groups: dict[tuple[str, str], list[LeftOut]] = {}
    for reason, each in left_out:
        groups.setdefault((each.priced.piece.path, reason), []).append(each)
    share = -(-call.nano_usd // max(len(groups), 1))
    return tuple(
        NotReviewed(
            path,
            f"{reason} ({_extent([each.priced.piece for each in group])})",
            share + sum(each.priced.price.nano_usd for each in group),
        )
        for (path, reason), group in groups.items()
    )


def _extent(pieces: Sequence[Piece]) -> str:
    """Return which lines pieces cover, as people look for them."""
    new = [line.new_line for piece in pieces for line in piece.lines if line.new_line]
    changed = sum(line.kind != "context" for piece in pieces for line in piece.lines)
    changes = f"{changed} changed line{'' if changed == 1 else 's'}"
    return f"lines {min(new)}-{max(new)}, {changes}" if new else changes
