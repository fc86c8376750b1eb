"""Outcomes: GitHub's revert form, notes that are the same however often they are written, and how pull requests stand."""

from datetime import UTC, datetime, timedelta

import pytest
from fakes.history import record
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.analytics.outcomes import Event, PullName, event_from, events_of, note_of, reverted_number, standings
from budget_gate.analytics.spending import Note, SpendingReader
from budget_gate.core.pull_requests import ClosedPull
from budget_gate.ledger.memory import MemoryLedger

AT = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
PULL = ClosedPull("Acme/Shop", 12, 'Revert "Add a cart"', "Reverts acme/shop#7", "alice", is_merged=True, closed_at=AT)
SEVEN, TWELVE = PullName("acme/shop", "7"), PullName("acme/shop", "12")


def test_a_merged_revert_marks_what_it_reverts() -> None:
    """GitHub's revert form gives two events: the revert was merged, and the other was reverted by it."""
    assert events_of(PULL) == (Event(TWELVE, "merged", AT), Event(SEVEN, "reverted", AT, "12"))


@pytest.mark.parametrize(
    "body", ["Reverts acme/shop#7", "Reverts acme/shop#7\r\n\r\nBroke production.", "It broke.\n\nReverts Acme/Shop#7  "]
)
def test_the_form_may_stand_among_other_lines(body: str) -> None:
    """The line counts wherever it stands in the body, whatever the letter case of the repository."""
    assert reverted_number(PULL._replace(body=body)) == "7"


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Add a cart"},
        {"body": "Reverts other/shop#7"},
        {"body": "Reverts #7"},
        {"body": "See Reverts acme/shop#7"},
        {"body": "Reverts acme/shop#12"},
        {"body": "Reverts acme/shop#07"},
        {"body": "Reverts acme/shop#\u0667"},
        {"body": ""},
    ],
)
def test_anything_else_is_no_revert(changes: dict[str, str]) -> None:
    """Another repository, a mention within a sentence, or a pull request reverting itself marks nothing."""
    assert reverted_number(PULL._replace(**changes)) == ""


def test_a_revert_that_was_not_merged_marks_nothing() -> None:
    """An open or closed revert has reverted nothing."""
    assert events_of(PULL._replace(is_merged=False)) == (Event(TWELVE, "closed", AT),)


@given(st.sampled_from(["merged", "closed", "reverted"]), st.text(min_size=1, max_size=20), st.datetimes(timezones=st.just(UTC)))
def test_notes_are_read_back_as_what_was_written(ending: str, pr: str, at: datetime) -> None:
    """Whatever the names, an event comes back from its note to the second, and gives the same note again."""
    event = Event(PullName("acme/shop", pr), ending, at.replace(microsecond=0), "12" if ending == "reverted" else "")  # type: ignore[arg-type]
    key, labels, details = note_of(event)
    back = event_from(Note(1, AT, "outcome", {"key": key, "labels": labels, "details": details}))
    assert back == event
    assert note_of(back) == (key, labels, details)


@pytest.mark.parametrize(
    "details", [{}, {"outcome": "won"}, {"outcome": "merged", "at": "yesterday"}, {"outcome": "merged", "at": "2026-10-01"}]
)
def test_notes_of_another_form_are_left_alone(details: dict[str, str]) -> None:
    """A note that somebody else wrote under the same kind is no event, and no failure."""
    assert event_from(Note(1, AT, "outcome", {"labels": {"project": "a/b", "pr": "7"}, "details": details})) is None


def test_merged_after_reopening_wins_and_a_revert_of_a_revert_restores() -> None:
    """Closed and reopened and merged is merged; reverted is waste; reverting the revert makes it merged again."""
    day = timedelta(days=1)
    events = [Event(SEVEN, "merged", AT + day), Event(SEVEN, "closed", AT)]
    assert standings(events, "UTC")[SEVEN].ending == "merged"
    events += [Event(TWELVE, "merged", AT + 2 * day), Event(SEVEN, "reverted", AT + 2 * day, "12")]
    assert standings(events, "UTC")[SEVEN].ending == "reverted"
    thirteen = PullName("acme/shop", "13")
    events += [Event(thirteen, "merged", AT + 3 * day), Event(TWELVE, "reverted", AT + 3 * day, "13")]
    found = standings(events, "UTC")
    assert (found[SEVEN].ending, found[TWELVE].ending, found[thirteen].ending) == ("merged", "reverted", "merged")


def test_a_month_does_not_see_what_came_later_and_follows_the_zone() -> None:
    """At the end of October a change reverted in November stands merged; in Kolkata its merge was in November."""
    events = [Event(SEVEN, "merged", AT), Event(SEVEN, "reverted", AT + timedelta(days=2), "12")]
    assert standings(events, "UTC", "2026-10")[SEVEN].ending == "merged"
    assert standings(events, "UTC", "2026-11")[SEVEN].ending == "reverted"
    assert standings(events, "Asia/Kolkata", "2026-10") == {}


def test_recording_twice_appends_once() -> None:
    """The same event recorded again adds no entry."""
    ledger = MemoryLedger()
    for _ in range(2):
        record(ledger, "7", "merged", AT)
        record(ledger, "7", "closed", AT)
    assert len(list(SpendingReader().follow(ledger.entries()))) == 2
