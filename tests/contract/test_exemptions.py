"""Exemptions on every ledger: they raise a line while they are in force, and their trail stays in the entries."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from contract.delivering import channels, courier
from contract.ledgers import Store
from fakes.alert_messages import acme
from fakes.alert_services import AlertServices

from budget_gate.core.amounts import Amount
from budget_gate.core.attribution import Attribution
from budget_gate.core.charges import charges_for
from budget_gate.core.errors import LedgerUnavailable, UsageError
from budget_gate.core.exemptions import Exemption, Request
from budget_gate.core.reservations import Actual, Admitted, Refused, ReserveRequest
from budget_gate.core.scopes import Scope
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.verify import verify
from budget_gate.runs.auditing import audit_trail
from budget_gate.runs.exempting import (
    OPEN_DAYS,
    READ_AGAIN_SECONDS,
    ExemptionReader,
    approve,
    deny,
    read_exemptions,
    request_exemption,
    revoke,
)

USD = 10**9
POLICY = acme()
WORKFLOW = Scope("workflow", "ci_cd_review")
ASKED = Request("ex-1", WORKFLOW, "day", 5 * USD, 2, "maya", "release day")


def _nobody(organization: str, team: str, user: str) -> bool:
    return False


def _finops(organization: str, team: str, user: str) -> bool:
    return (organization, team, user) == ("acme", "finops", "fin")


def _spend(ledger: Ledger, key: str, usd: int, exemptions: Sequence[Exemption] = ()) -> bool:
    """Spend dollars under the review workflow (7 a day); return False if that is refused."""
    workflow = POLICY.workflows["ci_cd_review"]
    charges = charges_for(POLICY, Attribution("ci_cd_review"), "small", workflow, exemptions)
    decision = ledger.reserve(ReserveRequest(key, Amount(usd * USD, 1, 1), charges))
    if isinstance(decision, Refused):
        return False
    assert isinstance(decision, Admitted)
    ledger.settle(key, decision.reservation, Actual(Amount(usd * USD, 1, 1)))
    return True


def _in_force(ledger: Ledger) -> tuple[Exemption, ...]:
    return ExemptionReader(lambda: ledger, lambda: 0.0)()


def test_an_exemption_lifts_a_stop_for_its_amount_and_its_time(store: Store) -> None:
    """Refused, asked for, still refused, approved, admitted up to the amount, refused beyond; after its end the old line holds."""
    store.set_time(datetime(2026, 11, 24, 8, tzinfo=UTC))
    ledger = store.ledger
    assert _spend(ledger, "a", 7)
    request_exemption(ledger, POLICY, ASKED)
    assert _in_force(ledger) == ()
    assert not _spend(ledger, "b", 1, _in_force(ledger))
    exemption = approve(ledger, POLICY, "ex-1", "vp-engineering", _nobody)
    assert exemption.until - exemption.approved_at == timedelta(days=2)
    assert _in_force(ledger) == (exemption,)
    assert _spend(ledger, "c", 5, _in_force(ledger))
    assert not _spend(ledger, "d", 1, _in_force(ledger))
    store.set_time(datetime(2026, 11, 27, 8, tzinfo=UTC))
    assert _in_force(store.ledger) == ()
    assert _spend(store.ledger, "e", 7, _in_force(store.ledger))
    assert not _spend(store.ledger, "f", 1, _in_force(store.ledger))
    assert verify(store.ledger).ok


def test_nobody_decides_twice_or_on_their_own(ledger: Ledger) -> None:
    """The requester, strangers, and whoever comes second are refused; a team's member is not."""
    request_exemption(ledger, POLICY, ASKED._replace(requester="fin"))
    request_exemption(ledger, POLICY, ASKED._replace(name="ex-2"))
    for name, user in (("ex-1", "fin"), ("ex-1", "FIN"), ("ex-2", "bob"), ("ex-2", "maya"), ("ex-9", "vp-engineering")):
        with pytest.raises(UsageError):
            approve(ledger, POLICY, name, user, _finops)
    approve(ledger, POLICY, "ex-2", "fin", _finops)
    for decide in (approve, deny):
        with pytest.raises(UsageError, match=r"approved|decided"):
            decide(ledger, POLICY, "ex-2", "vp-engineering", _finops)
    with pytest.raises(UsageError, match="already"):
        request_exemption(ledger, POLICY, ASKED._replace(name="ex-2", days=1))


