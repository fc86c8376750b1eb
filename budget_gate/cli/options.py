"""Options that several commands share, and what they mean: where the policy and the ledger are, and on whose account a call is."""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from budget_gate.bootstrap import Workspace
from budget_gate.config.settings import read_settings

Command = TypeVar("Command", bound=Callable[..., Any])

REFUSED = 3
"""What a command exits with when a budget refused or blocked (contract, section 4)."""

ATTRIBUTION_FLAGS = {
    "workflow": "workflow of the policy that this is for",
    "team": "team to count it under",
    "project": "project (OWNER/REPO) to count it under",
    "user": "user to count it under",
    "session": "conversation it belongs to",
    "task": "run of an agent on one subject",
    "feature": "stage of a pipeline",
    "pr": "pull request number",
}


def common_options(function: Command) -> Command:
    """Add ``--policy``, ``--ledger``, ``--json`` and ``--debug``."""
    for option in (
        click.option("--debug", is_flag=True, expose_value=False, help="Show a traceback when something fails."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout; logs go to stderr."),
        click.option("--ledger", metavar="URL", help="Ledger, such as sqlite:///PATH or redis://HOST. [env: BUDGET_GATE_LEDGER]"),
        click.option("--policy", metavar="FILE", help="Policy file. [default: .github/budget-gate.yml; env: BUDGET_GATE_POLICY]"),
    ):
        function = option(function)
    return function


def attribution_options(*, leave_out: tuple[str, ...] = ()) -> Callable[[Command], Command]:
    """Add the attribution flags; in GitHub Actions they default from the event."""

    def decorate(function: Command) -> Command:
        for name, text in reversed(ATTRIBUTION_FLAGS.items()):
            if name not in leave_out:
                function = click.option(f"--{name}", metavar=name.upper(), help=f"{text[0].upper()}{text[1:]}.")(function)
        return function

    return decorate


def flags_given(values: Mapping[str, str | None]) -> dict[str, str]:
    """Return the attribution flags that were given, by name."""
    return {name: value for name, value in values.items() if name in ATTRIBUTION_FLAGS and value is not None}


def open_workspace(policy: str | None, ledger: str | None) -> Workspace:
    """Return a workspace of this process: its environment, its flags, nothing opened yet. It closes when the command ends."""
    workspace = Workspace(read_settings(os.environ, policy=policy, ledger=ledger), os.environ)
    click.get_current_context().call_on_close(workspace.close)
    return workspace


def print_document(document: object) -> None:
    """Print one JSON document on stdout. In it no text can be a command to a CI runner, which reads ``##[`` anywhere in a log."""
    import json
    import re

    text = json.dumps(document, indent=2, ensure_ascii=False)
    click.echo(re.sub(r"#(?=[^ -~]*\[)", r"\\u0023", text))


def log(text: str) -> None:
    """Print a line on stderr: progress and notes, never the product."""
    click.echo(text, err=True)


def colour_wanted() -> bool:
    """True on a terminal that takes colours; ``NO_COLOR`` and a dumb terminal say no."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
