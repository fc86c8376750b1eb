"""Law 4: every operation carries a caller's key; repeating it answers the same and counts once."""

from collections.abc import Callable

import pytest
from fakes.ledger_requests import actual, admitted, charge, line, request, usd

from budget_gate.core.errors import KeyReused, UsageError
from budget_gate.core.reservations import Refused, Resolution
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.identity import reservation_id
from budget_gate.ledger.interface import Ledger, NewNote
from budget_gate.ledger.verify import verify

MONTH = charge(ORG, "month", line(100))


def test_a_repeated_admission_answers_the_same(ledger: Ledger) -> None:
    """A lost answer costs nothing: asking again with the key finds the same reservation, and takes nothing more."""
    asked = request("k", usd(60), MONTH)
    first = admitted(ledger.reserve(asked))
    again = admitted(ledger.reserve(asked))
    assert first.replayed is False
    assert again == first._replace(replayed=True)
    assert ledger.head() == 1


def test_a_repeated_admission_is_answered_after_it_was_settled(ledger: Ledger) -> None:
    """The answer to a key does not change when its reservation is resolved, nor when limits change."""
    first = admitted(ledger.reserve(request("k", usd(60), MONTH)))
    ledger.settle("s", first.reservation, actual(usd(60)))
    again = admitted(ledger.reserve(request("k", usd(60), charge(ORG, "month", line(1)))))
    assert (again.reservation, again.granted, again.expires_at) == (first.reservation, first.granted, first.expires_at)
    assert again.budgets[0].posted == 60


def test_a_clamped_grant_is_repeated_as_it_was(ledger: Ledger) -> None:
    """A grant that was shortened stays as short when asked again, even after room was made."""
    other = admitted(ledger.reserve(request("other", usd(70), MONTH)))
    asked = request("k", usd(60), MONTH, minimum=usd(10))
    assert admitted(ledger.reserve(asked)).granted == usd(30)
    ledger.void("v", other.reservation, "not sent")
    assert admitted(ledger.reserve(asked)).granted == usd(30)


def test_a_refusal_is_final_under_its_key(ledger: Ledger) -> None:
    """A refused key stays refused with the same reasons, even after room was made; a new key is admitted."""
    other = admitted(ledger.reserve(request("other", usd(70), MONTH)))
    first = ledger.reserve(request("k", usd(60), MONTH))
    ledger.void("v", other.reservation, "not sent")
    again = ledger.reserve(request("k", usd(60), MONTH))
    assert isinstance(first, Refused)
    assert isinstance(again, Refused)
    assert again.refused_by == first.refused_by
    assert again.replayed
    assert [entry.parsed().kind for entry in ledger.entries()] == ["reserve", "refuse", "void"]
    admitted(ledger.reserve(request("new", usd(60), MONTH)))


@pytest.mark.parametrize(
    "other",
    [
        request("k", usd(61), MONTH),
        request("k", usd(60, 1), MONTH),
        request("k", usd(60), MONTH, minimum=usd(1)),
        request("k", usd(60), charge(Scope("team", "x"), "month", line(100))),
        request("k", usd(60), charge(ORG, "day", line(100))),
        request("k", usd(60), MONTH, labels={"workflow": "other"}),
    ],
    ids=["amount", "tokens", "minimum", "scope", "period", "labels"],
)
def test_a_reserve_key_names_one_request(ledger: Ledger, other: object) -> None:
    """A key that comes back with other arguments is not a retry, and is refused as a mistake."""
    admitted(ledger.reserve(request("k", usd(60), MONTH)))
    with pytest.raises(KeyReused):
        ledger.reserve(other)  # type: ignore[arg-type]  # parametrized values are untyped
    assert ledger.head() == 1


def test_a_retry_may_carry_new_limits_and_patience(ledger: Ledger) -> None:
    """Limits, owners, the deadline and waiting may change between tries; the request is the same."""
    admitted(ledger.reserve(request("k", usd(60), MONTH)))
    retry = request("k", usd(60), charge(ORG, "month", line(5, owner="new@acme.test")), may_wait=True, ttl_seconds=9)
    assert admitted(ledger.reserve(retry)).replayed


Move = Callable[[Ledger, str, str], Resolution]
RESOLVE: dict[str, Move] = {
    "settle": lambda ledger, key, name: ledger.settle(key, name, actual(usd(12), {"model": "m"})),
    "void": lambda ledger, key, name: ledger.void(key, name, "because"),
    "hold": lambda ledger, key, name: ledger.hold(key, name, "because"),
}


@pytest.mark.parametrize("move", RESOLVE)
def test_a_repeated_resolution_answers_the_same(ledger: Ledger, move: str) -> None:
    """Repeating settle, void or hold answers the same and moves nothing, even after the reservation moved on."""
    name = admitted(ledger.reserve(request("k", usd(10), MONTH))).reservation
    first = RESOLVE[move](ledger, "m", name)
    assert first.replayed is False
    again = RESOLVE[move](ledger, "m", name)
    assert again == first._replace(replayed=True)
    ledger.settle("later", name, actual(usd(50)))
    after = RESOLVE[move](ledger, "m", name)
    assert (after.state, after.cost, after.overrun) == (first.state, first.cost, first.overrun)
    assert verify(ledger).ok