def test_denied_and_revoked_ones_are_gone(ledger: Ledger) -> None:
    """A denied request cannot be approved; a revoked exemption raises nothing any more; a requester may take a request back."""
    for name in ("ex-1", "ex-2", "ex-3"):
        request_exemption(ledger, POLICY, ASKED._replace(name=name))
    deny(ledger, POLICY, "ex-1", "vp-engineering", _nobody)
    approve(ledger, POLICY, "ex-2", "vp-engineering", _nobody)
    with pytest.raises(UsageError):
        revoke(ledger, POLICY, "ex-2", "bob", _nobody)
    revoke(ledger, POLICY, "ex-2", "vp-engineering", _nobody)
    revoke(ledger, POLICY, "ex-3", "maya", _nobody)
    assert read_exemptions(ledger, ledger.now()) == ()
    for name in ("ex-1", "ex-2", "ex-3"):
        with pytest.raises(UsageError, match="exempt list"):
            approve(ledger, POLICY, name, "vp-engineering", _nobody)


def test_what_the_policy_allows_at_the_approval_counts(ledger: Ledger) -> None:
    """A request from before the rule was tightened cannot be approved after it."""
    request_exemption(ledger, POLICY, ASKED)
    assert POLICY.exemptions is not None
    tight = POLICY._replace(exemptions=POLICY.exemptions._replace(max_nano_usd=4 * USD))
    with pytest.raises(UsageError, match=r"at most \$4.00"):
        approve(ledger, tight, "ex-1", "vp-engineering", _nobody)


def test_a_request_nobody_answers_is_forgotten(store: Store) -> None:
    """After thirty days it can no longer be approved."""
    request_exemption(store.ledger, POLICY, ASKED)
    store.set_time(store.ledger.now() + timedelta(days=OPEN_DAYS, minutes=1))
    assert read_exemptions(store.ledger, store.ledger.now()) == ()


def test_a_lifted_stop_resolves_its_incident(store: Store) -> None:
    """PagerDuty's incident of a stop is resolved once an exemption approved after it leaves room, and not by a mere request."""
    store.set_time(datetime(2026, 11, 24, 8, tzinfo=UTC))
    with AlertServices() as services:
        notifiers = channels(services)
        assert _spend(store.ledger, "a", 7)
        courier(store.ledger, notifiers).deliver(60.0)
        assert len(services.open_incidents) == 1
        request_exemption(store.ledger, POLICY, ASKED)
        assert courier(store.ledger, notifiers).resolve_over() == 0
        approve(store.ledger, POLICY, "ex-1", "vp-engineering", _nobody)
        store.set_time(store.ledger.now() + timedelta(minutes=6))
        assert courier(store.ledger, notifiers).resolve_over() == 1
        assert services.open_incidents == set()


def test_the_trail_names_who_did_what(ledger: Ledger) -> None:
    """Every step is in the audit, in order and under the name of who took it; spending is not, whatever a note pretends to be."""
    assert _spend(ledger, "a", 1)
    request_exemption(ledger, POLICY, ASKED)
    approve(ledger, POLICY, "ex-1", "vp-engineering", _nobody)
    revoke(ledger, POLICY, "ex-1", "maya", _nobody)
    ledger.record("odd", "outcome", {}, {"kind": "post", "seq": "7"})
    trail = audit_trail(ledger, 100)
    assert [note.kind for note in trail] == ["exemption_requested", "exemption_approved", "exemption_revoked", "outcome"]
    named = [{**note.body["details"]} for note in trail]
    assert (named[0]["requester"], named[1]["approver"], named[2]["revoker"]) == ("maya", "vp-engineering", "maya")
    assert [note.kind for note in audit_trail(ledger, 1)] == ["outcome"]


def test_a_reader_asks_seldom_and_knows_when_time_is_up(store: Store) -> None:
    """A running job reads again after thirty seconds; an exemption ends in between by the ledger's clock, without reading."""
    at = [0.0]
    reads = [0]

    def opened() -> Ledger:
        reads[0] += 1
        return store.ledger

    request_exemption(store.ledger, POLICY, ASKED._replace(days=1))
    exemption = approve(store.ledger, POLICY, "ex-1", "vp-engineering", _nobody)
    store.set_time(exemption.until - timedelta(seconds=10))
    reader = ExemptionReader(opened, lambda: at[0])
    assert reader() == (exemption,)
    at[0] = 5.0
    assert reader() == (exemption,)
    at[0] = 20.0
    assert (reader(), reads[0]) == ((), 1)
    at[0] = READ_AGAIN_SECONDS
    assert (reader(), reads[0]) == ((exemption,), 2)  # the store's clock stood still meanwhile


def test_an_unreachable_ledger_is_no_exemption() -> None:
    """A reader whose ledger is away says none, and leaves the outage to the reserve that follows."""

    def away() -> Ledger:
        raise LedgerUnavailable("gone")

    assert ExemptionReader(away, lambda: 0.0)() == ()
