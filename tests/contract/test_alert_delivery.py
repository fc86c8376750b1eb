"""Law 11 on every ledger: an alert reaches each channel once, whatever fails and whoever dies, and incidents end with their period."""

import multiprocessing
from datetime import UTC, datetime, timedelta

import pytest
from contract.delivering import POINTS, StillClock, channels, courier, deliver_and_die, deliver_beside_others
from contract.ledgers import Store
from fakes.alert_messages import acme, messages
from fakes.alert_services import AlertServices, Behaviour
from fakes.ledger_requests import TEAM, actual, admitted, charge, line, request, usd

from budget_gate.core.policy import AlertRoute, Budget, Limit, Policy, Tiers
from budget_gate.ledger.interface import Ledger
from budget_gate.runs.deliver import LEASE_JITTER_SECONDS, LEASE_SECONDS

LEASE = timedelta(seconds=LEASE_SECONDS + LEASE_JITTER_SECONDS)
FAILS = Behaviour("status", 503)
SPAWN = multiprocessing.get_context("spawn")
SLACK_ONLY = acme()._replace(alerts=(AlertRoute(("warn", "alert", "stop"), ("slack",)),))


def _hundred(amount: int = 100, stop: int = 10_000) -> Policy:
    """Return Acme's policy with the limit that ``_stop`` crosses, or a raised one; ``stop`` in basis points."""
    shares = Tiers(warn=40_000, alert=40_000, stop=stop)
    return acme()._replace(budgets=(Budget(TEAM, (Limit("usd", amount, "month"),), tiers=shares),))


def _cross(ledger: Ledger, *used: int, label: str = "", owner: str = "payments-lead@acme.test") -> None:
    """Spend shares of a monthly limit of 100, one call each."""
    limit = charge(TEAM, "month", line(100, owner=owner))
    for number, amount in enumerate(used):
        taken = admitted(ledger.reserve(request(f"k{label}{number}", usd(amount), limit)))
        ledger.settle(f"k{label}{number}", taken.reservation, actual(usd(amount)))


def _stop(ledger: Ledger) -> None:
    """Cross the stop tier alone: its lower tiers lie above it."""
    limit = charge(TEAM, "month", line(100, warn=400, alert=400, owner="payments-lead@acme.test"))
    taken = admitted(ledger.reserve(request("stop", usd(100), limit)))
    ledger.settle("stop", taken.reservation, actual(usd(100)))


def _titles(services: AlertServices) -> list[str]:
    return [body["blocks"][0]["text"]["text"] for body in services.slack]


def test_each_tier_goes_where_the_policy_sends_it(ledger: Ledger) -> None:
    """A warning goes to Slack, a stop also to PagerDuty; a second pass has nothing left to do."""
    with AlertServices() as services:
        notifiers = channels(services)
        _cross(ledger, 80, 20)
        first = courier(ledger, notifiers).deliver(60.0)
        again = courier(ledger, notifiers, "two").deliver(60.0)
    assert (first.done, first.left, again.done, again.left) == (3, 0, 0, 0)
    assert [title.partition(": ")[2] for title in _titles(services)] == [
        "80 % of the limit used",
        "100 % of the limit used",
        "stopped at 100 % of the limit",
    ]
    assert [event["payload"]["class"] for event in services.pagerduty] == ["stop"]


def test_one_dead_channel_repeats_no_other(store: Store) -> None:
    """What one channel refuses comes back for that channel alone, and not before the lease has ended."""
    with AlertServices() as services:
        notifiers = channels(services)
        _stop(store.ledger)
        services.queue("slack", FAILS)
        first = courier(store.ledger, notifiers).deliver(60.0)
        early = courier(store.ledger, notifiers, "two").deliver(60.0)
        store.set_time(store.ledger.now() + LEASE)
        late = courier(store.ledger, notifiers, "three").deliver(60.0)
    assert ((first.done, first.left), (early.done, early.left), (late.done, late.left)) == ((0, 1), (0, 0), (1, 0))
    assert any("slack" in note and "503" in note for note in first.notes)
    assert (len(services.slack), len(services.pagerduty)) == (1, 1)


def test_a_channel_without_an_address_is_reported_once_and_holds_nothing_up(ledger: Ledger) -> None:
    """Where only Slack is configured, everything is delivered to Slack and done; each missing channel is one note."""
    with AlertServices() as services:
        _cross(ledger, 80, 20)
        delivered = courier(ledger, channels(services, "slack")).deliver(60.0)
    assert (delivered.done, delivered.left, len(services.slack)) == (3, 0, 3)
    assert sorted(note.partition(":")[2].strip() for note in delivered.notes) == [
        "set PAGERDUTY_ROUTING_KEY",
        "set SMTP_URL and SMTP_FROM",
    ]


