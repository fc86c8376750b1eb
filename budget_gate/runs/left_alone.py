"""What a review leaves alone: drafts and pull requests of bots, as the workflow says, and runs that a comment of ours started."""

from budget_gate.core.policy import Workflow
from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.reviews import ReviewOutcome, without_review

_APP = "[bot]"


def why_left_alone(pull: PullRequest | None, workflow: Workflow, *, is_said_by_bot: bool = False) -> str:
    """Return why a pull request is not reviewed now, or empty text when it is.

    A run that a bot's comment or review started is never one: ours would start the next, and so on.
    """
    if is_said_by_bot:
        return "a bot's comment started this run, and answering it could go on for ever; push or re-run to have it reviewed"
    if pull is None:
        return ""
    if pull.is_draft and workflow.drafts == "skip":
        return "the pull request is a draft; it is reviewed once it is ready, or now with `drafts: review` or --include-drafts"
    if pull.author_is_bot and not _is_wanted(pull.author, workflow.bots):
        return f"a bot opened the pull request; it is reviewed with `bots: [{_name(pull.author)}]` or --include-bots"
    return ""


def left_alone(reason: str) -> ReviewOutcome:
    """Return the outcome of a review that was not asked for: it passes, costs nothing, and says why."""
    return without_review("pass", f"left alone: {reason}")._replace(is_left_alone=True)


def _is_wanted(author: str, bots: str | tuple[str, ...]) -> bool:
    if isinstance(bots, str):
        return bots == "review"
    return _name(author).casefold() in {_name(each).casefold() for each in bots}


def _name(login: str) -> str:
    """Return an app's name as people write it, with or without what GitHub puts behind it."""
    return login.removesuffix(_APP)
