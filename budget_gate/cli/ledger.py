"""``budget-gate ledger``: the primitive operations, for scripts and other languages."""

import time
from typing import Any

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.ledger_books import archive, copy, verify
from budget_gate.cli.options import (
    REFUSED,
    attribution_options,
    common_options,
    flags_given,
    open_workspace,
    print_document,
)
from budget_gate.cli.reconcile import reconcile
from budget_gate.core.amounts import Amount
from budget_gate.core.errors import UsageError
from budget_gate.core.money import parse_usd, usd_short, usd_text
from budget_gate.core.reservations import Actual, Refused, Resolution
from budget_gate.core.usage import Usage
from budget_gate.reports.documents import decision_document, reservation_document, resolution_document

COUNT = click.IntRange(min=0, max=2**53 - 1)


@click.group()
def ledger() -> None:
    """Reserve before a call, settle after it: the primitive operations."""


@ledger.command(
    "reserve",
    epilog="Example: budget-gate ledger reserve --key job7.1 --workflow ci_cd_review --model small "
    "--input-tokens 5000 --max-output-tokens 1024 --wait 30 --json",
)
@click.option("--key", required=True, help="Operation key of your own; the same key is the same operation.")
@click.option("--model", required=True, help="Model tier of the policy, or a model id.")
@click.option("--input-tokens", type=COUNT, required=True, help="Most tokens the model will read.")
@click.option("--max-output-tokens", type=COUNT, required=True, help="Most tokens the model may write.")
@click.option("--min-output-tokens", type=COUNT, help="Accept an answer shortened to no less than this, if that is all there is.")
@click.option("--cached", is_flag=True, help="The prompt may be written to a cache, at the dearer rate.")
@click.option("--usd", help="Reserve this many dollars instead of the worst case by price.")
@click.option("--ttl", type=click.IntRange(1, 7 * 86400), default=900, show_default=True, help="Seconds until it becomes held.")
@click.option(
    "--wait", type=click.FloatRange(0, 3600), default=0.0, show_default=True, help="Seconds to wait for others to settle."
)
@attribution_options()
@common_options
def reserve(policy: str | None, ledger: str | None, *, as_json: bool, **given: Any) -> None:
    """Take the worst case of a call from every budget it touches, or nothing. Exit 3 when refused."""
    from budget_gate.gate.primitives import PrimitiveCall, reserve_call

    workspace = open_workspace(policy, ledger)
    attribution = workspace.attribution(flags_given(given))
    call = PrimitiveCall(
        key=given["key"],
        task=workspace.task(attribution),
        model=given["model"],
        input_tokens=given["input_tokens"],
        max_output_tokens=given["max_output_tokens"],
        min_output_tokens=given["min_output_tokens"],
        cached=given["cached"],
        nano_usd=_usd_option(given["usd"]),
        ttl_seconds=given["ttl"],
    )
    reserved = reserve_call(
        workspace.policy,
        workspace.prices,
        workspace.ledger,
        call,
        given["wait"],
        sleep=time.sleep,
        monotonic=time.monotonic,
        exemptions=workspace.exemptions(),
    )
    refused = isinstance(reserved.decision, Refused)
    document = decision_document(reserved.decision, workspace.policy.timezone, reserved.max_output_tokens)
    if as_json:
        print_document(document)
    elif refused:
        for each in document["refused_by"]:
            click.echo(
                f"refused by {each['scope']} per {each['per']} ({each['reason']}): needed {each['needed']}, left {each['left']}"
            )
    else:
        click.echo(f"admitted {document['reservation']}: {document['reserved_usd']} dollars until {document['expires_at']}")
    if refused:
        raise click.exceptions.Exit(REFUSED)


@ledger.command(
    "settle",
    epilog="Example: budget-gate ledger settle --key job7.1 --reservation res_... --input-tokens 4812 --output-tokens 377",
)
@click.option("--key", required=True, help="Operation key of your own; the same key is the same operation.")
@click.option("--reservation", required=True, help="Id that reserve answered.")
@click.option("--input-tokens", type=COUNT, required=True, help="Tokens read, cached ones left out.")
@click.option("--output-tokens", type=COUNT, required=True, help="Tokens written.")
@click.option("--cache-read-tokens", type=COUNT, default=0, help="Tokens read from the cache.")
@click.option("--cache-write-5m-tokens", type=COUNT, default=0, help="Tokens written to the five-minute cache.")
@click.option("--cache-write-1h-tokens", type=COUNT, default=0, help="Tokens written to the one-hour cache.")
@click.option("--web-searches", type=COUNT, default=0, help="Server-side web searches made.")
@click.option("--usd", help="Post this many dollars instead of the cost by price.")
@common_options
def settle(policy: str | None, ledger: str | None, *, as_json: bool, **given: Any) -> None:
    """Post what a call cost. Never refused for being late or for passing a line."""
    from budget_gate.gate.primitives import usage_cost_nano_usd

    workspace = open_workspace(policy, ledger)
    usage = Usage(
        given["input_tokens"],
        given["output_tokens"],
        given["cache_read_tokens"],
        given["cache_write_5m_tokens"],
        given["cache_write_1h_tokens"],
        given["web_searches"],
    )
    reservation = workspace.ledger.show(given["reservation"])
    cost_nano_usd = _usd_option(given["usd"])
    if cost_nano_usd is None:
        cost_nano_usd = usage_cost_nano_usd(workspace.prices, reservation, usage)
    actual = Actual(Amount(cost_nano_usd, usage.total_tokens, reservation.granted.requests), usage)
    _print_resolution(workspace, workspace.ledger.settle(given["key"], given["reservation"], actual), as_json=as_json)


