"""Charts of a month's report as Mermaid, which GitHub draws in any Markdown: dollars per day, and dollars by model.

A chart never says anything that the text beside it does not. Names are other people's: of what they hold, a label keeps letters, digits
and a few marks that mean nothing to Mermaid (https://mermaid.js.org/syntax/pie.html, https://mermaid.js.org/syntax/xyChart.html).
"""

import unicodedata
from collections.abc import Mapping, Sequence

from budget_gate.reports.clean_text import clean_for_terminal

SLICES_MOST = 8
"""Slices of a pie; the smaller ones are one slice together."""

LABEL_CHARACTERS = 40
NANO_PER_CENT = 10_000_000

_HARMLESS = frozenset(" -_./:()+,'")


def days_chart(days: Sequence[tuple[str, int]], title: str, description: str) -> str:
    """Return a bar for each day (``2026-11-24``, nano-dollars); empty text where there is nothing to draw."""
    most = max((nano_usd for _, nano_usd in days), default=0)
    if not most:
        return ""
    lines = ["xychart-beta", f"    title {_quoted(title)}", *_for_screen_readers(title, description)]
    lines.append(f"    x-axis [{', '.join(_quoted(str(int(day[-2:]))) for day, _ in days)}]")
    lines.append(f'    y-axis "dollars" 0 --> {_cents(most)}')
    lines.append(f"    bar [{', '.join(_cents(nano_usd) for _, nano_usd in days)}]")
    return "\n".join(lines)


def shares_chart(shares: Mapping[str, int], title: str, description: str) -> str:
    """Return a pie of shares by name (nano-dollars), the dearest first; empty text where there is nothing to draw."""
    ordered = sorted((each for each in shares.items() if each[1] > 0), key=lambda each: (-each[1], each[0]))
    if not ordered:
        return ""
    shown = ordered if len(ordered) <= SLICES_MOST else ordered[: SLICES_MOST - 1]
    slices = [(chart_label(name), nano_usd) for name, nano_usd in shown]
    if rest := ordered[len(shown) :]:
        slices.append((f"{len(rest):,} others", sum(nano_usd for _, nano_usd in rest)))
    lines = ["pie showData", f"    title {title}", *_for_screen_readers(title, description)]  # quotes would be shown here
    names: list[str] = []
    for label, nano_usd in slices:
        names.append(_unlike(names, label))
        lines.append(f"    {_quoted(names[-1])} : {_cents(nano_usd)}")
    return "\n".join(lines)


def chart_label(name: str) -> str:
    """Return a name as a chart shows it: without anything that Mermaid, HTML or Markdown acts on, and never empty."""
    shown = clean_for_terminal(name, LABEL_CHARACTERS)
    kept = "".join(each if each in _HARMLESS or unicodedata.category(each)[0] in "LMN" else "_" for each in shown)
    return kept.strip() or "(no name)"


def _unlike(names: Sequence[str], label: str) -> str:
    """Return a label that is none of ``names``: of two slices with one name Mermaid draws the first only."""
    if label not in names:
        return label
    numbers = (f"{label} ({number})" for number in range(2, len(names) + 3))
    return next(name for name in numbers if name not in names)


def _for_screen_readers(title: str, description: str) -> list[str]:
    """Return the lines that name and describe a chart where it is not seen. Both texts are ours."""
    return [f"    accTitle: {title}", f"    accDescr: {description}"]


def _quoted(text: str) -> str:
    return f'"{text}"'


def _cents(nano_usd: int) -> str:
    """Return dollars rounded half up to cents; what is more than nothing is at least one, because Mermaid refuses a slice of 0."""
    cents = max((nano_usd + NANO_PER_CENT // 2) // NANO_PER_CENT, 1 if nano_usd > 0 else 0)
    return f"{cents // 100}.{cents % 100:02d}"
