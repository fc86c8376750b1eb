"""What GitHub knows of an earlier run of a workflow: whether it is over, and what its check run says. Reads only."""

from budget_gate.github.check_run import check_summary
from budget_gate.github.interface import RunAttempt
from budget_gate.github.rest import Rest, text

_GONE = (404, 410)


def read_run_attempt(rest: Rest, repository: str, run_id: int, run_attempt: int) -> RunAttempt | None:
    """Return one attempt of a run; None when GitHub has none (it was deleted, or another repository's)."""
    reply = rest.send("GET", f"/repos/{repository}/actions/runs/{run_id}/attempts/{run_attempt}", returned=_GONE)
    if not reply.is_success:
        return None
    is_over = text(reply.data, "status") == "completed"
    head_sha = text(reply.data, "head_sha")
    summary = check_summary(rest, repository, head_sha, (run_id, run_attempt)) if is_over else ""
    return RunAttempt(is_over, text(reply.data, "conclusion"), summary)
