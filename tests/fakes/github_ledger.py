"""Ledgers on a branch of the fake GitHub: for the contract suite, and for other processes to reach."""

from datetime import datetime
from typing import NamedTuple

from fakes.github_server import GitHubServer
from fakes.github_state import State

from budget_gate.github.client import Transport
from budget_gate.github.git_data import GitData
from budget_gate.ledger.admitting import Patience
from budget_gate.ledger.github import GitHubLedger, Pace

REPOSITORY = "acme/shop"
QUICK = Pace(Patience(), race_seconds=0.02, race_seconds_most=0.3, tries_most=400)
"""For a server on this machine: as hasty as the other backends are."""


class GitHubOpener(NamedTuple):
    """Opens the ledger of a fake's repository. The clock is the server's."""

    url: str
    token: str = "ghs_writes"
    pace: Pace = QUICK

    def __call__(self) -> GitHubLedger:
        """Open it."""
        rest = Transport(self.token, self.url, patience_seconds=60.0)
        return GitHubLedger(GitData(rest, REPOSITORY, rest.close, is_app=rest.is_installation), pace=self.pace)


class GitHubStore:
    """A ledger on a server of its own."""

    def __init__(self, state: State | None = None) -> None:
        self.server = GitHubServer(state or State(repository=REPOSITORY))
        self.server.__enter__()
        self._opener = GitHubOpener(self.server.url)
        self.ledger = self._opener()

    def set_time(self, instant: datetime) -> None:
        """Move the server's clock, and have the ledger ask for it."""
        self.server.set_time(instant)
        self.ledger._clock_read = None

    def opener(self) -> GitHubOpener:
        """Return a way to the same repository."""
        return self._opener

    def close(self) -> None:
        """Hang up, and stop the server."""
        self.ledger.close()
        self.server.__exit__()
