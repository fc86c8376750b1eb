"""Closing a month: every budget's final figures as one note each, with the end of the chain pinned in it; and reading them back.

A note is written once, however many runners try: its key says month, period and scope, and whoever comes second finds it there.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from budget_gate.core.amounts import Amount, CounterValue
from budget_gate.core.audit import Entry
from budget_gate.core.charges import budget_for
from budget_gate.core.errors import KeyReused, UsageError
from budget_gate.core.money import parse_usd, usd_text
from budget_gate.core.periods import Per, Window, window_at
from budget_gate.core.policy import Policy
from budget_gate.core.reservations import Reservation
from budget_gate.core.scopes import Scope
from budget_gate.ledger.interface import Ledger

KIND = "archive"
"""The notes' kind."""

_ENDING: tuple[Per, ...] = ("month", "quarter", "year")


class Figures(NamedTuple):
    """What one scope came to in a period that is over. ``limits`` are texts such as ``500 usd``, those in force at the closing."""

    scope: str
    per: str
    label: str
    value: CounterValue
    limits: tuple[str, ...]


class Archive(NamedTuple):
    """A closed month. ``written`` notes are new; the others were there. ``open_reservations`` are the month's that may still move.

    ``head_seq`` and ``head_hash`` pin the chain as it was when the month was closed.
    """

    month: str
    figures: tuple[Figures, ...]
    written: int
    open_reservations: tuple[Reservation, ...]
    head_seq: int
    head_hash: str


def month_to_close(policy: Policy, now: datetime, month: str = "") -> Window:
    """Return the month to close: the one named, else the one before the present in the policy's zone.

    Raises ``UsageError`` for a text that is no month, and for a month that is not over.
    """
    present = window_at("month", policy.timezone, now)
    if not month:
        return window_at("month", policy.timezone, datetime.fromtimestamp(present.starts_at.timestamp() - 1, UTC))
    try:
        within = datetime.strptime(f"{month}-15", "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise UsageError(f"--month {month!r} is not a month; write it as 2026-10") from None
    window = window_at("month", policy.timezone, within)
    if window.ends_at > now:
        raise UsageError(
            f"month {window.label} is not over in {policy.timezone}; close it after {window.ends_at:%Y-%m-%d %H:%M} UTC"
        )
    return window


def close_month(policy: Policy, ledger: Ledger, window: Window, closer: str) -> Archive:
    """Write the final figures of a month, of the quarter and the year too if they ended with it.

    ``closer`` names this run in the notes, and tells what it wrote from what was there.
    """
    head_seq, head_hash = _head(ledger)
    pin = {"head_seq": str(head_seq), "head_hash": head_hash, "closed_by": closer}
    figures = _final_figures(policy, ledger, _periods(policy, window))
    entries = [_record_once(ledger, window.label, each, pin) for each in figures]
    written = sum(1 for entry in entries if entry is not None)
    kept = read_archive(ledger, window.label)
    return kept._replace(written=written, open_reservations=tuple(_open_of(ledger, window)))


def read_archive(ledger: Ledger, month: str) -> Archive:
    """Return what was archived of a month: no figures if it was not closed."""
    figures, head = [], (0, "")
    for entry in ledger.entries():
        parsed = entry.parsed()
        details = parsed.body.get("details", {}) if parsed.kind == KIND else {}
        if details.get("month") == month:
            figures.append(_read_figures(details))
            head = int(details["head_seq"]), details["head_hash"]
    figures.sort(key=lambda each: (_ENDING.index(each.per), each.scope))
    return Archive(month, tuple(figures), 0, (), *head)


def is_pin_kept(ledger: Ledger, archive: Archive) -> bool:
    """Return whether the ledger's chain still runs through the entry that the archive pinned."""
    if not archive.head_seq:
        return True
    entry = next(ledger.entries(archive.head_seq - 1), None)
    return entry is not None and (entry.seq, entry.chain_hash) == (archive.head_seq, archive.head_hash)


def _head(ledger: Ledger) -> tuple[int, str]:
    seq = ledger.head()
    entry = next(ledger.entries(seq - 1), None) if seq else None
    return (0, "") if entry is None else (entry.seq, entry.chain_hash)


def _periods(policy: Policy, month: Window) -> dict[str, str]:
    """Return the label of each period that ends with the month, by kind."""
    windows = (window_at(per, policy.timezone, month.starts_at) for per in _ENDING)
    return {window.per: window.label for window in windows if window.ends_at == month.ends_at}


def _final_figures(policy: Policy, ledger: Ledger, labels: dict[str, str]) -> list[Figures]:
    """Return the figures of every counter of these periods, and of every budget of the policy that nothing was counted under."""
    values = {
        (row.scope, row.per): row.value
        for row in ledger.counters(tuple(labels.values()))
        if labels.get(row.per) == row.label and row.scope.partition("/")[0] not in {"task", "session"}
    }
    for budget in policy.budgets:
        for limit in budget.limits:
            if limit.per in labels and not budget.scope.is_wildcard:
                values.setdefault((budget.scope.text, limit.per), CounterValue())
    return [
        Figures(scope, per, labels[per], value, _limits(policy, scope, per)) for (scope, per), value in sorted(values.items())
    ]


def _limits(policy: Policy, scope: str, per: str) -> tuple[str, ...]:
    kind, _, name = scope.partition("/")
    budget = budget_for(policy, Scope(kind, name))
    limits = [limit for limit in budget.limits if limit.per == per] if budget else []
    return tuple(f"{usd_text(limit.amount) if limit.unit == 'usd' else limit.amount} {limit.unit}" for limit in limits)


def _record_once(ledger: Ledger, month: str, figures: Figures, pin: Mapping[str, str]) -> Entry | None:
    """Write one note; return None if it was there."""
    details = {
        "month": month,
        "scope": figures.scope,
        "per": figures.per,
        "label": figures.label,
        "limits": json.dumps(figures.limits),
        **pin,
    }
    for part, amount in zip(("posted", "pending", "held"), figures.value, strict=True):
        details[f"{part}_usd"] = usd_text(amount.nano_usd)
        details[f"{part}_tokens"], details[f"{part}_requests"] = str(amount.tokens), str(amount.requests)
    try:
        return ledger.record(f"archive/{month}/{figures.per}/{figures.scope}", KIND, {}, details)
    except KeyReused:  # another runner closed it, with the figures or the chain as they were then
        return None


def _read_figures(details: dict[str, str]) -> Figures:
    amounts = (
        Amount(parse_usd(details[f"{part}_usd"]), int(details[f"{part}_tokens"]), int(details[f"{part}_requests"]))
        for part in ("posted", "pending", "held")
    )
    limits = tuple(json.loads(details["limits"]))
    return Figures(details["scope"], details["per"], details["label"], CounterValue(*amounts), limits)


def _open_of(ledger: Ledger, window: Window) -> Iterator[Reservation]:
    """Yield what was reserved in a month and is still pending or held: it can change the month's figures, not its archive."""
    return (each for each in ledger.open_reservations() if window.starts_at <= each.created_at < window.ends_at)
