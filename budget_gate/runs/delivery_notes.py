"""How far an alert has come, channel by channel, kept in the ledger as notes, so that one dead channel does not repeat the others.

Every attempt has one note per channel that says how it ended, written once: by the attempt itself (``sent``), or by the next one, which
closes the attempt as ``not_sent`` and learns from a refusal that it had been sent after all. (Asking ``Ledger.notes`` first would not
do: an attempt must be closed in the very step that finds it open, or it could still end as sent.) A process that dies between sending
and writing is thus the one case in which a message is sent twice.
"""

from collections.abc import Mapping, Sequence

from budget_gate.core.errors import KeyReused
from budget_gate.ledger.interface import Delivery, Ledger

KIND = "alert_delivery"
NOTICE_TRIES_MOST = 8
EARLY_ATTEMPTS = (1, 2, 4)
LATE_EVERY = 8


def is_due(attempt: int) -> bool:
    """Return True if this claim of a message should be tried: the first, second and fourth, then every eighth.

    A claim that is not tried keeps the message from others until its lease ends, so the pauses double up to eight leases.
    """
    return attempt in EARLY_ATTEMPTS or attempt % LATE_EVERY == 0


def was_sent(ledger: Ledger, delivery: Delivery, channel: str) -> bool:
    """Return True if an earlier attempt has reached the channel; closes those that have not, so that they stay closed."""
    earlier = (attempt for attempt in range(1, delivery.attempt) if is_due(attempt))
    return any(not _ended(ledger, delivery, attempt, channel, "not_sent") for attempt in earlier)


def write_sent(ledger: Ledger, delivery: Delivery, channel: str) -> bool:
    """Write down that this attempt has reached the channel; False if a later one had already given it up."""
    return _ended(ledger, delivery, delivery.attempt, channel, "sent")


def _ended(ledger: Ledger, delivery: Delivery, attempt: int, channel: str, outcome: str) -> bool:
    """Return True if an attempt ended so, as of now or before; False if it is known to have ended otherwise."""
    key = f"alert/{delivery.delivery}/{attempt}/{channel}"
    details = {"delivery": delivery.delivery, "attempt": str(attempt), "channel": channel, "outcome": outcome}
    return written(ledger, key, KIND, details)


def was_noticed(ledger: Ledger, key: str, others: Sequence[str]) -> bool:
    """Return True if a notice was sent under its key or under another name of the same matter, or its key was named in one that was.

    Being named counts for the key alone: the workflow that two people's loops have in common, named in the notice of the first,
    must not keep the second from being told. Keys are ``notice/NAME/CHANNEL``.
    """
    named, *ends = ledger.notes(
        [f"{key}/named", *(f"{each}/{number}" for each in (key, *others) for number in range(1, NOTICE_TRIES_MOST + 1))]
    )
    return named is not None or any(end is not None and end.parsed().body["details"].get("outcome") == "sent" for end in ends)


def write_named(ledger: Ledger, keys: Sequence[str], details: Mapping[str, str]) -> None:
    """Write down that a notice which was sent named these, too."""
    for key in keys:
        written(ledger, f"{key}/named", "notice_named", dict(details))


def claimed_look(ledger: Ledger, claimant: str) -> bool:
    """Return True for the first claimant of an hour, on the ledger's clock: the one that looks for forecasts and anomalies then.

    If it dies, nobody looks before the next hour. Whoever comes later reads one note and writes nothing.
    """
    key = f"notices/look/{ledger.now():%Y-%m-%dT%H}Z"
    return ledger.notes((key,)) == (None,) and written(ledger, key, "notices_looked", {"claimant": claimant})


def written(ledger: Ledger, key: str, kind: str, details: dict[str, str]) -> bool:
    """Record a note; return True if it stands (now or before), False if its key holds another one."""
    try:
        ledger.record(key, kind, {}, details)
    except KeyReused:
        return False
    return True


def short_name(text: str) -> str:
    """Return a name of fixed length for any text, for use in keys."""
    from hashlib import sha256  # loads OpenSSL: 3 ms that a job without alerts does not need

    return sha256(text.encode()).hexdigest()[:32]
