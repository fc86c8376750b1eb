"""The terminal of ``budget-gate chat``: a prompt with editing and history, tables as wide as the window, and what colour there may be."""

import contextlib
import os
import shutil

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import colour_wanted
from budget_gate.core.reservations import BudgetState
from budget_gate.runs.chat import Terminal

PROMPT, PROMPT_ON = "> ", ". "
_FAINT, _BOLD, _PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[0m"
_HIDDEN = "\x01%s\x02"
"""How GNU readline is told that characters of a prompt take no room."""


def open_terminal(workspace: Workspace) -> Terminal:
    """Return this process's terminal. The width is asked for each time, because people change it."""
    is_coloured = colour_wanted()
    has_editing = _take_editing()

    def table(budgets: tuple[BudgetState, ...]) -> str:
        from budget_gate.reports.tables import render_budget_table

        zone = workspace.policy.timezone
        return render_budget_table(budgets, colour=is_coloured, width=_width(110), now=workspace.ledger.now(), zone=zone)

    def read(goes_on: bool) -> str | None:  # noqa: FBT001 - the type is that of ``Terminal.read``
        prompt = PROMPT_ON if goes_on else PROMPT
        try:
            return input(_bold(prompt) if is_coloured and has_editing else prompt)
        except EOFError:
            click.echo()
            return None

    def aside(text: str) -> str:
        return f"{_FAINT}{text}{_PLAIN}" if is_coloured else text

    return Terminal(read, lambda text: click.echo(text, nl=False), table, workspace.policy.timezone, lambda: _width(0), aside)


def _bold(prompt: str) -> str:
    return f"{_HIDDEN % _BOLD}{prompt}{_HIDDEN % _PLAIN}"


def _width(otherwise: int) -> int:
    return shutil.get_terminal_size((otherwise, 24)).columns


def _take_editing() -> bool:
    """Have lines edited by readline, if it is there; and what is pasted arrive as one line, however many it has.

    Python switches off the latter, and without it each line that is pasted would be a turn of its own, and paid for. A dumb
    terminal would print the sequence that asks for it.
    """
    with contextlib.suppress(ImportError):
        import readline

        if "libedit" not in (readline.__doc__ or ""):
            if os.environ.get("TERM") != "dumb":
                readline.parse_and_bind("set enable-bracketed-paste on")
            return True
    return False
