"""What a review leaves alone by default: drafts, pull requests of bots, and runs that a bot's own comment started."""

from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.reviews import ReviewOutcome, without_review


def why_left_alone(
    pull: PullRequest | None, *, is_said_by_bot: bool = False, include_drafts: bool = False, include_bots: bool = False
) -> str:
    """Return why a pull request is not reviewed now, or empty text when it is.

    A run that a bot's comment or review started is never one: ours would start the next, and so on.
    """
    if is_said_by_bot:
        return "a bot's comment started this run, and answering it could go on for ever; push or re-run to have it reviewed"
    if pull is None:
        return ""
    if pull.is_draft and not include_drafts:
        return "the pull request is a draft; it is reviewed once it is ready, or now with --include-drafts"
    if pull.author_is_bot and not include_bots:
        return "a bot opened the pull request; it is reviewed with --include-bots"
    return ""


def left_alone(reason: str) -> ReviewOutcome:
    """Return the outcome of a review that was not asked for: it passes, costs nothing, and says why."""
    return without_review("pass", f"left alone: {reason}")._replace(is_left_alone=True)
