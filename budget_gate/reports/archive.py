"""A closed month as text for a terminal, and as a document."""

from budget_gate.core.money import usd_text
from budget_gate.ledger.archive import Archive, Figures
from budget_gate.reports.clean_text import CELL_CHARACTERS, clean_for_terminal
from budget_gate.reports.documents import Document, amount_document, reservation_document

OPEN_MOST = 20
"""How many open reservations are named in a text; the document has all."""


def archive_document(archive: Archive, zone: str) -> Document:
    """Return a closed month. ``written`` are the notes that this very run wrote."""
    return {
        "month": archive.month,
        "head": {"seq": archive.head_seq, "hash": archive.head_hash or None},
        "written": archive.written,
        "archived": [_figures_document(each) for each in archive.figures],
        "open": [reservation_document(each, zone) for each in archive.open_reservations],
    }


def _figures_document(figures: Figures) -> Document:
    value = figures.value
    return {
        "scope": figures.scope,
        "per": figures.per,
        "label": figures.label,
        "limits": list(figures.limits),
        "posted": amount_document(value.posted),
        "pending": amount_document(value.pending),
        "held": amount_document(value.held),
    }


def render_archive(archive: Archive) -> str:
    """Return a closed month as lines: what it is, each scope's figures, and what can still move."""
    pin = f"entry {archive.head_seq} {archive.head_hash}" if archive.head_seq else "nothing: the ledger was empty"
    lines = [f"{archive.month}: {len(archive.figures)} figures archived, {archive.written} of them now; chain pinned at {pin}"]
    lines += [_figures_line(each) for each in archive.figures]
    if archive.open_reservations:
        lines.append(
            f"still open: {len(archive.open_reservations)} (settle or void them; they change the month, not its archive)"
        )
    for each in archive.open_reservations[:OPEN_MOST]:
        workflow = clean_for_terminal(each.labels.get("workflow", ""), CELL_CHARACTERS)
        lines.append(f"  {each.reservation} {each.state} {usd_text(each.granted.nano_usd)} dollars  {workflow}".rstrip())
    if len(archive.open_reservations) > OPEN_MOST:
        lines.append(f"  and {len(archive.open_reservations) - OPEN_MOST} more")
    return "\n".join(lines)


def _figures_line(figures: Figures) -> str:
    posted, pending, held = figures.value
    unsettled = pending.plus(held).nano_usd
    limits = f" of {', '.join(figures.limits)}" if figures.limits else ""
    still = f", {usd_text(unsettled)} dollars unsettled" if unsettled else ""
    scope = clean_for_terminal(figures.scope, CELL_CHARACTERS)
    spent = f"{usd_text(posted.nano_usd)} dollars, {posted.tokens} tokens, {posted.requests} requests"
    return f"  {scope} per {figures.per} {figures.label}: {spent}{limits}{still}"
