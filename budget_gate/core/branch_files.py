"""Files of a branch as they were at one commit: what the room that reads a branch hands to the room that keeps a ledger on it."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple


class BranchFiles(NamedTuple):
    """A branch at one commit. ``commit`` and ``tree`` are their ids, empty while there is no branch yet.

    ``texts`` has every path that was asked for; a file that is not there reads as empty. ``now`` is the server's clock (UTC).
    """

    commit: str
    tree: str
    texts: Mapping[str, str]
    now: datetime
