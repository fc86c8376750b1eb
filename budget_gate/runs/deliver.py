"""Delivering alerts: claim them from the ledger's outbox, send each to the channels that the policy routes it to, acknowledge.

A message is acknowledged once every channel has it. One that failed comes back when its lease ends, later each time; channels that
had it are left out then (``delivery_notes``). Nothing here ever decides about a verdict: failures are notes.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

from budget_gate.core.errors import NotifyError
from budget_gate.core.policy import Policy
from budget_gate.ledger.interface import Delivery, Ledger
from budget_gate.notify.interface import Message, Notifier
from budget_gate.reports.alerts import Crossed, crossed_message, parse_payload
from budget_gate.runs import incidents
from budget_gate.runs.delivery_notes import (
    NOTICE_TRIES_MOST,
    claimed_look,
    is_due,
    short_name,
    was_noticed,
    was_sent,
    write_named,
    write_sent,
    written,
)

CLAIM_MOST = 4
LEASE_SECONDS = 120
LEASE_JITTER_SECONDS = 60
"""Leases differ by up to this much, so that runners that failed together do not come back together."""

SENDING_SECONDS = 60
"""How long after a claim a message may still be sent: half a lease, so that a slow channel does not outlive it."""

PAUSE_SECONDS_MOST = 10.0
"""The longest pause a channel is granted within one pass; what asks for more waits for the next lease."""

NOTICE_KINDS = ("forecast", "anomaly")
"""What no ledger crosses and `runs.notices` looks for, by the names that the policy's routes use."""

VARIABLES = {"slack": "SLACK_WEBHOOK_URL", "email": "SMTP_URL and SMTP_FROM", "pagerduty": "PAGERDUTY_ROUTING_KEY"}


class Delivered(NamedTuple):
    """What a pass did: messages that are done, messages that will come back, and what to tell the operator."""

    done: int
    left: int
    notes: tuple[str, ...]


class Clock(NamedTuple):
    """The outside world of a pass: a monotonic clock, a sleep, both in seconds, and a random share of one."""

    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]


