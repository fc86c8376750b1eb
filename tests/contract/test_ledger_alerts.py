"""Law 11: a tier is crossed once per limit and period, and its alert waits in the outbox until somebody has delivered it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from contract.ledgers import Store
from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd

from budget_gate.core.audit import microseconds
from budget_gate.core.charges import Charge
from budget_gate.core.reservations import Crossing, Refused
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.interface import Ledger

MONTH = charge(TEAM, "month", line(100, stop=120))


def _spend(ledger: Ledger, key: str, amount: int, *charges: Charge) -> list[str]:
    """Reserve and settle; return the tiers that the settle crossed."""
    taken = admitted(ledger.reserve(request(key, usd(amount), *charges)))
    return [each.tier for each in ledger.settle(key, taken.reservation, actual(usd(amount))).crossed]


def _outbox(ledger: Ledger) -> list[dict[str, Any]]:
    return [json.loads(each.payload) for each in ledger.claim_deliveries("reader", 100, 60)]


def test_each_tier_is_crossed_once(ledger: Ledger) -> None:
    """A tier is reported by the one operation that reaches its line, and never again in the period."""
    steps = [(79, []), (1, ["warn"]), (15, []), (5, ["alert"]), (10, []), (10, ["stop"])]
    assert [(amount, _spend(ledger, f"k{number}", amount, MONTH)) for number, (amount, _) in enumerate(steps)] == steps
    assert [each["tier"] for each in _outbox(ledger)] == ["warn", "alert", "stop"]


def test_one_call_may_cross_several_tiers_and_limits(ledger: Ledger) -> None:
    """A large call crosses all it reaches, at every limit it touches, and names each of them."""
    charges = (charge(ORG, "month", line(100)), MONTH, charge(TEAM, "day", line(50, "tokens"), line(1000)))
    taken = admitted(ledger.reserve(request("k", usd(100, 45), *charges)))
    settled = ledger.settle("s", taken.reservation, actual(usd(100, 45)))
    named = [(each.scope.text, each.per, each.unit, each.tier) for each in settled.crossed]
    assert sorted(named) == sorted(
        [("org", "month", "usd", tier) for tier in ("warn", "alert", "stop")]
        + [("team/payments", "month", "usd", tier) for tier in ("warn", "alert")]
        + [("team/payments", "day", "tokens", "warn")]
    )
    assert len(_outbox(ledger)) == len(named)


def test_an_alert_says_what_happened(store: Store) -> None:
    """The payload names scope, period, limit, use, owner and mode; instants are microseconds on the ledger's clock."""
    store.set_time(datetime(2026, 5, 13, 12, 0, tzinfo=UTC))
    _spend(store.ledger, "k", 85, MONTH)
    (alert,) = _outbox(store.ledger)
    at = alert.pop("at")
    assert alert == {
        "scope": "team/payments",
        "per": "month",
        "label": "2026-05",
        "unit": "usd",
        "tier": "warn",
        "limit": 100,
        "used": 85,
        "owner": "owner@acme.test",
        "mode": "enforce",
        "resets_at": microseconds(datetime(2026, 6, 1, tzinfo=UTC)),
        "workflow": "ci_cd_review",
    }
    assert abs(at - microseconds(store.ledger.now())) < 60_000_000


def test_a_held_amount_crosses_too(store: Store) -> None:
    """What may have been billed counts as used: a hold, and a hold by the clock, cross tiers like a cost."""
    taken = admitted(store.ledger.reserve(request("k", usd(80), MONTH, ttl_seconds=60)))
    assert store.ledger.hold("h", taken.reservation, "lost").crossed == (
        Crossing(TEAM, "month", f"{store.ledger.now():%Y-%m}", "usd", "warn"),
    )
    admitted(store.ledger.reserve(request("l", usd(20), MONTH, ttl_seconds=60)))
    store.set_time(store.ledger.now() + timedelta(seconds=120))
    assert store.ledger.sweep(10) == 1
    assert [each["tier"] for each in _outbox(store.ledger)] == ["warn", "alert"]


def test_a_pending_amount_crosses_nothing(ledger: Ledger) -> None:
    """A promise is not a cost: reserving, and giving back, alerts nobody."""
    taken = admitted(ledger.reserve(request("k", usd(120), MONTH)))
    assert ledger.void("v", taken.reservation, "not sent").crossed == ()
    assert _outbox(ledger) == []


def test_a_replay_reports_the_same_crossing_and_sends_nothing(ledger: Ledger) -> None:
    """A lost settle answer is answered again with what it crossed, but the alert is in the outbox once."""
    taken = admitted(ledger.reserve(request("k", usd(80), MONTH)))
    first = ledger.settle("s", taken.reservation, actual(usd(80)))
    assert ledger.settle("s", taken.reservation, actual(usd(80))).crossed == first.crossed != ()
    assert len(_outbox(ledger)) == 1


