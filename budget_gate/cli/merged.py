"""``budget-gate merged``: a pull request was closed. Record what became of it, and write back what its AI work cost."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import common_options, log, open_workspace, print_document
from budget_gate.config.action_inputs import is_pull_number
from budget_gate.core.errors import UsageError
from budget_gate.core.pull_requests import ClosedPull

if TYPE_CHECKING:
    from budget_gate.github.client import GitHubClient
    from budget_gate.runs.merged import Ended
    from budget_gate.runs.posting import Posted


@click.command(
    "merged",
    epilog="Examples: budget-gate merged --pr 7; budget-gate merged --since 2026-10-01 --until 2026-11-01 --json",
)
@click.option("--pr", metavar="NUMBER", help="Pull request number. [default: from the event in GitHub Actions]")
@click.option("--since", metavar="DATE", help="Backfill: every pull request closed from this day (of the policy's zone) on.")
@click.option("--until", metavar="DATE", help="Backfill: up to this day, itself not included. [default: now]")
@click.option(
    "--comment/--no-comment", default=None, help="Write the cost into a comment. [default: yes for one, no for a backfill]"
)
@common_options
def merged(
    policy: str | None,
    ledger: str | None,
    pr: str | None,
    since: str | None,
    until: str | None,
    *,
    comment: bool | None,
    as_json: bool,
) -> None:
    """Record that a pull request was merged, closed or reverted, and what it cost. Running it again changes nothing."""
    workspace = open_workspace(policy, ledger)
    if since is None:
        if until is not None:
            raise UsageError("--until needs --since; write both, such as --since 2026-10-01 --until 2026-11-01")
        record_merged(workspace, pr or "", comment=comment is not False, as_json=as_json)
        return
    if pr is not None:
        raise UsageError("--pr and --since exclude each other; give one of them")
    github = _github(workspace)
    begin = _day(workspace, "--since", since)
    end = _day(workspace, "--until", until) if until else workspace.ledger.now() + timedelta(seconds=1)
    pulls = github.closed_pulls(begin, end)
    log(f"budget-gate: {len(pulls)} pull requests were closed in that time")
    _finish(workspace, pulls, comment=comment is True, as_json=as_json)


def record_merged(workspace: Workspace, number: str, *, comment: bool = True, as_json: bool = False) -> int:
    """Record one pull request's end, post its cost, and return the exit code. Shared by the command and the action."""
    runtime = workspace.runtime
    number = number or str(runtime.pr_number or "" if runtime else "")
    if not number:
        raise UsageError("which pull request was closed? Say --pr N, or --since DATE to look for them")
    if not is_pull_number(number):
        raise UsageError(f"--pr: {number[:40]!r} is not a pull request number; write digits only, such as --pr 7")
    pull = _github(workspace).closed_pull(int(number))
    if pull is None:
        raise UsageError(f"#{number} is still open; run this once it is merged or closed")
    return _finish(workspace, (pull,), comment=comment, as_json=as_json)


def _finish(workspace: Workspace, pulls: Sequence[ClosedPull], *, comment: bool, as_json: bool) -> int:
    from budget_gate.reports.merged import merged_document, merged_line, render_merged_summary
    from budget_gate.runs.merged import ended_pulls, post_merged, record_outcomes
    from budget_gate.runs.posting import Posted, RunIdentity

    zone, runtime = workspace.policy.timezone, workspace.runtime
    identity = RunIdentity(0, 0, 0, "")
    if runtime is not None:
        identity = RunIdentity(runtime.run_id, runtime.run_number, runtime.run_attempt, runtime.run_url)
    ended = ended_pulls(workspace.ledger, record_outcomes(workspace.ledger, pulls), zone)
    documents, first = [], Posted()
    for each in ended:
        posted = post_merged(_github(workspace), each, identity, zone) if comment else Posted()
        first = posted if each is ended[0] else first
        for note in posted.notes:
            log(f"budget-gate: {note}")
        if runtime is not None:
            runtime.append_summary(render_merged_summary(each.cost, each.standing, zone=zone, notes=posted.notes))
        documents.append(merged_document(each.cost, each.standing, zone=zone, comment_url=posted.comment_url))
        if not as_json:
            click.echo(merged_line(each.cost, each.standing))
    if as_json:
        print_document({"pulls": documents})
    if runtime is not None and ended:
        runtime.write_outputs(_outputs(ended[0], first))
    if runtime is not None:
        from budget_gate.cli.alerting import send_alerts

        send_alerts(workspace)
    return 0


def _outputs(ended: "Ended", posted: "Posted") -> dict[str, str]:
    """Return the action's outputs of the pull request that ended (not of one that it reverted)."""
    from budget_gate.core.money import usd_text
    from budget_gate.reports.merged import merged_line

    return {
        "reason": merged_line(ended.cost, ended.standing),
        "cost-usd": usd_text(ended.cost.total.nano_usd),
        "comment-url": posted.comment_url,
    }


def _github(workspace: Workspace) -> "GitHubClient":
    if workspace.github is None:
        raise UsageError("`budget-gate merged` needs GITHUB_TOKEN and GITHUB_REPOSITORY; set them")
    return workspace.github


def _day(workspace: Workspace, flag: str, text: str) -> datetime:
    """Return the instant at which a day begins in the policy's zone."""
    from budget_gate.core.periods import window_at, zone_named

    try:
        day = date.fromisoformat(text) if len(text) == len("2026-01-31") else None
    except ValueError:
        day = None
    if day is None:
        raise UsageError(f"{flag}: {text[:40]!r} is not a day; write one such as {flag} 2026-10-01")
    zone = workspace.policy.timezone
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone_named(zone)).astimezone(UTC)
    return window_at("day", zone, noon).starts_at