class Courier:
    """Delivers to one set of channels in the name of one claimant (unique per process)."""

    def __init__(
        self,
        policy: Policy,
        open_ledger: Callable[[], Ledger],
        open_notifiers: Callable[[], Mapping[str, Notifier]],
        claimant: str,
        clock: Clock,
    ) -> None:
        """Take what is needed; ledger and channels are opened when there is something to do with them."""
        self._policy = policy
        self._open_ledger = open_ledger
        self._open_notifiers = open_notifiers
        self._claimant = claimant
        self._clock = clock
        self._notes: dict[str, None] = {}
        self._paused: set[str] = set()
        self._noticed: set[str] = set()
        self._done = self._left = 0

    @cached_property
    def _ledger(self) -> Ledger:
        return self._open_ledger()

    @cached_property
    def _notifiers(self) -> Mapping[str, Notifier]:
        return self._open_notifiers()

    def deliver(self, seconds: float) -> Delivered:
        """Deliver what waits, for about this long. Raises ``LedgerError`` when the ledger fails; what was sent stays noted."""
        until = self._clock.monotonic() + seconds
        while self._clock.monotonic() < until:
            lease = LEASE_SECONDS + int(LEASE_JITTER_SECONDS * self._clock.random())
            claimed_at = self._clock.monotonic()
            claimed = self._ledger.claim_deliveries(self._claimant, CLAIM_MOST, lease)
            for delivery in claimed:
                is_in_time = self._clock.monotonic() < min(until, claimed_at + SENDING_SECONDS)
                if is_in_time and self._deliver_one(delivery, min(until, claimed_at + SENDING_SECONDS)):
                    self._done += 1
                else:
                    self._left += 1
            if len(claimed) < CLAIM_MOST:
                break
        return Delivered(self._done, self._left, tuple(self._notes))

    def resolve_over(self) -> int:
        """Resolve incidents that are over (period ended, stop lifted); return how many. Without PagerDuty there are none."""
        notifier = self._notifiers.get(incidents.CHANNEL)
        if notifier is None:
            return 0
        return incidents.resolve_over(self._policy, self._ledger, notifier, self._claimant, self._note)

    def send_once(self, message: Message) -> int:
        """Send a message that no ledger crossed (a forecast, an anomaly), once per channel and matter; return how many got it.

        A matter has a key, and perhaps others that mean the same (``also_keys``): who was told under one is not told under another.

        Whoever comes first writes that down and sends; if that fails, the next one may. One that a process took and never ended
        (it died) is anybody's after ``LEASE_SECONDS``; only if it had been sent by then it is sent twice.
        """
        return sum(
            self._send_notice(message, channel) for channel in self._channels(message.kind) if self._can_reach(channel, message)
        )

    def send_each_once(self, messages: Iterable[Message], seconds: float) -> int:
        """Send messages as ``send_once`` does, for about this long; return how many reached a channel."""
        until = self._clock.monotonic() + seconds
        count = 0
        for message in messages:
            if self._clock.monotonic() >= until:
                self._note("the time is up; forecasts and anomalies that were not looked at come with the next run")
                break
            count += self.send_once(message) > 0
        return count

    def claims_look(self) -> bool:
        """Return True for the one process that looks for notices in this hour; one reading of the ledger for all others."""
        return claimed_look(self._ledger, self._claimant)

    def notice_kinds(self) -> list[str]:
        """Return the kinds of notices that the policy sends to a channel that has an address."""
        return [kind for kind in NOTICE_KINDS if any(channel in self._notifiers for channel in self._channels(kind))]

    @property
    def has_incidents(self) -> bool:
        """True where there is a channel that keeps incidents open until they are resolved."""
        return incidents.CHANNEL in self._notifiers

    @property
    def has_failed(self) -> bool:
        """True once a channel has refused a message in this pass."""
        return bool(self._paused)

    def send_now(self, message: Message) -> int:
        """Send a message at once, without any ledger (it is the one that is down); return how many channels got it."""
        until = self._clock.monotonic() + SENDING_SECONDS
        channels = [channel for channel in self._channels(message.kind) if self._can_reach(channel, message)]
        return sum(self._send(channel, message, until) for channel in channels)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell the operator, each thing once."""
        return tuple(self._notes)

    def _deliver_one(self, delivery: Delivery, until: float) -> bool:
        """Send one message to every channel that has not had it; acknowledge it if none is left. True when it is done."""
        if not is_due(delivery.attempt):
            return False
        try:
            crossed = parse_payload(delivery.payload)
        except ValueError as error:
            self._note(f"message {delivery.delivery} of the outbox is dropped: {error}")
            return self._ledger.acknowledge(delivery.delivery, self._claimant)
        message = crossed_message(crossed, self._policy)
        channels = [channel for channel in self._channels(message.kind) if self._can_reach(channel, message)]
        reached = [self._reach(channel, delivery, crossed, message, until) for channel in channels]
        return all(reached) and self._ledger.acknowledge(delivery.delivery, self._claimant)

    def _reach(self, channel: str, delivery: Delivery, crossed: Crossed, message: Message, until: float) -> bool:
        if was_sent(self._ledger, delivery, channel):
            return True
        if channel in self._paused:
            return False
        if channel == incidents.CHANNEL:
            incidents.write_opened(self._ledger, self._policy, crossed, delivery.payload)
        if not self._send(channel, message, until):
            return False
        write_sent(self._ledger, delivery, channel)
        return True

    def _send_notice(self, message: Message, channel: str) -> bool:
        key, *others = (f"notice/{short_name(each)}/{channel}" for each in (message.dedup_key, *message.also_keys))
        if channel in self._paused or key in self._noticed or was_noticed(self._ledger, key, others):
            return False
        self._noticed.add(key)
        details = {"name": message.dedup_key[:500], "channel": channel}
        for number in range(1, NOTICE_TRIES_MOST + 1):
            claim, end = f"{key}/{number}/claim", f"{key}/{number}"
            if written(self._ledger, claim, "notice_claimed", {**details, "claimant": self._claimant}):
                if channel == incidents.CHANNEL:
                    incidents.write_notice_opened(self._ledger, message)
                is_sent = self._send(channel, message, self._clock.monotonic() + SENDING_SECONDS)
                written(self._ledger, end, "notice", {**details, "outcome": "sent" if is_sent else "not_sent"})
                if is_sent:
                    write_named(self._ledger, others, details)
                return is_sent
            if not self._may_try_again(claim, end, details):
                return False
        return False

    def _may_try_again(self, claim: str, end: str, details: Mapping[str, str]) -> bool:
        """Return True if somebody's try ended without success, or was left for so long that it is closed as failed now."""
        claimed, ended = self._ledger.notes((claim, end))
        if claimed is None:
            return False
        if ended is None and self._ledger.now() - claimed.parsed().at < timedelta(seconds=LEASE_SECONDS):
            return False
        return written(self._ledger, end, "notice", {**details, "outcome": "not_sent"})

    def _send(self, channel: str, message: Message, until: float) -> bool:
        """Send to one channel, once more after a short pause it asked for. A channel that failed is left alone for this pass."""
        for is_last in (False, True):
            try:
                self._notifiers[channel].deliver(message)
            except NotifyError as error:
                pause = error.retry_after_seconds
                if not is_last and 0 < pause <= min(PAUSE_SECONDS_MOST, until - self._clock.monotonic()):
                    self._clock.sleep(pause)
                    continue
                self._paused.add(channel)
                self._note(f"{channel}: {error}")
                return False
            return True
        return False

    def _channels(self, kind: str) -> list[str]:
        """Return where the policy sends alerts of a kind, each channel once."""
        routes = [channel for route in self._policy.alerts if kind in route.when for channel in route.to]
        return list(dict.fromkeys(routes))

    def _can_reach(self, channel: str, message: Message) -> bool:
        """Return False, and say so once, where a channel has no address: that is the operator's choice and holds nothing up."""
        if channel not in self._notifiers:
            self._note(f"alerts for {channel} go nowhere: set {VARIABLES[channel]}")
            return False
        if channel == "email" and not message.owner:
            self._note("some alerts have nobody to be mailed to: give the budget an `owner` with an e-mail address")
            return False
        return True

    def _note(self, text: str) -> None:
        self._notes[text] = None