def test_a_refusal_for_good_crosses_stop(ledger: Ledger) -> None:
    """When a budget refuses because it is spent, its stop tier is crossed, even with a little left; merely pending, it is not."""
    _spend(ledger, "k", 70, MONTH)
    admitted(ledger.reserve(request("pending", usd(20), MONTH)))
    assert isinstance(ledger.reserve(request("short", usd(40), MONTH)), Refused)
    assert _outbox(ledger) == []
    for key in ("large", "larger"):
        assert isinstance(ledger.reserve(request(key, usd(60), MONTH)), Refused)
    assert [(each["tier"], each["used"]) for each in _outbox(ledger)] == [("stop", 70)]


def test_a_lowered_limit_alerts_at_the_next_reserve(ledger: Ledger) -> None:
    """Laws 7 and 11: lowering a limit below what was spent alerts as soon as the next request brings the new line."""
    _spend(ledger, "k", 70, MONTH)
    lowered = charge(TEAM, "month", line(80))
    admitted(ledger.reserve(request("fits", usd(5), lowered)))
    assert [each["tier"] for each in _outbox(ledger)] == ["warn"]
    assert isinstance(ledger.reserve(request("not", usd(1), charge(TEAM, "month", line(60)))), Refused)
    assert [each["tier"] for each in _outbox(ledger)] == ["alert", "stop"]


def test_a_raised_limit_does_not_alert_again(ledger: Ledger) -> None:
    """A tier crossed once in a period stays crossed, whatever becomes of the limit."""
    assert _spend(ledger, "a", 80, MONTH) == ["warn"]
    assert _spend(ledger, "b", 90, charge(TEAM, "month", line(200))) == []


def test_a_new_period_alerts_anew(store: Store) -> None:
    """Each period crosses its own tiers, and a late settle crosses those of its own period."""
    store.set_time(datetime(2026, 5, 31, 23, 58, tzinfo=UTC))
    late = admitted(store.ledger.reserve(request("late", usd(80), MONTH)))
    store.set_time(datetime(2026, 6, 1, 0, 2, tzinfo=UTC))
    assert _spend(store.ledger, "k", 80, MONTH) == ["warn"]
    crossed = store.ledger.settle("late", late.reservation, actual(usd(80))).crossed
    assert [(each.label, each.tier) for each in crossed] == [("2026-05", "warn")]
    assert [each["label"] for each in _outbox(store.ledger)] == ["2026-06", "2026-05"]


def test_bounds_and_observed_limits_alert_nobody(ledger: Ledger) -> None:
    """Task and session bounds, and limits that only observe, cross no tier; an advising one does."""
    quiet = (
        charge(Scope("task", "w/pr-7"), "lifetime", line(100)),
        charge(Scope("session", "w/s"), "lifetime", line(100)),
        charge(Scope("feature", "retrieval"), "month", line(100, mode="observe")),
    )
    assert _spend(ledger, "k", 100, *quiet) == []
    assert isinstance(ledger.reserve(request("over", usd(1), *quiet)), Refused)
    assert _outbox(ledger) == []
    assert _spend(ledger, "l", 100, charge(TEAM, "month", line(50, mode="advise"))) == ["warn", "alert", "stop"]
    assert {each["mode"] for each in _outbox(ledger)} == {"advise"}


def test_a_message_is_claimed_by_one_until_its_lease_ends(store: Store) -> None:
    """A claimed message is nobody else's until the lease ends; then it comes back, its attempts counted."""
    _spend(store.ledger, "k", 85, MONTH)
    (claimed,) = store.ledger.claim_deliveries("one", 10, 60)
    assert claimed.attempt == 1
    assert store.ledger.claim_deliveries("two", 10, 60) == ()
    store.set_time(store.ledger.now() + timedelta(seconds=90))
    (again,) = store.ledger.claim_deliveries("two", 10, 60)
    assert (again.delivery, again.payload, again.attempt) == (claimed.delivery, claimed.payload, 2)
    assert store.ledger.acknowledge(claimed.delivery, "one") is False
    assert store.ledger.acknowledge(again.delivery, "two") is True


def test_an_acknowledged_message_is_gone(store: Store) -> None:
    """Once acknowledged a message never comes back, and unknown ones cannot be acknowledged."""
    _spend(store.ledger, "k", 85, MONTH)
    (claimed,) = store.ledger.claim_deliveries("one", 10, 60)
    assert store.ledger.acknowledge(claimed.delivery, "one") is True
    store.set_time(store.ledger.now() + timedelta(days=1))
    assert store.ledger.claim_deliveries("one", 10, 60) == ()
    assert store.ledger.acknowledge("999", "one") is False
    assert store.ledger.acknowledge("no such thing", "one") is False


def test_claims_are_bounded(ledger: Ledger) -> None:
    """A claimant gets at most what it asked for, oldest first; the next claim goes on."""
    _spend(ledger, "k", 120, MONTH)
    tiers = [[json.loads(each.payload)["tier"] for each in ledger.claim_deliveries("one", 2, 60)] for _ in range(3)]
    assert tiers == [["warn", "alert"], ["stop"], []]
