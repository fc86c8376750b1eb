"""What the AI work on one pull request cost: everything the ledger attributes to it, by model and by workflow.

All workflows, all runs, failed and repeated ones. Held amounts count, because they may have been billed, and are shown apart;
what is still pending is shown and does not count, because most of it comes back.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from budget_gate.analytics.outcomes import Event, PullName, event_from, pull_name
from budget_gate.analytics.spending import Note, Spend, SpendingReader
from budget_gate.core.amounts import ZERO, Amount, total_of
from budget_gate.core.audit import Entry

UNKNOWN = "(unknown)"
"""The name of what a call did not say."""


class CostLine(NamedTuple):
    """One share of a cost: under which name, how many calls, and what they cost (held included)."""

    name: str
    calls: int
    amount: Amount


class PullCost(NamedTuple):
    """The AI cost of one pull request. ``refused`` counts calls that a budget kept out, ``runs`` CI runs that made a call."""

    pull: PullName
    posted: Amount = ZERO
    held: Amount = ZERO
    pending: Amount = ZERO
    by_workflow: tuple[CostLine, ...] = ()
    by_model: tuple[CostLine, ...] = ()
    calls: int = 0
    runs: int = 0
    refused: int = 0

    @property
    def total(self) -> Amount:
        """What is counted: posted and held."""
        return self.posted.plus(self.held)


class PullsRead(NamedTuple):
    """What one pass over the entries found: the costs that were asked for, and every event that ended a pull request."""

    costs: dict[PullName, PullCost]
    events: tuple[Event, ...]


def read_pulls(entries: Iterable[Entry], pulls: Iterable[PullName]) -> PullsRead:
    """Return the costs of some pull requests in one pass over the entries; one that cost nothing is there with nothing."""
    events = []
    rows: dict[PullName, list[Spend]] = {pull: [] for pull in pulls}
    refused: dict[PullName, int] = dict.fromkeys(rows, 0)
    reader = SpendingReader()
    for found in reader.follow(entries):
        if isinstance(found, Spend):
            _put(rows, found)
        elif found.kind == "refuse" and (pull := _refused_pull(found)) in refused:
            refused[pull] += 1
        elif event := event_from(found):
            events.append(event)
    for left in reader.still_open():
        _put(rows, left)
    return PullsRead({pull: _cost(pull, spent, refused[pull]) for pull, spent in rows.items()}, tuple(events))


def pull_of(row: Spend) -> PullName | None:
    """Return the pull request that a row is for, or None."""
    project, pr = row.label("project"), row.label("pr")
    return pull_name(project, pr) if project and pr else None


def model_of(row: Spend) -> str:
    """Return the model of a row: its id, else its tier."""
    return row.label("model") or row.label("tier") or UNKNOWN


def lines_by(rows: Iterable[Spend], name: Callable[[Spend], str]) -> tuple[CostLine, ...]:
    """Return rows summed up by a name, the dearest first."""
    found: dict[str, CostLine] = {}
    for row in rows:
        known = found.get(name(row), CostLine(name(row), 0, ZERO))
        found[known.name] = CostLine(known.name, known.calls + row.amount.requests, known.amount.plus(row.amount))
    return tuple(sorted(found.values(), key=lambda line: (-line.amount.nano_usd, line.name)))


def _put(rows: dict[PullName, list[Spend]], row: Spend) -> None:
    pull = pull_of(row)
    if pull in rows:
        rows[pull].append(row)


def _refused_pull(note: Note) -> PullName:
    labels = note.body.get("labels", {})
    return pull_name(str(labels.get("project", "")), str(labels.get("pr", "")))


def _cost(pull: PullName, rows: list[Spend], refused: int) -> PullCost:
    counted = [row for row in rows if row.state != "pending"]
    return PullCost(
        pull,
        posted=total_of(row.amount for row in rows if row.state == "posted"),
        held=total_of(row.amount for row in rows if row.state == "held"),
        pending=total_of(row.amount for row in rows if row.state == "pending"),
        by_workflow=lines_by(counted, lambda row: row.label("workflow") or UNKNOWN),
        by_model=lines_by(counted, model_of),
        calls=sum(row.amount.requests for row in counted),
        runs=len({row.label("run") for row in counted if row.label("run")}),
        refused=refused,
    )
