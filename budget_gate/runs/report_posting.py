"""Posting a month's report once, however many runs try: late ones, repeated ones, and two at the same moment.

A run claims the month by a note in the ledger, posts, and notes how that ended. Claims are numbered: one that Slack refused, and one
that somebody overrules with ``--again``, leave the next number free. A run that died between its claim and its end may have posted
or not; nobody can know, so the next runs say so and leave it to people.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from budget_gate.core.errors import KeyReused
from budget_gate.ledger.interface import Ledger
from budget_gate.notify.report_channel import ReportChannel

KIND = "report"
"""The kind of these notes."""

CLAIM_PATIENCE = timedelta(minutes=10)
"""A claim without an end that is older than this was left by a run that died."""


class Posting(NamedTuple):
    """How posting ended, and one line about it. ``failed`` and ``unconfirmed`` need somebody to look."""

    state: Literal["posted", "already", "elsewhere", "failed", "unconfirmed"]
    text: str


class _Claim(NamedTuple):
    number: int
    by: str
    at: datetime
    end: str = ""


def post_once(
    ledger: Ledger,
    month: str,
    channel: ReportChannel,
    messages: Sequence[Mapping[str, Any]],
    *,
    claimant: str,
    again: bool = False,
) -> Posting:
    """Post the messages about ``month`` unless that was done. ``claimant`` names this run and no other.

    ``again`` posts although an earlier run did, or may have.
    """
    last = None
    number = 1
    if again or not _claimed(ledger, month, channel.name, number, claimant):
        last = _last_claim(ledger, month, channel.name)
        number = last.number + 1 if last else 1
        if last and not again and (found := _standing(last, ledger.now(), month, channel.name)):
            return found
        if not _claimed(ledger, month, channel.name, number, claimant):
            return Posting("elsewhere", f"another run is posting the report of {month} to {channel.name} at this moment")
    result = channel.post(messages)
    if result.state == "unknown":
        return Posting("unconfirmed", f"{result.reason}; look into the channel, and post it with --again if it is not there")
    _note(ledger, month, channel.name, number, f"{_key(month, channel.name, number)}/end", {"state": result.state})
    if result.state == "refused":
        return Posting("failed", result.reason)
    return Posting("posted", f"the report of {month} was posted to {channel.name}{f'; {result.reason}' if result.reason else ''}")


def _standing(claim: _Claim, now: datetime, month: str, channel: str) -> Posting | None:
    """Return why nothing is to be posted, or None when the next number is free."""
    if claim.end == "posted":
        return Posting("already", f"the report of {month} was posted to {channel} before; --again posts it once more")
    if claim.end:
        return None
    if now - claim.at < CLAIM_PATIENCE:
        return Posting("elsewhere", f"another run is posting the report of {month} to {channel} at this moment")
    return Posting(
        "unconfirmed",
        f"the run {claim.by} began to post the report of {month} to {channel} at {claim.at:%Y-%m-%d %H:%M} UTC and never said that it "
        "did; look into the channel, and post it with --again if it is not there",
    )


def _claimed(ledger: Ledger, month: str, channel: str, number: int, claimant: str) -> bool:
    """Take a number; False when another run has it. The ledger lets one of them win."""
    try:
        _note(ledger, month, channel, number, _key(month, channel, number), {"state": "claimed", "by": claimant})
    except KeyReused:
        return False
    return True


def _note(ledger: Ledger, month: str, channel: str, number: int, key: str, details: Mapping[str, str]) -> None:
    ledger.record(key, KIND, {"month": month, "channel": channel, "claim": str(number)}, details)


def _key(month: str, channel: str, number: int) -> str:
    return f"report/{month}/{channel}/{number}"


def _last_claim(ledger: Ledger, month: str, channel: str) -> _Claim | None:
    """Return the claim with the highest number, with its end. Reads every entry: this is for runs that find a month claimed."""
    last: _Claim | None = None
    for entry in ledger.entries():
        if f'"{KIND}"' not in entry.text:  # parsing them all would take most of the time
            continue
        parsed = entry.parsed()
        labels, details = parsed.body.get("labels", {}), parsed.body.get("details", {})
        if parsed.kind != KIND or (labels.get("month"), labels.get("channel")) != (month, channel):
            continue
        number, state = int(labels["claim"]), str(details.get("state", ""))
        if state == "claimed":
            last = _Claim(number, str(details.get("by", "")), parsed.at) if last is None or number > last.number else last
        elif last is not None and number == last.number:
            last = last._replace(end=state)
    return last