def test_an_alert_without_a_route_is_done(ledger: Ledger) -> None:
    """What the policy sends nowhere leaves the outbox in silence."""
    with AlertServices() as services:
        _cross(ledger, 80)
        delivered = courier(ledger, channels(services), policy=acme()._replace(alerts=())).deliver(60.0)
    assert (delivered.done, delivered.notes, services.slack) == (1, (), [])


def test_a_short_wait_is_kept_and_a_long_one_left_to_the_lease(store: Store) -> None:
    """Retry-After of seconds is slept through once; of a minute, the channel is left alone for the whole pass."""
    clock = StillClock()
    with AlertServices() as services:
        _cross(store.ledger, 80, 20)
        services.queue("slack", Behaviour("status", 429, {"Retry-After": "3"}))
        courier(store.ledger, channels(services, "slack"), clock=clock, policy=SLACK_ONLY).deliver(60.0)
        assert (clock.slept, len(services.slack)) == ([3.0], 3)
        store.set_time(store.ledger.now() + timedelta(days=62))
        _cross(store.ledger, 80, 20, label="later")
        services.queue("slack", Behaviour("status", 429, {"Retry-After": "60"}))
        seen = services.seen["slack"]
        delivered = courier(store.ledger, channels(services, "slack"), "two", clock=clock, policy=SLACK_ONLY).deliver(60.0)
    assert (delivered.left, clock.slept, services.seen["slack"] - seen) == (3, [3.0], 1)


def test_pauses_grow_and_nothing_is_given_up(store: Store) -> None:
    """A channel that stays dead is tried at the first, second and fourth lease, then at every eighth; it gets its message in the end."""
    tried = []
    with AlertServices() as services:
        _cross(store.ledger, 80)
        services.queue("slack", *[FAILS] * 5)
        for number in range(1, 25):
            before = services.seen["slack"]
            courier(store.ledger, channels(services, "slack"), f"run{number}", policy=SLACK_ONLY).deliver(60.0)
            if services.seen["slack"] > before:
                tried.append(number)
            store.set_time(store.ledger.now() + LEASE)
    assert tried == [1, 2, 4, 8, 16, 24]
    assert len(services.slack) == 1


def test_a_slow_pass_sends_nothing_past_half_its_lease(store: Store) -> None:
    """What a claimant did not get to in time is left to the next one, never sent while somebody else may hold it."""
    clock = StillClock()
    with AlertServices() as services:
        notifiers = channels(services, "slack")
        _cross(store.ledger, 80, 20)

        class Slow:
            """A channel that takes a minute."""

            def deliver(self, message: object) -> None:
                clock.sleep(61.0)
                notifiers["slack"].deliver(message)  # type: ignore[arg-type]

        first = courier(store.ledger, {"slack": Slow()}, clock=clock, policy=SLACK_ONLY).deliver(600.0)
        store.set_time(store.ledger.now() + LEASE)
        second = courier(store.ledger, notifiers, "two", policy=SLACK_ONLY).deliver(60.0)
    assert (first.done, first.left, second.done, len(services.slack)) == (1, 2, 2, 3)


def test_an_incident_is_resolved_once_when_its_period_ends(store: Store) -> None:
    """A stop opens one incident; it stays open to the end of its period by the ledger's clock, and is resolved by one runner."""
    store.set_time(datetime(2026, 5, 31, 12, 0, tzinfo=UTC))
    with AlertServices() as services:
        notifiers = channels(services)
        _stop(store.ledger)
        one, two = (courier(store.ledger, notifiers, name, policy=_hundred()) for name in ("one", "two"))
        one.deliver(60.0)
        assert one.resolve_over() == 0
        assert len(services.open_incidents) == 1
        store.set_time(datetime(2026, 6, 1, 0, 1, tzinfo=UTC))
        assert (one.resolve_over(), two.resolve_over(), one.resolve_over()) == (1, 0, 0)
        assert services.open_incidents == set()
    assert [event["event_action"] for event in services.pagerduty] == ["trigger", "resolve"]


