"""``budget-gate estimate``: what a month of the policy's workflows will cost, and what would change it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import click

from budget_gate.cli.options import common_options, open_workspace, print_document
from budget_gate.core.errors import UsageError
from budget_gate.core.money import parse_decimal

SCALE_MAX = 1_000_000


@click.command(
    "estimate",
    epilog="Examples: budget-gate estimate; budget-gate estimate --scale 10; "
    "budget-gate estimate --model ci_cd_review=medium --prs 400 --json",
)
@click.option("--scale", default="1", metavar="TIMES", help="As if everything ran so many times as often, such as 10 or 1.5.")
@click.option("--model", "models", multiple=True, metavar="WORKFLOW=TIER", help="As if a workflow ran on this tier; repeatable.")
@click.option("--prs", type=click.IntRange(0, 10**9), help="As if code reviews ran so many times a month; --scale applies to it.")
@common_options
def estimate(
    policy: str | None, ledger: str | None, scale: str, models: Sequence[str], prs: int | None, *, as_json: bool
) -> None:
    """Estimate a month from the inventory (`estimate:`) of each workflow: tokens, dollars, headroom under the organization's limit."""
    from budget_gate.analytics.estimate import WhatIf, estimate_month
    from budget_gate.reports.estimate import estimate_document, render_estimate

    workspace = open_workspace(policy, ledger)
    what_if = WhatIf(_scale(scale), dict(_pair(each) for each in models), prs)
    found = estimate_month(workspace.policy, workspace.prices, datetime.now(UTC), what_if)
    if as_json:
        print_document(estimate_document(found))
        return
    click.echo(render_estimate(found))


def _scale(text: str) -> Decimal:
    try:
        scale = parse_decimal(text)
    except ValueError:
        scale = Decimal(-1)
    if not 0 <= scale <= SCALE_MAX:
        raise UsageError(f"--scale: {text[:40]!r} is not a number from 0 to {SCALE_MAX:,}; write one such as --scale 10")
    return scale


def _pair(text: str) -> tuple[str, str]:
    workflow, equals, tier = text.rpartition("=")
    if not equals or not workflow or not tier:
        raise UsageError(f"--model: {text[:80]!r} is not of the form WORKFLOW=TIER; write it as --model ci_cd_review=medium")
    return workflow, tier
