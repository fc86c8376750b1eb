"""The small words of every report: counts, budgets, resets, places. Plain text; escaping is the business of who shows it."""

from datetime import datetime, timedelta

from budget_gate.core.amounts import Unit
from budget_gate.core.money import usd_short
from budget_gate.core.periods import Window, zone_named
from budget_gate.core.pull_requests import Finding, Verdict
from budget_gate.core.reservations import BudgetState, RefusalReason
from budget_gate.core.scopes import Scope

VERDICT_WORDS: dict[Verdict, str] = {"pass": "Passed", "pass_with_note": "Passed with a note", "block": "Blocked"}

REFUSAL_WORDS: dict[RefusalReason, str] = {
    "spent": "spent",
    "pending": "promised to jobs that are running",
    "held": "held for calls that may have been billed",
    "unpriced": "the model has no price",
}

_SCALES = ((10**9, "B"), (10**6, "M"), (10**3, "k"))


def tokens_short(count: int) -> str:
    """Return a count as people read it: ``950``, ``4.7k``, ``1.2M``; one decimal, rounded half up."""
    size, sign = abs(count), "-" if count < 0 else ""
    for scale, letter in _SCALES:
        tenths = (size * 10 + scale // 2) // scale
        # From the point on at which the next smaller letter would show four digits: 999 950 is 1M, not 1000k.
        if size * 100_000 >= scale * 99_995:
            return f"{sign}{tenths // 10:,}{f'.{tenths % 10}' if tenths % 10 else ''}{letter}"
    return str(count)


def count_text(unit: Unit, count: int) -> str:
    """Return a count without its unit, dollars with their sign."""
    return usd_short(count) if unit == "usd" else tokens_short(count)


def amount_text(unit: Unit, count: int) -> str:
    """Return a count with its unit: ``$0.50``, ``1.2M tokens``, ``3 requests``."""
    if unit == "usd":
        return usd_short(count)
    word = unit.removesuffix("s") if count == 1 else unit
    return f"{tokens_short(count)} {word}"


def budget_name(scope: Scope, per: str) -> str:
    """Return which budget: ``workflow/review per day``, or for a task's own bound ``task/review/7 in all``."""
    return f"{scope.text} in all" if per == "lifetime" else f"{scope.text} per {per}"


def left_of(state: BudgetState) -> int:
    """Return what is left for this request, promises counted: below its admission line, or the stop line where nothing refuses."""
    return max(state.stop - state.used - state.pending, 0) if state.left is None else state.left


def resets_text(resets_at: datetime, per: str, zone: str) -> str:
    """Return when a budget resets, on the clocks of ``zone`` and with their offset."""
    if per == "lifetime":
        return "never"
    local = resets_at.astimezone(zone_named(zone))
    return f"{local:%Y-%m-%d %H:%M} {local.isoformat()[-6:]}"


def period_text(window: Window, zone: str) -> str:
    """Return a period as people name it: a day, an hour with its offset, or its first and its last day."""
    begins, ends = (instant.astimezone(zone_named(zone)) for instant in (window.starts_at, window.ends_at))
    if window.per == "hour":
        return f"{begins:%Y-%m-%d %H:%M} {begins.isoformat()[-6:]}"
    last = (ends - timedelta(microseconds=1)).date()
    return f"{begins.date()}" if window.per == "day" else f"{begins.date()} to {last}"


def resets_in(left: timedelta) -> str:
    """Return how long until a reset, in its two largest units: ``3 d 4 h``, ``5 h 20 min``, ``12 min``."""
    minutes = max(int(left.total_seconds()) // 60, 0)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def percent_text(part: int, whole: int) -> str:
    """Return a share as a whole percentage, rounded down: only all of it is 100 %."""
    return f"{part * 100 // whole} %" if whole else "0 %"


def place_text(finding: Finding) -> str:
    """Return where a finding points: ``path:12`` or ``path:12-14``; of the old side, it says so."""
    lines = str(finding.line) if finding.line == finding.end_line else f"{finding.line}-{finding.end_line}"
    return f"{finding.path}:{lines}" + (" (before)" if finding.side == "LEFT" else "")


def counted(count: int, word: str) -> str:
    """Return a count and its word: ``1 file``, ``3 files``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
