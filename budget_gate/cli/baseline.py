"""``budget-gate baseline``: observe first, then propose limits, and show what they would have refused."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import common_options, log, open_workspace, print_document
from budget_gate.core.errors import PolicyError, UsageError
from budget_gate.core.policy import Budget

if TYPE_CHECKING:
    from budget_gate.runs.baseline import Baseline


@click.command(
    "baseline",
    epilog="Examples: budget-gate baseline --days 60 --write proposed.yml; budget-gate baseline --days 60 --open-pr",
)
@click.option("--days", type=click.IntRange(7, 366), default=60, show_default=True, help="Complete days to look back at.")
@click.option(
    "--write", type=click.Path(path_type=Path), help="Write the policy with the proposed budgets here; never overwrites."
)
@click.option("--open-pr", is_flag=True, help="Propose the limits as a pull request; running again brings it up to date.")
@click.option("--yes", is_flag=True, help="With --open-pr: do not ask before opening it.")
@common_options
def baseline(
    policy: str | None, ledger: str | None, days: int, write: Path | None, *, open_pr: bool, yes: bool, as_json: bool
) -> None:
    """Propose limits from what was spent, as a change of the policy, with a replay of the past under them.

    Per day: the 95th percentile of the days with spending. Per month: 130 % of a mean month, 150 % where less than 45 days were seen.
    A pull request shows who spent how much to whoever can read the repository; it needs a token with `contents: write` and
    `pull-requests: write`.
    """
    from budget_gate.config.policy_text import budgets_text
    from budget_gate.core.policy_diff import diff_policies
    from budget_gate.reports.baseline_text import baseline_document, render_baseline
    from budget_gate.runs.baseline import observe

    if yes and not open_pr:
        raise UsageError("--yes is for --open-pr; write both")
    workspace = open_workspace(policy, ledger)
    if open_pr and workspace.github is None:
        raise UsageError("--open-pr needs GITHUB_TOKEN and GITHUB_REPOSITORY (OWNER/REPO); set both")
    known = workspace.policy
    found = observe(known, workspace.ledger, days)
    changes = diff_policies(known, known._replace(budgets=found.budgets))
    if not as_json:
        width = shutil.get_terminal_size((110, 24)).columns
        click.echo(render_baseline(found.first, found.after, found.proposals, changes, found.replay, width))
        if found.proposals and write is None and not open_pr:
            click.echo(budgets_text(found.budgets), nl=False)
    if write is not None:
        _write_policy(workspace, write, found.budgets)
        log(f"budget-gate: wrote {write}; look at it with `budget-gate policy diff {workspace.policy_path} {write}`")
    pull_url = _open_pull(workspace, found, changes, yes=yes) if open_pr else ""
    if as_json:
        text = budgets_text(found.budgets)
        document = baseline_document(found.first, found.after, found.proposals, changes, text, found.replay, known.timezone)
        print_document({**document, **({"pull_url": pull_url} if open_pr else {})})


def _open_pull(workspace: Workspace, found: "Baseline", changes: Sequence[str], *, yes: bool) -> str:
    """Open the pull request, or update it; return its address, empty where there was nothing to propose or somebody said no."""
    from budget_gate.reports.baseline_pull import pull_title, render_baseline_pull
    from budget_gate.runs.baseline_pull import open_baseline_pull, read_policy

    github = workspace.github
    assert github is not None, "checked before anything was read"
    if not changes:
        log("budget-gate: nothing to change, so no pull request is opened")
        return ""
    path = Path(os.path.relpath(workspace.policy_path)).as_posix()
    text = _proposed_text(read_policy(github, path, _policy_text(workspace)), found.budgets, "--open-pr")
    repository = workspace.settings.github_repository
    question = f"Open a pull request in {repository} that changes {path}? Whoever can read the repository can read it"
    if not yes and sys.stdin.isatty() and not click.confirm(question, err=True):
        log("budget-gate: no pull request was opened")
        return ""
    title = pull_title(found.first, found.after)
    body = render_baseline_pull(found.first, found.after, found.proposals, changes, found.replay, workspace.policy.timezone)
    pull = open_baseline_pull(github, path, text, title, body)
    log(f"budget-gate: {'opened' if pull.created else 'updated'} #{pull.number}: {pull.url}")
    return pull.url


def _policy_text(workspace: Workspace) -> str:
    return Path(workspace.policy_path).read_text(encoding="utf-8-sig")


def _proposed_text(text: str, budgets: tuple[Budget, ...], option: str) -> str:
    """Return a policy's text with the proposed budgets. Raises ``UsageError`` where it would not load."""
    from budget_gate.config.policy_file import parse_policy
    from budget_gate.config.policy_text import with_budgets

    plain = text.removeprefix("\ufeff")
    proposed = with_budgets(plain, budgets)
    try:
        parse_policy(proposed)
    except PolicyError as error:
        raise UsageError(f"{option}: the proposed policy would not load, so it is not written: {error}") from None
    return f"{text[: len(text) - len(plain)]}{proposed}"


def _write_policy(workspace: Workspace, path: Path, budgets: tuple[Budget, ...]) -> None:
    """Write the policy's own text with the proposed budgets. Raises ``UsageError`` rather than overwrite anything."""
    text = _proposed_text(_policy_text(workspace), budgets, "--write")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"--write: {path} exists and is not overwritten; name another file") from None
    except OSError as error:
        raise UsageError(f"--write: {path} cannot be written ({error.strerror}); name a file in a folder that exists") from None
