"""Couriers for delivery tests: real channels on loopback, a clock that only moves when told, and processes that kill themselves."""

import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

from contract.ledgers import Opener
from fakes.alert_messages import acme
from fakes.alert_services import ROUTING_KEY, AlertServices

from budget_gate.core.policy import AlertRoute, Policy
from budget_gate.ledger.interface import Ledger
from budget_gate.notify.interface import Message, Notifier
from budget_gate.notify.pagerduty import PagerDutyNotifier
from budget_gate.notify.slack import SlackNotifier
from budget_gate.runs.deliver import Clock, Courier

POINTS = ("before sending", "after sending", "after the note", "after acknowledging")


class StillClock:
    """A monotonic clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> Clock:
        """Return it as couriers take it; the random share is always one half."""
        return Clock(lambda: self.now, self.sleep, lambda: 0.5)


def channels(services: AlertServices, *names: str) -> dict[str, Notifier]:
    """Return some of the two HTTP channels."""
    known: dict[str, Notifier] = {
        "slack": SlackNotifier(services.slack_url, timeout_seconds=5),
        "pagerduty": PagerDutyNotifier(ROUTING_KEY, services.events_url, timeout_seconds=5),
    }
    return {name: known[name] for name in names or known}


def courier(
    ledger: Ledger,
    notifiers: Mapping[str, Notifier],
    claimant: str = "one",
    *,
    clock: StillClock | None = None,
    policy: Policy | None = None,
) -> Courier:
    """Return a courier under Acme's policy."""
    return Courier(policy or acme(), lambda: ledger, lambda: notifiers, claimant, (clock or StillClock()).clock())


def die() -> None:
    """End this process as a lost machine does."""
    os.kill(os.getpid(), signal.SIGKILL)


class DyingNotifier:
    """A channel that kills its process before or after it has sent."""

    def __init__(self, inner: Notifier, point: str) -> None:
        self._inner = inner
        self._point = point

    def deliver(self, message: Message) -> None:
        """Send, and die in time."""
        if self._point == "before sending":
            die()
        self._inner.deliver(message)
        if self._point == "after sending":
            die()


class DyingLedger:
    """A ledger that kills its process after a note that says sent, or after an acknowledgement."""

    def __init__(self, inner: Ledger, point: str) -> None:
        self._inner = inner
        self._point = point

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def record(self, key: str, kind: str, labels: Mapping[str, str], details: Mapping[str, str]) -> object:
        """Record, and die in time."""
        entry = self._inner.record(key, kind, labels, details)
        if self._point == "after the note" and details.get("outcome") == "sent":
            die()
        return entry

    def acknowledge(self, delivery: str, claimant: str) -> bool:
        """Acknowledge, and die in time."""
        answer = self._inner.acknowledge(delivery, claimant)
        if self._point == "after acknowledging":
            die()
        return answer


def deliver_and_die(opener: Opener, slack_url: str, point: str) -> None:
    """Deliver in a process of its own, until the point."""
    notifiers = {"slack": DyingNotifier(SlackNotifier(slack_url), point)}
    courier(DyingLedger(opener(), point), notifiers, f"dies {point}").deliver(60.0)  # type: ignore[arg-type]


def tell_and_die(opener: Opener, events_url: str, message: Message, point: str) -> None:
    """Tell a notice to PagerDuty in a process of its own, until the point."""
    notifiers = {"pagerduty": DyingNotifier(PagerDutyNotifier(ROUTING_KEY, events_url), point)}
    courier(DyingLedger(opener(), point), notifiers, f"dies {point}", policy=noticing()).send_once(message)  # type: ignore[arg-type]


def noticing() -> Policy:
    """Return Acme's policy with forecasts and anomalies sent to PagerDuty."""
    return acme()._replace(alerts=(AlertRoute(("forecast", "anomaly"), ("pagerduty",)),))


def deliver_beside_others(opener: Opener, slack_url: str, name: str, barrier_wait: Callable[[], object]) -> None:
    """Deliver in a process of its own, starting with the others."""
    ledger = opener()
    barrier_wait()
    courier(ledger, {"slack": SlackNotifier(slack_url)}, name).deliver(60.0)
    ledger.close()