@pytest.mark.parametrize("move", RESOLVE)
def test_a_resolve_key_names_one_resolution(ledger: Ledger, move: str) -> None:
    """A settle, void or hold key that comes back for another reservation is a mistake."""
    one, two = (admitted(ledger.reserve(request(key, usd(10), MONTH))).reservation for key in ("a", "b"))
    RESOLVE[move](ledger, "m", one)
    with pytest.raises(KeyReused):
        RESOLVE[move](ledger, "m", two)
    assert ledger.show(two).state == "pending"


def test_a_settle_key_names_one_cost(ledger: Ledger) -> None:
    """The same settle key with another cost is a mistake, not a correction."""
    name = admitted(ledger.reserve(request("k", usd(10), MONTH))).reservation
    ledger.settle("s", name, actual(usd(3)))
    with pytest.raises(KeyReused):
        ledger.settle("s", name, actual(usd(4)))


def test_a_reason_may_be_worded_anew(ledger: Ledger) -> None:
    """A retried void or hold whose reason reads differently is still the same operation."""
    name = admitted(ledger.reserve(request("k", usd(10), MONTH))).reservation
    ledger.hold("h", name, "timeout after 30.1 s")
    assert ledger.hold("h", name, "timeout after 30.2 s").replayed


def test_kinds_have_keys_of_their_own(ledger: Ledger) -> None:
    """One key may serve a reserve, a hold, a void, a settle and a note: keys are separate per kind of operation."""
    name = admitted(ledger.reserve(request("k", usd(10), MONTH))).reservation
    assert ledger.hold("k", name, "x").state == "held"
    assert ledger.void("k", name, "x").state == "voided"
    assert ledger.settle("k", name, actual(usd(3))).state == "posted"
    assert ledger.record("k", "outcome", {}, {}).seq == 5


def test_the_id_of_a_lost_answer_can_be_computed(ledger: Ledger) -> None:
    """A caller that never saw the answer to its reserve can resolve the reservation by its key alone."""
    ledger.reserve(request("lost", usd(10), MONTH))
    assert ledger.void(reservation_id("lost") + "v", reservation_id("lost"), "not sent").state == "voided"


def test_notes_are_found_by_their_keys(ledger: Ledger) -> None:
    """Notes come back in the order asked, None for a key that never was; looking writes nothing, and no key is none at all."""
    first = ledger.record("n:1", "outcome", {"pr": "7"}, {"text": "ä\n{}"})
    second = ledger.record("n:2", "outcome", {}, {})
    assert ledger.notes(["n:2", "nobody", "n:1"]) == (second, None, first)
    assert ledger.notes([]) == ()
    assert ledger.head() == 2
    with pytest.raises(UsageError):
        ledger.notes([""])


def test_missing_notes_are_written_together_and_known_ones_left(ledger: Ledger) -> None:
    """Of several notes those with new keys are appended; a key that was used keeps its words, and repeating changes nothing."""
    first = ledger.record("n:1", "outcome", {}, {"text": "first"})
    notes = [NewNote(key, "outcome", {"pr": "7"}, {"text": "later"}) for key in ("n:1", "n:2", "n:3")]
    ledger.record_missing(notes)
    ledger.record_missing(notes)
    ledger.record_missing([])
    assert ledger.head() == 3
    found = ledger.notes(["n:1", "n:2", "n:3"])
    assert found[0] == first
    assert [each.parsed().body["details"]["text"] for each in found[1:] if each] == ["later", "later"]


def test_a_note_is_written_once_per_key(ledger: Ledger) -> None:
    """Recording a note twice under one key returns the same entry; other words under the key are a mistake."""
    first = ledger.record("n", "outcome", {"pr": "7"}, {"merged": "yes"})
    assert ledger.record("n", "outcome", {"pr": "7"}, {"merged": "yes"}) == first
    assert ledger.head() == 1
    with pytest.raises(KeyReused):
        ledger.record("n", "outcome", {"pr": "7"}, {"merged": "no"})
    with pytest.raises(UsageError):
        ledger.record("x", "post", {}, {})


@pytest.mark.parametrize("key", ["a/b:c{d}", "é", "e\u0301", "🧾", "a b\n", "'; DROP TABLE entries; --", "\x1f|", "%s%n", "*"])
def test_keys_are_any_text(ledger: Ledger, key: str) -> None:
    """A key is text and nothing else: whatever it contains, it names its own operation only."""
    one = admitted(ledger.reserve(request(key, usd(1), MONTH)))
    two = admitted(ledger.reserve(request(key + ".", usd(1), MONTH)))
    assert one.reservation != two.reservation
    assert ledger.show(one.reservation).key == key
    ledger.settle(key, one.reservation, actual(usd(1), {key: key}))
    assert verify(ledger).ok
