"""``budget-gate baseline``: observe first, then propose limits, and show what they would have refused."""

import shutil
from pathlib import Path

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import common_options, log, open_workspace, print_document
from budget_gate.core.errors import PolicyError, UsageError
from budget_gate.core.policy import Budget


@click.command("baseline", epilog="Example: budget-gate baseline --days 60 --write proposed.yml")
@click.option("--days", type=click.IntRange(7, 366), default=60, show_default=True, help="Complete days to look back at.")
@click.option(
    "--write", type=click.Path(path_type=Path), help="Write the policy with the proposed budgets here; never overwrites."
)
@common_options
def baseline(policy: str | None, ledger: str | None, days: int, write: Path | None, *, as_json: bool) -> None:
    """Propose limits from what was spent, as a change of the policy, with a replay of the past under them.

    Per day: the 95th percentile of the days with spending. Per month: 130 % of a mean month, 150 % where less than 45 days were seen.
    """
    from budget_gate.config.policy_text import budgets_text
    from budget_gate.core.policy_diff import diff_policies
    from budget_gate.reports.baseline_text import baseline_document, render_baseline
    from budget_gate.runs.baseline import observe

    workspace = open_workspace(policy, ledger)
    known = workspace.policy
    found = observe(known, workspace.ledger, days)
    changes = diff_policies(known, known._replace(budgets=found.budgets))
    if as_json:
        text = budgets_text(found.budgets)
        print_document(baseline_document(found.first, found.after, found.proposals, changes, text, found.replay, known.timezone))
    else:
        width = shutil.get_terminal_size((110, 24)).columns
        click.echo(render_baseline(found.first, found.after, found.proposals, changes, found.replay, width))
        if found.proposals and write is None:
            click.echo(budgets_text(found.budgets), nl=False)
    if write is not None:
        _write_policy(workspace, write, found.budgets)
        log(f"budget-gate: wrote {write}; look at it with `budget-gate policy diff {workspace.policy_path} {write}`")


def _write_policy(workspace: Workspace, path: Path, budgets: tuple[Budget, ...]) -> None:
    """Write the policy's own text with the proposed budgets. Raises ``UsageError`` rather than overwrite anything."""
    from budget_gate.config.policy_file import parse_policy
    from budget_gate.config.policy_text import with_budgets

    text = with_budgets(Path(workspace.policy_path).read_text(encoding="utf-8-sig"), budgets)
    try:
        parse_policy(text, file_name=str(path))
    except PolicyError as error:
        raise UsageError(f"--write: the proposed policy would not load, so it is not written: {error}") from None
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"--write: {path} exists and is not overwritten; name another file") from None
    except OSError as error:
        raise UsageError(f"--write: {path} cannot be written ({error.strerror}); name a file in a folder that exists") from None
