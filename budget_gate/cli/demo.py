"""``budget-gate demo``: the main job on a real diff, offline where no key is set."""

import secrets
import shutil
import sys
import time
from importlib import resources
from pathlib import Path

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import colour_wanted, open_workspace
from budget_gate.core.money import usd_short
from budget_gate.providers.interface import Provider

WITHOUT_KEY = "No ANTHROPIC_API_KEY is set: a scripted stand-in answers in the model's place. Nothing is sent, nothing is bought."
WITH_KEY = "ANTHROPIC_API_KEY is set: the real model is called, on your account, for at most {most} in all."


@click.command("demo", epilog="Example: budget-gate demo")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".budget-gate"),
    show_default=True,
    help="Where the demo's ledger is kept; each demo makes a new one.",
)
@click.option("--debug", is_flag=True, expose_value=False, help="Show a traceback when something fails.")
def demo(directory: Path) -> None:
    """Watch a budget stop a review bot that pushes to one pull request again and again.

    The policy is Acme's, the diff is from this project's own history; gate, ledger and agent are the real ones.
    """
    from budget_gate.agents.code_review import CodeReviewAgent
    from budget_gate.runs.demo import EARLIER_NANO_USD, WORKFLOW, push_until_stopped, spend_earlier

    samples = resources.files("budget_gate") / "samples"
    ledger_path = directory / f"demo-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}.db"
    with resources.as_file(samples / "acme.yml") as policy_path:
        workspace = open_workspace(str(policy_path), f"sqlite:///{ledger_path}")
        policy = workspace.policy
    provider = _provider(workspace)
    limit = next(limit for budget in policy.budgets if budget.scope.text == f"workflow/{WORKFLOW}" for limit in budget.limits)
    spend_earlier(policy, workspace.prices, workspace.ledger)
    click.echo(
        f"Acme lets `{WORKFLOW}` spend {usd_short(limit.amount)} a day; {usd_short(EARLIER_NANO_USD)} of today's are gone."
    )
    click.echo("Now a release bot pushes to acme/shop#7, again and again. Each push is reviewed as far as the budget goes.\n")
    diff = (samples / "demo.diff").read_text(encoding="utf-8")
    gate = workspace.gate(provider)
    pushes = push_until_stopped(policy, lambda task: CodeReviewAgent(gate, task), diff, lambda: secrets.token_hex(8))
    for push in pushes:
        click.secho(f"push {push.number}: {push.outcome.verdict}, {usd_short(push.outcome.cost_nano_usd)}", bold=colour_wanted())
        click.echo(_indented(push.comment, whole=push.number == 1 or push.outcome.refused is not None))
    _print_end(workspace, ledger_path)


def _provider(workspace: Workspace) -> Provider:
    """Return the real provider where a key is set, else the scripted one; the first line printed says which."""
    if workspace.settings.anthropic_api_key:
        click.echo(WITH_KEY.format(most="$0.11"))
        return workspace.provider()
    from budget_gate.agents.demo_script import scripted_reviewer
    from budget_gate.providers.scripted import ScriptedProvider

    click.echo(WITHOUT_KEY)
    return ScriptedProvider(scripted_reviewer)


def _indented(comment: str, *, whole: bool) -> str:
    """Return a comment behind a bar, without what GitHub hides; of a repeated one, what is folded away there is left out here."""
    lines = [line for line in comment.strip().splitlines() if not line.startswith("<!--")]
    if not whole and "<details>" in lines:
        lines = lines[: lines.index("<details>")]
    return "\n".join(f"  | {line}".rstrip() for line in lines) + "\n"


def _print_end(workspace: Workspace, ledger_path: Path) -> None:
    from budget_gate.reports.tables import render_budget_table
    from budget_gate.runs.status import budget_states

    budgets = [state for state in budget_states(workspace.policy, workspace.ledger, {"user": "release-bot"}) if state.used]
    width = shutil.get_terminal_size((110, 24)).columns
    now, zone = workspace.ledger.now(), workspace.policy.timezone
    click.echo(render_budget_table(budgets, colour=colour_wanted(), width=width, now=now, zone=zone))
    click.echo(f"\nThe ledger lies in {ledger_path}. Look into it, with the policy of the demo:")
    policy_path = resources.files("budget_gate") / "samples" / "acme.yml"
    click.echo(f"  {_program()} ledger verify --policy {policy_path} --ledger sqlite:///{ledger_path}")
    click.echo(f"Next: `{_program()} init` writes a policy and a workflow for your own repository.")


def _program() -> str:
    """Return how this very program is called from here: by name where the shell finds it, else by its place."""
    called = sys.argv[0]
    is_known = Path(called).name != "budget-gate" or shutil.which("budget-gate")
    return "budget-gate" if is_known else called
