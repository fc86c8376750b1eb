"""The estimate for people and for programs: a table of the month on a terminal, and the contract's document."""

from budget_gate.analytics.estimate import Estimate
from budget_gate.core.money import usd_short, usd_text
from budget_gate.reports.clean_text import clean_for_terminal
from budget_gate.reports.documents import Document, percent_number
from budget_gate.reports.tables import plain_table
from budget_gate.reports.words import tokens_short

_HEADINGS = ("workflow", "tier", "calls", "tokens in", "tokens out", "per month")
_RIGHT = frozenset({2, 3, 4, 5})


def estimate_document(estimate: Estimate) -> Document:
    """Return the document of ``estimate`` (contract, section 4); headroom and utilization are null without a monthly limit."""
    headroom, utilization = estimate.headroom_nano_usd, estimate.utilization_basis_points
    return {
        "workflows": [
            {
                "name": each.name,
                "tier": each.tier,
                "model": each.model,
                "calls": each.calls,
                "input_tokens": each.input_tokens,
                "output_tokens": each.output_tokens,
                "cost_usd": usd_text(each.cost_nano_usd),
            }
            for each in estimate.workflows
        ],
        "total_usd": usd_text(estimate.total_nano_usd),
        "headroom_usd": None if headroom is None else usd_text(headroom),
        "utilization_percent": None if utilization is None else percent_number(utilization),
        "without_estimate": list(estimate.without_inventory),
    }


def render_estimate(estimate: Estimate) -> str:
    """Return the estimate as plain text."""
    rows = [
        (
            clean_for_terminal(each.name),
            clean_for_terminal(f"{each.tier} ({each.model})"),
            f"{each.calls:,}",
            tokens_short(each.input_tokens),
            tokens_short(each.output_tokens),
            usd_short(each.cost_nano_usd),
        )
        for each in estimate.workflows
    ]
    lines = [plain_table([_HEADINGS, *rows], _RIGHT)] if rows else ["no workflow of the policy has an `estimate:`"]
    lines.append(f"total per month: {usd_short(estimate.total_nano_usd)} (each workflow rounded up to a cent)")
    headroom, utilization = estimate.headroom_nano_usd, estimate.utilization_basis_points
    if headroom is None or estimate.limit_nano_usd is None:
        lines.append("the organization has no limit of dollars per month")
    else:
        used = "" if utilization is None else f", {percent_number(utilization)} % of it used"
        lines.append(f"headroom: {usd_short(headroom)} of {usd_short(estimate.limit_nano_usd)}{used}")
    if estimate.without_inventory:
        lines.append(f"not estimated (no `estimate:`): {clean_for_terminal(', '.join(estimate.without_inventory))}")
    return "\n".join(lines)
