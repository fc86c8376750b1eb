"""Any rows as aligned columns of plain text for a terminal; the first column gives way where the terminal is narrow."""

from collections.abc import Collection, Sequence

from budget_gate.reports.tables import SCOPE_WIDTH_LEAST, display_width, shortened

_GAP = "  "


def aligned(rows: Sequence[Sequence[str]], width: int, *, right: Collection[int] = ()) -> str:
    """Return rows (headings first, cells already cleaned) as lines; columns in ``right`` are aligned to the right."""
    widths = [max(display_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    room = width - sum(widths[1:]) - len(_GAP) * (len(widths) - 1)
    widths[0] = min(widths[0], max(room, SCOPE_WIDTH_LEAST))
    lines = []
    for row in rows:
        cells = [shortened(row[0], widths[0]), *row[1:]]
        padded = [
            " " * (size - display_width(cell)) + cell if column in right else cell + " " * (size - display_width(cell))
            for column, (cell, size) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append(_GAP.join(padded).rstrip())
    return "\n".join(lines)
