"""Issues as GitHub describes them, made into core's tickets. Reads only."""

from budget_gate.core.tickets import Ticket
from budget_gate.github.rest import Rest, text


def read_issue(rest: Rest, repository: str, number: int) -> Ticket:
    """Return one issue."""
    data = rest.send("GET", f"/repos/{repository}/issues/{number}").data
    labels = data.get("labels") if isinstance(data, dict) else None
    named = (each if isinstance(each, str) else text(each, "name") for each in labels) if isinstance(labels, list) else ()
    return Ticket(f"#{number}", text(data, "title"), text(data, "body"), tuple(name for name in named if name))
