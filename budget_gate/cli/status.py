"""``budget-gate status``: how every budget stands, from the counters; once, or again and again."""

import shutil
import sys
import time
from collections.abc import Callable

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import (
    attribution_options,
    colour_wanted,
    common_options,
    flags_given,
    open_workspace,
    print_document,
)
from budget_gate.core.errors import LedgerUnavailable, UsageError
from budget_gate.reports.documents import budget_documents

WATCH_SECONDS = 5
CLEAR = "\x1b[H\x1b[2J"
"""Cursor home, then an empty screen: what a terminal is told before each table."""


@click.command(
    "status", epilog="Examples: budget-gate status; budget-gate status --user alice --json; budget-gate status --watch 10"
)
@click.option(
    "--watch",
    type=click.IntRange(1, 86_400),
    is_flag=False,
    flag_value=WATCH_SECONDS,
    metavar="[SECONDS]",
    help=f"Show it again every so many seconds, until Ctrl-C. [default: {WATCH_SECONDS}]",
)
@attribution_options()
@common_options
def status(policy: str | None, ledger: str | None, watch: int | None, *, as_json: bool, **given: str | None) -> None:
    """Show how every budget of the policy stands now.

    A budget for every name of a kind (user/*) is shown for the name that the flag gives.
    """
    if watch is not None and as_json:
        raise UsageError("--watch is for people and --json for programs; leave one of them out")
    workspace = open_workspace(policy, ledger)
    flags = flags_given(given)
    if watch is not None:
        watch_status(lambda: status_text(workspace, flags), watch, time.sleep)
        return
    if as_json:
        from budget_gate.runs.status import budget_states

        budgets = budget_states(workspace.policy, workspace.ledger, flags, workspace.exemptions())
        print_document({"budgets": budget_documents(budgets, workspace.policy.timezone)})
        return
    click.echo(status_text(workspace, flags))


def status_text(workspace: Workspace, flags: dict[str, str]) -> str:
    """Return the table of budgets, as wide as the terminal is now, and which ledger it is from."""
    from budget_gate.reports.tables import render_budget_table
    from budget_gate.runs.status import budget_states

    budgets = budget_states(workspace.policy, workspace.ledger, flags, workspace.exemptions())
    width = shutil.get_terminal_size((110, 24)).columns
    now, zone = workspace.ledger.now(), workspace.policy.timezone
    table = render_budget_table(budgets, colour=colour_wanted(), width=width, now=now, zone=zone)
    return f"{table}\nledger: {workspace.ledger.url}"


def watch_status(render: Callable[[], str], seconds: float, sleep: Callable[[float], None]) -> None:
    """Show what ``render`` returns every ``seconds``, until Ctrl-C, which is the way to end it and no failure.

    A terminal is cleared before each; anything else gets one after the other, with an empty line between them. A ledger that is
    away for a while is said in place of the table, and asked again.
    """
    is_terminal, is_first = sys.stdout.isatty(), True
    try:
        while True:
            try:
                text = render()
            except LedgerUnavailable as error:
                text = f"{error}; trying again in {seconds} s"
            before = CLEAR if is_terminal else "" if is_first else "\n"
            click.echo(before + text)
            is_first = False
            sleep(seconds)
    except KeyboardInterrupt:
        click.echo()
