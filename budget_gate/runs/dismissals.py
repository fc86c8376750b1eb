"""What people have dismissed on a pull request stays dismissed, wherever findings are shown."""

from collections.abc import Callable
from functools import cached_property

from budget_gate.core.errors import GitHubError
from budget_gate.core.fingerprints import fingerprint
from budget_gate.core.pull_requests import Finding, PullRequest
from budget_gate.github.interface import GitHub


class Dismissals:
    """Tells the findings of one workflow (``marker``) that were dismissed. Asks GitHub when there is a finding, once."""

    def __init__(self, github: GitHub, pull: PullRequest, marker: str, on_problem: Callable[[str], None]) -> None:
        self._github, self._pull, self._marker, self._on_problem = github, pull, marker, on_problem

    def __call__(self, finding: Finding) -> bool:
        """Return whether a finding was dismissed; where GitHub cannot say, nothing was."""
        return fingerprint(self._marker, finding) in self._fingerprints

    @cached_property
    def _fingerprints(self) -> frozenset[str]:
        try:
            return self._github.dismissed(self._pull)
        except GitHubError as error:
            self._on_problem(f"what was dismissed earlier cannot be told, so all findings are shown: {error}")
            return frozenset()
