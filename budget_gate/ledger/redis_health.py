"""What the health of a Redis server means for a ledger on it."""

from budget_gate.core.errors import LedgerError
from budget_gate.ledger.health import Finding
from budget_gate.ledger.redis_connect import ServerHealth
from budget_gate.ledger.redis_problems import FORGETS, check_eviction


def findings(url: str, health: ServerHealth) -> tuple[Finding, ...]:
    """Return what to say of a server: may it drop keys, does it keep them at a restart, does anybody stand by."""
    return _eviction(url, health), _persistence(health), _replicas(health)


def _eviction(url: str, health: ServerHealth) -> Finding:
    if not health.eviction:
        return Finding(
            "eviction", "warning", "the user may not run INFO, so nobody can tell; see that maxmemory-policy is noeviction"
        )
    try:
        check_eviction(url, health.eviction)
    except LedgerError as error:
        return Finding("eviction", "fault", str(error))
    return Finding("eviction", "ok", f"maxmemory-policy {health.eviction} never drops what was spent")


def _persistence(health: ServerHealth) -> Finding:
    if health.is_appending:
        return Finding("persistence", "ok", "an append-only file is kept")
    if health.forgets_at_restart:
        return Finding("persistence", "warning", f"the server {FORGETS}")
    if health.is_appending is None:
        return Finding("persistence", "warning", "the user may not run INFO, so nobody can tell; see that appendonly is yes")
    if health.saves is None:
        return Finding(
            "persistence", "warning", "no append-only file, and whether snapshots are taken is not told; set appendonly yes"
        )
    return Finding(
        "persistence",
        "warning",
        f"snapshots only (save {health.saves}): a crash forgets what came after the last; set appendonly yes",
    )


def _replicas(health: ServerHealth) -> Finding:
    said = f"version {health.version}, {health.replicas} replicas connected" if health.version else "not told"
    return Finding("server", "ok", said)
