"""A reconciliation as a table for a terminal, and as the document of ``ledger reconcile --json``."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from budget_gate.analytics.reconciling import AGREEING, Comparison, LedgerDay
from budget_gate.core.money import EXACT, usd_short, usd_text
from budget_gate.reports.clean_text import CELL_CHARACTERS, clean_for_terminal
from budget_gate.reports.documents import Document
from budget_gate.reports.plain_table import aligned
from budget_gate.reports.words import counted

HEADINGS = ("model", "kind", "ledger", "bill", "ledger $", "bill $", "finding")
_NUMBERS = (2, 3, 4, 5)


def reconciliation_document(day: date, lines: Sequence[Comparison], ours: LedgerDay) -> Document:
    """Return the document: every line with both sides, and the sum of the differences (bill less ledger)."""
    return {
        "day": day.isoformat(),
        "agrees": all(line.finding in AGREEING for line in lines),
        "difference_usd": _text(_difference(lines)),
        "held_calls": ours.held_calls,
        "held_usd": usd_text(ours.held_nano_usd),
        "without_tokens_usd": usd_text(ours.uncounted_nano_usd),
        "lines": [
            {
                "model": line.model,
                "kind": line.kind,
                "ledger_tokens": line.ledger_tokens,
                "bill_tokens": line.bill_tokens,
                "ledger_usd": _text(line.ledger_usd),
                "bill_usd": _text(line.bill_usd),
                "finding": line.finding,
            }
            for line in lines
        ],
    }


def render_reconciliation(day: date, lines: Sequence[Comparison], ours: LedgerDay, width: int) -> str:
    """Return the comparison in words, the differences named."""
    if not lines:
        return f"{day} (UTC): nothing in the ledger, nothing on the bill"
    rows = [
        (
            clean_for_terminal(line.model or "(no model)", CELL_CHARACTERS),
            clean_for_terminal(line.kind, CELL_CHARACTERS),
            f"{line.ledger_tokens:,}",
            f"{line.bill_tokens:,}",
            f"{line.ledger_usd:.4f}",
            f"{line.bill_usd:.4f}",
            line.finding,
        )
        for line in lines
    ]
    differing = sum(line.finding not in AGREEING for line in lines)
    verdict = f"{counted(differing, 'line')} of {len(lines)} differ" if differing else "ledger and bill agree"
    parts = [
        aligned([HEADINGS, *rows], width, right=_NUMBERS),
        f"{day} (UTC): {verdict}; bill less ledger: ${_difference(lines):.4f}",
    ]
    if any(line.finding == "priority tier" for line in lines):
        parts.append("priority tier: the tokens agree; Anthropic's cost report has no dollars for that tier")
    if ours.held_calls:
        held = f"{counted(ours.held_calls, 'open call')} with {usd_short(ours.held_nano_usd)} reserved"
        parts.append(f"{held} may explain what is only in the bill; see `budget-gate ledger show`")
    if ours.uncounted_nano_usd:
        parts.append(f"{usd_short(ours.uncounted_nano_usd)} were posted without token counts and are in no line")
    return "\n".join(parts)


def _difference(lines: Sequence[Comparison]) -> Decimal:
    total = Decimal(0)
    for line in lines:
        total = EXACT.add(total, EXACT.subtract(line.bill_usd, line.ledger_usd))
    return total


def _text(usd: Decimal) -> str:
    """Return dollars as an exact decimal with at least two places."""
    whole, _, fraction = f"{usd:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"
