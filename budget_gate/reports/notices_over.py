"""What is kept of a notice that opened an incident, and the message that closes it once the day or period it was about is over."""

import json
from datetime import datetime
from typing import NamedTuple

from budget_gate.core.audit import compact_json, from_microseconds, microseconds
from budget_gate.notify.interface import Message
from budget_gate.reports.alerts import NAME_CHARACTERS, mail_address
from budget_gate.reports.clean_text import clean_for_terminal

_SPANS = {"anomaly": "day", "forecast": "period"}
TITLE_CHARACTERS = 2 * NAME_CHARACTERS


class Notice(NamedTuple):
    """A forecast or an anomaly that was told, by the title and the key it was told under, and when it is over."""

    kind: str
    title: str
    dedup_key: str
    owner: str
    over_at: datetime


def notice_payload(message: Message) -> str:
    """Return what ``parse_notice`` reads, for a note. The message has an end (``over_at``)."""
    assert message.over_at is not None, "a notice without an end opens no incident"
    over_at = microseconds(message.over_at)
    return compact_json(
        {
            "notice": message.kind,
            "title": message.title[:TITLE_CHARACTERS],
            "dedup_key": message.dedup_key,
            "owner": message.owner,
            "over_at": over_at,
        }
    )


def parse_notice(payload: str) -> Notice | None:
    """Return what a payload says, or None if it is not a notice's."""
    try:
        fields = json.loads(payload)
        over_at = from_microseconds(int(fields["over_at"]))
        title = clean_for_terminal(str(fields["title"]), TITLE_CHARACTERS)
        return Notice(str(fields["notice"]), title, str(fields["dedup_key"]), mail_address(str(fields["owner"])), over_at)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def notice_over_message(notice: Notice) -> Message:
    """Return the message that closes the incident of a notice: its day or its period has ended."""
    span = _SPANS.get(notice.kind, "period")
    return Message(
        kind="resolved",
        title=f"{notice.title}: over",
        lines=(f"The {span} that this alert was about has ended.", "Nothing is to do; a new one would be told again."),
        fields=(("Alert", notice.title), ("Owner", notice.owner or "nobody")),
        severity="info",
        dedup_key=notice.dedup_key,
        owner=notice.owner,
        is_resolved=True,
    )
