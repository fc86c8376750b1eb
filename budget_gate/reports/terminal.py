"""A review as plain text for a terminal: verdict, findings, what was left out, cost. Escape sequences in it are cleaned."""

from budget_gate.core.money import usd_short
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.reports.clean_text import clean_for_terminal


def render_outcome(outcome: ReviewOutcome) -> str:
    """Return an outcome as lines of plain text."""
    lines = [f"{outcome.verdict}: {clean_for_terminal(outcome.reason)}"]
    for finding in outcome.findings:
        span = str(finding.line) if finding.line == finding.end_line else f"{finding.line}-{finding.end_line}"
        place = f"{clean_for_terminal(finding.path)}:{span}"
        lines.append(f"  {finding.severity:8} {place}  {clean_for_terminal(finding.text)}")
    for part in outcome.not_reviewed:
        cost = "" if part.estimated_nano_usd is None else f", at most {usd_short(part.estimated_nano_usd)}"
        lines.append(f"  not reviewed: {clean_for_terminal(part.path)} ({clean_for_terminal(part.reason)}{cost})")
    if outcome.failure:
        lines.append(f"  failed: {clean_for_terminal(outcome.failure)}")
    if outcome.model:
        usage = outcome.usage
        reviewed = f"{outcome.reviewed_files} files, {outcome.reviewed_hunks} hunks"
        tokens = f"{usage.prompt_tokens:,} tokens in, {usage.output_tokens:,} out"
        model = f"{clean_for_terminal(outcome.model)} ({outcome.tier}: {clean_for_terminal(outcome.route_reason)})"
        lines.append(f"  {usd_short(outcome.cost_nano_usd)} for {reviewed}; {tokens}; {model} by {outcome.provider}")
    return "\n".join(lines)