def test_a_raised_limit_resolves_its_incident(store: Store) -> None:
    """A policy whose stop line now lies above what was used resolves the incident, once; no other change of the policy does."""
    store.set_time(datetime(2026, 5, 12, 12, 0, tzinfo=UTC))
    unchanged = [_hundred(), _hundred(99), _hundred(50, stop=20_000), acme()._replace(budgets=())]
    with AlertServices() as services:
        notifiers = channels(services)
        _stop(store.ledger)
        courier(store.ledger, notifiers, policy=_hundred()).deliver(60.0)
        assert [courier(store.ledger, notifiers, f"u{at}", policy=each).resolve_over() for at, each in enumerate(unchanged)] == [
            0
        ] * 4
        assert len(services.open_incidents) == 1
        raised = [courier(store.ledger, notifiers, f"raised{number}", policy=_hundred(101)).resolve_over() for number in range(2)]
        assert (raised, services.open_incidents) == ([1, 0], set())
    assert [event["event_action"] for event in services.pagerduty] == ["trigger", "resolve"]


def test_a_limit_raised_below_what_was_used_meanwhile_stays_stopped(store: Store) -> None:
    """Where critical work or a late settlement has used up the raised limit, too, the incident stands until the period ends."""
    store.set_time(datetime(2026, 5, 12, 12, 0, tzinfo=UTC))
    with AlertServices() as services:
        notifiers = channels(services)
        _stop(store.ledger)
        courier(store.ledger, notifiers, policy=_hundred()).deliver(60.0)
        taken = admitted(store.ledger.reserve(request("more", usd(10), charge(TEAM, "month"))))
        store.ledger.settle("more", taken.reservation, actual(usd(10)))
        assert courier(store.ledger, notifiers, "two", policy=_hundred(105)).resolve_over() == 0
        assert courier(store.ledger, notifiers, "three", policy=_hundred(111)).resolve_over() == 1


def test_a_resolve_that_failed_is_tried_again(store: Store) -> None:
    """PagerDuty being away at the end of the period leaves the incident for the next run."""
    store.set_time(datetime(2026, 5, 31, 12, 0, tzinfo=UTC))
    with AlertServices() as services:
        _stop(store.ledger)
        courier(store.ledger, channels(services)).deliver(60.0)
        store.set_time(datetime(2026, 6, 1, 0, 1, tzinfo=UTC))
        services.queue("pagerduty", FAILS)
        assert courier(store.ledger, channels(services)).resolve_over() == 0
        store.set_time(datetime(2026, 6, 1, 0, 7, tzinfo=UTC))
        assert courier(store.ledger, channels(services), "two").resolve_over() == 1


def test_a_forecast_is_sent_once_and_again_after_a_failure(ledger: Ledger) -> None:
    """What no ledger crosses is sent once per key and channel, whoever tries; a try that failed does not count."""
    message = messages()["forecast"]
    with AlertServices() as services:
        services.queue("slack", FAILS)
        sent = [courier(ledger, channels(services), f"run{number}").send_once(message) for number in range(4)]
    assert sent == [0, 1, 0, 0]
    assert len(services.slack) == 1


@pytest.mark.parametrize("point", POINTS)
def test_only_a_death_between_sending_and_writing_sends_twice(shared_store: Store, point: str) -> None:
    """After kill -9 at any other point, the message is delivered exactly once by whoever comes next."""
    with AlertServices() as services:
        _cross(shared_store.ledger, 80)
        process = SPAWN.Process(target=deliver_and_die, args=(shared_store.opener(), services.slack_url, point))
        process.start()
        process.join(60)
        assert process.exitcode == -9
        notifiers = channels(services, "slack")
        assert courier(shared_store.ledger, notifiers, "early").deliver(60.0).done == 0
        shared_store.set_time(shared_store.ledger.now() + LEASE)
        courier(shared_store.ledger, notifiers, "heir").deliver(60.0)
        shared_store.set_time(shared_store.ledger.now() + LEASE)
        courier(shared_store.ledger, notifiers, "last").deliver(60.0)
    assert len(services.slack) == (2 if point == "after sending" else 1)


def test_runners_at_once_deliver_each_message_once(shared_store: Store) -> None:
    """Four processes emptying one outbox send each message once between them."""
    with AlertServices() as services:
        for number in range(10):
            limit = charge(TEAM._replace(name=f"team{number}"), "month", line(100))
            taken = admitted(shared_store.ledger.reserve(request(f"k{number}", usd(100), limit)))
            shared_store.ledger.settle(f"k{number}", taken.reservation, actual(usd(100)))
        barrier = SPAWN.Barrier(4)
        processes = [
            SPAWN.Process(
                target=deliver_beside_others, args=(shared_store.opener(), services.slack_url, f"runner{number}", barrier.wait)
            )
            for number in range(4)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)
            assert process.exitcode == 0
    assert len(services.slack) == len(set(_titles(services))) == 30
