"""Where a ledger without a server keeps its files: a branch that is read whole and moved by compare-and-swap.

The ledger speaks this protocol and knows no API; ``budget_gate.github.git_data`` implements it, and ``bootstrap`` joins the two.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from budget_gate.core.branch_files import BranchFiles


class GitHubStore(Protocol):
    """Files on one branch of one repository.

    Every method raises ``LedgerUnavailable`` when GitHub cannot be reached or asks for too long a wait, ``LedgerReadOnly`` when the
    token may not write, and ``LedgerError`` for whatever else GitHub refuses.
    """

    @property
    def repository(self) -> str:
        """The repository, as ``OWNER/REPO``."""
        ...

    def read(self, paths: Collection[str], commit: str = "") -> BranchFiles:
        """Return files of the newest commit, or of ``commit``, all of them as of that one commit."""
        ...

    def commit(self, snapshot: BranchFiles, files: Mapping[str, str | None], message: str) -> bool:
        """Put files (None: remove it) on top of a snapshot; False when somebody else has moved the branch since."""
        ...

    def paths(self, snapshot: BranchFiles) -> list[str]:
        """Return the path of every file in a snapshot."""
        ...

    def may_write(self) -> bool | None:
        """Return whether the account of the token may write, without writing. None where that shows only at the first write."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...
