"""The ``budget-gate`` command: finds the command's module, runs it, and turns every ending into an exit code.

Command modules are imported when they are called, so that ``check`` pays for nothing it does not use.
"""

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Sequence

import click

import budget_gate
from budget_gate.core.errors import BudgetGateError

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("budget_gate.cli.init", "write a starter policy and workflows; never overwrites"),
    "demo": ("budget_gate.cli.demo", "the main job on a real diff, offline where no key is set"),
    "check": ("budget_gate.cli.check", "is there budget for this workflow now?"),
    "review": ("budget_gate.cli.review", "review a pull request or a diff within the budget"),
    "testgen": ("budget_gate.cli.testgen", "plan and write tests for a ticket within the budget"),
    "route": ("budget_gate.cli.route", "explain: which model a change would get, why, and at what cost"),
    "merged": ("budget_gate.cli.merged", "a pull request was closed: record the outcome, write its AI cost back"),
    "chat": ("budget_gate.cli.chat", "an assistant within its budget; -m TEXT for one turn"),
    "status": ("budget_gate.cli.status", "how every budget stands"),
    "estimate": ("budget_gate.cli.estimate", "what a month will cost, from the policy's inventory of workflows"),
    "report": ("budget_gate.cli.report", "a month: cost per merged pull request, trends, budgets, model mix"),
    "exempt": ("budget_gate.cli.exempt", "request, approve, deny, revoke, list: exceptions to a limit"),
    "audit": ("budget_gate.cli.audit", "who did what, and when"),
    "alerts": ("budget_gate.cli.alerts", "deliver: send what waits in the ledger's outbox"),
    "forecast": ("budget_gate.cli.forecast", "where every budget is heading, with an interval"),
    "anomalies": ("budget_gate.cli.anomalies", "who spends far more than usual, and why"),
    "baseline": ("budget_gate.cli.baseline", "propose limits from what was spent, and replay the past under them"),
    "export": ("budget_gate.cli.export", "a month for finance: CSV, JSON lines, Parquet, FOCUS, chargeback"),
    "metrics": ("budget_gate.cli.metrics", "OpenMetrics text for Prometheus"),
    "dashboard": ("budget_gate.cli.dashboard", "budgets, trends and forecasts as one HTML file"),
    "ledger": ("budget_gate.cli.ledger", "reserve, settle, void, hold, show, sweep, verify, copy, archive, reconcile"),
    "policy": ("budget_gate.cli.policy", "check, schema, diff: look after the policy file"),
    "prices": ("budget_gate.cli.prices", "list, show, check: what models cost"),
    "doctor": ("budget_gate.cli.doctor", "is everything set up that a run needs?"),
    "action": ("budget_gate.cli.action", ""),
    "settle-left-open": ("budget_gate.cli.settle_left_open", ""),
}
"""Every command: the module that holds it under its own name, and one line of help (empty: not listed)."""


class LazyCommands(click.Group):
    """A group whose commands are imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names, in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, or None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, naming the nearest one when there is none."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean `{near[0]}`?" if near else "see `budget-gate --help`"
            ctx.fail(f"no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items() if text])


@click.group(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Start with `budget-gate demo`, then `budget-gate init`. Exit codes: 0 pass, 3 refused or blocked, 2 wrong usage or policy, "
    "4 an outside service failed, 5 the ledger cannot be reached, 1 a bug.",
)
@click.version_option(budget_gate.__version__, "-V", "--version", prog_name="budget-gate")
def cli() -> None:
    """A budget that holds, for AI agents in CI: reserve before the call, settle after it, never strand a pull request."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the contract's code. Only ``--debug`` shows a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given or bool(os.environ.get("BUDGET_GATE_DEBUG"))
    try:
        code = cli.main(given, prog_name="budget-gate", standalone_mode=False)
    except click.exceptions.Exit as ending:
        code = ending.exit_code
    except click.Abort:
        code = _report("interrupted", 130, given)
    except click.ClickException as error:
        code = _report(_usage_text(error), 2, given)
    except BudgetGateError as error:
        if debug:
            raise
        code = _report(str(error), error.exit_code, given)
    except BrokenPipeError:
        # The reader of our output (`| head`) is gone; that is its right, and no failure of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except KeyboardInterrupt:
        code = _report("interrupted", 130, given)
    except Exception as error:
        if debug:
            raise
        code = _report(f"a bug in budget-gate: {type(error).__name__}: {error}; run again with --debug and report it", 1, given)
    sys.exit(code if isinstance(code, int) else 0)


def run() -> None:
    """Run as a program: like ``main``, then end the process at once.

    The command has closed what it opened; taking the interpreter apart piece by piece would take a twentieth of what `check` may.
    """
    # A command makes no garbage worth looking for while it starts; collecting it costs a tenth of the start-up.
    gc.disable()
    code = 1
    try:
        main()
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 0
    with contextlib.suppress(OSError):  # whoever read our output has gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _usage_text(error: click.ClickException) -> str:
    """Return one line: what is wrong, and where the right usage is."""
    context = getattr(error, "ctx", None)
    hint = f" (see `{context.command_path} --help`)" if context is not None else ""
    return " ".join(error.format_message().split()) + hint


def _report(text: str, code: int, arguments: Sequence[str]) -> int:
    """Print one line on stderr; with ``--json``, a document on stdout too. Return the exit code."""
    line = " ".join(text.split())
    print(f"budget-gate: {line}", file=sys.stderr)  # noqa: T201 (product of the command line)
    if "--json" in arguments:
        import json

        print(json.dumps({"error": line, "exit_code": code}))  # noqa: T201 (product of the command line)
    return code
