"""``budget-gate report``: one month, for finance, for teams, and for one user; printed, written to a file, posted to Slack."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import common_options, log, open_workspace
from budget_gate.core.errors import NotifyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from budget_gate.analytics.month_report import MonthReport
    from budget_gate.notify.report_channel import ReportChannel

FORMATS = ("markdown", "html", "slack", "json")


@click.command(
    "report",
    epilog="Examples: budget-gate report; budget-gate report --month 2026-11 --format html --output report.html; "
    "budget-gate report --user alice --json; budget-gate report --slack; budget-gate report --slack-channel C0123456789",
)
@click.option(
    "--month", default="", metavar="YYYY-MM", help="Which month. [default: the last one that is over in the policy's zone]"
)
@click.option("--user", default="", metavar="USER", help="Only what this user spent, and the pull requests it was spent on.")
@click.option(
    "--totals", is_flag=True, help="Totals and budgets only: reads counters and no entries, so it is quick on any ledger."
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="markdown", help="How it is written.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it into this file.")
@click.option("--slack", is_flag=True, help="Post it to SLACK_WEBHOOK_URL, once per month however many runs try.")
@click.option(
    "--slack-channel",
    default="",
    metavar="ID",
    help="Post it into this channel (C...) by SLACK_BOT_TOKEN, once per month; what is too long goes into its thread.",
)
@click.option("--again", is_flag=True, help="With --slack or --slack-channel: post although an earlier run did, or may have.")
@common_options
def report(  # noqa: PLR0913 - click hands every option over
    policy: str | None,
    ledger: str | None,
    month: str,
    user: str,
    form: str,
    output: Path | None,
    slack_channel: str,
    *,
    totals: bool,
    slack: bool,
    again: bool,
    as_json: bool,
) -> None:
    """Report a month: cost per merged pull request, spending against output, budgets, models by use, waste and top spenders."""
    from budget_gate.runs.report import month_report

    if again and not slack and not slack_channel:
        raise UsageError("--again is for --slack and --slack-channel; write one of them too")
    if (slack or slack_channel) and user:
        raise UsageError("Slack gets the organization's report; leave out --user")
    workspace = open_workspace(policy, ledger)
    channels = _channels(workspace, slack=slack, slack_channel=slack_channel)
    found = month_report(workspace.policy, workspace.ledger, month, user=user, totals_only=totals)
    text = _written(found, "json" if as_json else form)
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text)
        log(f"budget-gate: wrote {output}")
    post_report(workspace, found, channels, again=again)


def run_report(workspace: Workspace, month: str) -> int:
    """Write a month's report as the action does: job summary, a page of HTML for ``report-path``, and Slack where it is set."""
    from budget_gate.core.money import usd_text
    from budget_gate.reports.monthly import render_month_html, render_month_markdown
    from budget_gate.runs.report import month_report

    runtime = workspace.runtime
    assert runtime is not None, "called only on a runner"
    found = month_report(workspace.policy, workspace.ledger, month)
    path = Path(".budget-gate") / f"report-{found.month}.html"
    path.parent.mkdir(exist_ok=True)
    _write(path, render_month_html(found))
    runtime.append_summary(render_month_markdown(found))
    total = found.total.posted.plus(found.total.held).nano_usd
    reason = f"the report of {found.month}" + (" is empty: the ledger holds nothing of that month" if found.is_empty else "")
    runtime.write_outputs({"report-path": str(path), "cost-usd": usd_text(total), "reason": reason})
    click.echo(reason)
    settings = workspace.settings
    if settings.slack_bot_token and not settings.slack_channel:
        raise UsageError("SLACK_BOT_TOKEN posts into a channel; set SLACK_CHANNEL to its ID, such as C0123456789")
    channels = _channels(workspace, slack=bool(settings.slack_webhook_url), slack_channel=settings.slack_channel)
    post_report(workspace, found, channels)
    return 0


def _channels(workspace: Workspace, *, slack: bool, slack_channel: str) -> "list[ReportChannel]":
    """Return where a report is to be posted. Raises ``UsageError`` for what cannot be posted to."""
    webhook = [workspace.report_webhook()] if slack else []
    return webhook + ([workspace.report_bot(slack_channel)] if slack_channel else [])


def post_report(workspace: Workspace, found: "MonthReport", channels: "Sequence[ReportChannel]", *, again: bool = False) -> None:
    """Post a report once to each channel. Raises ``NotifyError`` where it was not posted, or nobody knows."""
    failed = [line for channel in channels if (line := _post(workspace, found, channel, again=again))]
    if failed:
        raise NotifyError("; ".join(failed))


def _post(workspace: Workspace, found: "MonthReport", channel: "ReportChannel", *, again: bool) -> str:
    """Post a report once to one channel; return what somebody has to look at, empty where nobody has to."""
    from budget_gate.reports.monthly_slack import render_month_slack, render_month_thread
    from budget_gate.runs.report_posting import post_once

    runtime = workspace.runtime
    who = f"{runtime.run_id}.{runtime.run_attempt}" if runtime else "by hand"
    claimant = f"{who} ({secrets.token_hex(4)})"
    messages = render_month_thread(found) if channel.has_threads else (render_month_slack(found),)
    posting = post_once(workspace.ledger, found.month, channel, messages, claimant=claimant, again=again)
    if posting.state in ("failed", "unconfirmed"):
        return posting.text
    log(f"budget-gate: {posting.text}")
    return ""


def _written(found: "MonthReport", form: str) -> str:
    if form in ("json", "slack"):
        import json

        from budget_gate.reports.monthly import month_document
        from budget_gate.reports.monthly_slack import render_month_slack

        document = month_document(found) if form == "json" else render_month_slack(found)
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    from budget_gate.reports.monthly import render_month_html, render_month_markdown

    return render_month_html(found) if form == "html" else render_month_markdown(found)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"--output: {path} cannot be written ({error.strerror}); name a file in a folder that is there"
        ) from None
