"""The sentences of alerts: what happens next, and what to do about it. Each is one line, and each names a way out."""

from collections.abc import Sequence

from budget_gate.reports.clean_text import clean_cell

EXEMPTION = "or ask for an exemption with `budget-gate exempt request`"
RAISE = "raise the limit in the policy"


def next_step(tier: str, mode: str, stop_text: str, resets: str) -> str:
    """Return what happens next. ``stop_text`` is the stop line, empty where the policy no longer names the limit."""
    if mode != "enforce":
        return f"Nothing is refused: this budget only advises. It resets {resets}."
    if tier == "stop":
        return f"Calls on this budget are refused until it resets {resets}; pull requests pass or block as `on_exceed` says."
    if not stop_text:
        return f"The policy no longer names this limit. It resets {resets}."
    return f"Nothing is refused yet; calls are refused once {stop_text} are reached. It resets {resets}."


def what_to_do(tier: str, mode: str, *, can_exempt: bool) -> str:
    """Return what the owner can do now. Exemptions are only named where the policy has a rule for them."""
    if tier == "warn" or mode != "enforce":
        return "See who uses it with `budget-gate status`; if the work is worth it, plan for more before the period ends."
    urgency = "To go on now" if tier == "stop" else "Before work stops"
    return f"{urgency}, {RAISE}{', ' + EXEMPTION if can_exempt else ''}; it applies at once to what was already spent."


def render_alerts_summary(text: str, notes: Sequence[str]) -> str:
    """Return what a delivery did as Markdown for a job's summary: one line, and one for each note to the operator."""
    return "".join([f"**Alerts:** {clean_cell(text)}\n", *(f"\n- {clean_cell(note)}" for note in notes), "\n"])
