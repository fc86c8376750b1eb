"""``budget-gate policy``: check the policy file, print its JSON Schema, say what changed between two of them."""

from pathlib import Path

import click

from budget_gate.cli.options import common_options, open_workspace, print_document
from budget_gate.core.money import usd_short
from budget_gate.core.policy import Policy


@click.group()
def policy() -> None:
    """Look after the policy file."""


@policy.command("check", epilog="Example: budget-gate policy check --policy .github/budget-gate.yml")
@common_options
def check_policy(policy: str | None, ledger: str | None, *, as_json: bool) -> None:
    """Load the policy and say what it holds; a fault is one line with file, line, field and what to write instead."""
    workspace = open_workspace(policy, ledger)
    loaded = workspace.policy
    if as_json:
        print_document({"ok": True, "policy": workspace.policy_path, **_counts(loaded)})
        return
    click.echo(f"{workspace.policy_path}: ok")
    click.echo(f"  organization {loaded.organization}, time zone {loaded.timezone}")
    for name, count in _counts(loaded).items():
        click.echo(f"  {name}: {count}")
    for budget in loaded.budgets:
        limits = ", ".join(
            f"{usd_short(limit.amount) if limit.unit == 'usd' else f'{limit.amount:,} {limit.unit}'} per {limit.per}"
            for limit in budget.limits
        )
        click.echo(f"  {budget.scope.text}: {limits} ({budget.mode})")


def _counts(policy: Policy) -> dict[str, int]:
    return {
        "budgets": len(policy.budgets),
        "workflows": len(policy.workflows),
        "models": len(policy.models),
        "alert_routes": len(policy.alerts),
        "negotiated_prices": len(policy.prices),
    }


@policy.command("schema", epilog="Example: budget-gate policy schema > budget-gate.schema.json")
def print_schema() -> None:
    """Print the JSON Schema of the policy file, for editors."""
    from budget_gate.config.policy_schema import policy_schema

    print_document(policy_schema())


@policy.command("diff", epilog="Example: budget-gate policy diff main.yml proposed.yml")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@common_options
def print_diff(old: Path, new: Path, policy: str | None, ledger: str | None, *, as_json: bool) -> None:
    """Say in plain lines what changes from policy OLD to policy NEW."""
    from budget_gate.core.policy_diff import diff_policies

    changes = diff_policies(open_workspace(str(old), ledger).policy, open_workspace(str(new), ledger).policy)
    if as_json:
        print_document({"changes": changes})
        return
    for line in changes or ["no difference"]:
        click.echo(line)