def _usd_option(text: str | None) -> int | None:
    """Return the dollars of ``--usd`` as nano-dollars, None when it was not given."""
    if text is None:
        return None
    try:
        nano_usd = parse_usd(text)
    except ValueError as error:
        raise UsageError(f"--usd: {error}; write a decimal such as 0.25") from None
    if nano_usd < 0:
        raise UsageError("--usd: an amount cannot be below zero; write a decimal such as 0.25")
    return nano_usd


def _print_resolution(workspace: Workspace, resolution: Resolution, *, as_json: bool) -> None:
    if as_json:
        print_document(resolution_document(resolution, workspace.policy.timezone))
        return
    overrun = f", {usd_short(resolution.overrun.nano_usd)} more than reserved" if resolution.overrun.nano_usd else ""
    click.echo(f"{resolution.state}: {usd_text(resolution.cost.nano_usd)} dollars{overrun}")
    for crossing in resolution.crossed:
        click.echo(f"crossed {crossing.tier} of {crossing.scope.text} per {crossing.per} ({crossing.unit})")


def _resolving_options(function: Any) -> Any:
    for option in (
        click.option("--reason", default="", help="Why, in a few words, for the trail."),
        click.option("--reservation", required=True, help="Id that reserve answered."),
        click.option("--key", required=True, help="Operation key of your own; the same key is the same operation."),
    ):
        function = option(function)
    return function


@ledger.command(
    "void", epilog="Example: budget-gate ledger void --key job7.1 --reservation res_... --reason 'connection refused'"
)
@_resolving_options
@common_options
def void(key: str, reservation: str, reason: str, policy: str | None, ledger: str | None, *, as_json: bool) -> None:
    """Release a reservation for which nothing was bought."""
    workspace = open_workspace(policy, ledger)
    _print_resolution(workspace, workspace.ledger.void(key, reservation, reason), as_json=as_json)


@ledger.command("hold", epilog="Example: budget-gate ledger hold --key job7.1 --reservation res_... --reason 'connection cut'")
@_resolving_options
@common_options
def hold(key: str, reservation: str, reason: str, policy: str | None, ledger: str | None, *, as_json: bool) -> None:
    """Keep a reservation counted, because it may have been billed."""
    workspace = open_workspace(policy, ledger)
    _print_resolution(workspace, workspace.ledger.hold(key, reservation, reason), as_json=as_json)


@ledger.command("show", epilog="Example: budget-gate ledger show --reservation res_...; without one, lists what is open")
@click.option("--reservation", help="Id that reserve answered. Without it, everything pending or held is listed.")
@common_options
def show(reservation: str | None, policy: str | None, ledger: str | None, *, as_json: bool) -> None:
    """Show one reservation, or everything that is pending or held."""
    workspace = open_workspace(policy, ledger)
    zone = workspace.policy.timezone
    if reservation:
        documents = [reservation_document(workspace.ledger.show(reservation), zone)]
    else:
        documents = [reservation_document(each, zone) for each in workspace.ledger.open_reservations()]
    if as_json:
        print_document(documents[0] if reservation else {"open": documents})
        return
    for each in documents:
        labels = " ".join(f"{name}={value}" for name, value in each["labels"].items())
        click.echo(
            f"{each['reservation']} {each['state']} {each['reserved']['usd']} dollars, expires {each['expires_at']}  {labels}"
        )
    if not documents:
        click.echo("nothing is open")


@ledger.command("sweep", epilog="Examples: budget-gate ledger sweep; budget-gate ledger sweep --github")
@click.option(
    "--most", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="Reservations to look at, at most."
)
@click.option("--github", "ask_github", is_flag=True, help="Ask GitHub whose job is over; settle what it left word of.")
@common_options
def sweep(most: int, policy: str | None, ledger: str | None, *, ask_github: bool, as_json: bool) -> None:
    """Turn expired reservations into holds: counted until somebody settles or voids them.

    Message batches whose results nobody has read to the end are named. With --github, holds of jobs that are over are settled at the
    cost that the job recorded on its check run, or kept and listed.
    """
    workspace = open_workspace(policy, ledger)
    count = workspace.ledger.sweep(most)
    document: dict[str, Any] = {"held": count, "unread_batches": _unread_batches(workspace)}
    if ask_github:
        document |= _witnessed(workspace, most)
    if as_json:
        print_document(document)
        return
    click.echo(f"{count} expired reservations are now held")
    for each in document["unread_batches"]:
        name = f"batch {each['batch']}" if each["batch"] else "a batch whose id is not known"
        text = "its results were never read to the end" if each["batch"] else "the answer to its creation was lost"
        click.echo(f"{name} ({each['reservation']}) {each['reserved']['usd']} dollars: {text}")
    for name in ("settled", "kept", "running"):
        for each in document.get(name, ()):
            click.echo(f"{name} {each['reservation']} {each['reserved']['usd']} dollars, run {each['labels']['run']}")


def _unread_batches(workspace: Workspace) -> list[dict[str, Any]]:
    from budget_gate.gate.batch_notes import unread_batches

    zone = workspace.policy.timezone
    found = unread_batches(workspace.ledger)
    return [{"batch": each.batch or None, **reservation_document(each.reservation, zone)} for each in found]


def _witnessed(workspace: Workspace, most: int) -> dict[str, Any]:
    from budget_gate.runs.witness import settle_by_witness

    if workspace.github is None:
        raise UsageError("--github needs GITHUB_TOKEN (with actions: read and checks: read) and GITHUB_REPOSITORY")
    found = settle_by_witness(workspace.ledger, workspace.github, workspace.settings.github_repository, most)
    zone = workspace.policy.timezone
    return {name: [reservation_document(each, zone) for each in group] for name, group in found._asdict().items()}


for _command in (verify, copy, archive, reconcile):
    ledger.add_command(_command)
