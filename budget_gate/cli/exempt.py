"""``budget-gate exempt``: ask for an exception to a limit, decide on one, end it, list what waits and what is in force."""

import secrets
from typing import Any

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import common_options, log, open_workspace, print_document
from budget_gate.core.errors import GitHubError, UsageError
from budget_gate.core.exemptions import Request, Standing
from budget_gate.core.money import parse_usd, usd_short
from budget_gate.core.periods import CALENDAR_PERIODS
from budget_gate.core.scopes import parse_scope
from budget_gate.reports.clean_text import clean_for_terminal
from budget_gate.reports.exemptions import exemption_document, exemption_line
from budget_gate.runs import exempting


@click.group("exempt")
def exempt() -> None:
    """Exceptions to a dollar limit: somebody asks, somebody else approves, and the stop line is raised for some days.

    On a runner you are the actor of the run; elsewhere you are who --as says, and the ledger's access rights are the only proof.
    """


as_option = click.option("--as", "as_user", metavar="USER", help="Who you are; on a runner, the actor of the run.")


@exempt.command(
    "request", epilog='Example: budget-gate exempt request --scope team/payments --usd 50 --days 3 --reason "release" --as maya'
)
@click.option("--scope", required=True, help="Whose limit: org, team/NAME, user/NAME and so on.")
@click.option("--per", type=click.Choice(CALENDAR_PERIODS), default="month", show_default=True, help="Which dollar limit of it.")
@click.option("--usd", required=True, metavar="DOLLARS", help="By how much to raise its stop line.")
@click.option("--days", type=int, required=True, help="For how many days from the approval on.")
@click.option("--reason", required=True, help="Why; approvers and the audit see it.")
@as_option
@common_options
def request(policy: str | None, ledger: str | None, as_user: str | None, *, as_json: bool, **given: Any) -> None:
    """Ask for an exemption. It changes nothing until somebody approves it."""
    workspace = open_workspace(policy, ledger)
    try:
        scope, nano_usd = parse_scope(given["scope"]), parse_usd(given["usd"])
    except ValueError as error:
        raise UsageError(f"{error}; see `budget-gate exempt request --help`") from None
    name, requester = f"ex-{secrets.token_hex(4)}", _who(workspace, as_user)
    asked = Request(name, scope, given["per"], nano_usd, given["days"], requester, given["reason"])
    exempting.request_exemption(workspace.ledger, workspace.policy, asked)
    rule = workspace.policy.exemptions
    assert rule is not None, "a request without a rule is refused"
    if as_json:
        print_document({"exemption": name, "state": "requested", "approvers": list(rule.approvers)})
    else:
        click.echo(f"{name} is requested; it waits for one of {', '.join(rule.approvers)}: budget-gate exempt approve {name}")


@exempt.command("approve", epilog="Example: budget-gate exempt approve ex-1a2b3c4d --as vp-engineering")
@click.argument("name")
@as_option
@common_options
def approve(policy: str | None, ledger: str | None, name: str, as_user: str | None, *, as_json: bool) -> None:
    """Approve a request; it is in force from now on. Nobody approves their own."""
    workspace = open_workspace(policy, ledger)
    exemption = exempting.approve(
        workspace.ledger, workspace.policy, name, _who(workspace, as_user), lambda *names: _in_team(workspace, *names)
    )
    document = exemption_document(Standing(exemption.request, exemption), "in force", workspace.policy.timezone)
    if as_json:
        print_document(document)
    else:
        raised = f"{clean_for_terminal(exemption.request.scope.text)} per {exemption.request.per}"
        click.echo(
            f"{name} is in force: {raised} may spend {usd_short(exemption.request.nano_usd)} more until {document['until']}"
        )
    _resolve_lifted(workspace)


@exempt.command("deny", epilog="Example: budget-gate exempt deny ex-1a2b3c4d --as vp-engineering")
@click.argument("name")
@as_option
@common_options
def deny(policy: str | None, ledger: str | None, name: str, as_user: str | None, *, as_json: bool) -> None:
    """Deny a request that nobody has decided yet."""
    workspace = open_workspace(policy, ledger)
    exempting.deny(workspace.ledger, workspace.policy, name, _who(workspace, as_user), lambda *names: _in_team(workspace, *names))
    _say(name, "denied", as_json=as_json)


@exempt.command("revoke", epilog="Example: budget-gate exempt revoke ex-1a2b3c4d --as vp-engineering")
@click.argument("name")
@as_option
@common_options
def revoke(policy: str | None, ledger: str | None, name: str, as_user: str | None, *, as_json: bool) -> None:
    """End an exemption, or take back a request of your own. What was spent meanwhile stays spent."""
    workspace = open_workspace(policy, ledger)
    exempting.revoke(
        workspace.ledger, workspace.policy, name, _who(workspace, as_user), lambda *names: _in_team(workspace, *names)
    )
    _say(name, "revoked", as_json=as_json)


@exempt.command("list", epilog="Example: budget-gate exempt list --json")
@common_options
def list_(policy: str | None, ledger: str | None, *, as_json: bool) -> None:
    """List requests that wait for a decision and exemptions in force. What has ended is in `budget-gate audit`."""
    workspace = open_workspace(policy, ledger)
    now, zone = workspace.ledger.now(), workspace.policy.timezone
    found = exempting.read_exemptions(workspace.ledger, now)
    if as_json:
        print_document({"exemptions": [exemption_document(each, each.state(now), zone) for each in found]})
        return
    for each in found:
        click.echo(exemption_line(each, each.state(now), zone))
    if not found:
        click.echo("no exemption waits or is in force")


def _who(workspace: Workspace, as_user: str | None) -> str:
    """Return who is acting. On a runner GitHub says so, and nobody can say otherwise."""
    actor = workspace.runtime.actor if workspace.runtime else ""
    if actor and as_user and as_user.casefold() != actor.casefold():
        raise UsageError(f"on a runner you are {actor}, the actor of the run; leave --as out")
    if actor or as_user:
        return actor or str(as_user)
    raise UsageError("who are you? Say --as USER")


def _in_team(workspace: Workspace, organization: str, team: str, user: str) -> bool:
    if workspace.github is None:
        raise UsageError(
            f"whether {user} is in @{organization}/{team} can only be seen on GitHub; "
            "set GITHUB_TOKEN (with read:org) and GITHUB_REPOSITORY, or name people in `approvers`"
        )
    try:
        return workspace.github.is_team_member(organization, team, user)
    except GitHubError as error:
        raise UsageError(str(error)) from None


def _resolve_lifted(workspace: Workspace) -> None:
    """Resolve incidents of stops that the approval has lifted, where PagerDuty is at hand; else `alerts deliver` will."""
    if not workspace.settings.pagerduty_routing_key:
        return
    courier = workspace.courier()
    resolved = courier.resolve_over()
    if resolved:
        log(f"budget-gate: {resolved} incidents resolved")
    for note in courier.notes:
        log(f"budget-gate: {note}")


def _say(name: str, state: str, *, as_json: bool) -> None:
    if as_json:
        print_document({"exemption": name, "state": state})
    else:
        click.echo(f"{name} is {state}")
