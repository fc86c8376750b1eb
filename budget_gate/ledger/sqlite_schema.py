"""The schema of a SQLite ledger: numbered migrations, each applied once and written down in the database itself.

Migrations are SQL files beside this module, ``migrations/NNNN_name.sql``; the highest number is the version this program knows.
"""

import os
import sqlite3

from budget_gate.core.errors import LedgerTooNew
from budget_gate.ledger.interface import SCHEMA_VERSION

MIGRATIONS = os.path.join(os.path.dirname(__file__), "migrations")  # noqa: PTH118, PTH120 (pathlib costs more)

_OLDEST_WITH_STRICT = (3, 37, 0)


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a database: 0 if it is new."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_versions'").fetchone()
    if found is None:
        return 0
    return int(connection.execute("SELECT coalesce(max(version), 0) FROM schema_versions").fetchone()[0])


def check_version(version: int, path: str) -> None:
    """Raise ``LedgerTooNew`` if a newer program has written this database."""
    if version > SCHEMA_VERSION:
        raise LedgerTooNew(
            f"{path} has schema version {version}, this budget-gate knows up to {SCHEMA_VERSION}; use a newer budget-gate"
        )


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Apply what is missing. Runs inside the caller's transaction, so that a crash leaves the old version whole."""
    version = version_of(connection)
    check_version(version, path)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, applied_at TEXT DEFAULT CURRENT_TIMESTAMP)"
    )
    for number, text in _migrations():
        if number > version:
            for statement in _statements(text):
                connection.execute(statement)
            connection.execute("INSERT INTO schema_versions (version) VALUES (?)", (number,))


def _migrations() -> list[tuple[int, str]]:
    from pathlib import Path  # most openings migrate nothing, and importing it takes 3 ms

    files = sorted(Path(MIGRATIONS).glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return [(int(file.name[:4]), _for_this_sqlite(file.read_text(encoding="utf-8"))) for file in files]


def _for_this_sqlite(text: str) -> str:
    """Return the migration without STRICT where SQLite does not know it; the types are then only documentation."""
    if sqlite3.sqlite_version_info >= _OLDEST_WITH_STRICT:
        return text
    return text.replace(") STRICT, WITHOUT ROWID;", ") WITHOUT ROWID;").replace(") STRICT;", ");")


def _statements(text: str) -> list[str]:
    """Split a script where SQLite says a statement is complete (``executescript`` would commit the transaction first)."""
    statements, pending = [], ""
    for line in text.splitlines(keepends=True):
        pending += line
        if line.rstrip().endswith(";") and sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements
