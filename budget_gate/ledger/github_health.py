"""What ``doctor`` says of a ledger on a branch: whether it can be written, without writing to it."""

from budget_gate.ledger.health import WRITABLE, Finding

_GRANT = "grant the job `permissions: contents: write`"
_TOKEN_NEEDS = "the token itself needs the scope repo, or Contents: read and write"  # noqa: S105 (advice, no token)


def writable(repository: str, may_write: bool | None) -> Finding:  # noqa: FBT001 (what GitHub said)
    """Return what there is to say of writing to a repository's branch. Never a plain yes: only a write shows that."""
    if may_write is None:
        text = f"GitHub does not say whether this token may write to {repository}; it shows at the first write, so {_GRANT}"
        return Finding(WRITABLE, "warning", text)
    if may_write:
        return Finding(WRITABLE, "ok", f"the account of this token may push to {repository} ({_TOKEN_NEEDS})")
    text = f"the account of this token may not push to {repository}; use the token of one that may, or name another ledger"
    return Finding(WRITABLE, "fault", text)
