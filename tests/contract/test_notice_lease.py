"""The lease of a notice on every ledger: who may tell a forecast or an anomaly, for how long, and the one way to tell it twice."""

import multiprocessing
from datetime import timedelta

import pytest
from contract.delivering import StillClock, channels, courier, noticing, tell_and_die
from contract.ledgers import Store
from fakes.alert_messages import messages
from fakes.alert_services import AlertServices

from budget_gate.core.errors import NotifyError
from budget_gate.notify.interface import Message, Notifier
from budget_gate.runs.deliver import LEASE_SECONDS

SPAWN = multiprocessing.get_context("spawn")
ALMOST, LEASE = timedelta(seconds=LEASE_SECONDS - 1), timedelta(seconds=LEASE_SECONDS + 1)


def _tell(store: Store, services: AlertServices, name: str, kind: str = "anomaly_folded") -> int:
    """Look and tell as one more process; return how many channels got it from this one."""
    return courier(store.ledger, channels(services, "pagerduty"), name, policy=noticing()).send_once(messages()[kind])


@pytest.mark.parametrize(("point", "times"), [("before sending", 1), ("after sending", 2), ("after the note", 1)])
def test_only_a_death_between_sending_and_writing_tells_twice(shared_store: Store, point: str, times: int) -> None:
    """While a killed process's claim lasts nobody tells. Then one does, unless it was written down; twice is one incident."""
    with AlertServices() as services:
        arguments = (shared_store.opener(), services.events_url, messages()["anomaly_folded"], point)
        process = SPAWN.Process(target=tell_and_die, args=arguments)
        process.start()
        process.join(60)
        assert process.exitcode == -9
        begun = shared_store.ledger.now()
        assert _tell(shared_store, services, "at once") == 0
        shared_store.set_time(begun + ALMOST - timedelta(seconds=30))
        assert _tell(shared_store, services, "early") == 0
        shared_store.set_time(begun + LEASE)
        assert _tell(shared_store, services, "heir") == (0 if point == "after the note" else 1)
        assert _tell(shared_store, services, "last") == 0
        assert len({event["dedup_key"] for event in services.pagerduty}) == len(services.open_incidents) == 1
    assert [event["event_action"] for event in services.pagerduty] == ["trigger"] * times


def test_a_sender_slower_than_its_lease_tells_twice_and_its_failure_is_heard(store: Store) -> None:
    """Of a channel that takes longer than the lease, the next process does not wait: both send, under one key, and no third does."""
    with AlertServices() as services:

        class Slow:
            """A channel whose answer outlives the lease, while somebody else looks."""

            def __init__(self, inner: Notifier) -> None:
                self.inner = inner

            def deliver(self, message: Message) -> None:
                store.set_time(store.ledger.now() + LEASE)
                assert _tell(store, services, "meanwhile") == 1
                self.inner.deliver(message)

        slow = Slow(channels(services, "pagerduty")["pagerduty"])
        sender = courier(store.ledger, {"pagerduty": slow}, "slow", clock=StillClock(), policy=noticing())
        assert sender.send_once(messages()["anomaly_folded"]) == 1
        assert _tell(store, services, "third") == 0
        assert len(services.pagerduty) == 2
        assert len(services.open_incidents) == 1


def test_a_failed_try_frees_the_claim_at_once(store: Store) -> None:
    """A channel that refused, and whose process lived to write that down, is tried by the next process without waiting for a lease."""

    class Refuses:
        """A channel that is away."""

        def deliver(self, message: Message) -> None:
            raise NotifyError("away")

    with AlertServices() as services:
        assert courier(store.ledger, {"pagerduty": Refuses()}, "one", policy=noticing()).send_once(messages()["forecast"]) == 0
        assert _tell(store, services, "two", "forecast") == 1
        assert _tell(store, services, "three", "forecast") == 0


def test_who_was_told_under_one_name_is_not_told_under_another(store: Store) -> None:
    """A cause told under its team is not told again under its user, nor the other way round; what was only named there still can be."""
    known = messages()
    bot, team = known["anomaly_folded"], known["anomaly"]
    with AlertServices() as services:
        assert _tell(store, services, "bot first") == 1
        assert _tell(store, services, "then its team", "anomaly") == 0
        both = courier(store.ledger, channels(services, "pagerduty"), "another cause", policy=noticing())
        assert both.send_once(bot._replace(dedup_key="another bot")) == 1
        early = bot._replace(dedup_key="later bot", also_keys=("early team",))
        assert both.send_once(team._replace(dedup_key="early team")) == 1
        assert both.send_once(early) == 0
