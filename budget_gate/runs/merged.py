"""A pull request came to its end: record the outcome, add up what its AI work cost, and write that back.

Recording is idempotent by the keys of ``analytics.outcomes``, the cost is read from the ledger anew each time, and the comment is
the sticky one: running again repeats nothing and only ever shows the newest figures.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from budget_gate.analytics.outcomes import KIND, Event, PullName, Standing, events_of, note_of, standings
from budget_gate.analytics.pr_costs import PullCost, read_pulls
from budget_gate.core.errors import GitHubError, KeyReused, ReadOnlyToken
from budget_gate.core.pull_requests import ClosedPull
from budget_gate.github.interface import FormerOpening, GitHub
from budget_gate.ledger.interface import Ledger
from budget_gate.reports.merged import FORMER_HEADING, FORMER_MARKER, MARKER, render_merged
from budget_gate.runs.posting import FORK_NOTE, Posted, RunIdentity


class Ended(NamedTuple):
    """One pull request that ended: what its AI work cost, and how it stands now."""

    cost: PullCost
    standing: Standing

    @property
    def pull(self) -> PullName:
        """Which one."""
        return self.cost.pull


def record_outcomes(ledger: Ledger, pulls: Iterable[ClosedPull]) -> tuple[Event, ...]:
    """Write a note for every event, once however often this runs; return the events."""
    events = tuple(event for pull in pulls for event in events_of(pull))
    for event in events:
        key, labels, details = note_of(event)
        with suppress(KeyReused):  # known already with another time: what was recorded first stays
            ledger.record(key, KIND, labels, details)
    return events


def ended_pulls(ledger: Ledger, events: Iterable[Event], zone: str) -> tuple[Ended, ...]:
    """Return each pull request that the events are about, in their order, from one pass over the ledger's entries."""
    pulls = list(dict.fromkeys(event.pull for event in events))
    if not pulls:
        return ()
    read = read_pulls(ledger.entries(), pulls)
    standing = standings(read.events, zone)
    return tuple(Ended(read.costs[pull], standing[pull]) for pull in pulls)


def post_merged(github: GitHub, ended: Ended, identity: RunIdentity, zone: str) -> Posted:
    """Write the cost into the pull request's one comment. A token that may not write is an expected outcome, and a note."""
    body = render_merged(ended.cost, ended.standing, zone=zone, run_url=identity.url)
    try:
        former = FormerOpening(FORMER_MARKER, FORMER_HEADING)
        posted = github.put_comment(int(ended.pull.pr), MARKER, body, identity.number, identity.attempt, former)
    except ReadOnlyToken:
        return Posted(notes=(FORK_NOTE,))
    except GitHubError as error:
        return Posted(notes=(f"the comment on #{ended.pull.pr} could not be posted: {error}",))
    return Posted(comment_url=posted.url)
