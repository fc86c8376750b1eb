"""A baseline as a pull request: the policy of the default branch with other limits, and nothing else of the repository."""

from pathlib import PurePosixPath

from budget_gate.core.errors import UsageError
from budget_gate.github.interface import GitHub, PullOpened

BRANCH = "ai-budgets/baseline"


def read_policy(github: GitHub, path: str, known: str) -> str:
    """Return the policy's text on the default branch; the one at hand is the same, so that nobody's changes are taken back.

    Raises ``UsageError`` for a policy outside of the repository, or one that differs from the branch's.
    """
    place = PurePosixPath(path)
    if place.is_absolute() or ".." in place.parts:
        raise UsageError(f"--open-pr: {path} must be a path below the root of the repository; run there, and name it from there")
    found = github.default_branch_file(str(place))
    if found.content is None:
        raise UsageError(
            f"--open-pr: {place} is not on the branch {found.branch}; commit it there first, or run at the repository's root"
        )
    if _lines(found.content) != _lines(known):
        raise UsageError(f"--open-pr: {place} differs from the one on {found.branch}; check out {found.branch} and run again")
    return found.content


def open_baseline_pull(github: GitHub, path: str, policy_text: str, title: str, body: str) -> PullOpened:
    """Put the proposed policy on our branch and open a pull request, or bring the one that is open up to date.

    Raises ``ReadOnlyToken`` and ``GitHubError`` as ``branch_pull.open_pull`` does.
    """
    files = {str(PurePosixPath(path)): policy_text}
    message = f"{title}\n\nLimits proposed by `budget-gate baseline` from what was spent."
    return github.open_pull("", BRANCH, files, title, body, draft=False, message=message)


def _lines(text: str) -> list[str]:
    return text.removeprefix("\ufeff").splitlines()
