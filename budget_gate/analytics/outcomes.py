"""Outcomes: what became of pull requests. Notes in the ledger, written once per event, and read back as states.

A pull request is ``merged``, ``closed`` without being merged (waste), or ``reverted`` after it was merged (waste). The revert of a
revert puts the first change back, so it is merged again. Each event keeps its own time: a month's report looks only at what had
happened by the end of that month, and later events do not change it.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from budget_gate.analytics.spending import Note
from budget_gate.core.periods import window_at
from budget_gate.core.pull_requests import ClosedPull

KIND = "outcome"
"""The kind of these notes."""

Ending = Literal["merged", "closed", "reverted"]

_REVERTS = re.compile(r"^Reverts (?P<repository>[A-Za-z0-9._-]+/[A-Za-z0-9._-]+)#(?P<number>[1-9][0-9]{0,17})\s*$", re.MULTILINE)
_BODY_CHARACTERS_READ = 20_000


class PullName(NamedTuple):
    """Names a pull request across repositories: project in small letters, as GitHub compares them, and number as text."""

    project: str
    pr: str


class Event(NamedTuple):
    """Something that ended a pull request. ``by`` is the pull request that reverted it, else empty."""

    pull: PullName
    ending: Ending
    at: datetime
    by: str = ""


class Standing(NamedTuple):
    """How a pull request stands, and since when."""

    ending: Ending
    at: datetime


def pull_name(project: str, pr: str) -> PullName:
    """Return the name under which spending and outcomes of one pull request meet."""
    return PullName(project.lower(), pr)


def events_of(pull: ClosedPull) -> tuple[Event, ...]:
    """Return what a closed pull request means: its own end, and the revert of another where it has GitHub's form."""
    own = pull_name(pull.repository, str(pull.number))
    if not pull.is_merged:
        return (Event(own, "closed", pull.closed_at),)
    reverted = reverted_number(pull)
    merged = Event(own, "merged", pull.closed_at)
    if not reverted:
        return (merged,)
    return merged, Event(pull_name(pull.repository, reverted), "reverted", pull.closed_at, by=own.pr)


def reverted_number(pull: ClosedPull) -> str:
    """Return the number of the pull request that this one reverts, as GitHub's button writes it; empty for any other.

    The title must begin with ``Revert`` and a line of the body must be ``Reverts OWNER/REPO#NUMBER`` of the same repository.
    """
    if not pull.title.startswith("Revert "):
        return ""
    match = _REVERTS.search(pull.body[:_BODY_CHARACTERS_READ].replace("\r\n", "\n"))
    if match is None or match["repository"].lower() != pull.repository.lower() or int(match["number"]) == pull.number:
        return ""
    return match["number"]


def note_of(event: Event) -> tuple[str, dict[str, str], dict[str, str]]:
    """Return key, labels and details of an event's note. The same event always gives the same note, so it is written once.

    A pull request merges once, but can be closed and opened again: the time is part of that key.
    """
    at = event.at.astimezone(UTC).isoformat(timespec="seconds")
    ends = {"merged": "merged", "closed": f"closed/{at}", "reverted": f"reverted/{event.by}"}
    details = {"outcome": event.ending, "at": at} | ({"by": event.by} if event.by else {})
    labels = {"project": event.pull.project, "pr": event.pull.pr}
    return f"{KIND}/{event.pull.project}/{event.pull.pr}/{ends[event.ending]}", labels, details


def event_from(note: Note) -> Event | None:
    """Return the event that a note tells of; None for any other note, and for one that somebody else wrote in another form."""
    labels, details = note.body.get("labels", {}), note.body.get("details", {})
    if note.kind != KIND or not isinstance(labels, Mapping) or not isinstance(details, Mapping):
        return None
    ending, project, pr = details.get("outcome"), labels.get("project"), labels.get("pr")
    if ending not in ("merged", "closed", "reverted") or not project or not pr:
        return None
    try:
        at = datetime.fromisoformat(str(details.get("at", "")))
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return Event(pull_name(str(project), str(pr)), ending, at.astimezone(UTC), str(details.get("by", "")))


def month_of(instant: datetime, zone: str) -> str:
    """Return the month that an instant lies in, as ledgers label it: ``2026-11``."""
    return window_at("month", zone, instant).label


def standings(events: Iterable[Event], zone: str, month: str = "") -> dict[PullName, Standing]:
    """Return how every pull request stands, at the end of ``month`` if one is given (later events are not looked at)."""
    ends: dict[PullName, Standing] = {}
    reverts: dict[PullName, list[Event]] = {}
    for event in events:
        if month and month_of(event.at, zone) > month:
            continue
        if event.ending == "reverted":
            reverts.setdefault(event.pull, []).append(event)
            continue
        known = ends.get(event.pull)
        if known is None or (event.ending == "merged", event.at) > (known.ending == "merged", known.at):
            ends[event.pull] = Standing(event.ending, event.at)
    for pull, by in _in_force(reverts).items():
        ends[pull] = Standing("reverted", by.at)
    return ends


def _in_force(reverts: Mapping[PullName, list[Event]]) -> dict[PullName, Event]:
    """Return the reverts that stand: those whose own pull request was not reverted in turn.

    A revert is merged after what it reverts, so going from the newest to the oldest every question is answered before it is asked.
    """
    found: dict[PullName, Event] = {}
    every = (each for several in reverts.values() for each in several)
    for event in sorted(every, key=lambda each: (each.at, len(each.by), each.by), reverse=True):
        if PullName(event.pull.project, event.by) not in found:
            found[event.pull] = event
    return found
