"""``budget-gate route``: which model a change would get, why, and what the other choices would cost. Calls nothing."""

import secrets
from typing import TYPE_CHECKING

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import attribution_options, common_options, flags_given, open_workspace, print_document
from budget_gate.core.money import usd_short, usd_text

if TYPE_CHECKING:
    from budget_gate.agents.code_review import RouteExplained


@click.group()
def route() -> None:
    """Which model a change would get, and why."""


@route.command(
    "explain",
    epilog="Examples: git diff main | budget-gate route explain --diff -; budget-gate route explain --diff a.diff --json",
)
@click.option("--diff", "diff_file", metavar="FILE|-", required=True, help="The unified diff; - reads standard input.")
@attribution_options(leave_out=("pr",))
@common_options
def explain(policy: str | None, ledger: str | None, diff_file: str, *, as_json: bool, **given: str | None) -> None:
    """Say tier, model and reason for a diff as the budgets stand now, and what the cheapest and the dearest choice would cost.

    Costs are worst cases of reading the whole change in one call, and of the triage call before it, if there would be one. No model
    is called and no budget is touched.
    """
    workspace = open_workspace(policy, ledger)
    explained = _explained(workspace, diff_file, flags_given(given))
    if as_json:
        print_document(_document(explained))
        return
    chosen = explained.route
    click.echo(f"{chosen.tier}: {chosen.model}")
    click.echo(f"  because  {chosen.reason}")
    click.echo(f"  change   {explained.files} files, {explained.hunks} hunks")
    for each in explained.alternatives:
        mark = "*" if each.tier == chosen.tier else " "
        tokens = f"{each.input_tokens:,} tokens in, {each.output_tokens:,} out"
        click.echo(f"{mark} {each.tier:8} {each.model:24} at most {usd_short(each.nano_usd):>8}  ({tokens})")
    if explained.triage is not None:
        route, price = explained.triage
        click.echo(f"+ triage   {route.model:24} at most {usd_short(price.nano_usd):>8}  ({price.tokens:,} tokens in all)")


def _explained(workspace: Workspace, diff_file: str, flags: dict[str, str]) -> "RouteExplained":
    from budget_gate.agents.code_review import CodeReviewAgent
    from budget_gate.cli.review import read_diff

    attribution = workspace.attribution(flags, agent="code_review")
    provider = workspace.provider(dry_run=True)
    try:
        agent = CodeReviewAgent(workspace.gate(provider), workspace.task(attribution))
        return agent.explain(read_diff(diff_file), tag=secrets.token_hex(8))
    finally:
        provider.close()


def _document(explained: "RouteExplained") -> dict[str, object]:
    chosen, triage = explained.route, explained.triage
    costs = [
        {"tier": each.tier, "model": each.model, "input_tokens": each.input_tokens, "worst_usd": usd_text(each.nano_usd)}
        for each in explained.alternatives
    ]
    return {
        "tier": chosen.tier,
        "model": chosen.model,
        "reason": chosen.reason,
        "max_output_tokens": chosen.max_output_tokens,
        "chosen": next((each for each in costs if each["tier"] == chosen.tier), None),
        "cheapest": costs[0] if costs else None,
        "dearest": costs[-1] if costs else None,
        "alternatives": costs,
        "triage": None
        if triage is None
        else {
            "tier": triage.route.tier,
            "model": triage.route.model,
            "tokens": triage.price.tokens,
            "worst_usd": usd_text(triage.price.nano_usd),
        },
        "change": {"files": explained.files, "hunks": explained.hunks},
    }
