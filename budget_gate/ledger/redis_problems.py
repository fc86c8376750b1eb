"""What a failure of Redis means, and the line that says what to do about it. Never an address with a password in it.

Only text is judged, so that this needs no client. A server that cannot do its work now is unavailable (whether that blocks is the
policy's choice); a server that is set up wrongly is an error, which no policy lets pass.
"""

from budget_gate.core.errors import LedgerError, LedgerUnavailable

_UNAVAILABLE = (
    (("OutOfMemoryError", "OOM command"), "is out of memory; raise its maxmemory or remove other data"),
    (("ReadOnlyError", "READONLY"), "is a read-only replica; name the primary"),
    (("MasterDownError", "MASTERDOWN"), "is a replica that has lost its primary; wait for the failover, or name the primary"),
    (("BusyLoadingError", "LOADING"), "is still loading its data; try again in a moment"),
    (("MISCONF",), "refuses writes because it cannot save to disk; see its log"),
    (("NOREPLICAS",), "refuses writes because too few replicas are connected"),
    (("ClusterDownError", "CLUSTERDOWN"), "belongs to a cluster that is down; see CLUSTER INFO"),
    (("BUSY Redis", "BUSY Valkey"), "is busy with another client's script; see SCRIPT KILL"),
    (("TTL exhausted", "TryAgainError", "TRYAGAIN"), "is moving the ledger's slot to another node; try again in a moment"),
    (("MasterNotFoundError",), "has no primary that its sentinels agree on; check the service's name, and wait for the failover"),
    (("MaxClientsError", "max number of clients"), "has no connection left; raise its maxclients"),
)
_WRONG = (
    (("CERTIFICATE_VERIFY_FAILED",), "shows a certificate that this machine does not trust; add ?ssl_ca_certs=FILE"),
    (("AuthenticationError", "AuthenticationWrongNumberOfArgsError"), "refuses the user or password; correct the ledger's URL"),
    (("username-password", "Authentication required"), "refuses the user or password; correct the ledger's URL"),
    (("NoPermissionError", "NOPERM", "permissions to"), "does not let this user do all that docs/decisions/0005-redis.md lists"),
    (("EDITED",), "has a counter that was edited: it holds something that is not a whole number; see `ledger verify`"),
    (("WRONGTYPE",), "holds something else under one of the ledger's keys; use another database or organization"),
    (("MovedError", "MOVED "), "is part of a cluster; write redis+cluster://HOST:PORT"),
    (("invalid DB index", "DB index is out of range"), "has no database of that number; correct the ledger's URL"),
)  # fmt: skip
"""Marks are names of the client's errors, because it cuts the code off some messages, and texts of the server's."""


FORGETS = "keeps nothing on disk: a restart forgets what was spent; set `appendonly yes`, or keep a copy with `ledger copy`"
"""What is said of a server without snapshots and without an append-only file."""


def problem(url: str, text: str, *, is_connection: bool) -> LedgerError:
    """Return the error for a failure that the client reported as ``text`` (name, colon, message); ``url`` is safe to print."""
    for table, kind in ((_UNAVAILABLE, LedgerUnavailable), (_WRONG, LedgerError)):
        for marks, advice in table:
            if any(mark in text for mark in marks):
                return kind(f"{url} {advice}")
    if is_connection:
        return LedgerUnavailable(f"{url} cannot be reached; check that the server runs and that this machine may connect to it")
    return LedgerError(f"{url} answered with an error: {text.partition(chr(10))[0][:200]}")


def check_eviction(url: str, maxmemory_policy: str) -> None:
    """Raise ``LedgerError`` if the server may drop any key when memory runs short: a counter lost is money spent twice."""
    if maxmemory_policy.startswith("allkeys"):
        raise LedgerError(
            f"{url} has maxmemory-policy {maxmemory_policy}, which may drop what was spent; set it to noeviction (or volatile-*)"
        )
