"""``budget-gate ledger verify``, ``copy`` and ``archive``: the books as a whole, rather than one reservation."""

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import REFUSED, common_options, log, open_workspace, print_document
from budget_gate.core.errors import LedgerError, UsageError
from budget_gate.core.money import usd_text
from budget_gate.ledger.comparing import Comparison
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.verify import Verification
from budget_gate.ledger.verify import verify as verify_ledger
from budget_gate.reports.documents import verification_document


@click.command("verify", epilog="Examples: budget-gate ledger verify; budget-gate ledger verify --against sqlite:///copy.db")
@click.option("--against", metavar="URL", help="A copy of this ledger: say what it has that the ledger lost, in dollars.")
@click.option("--repair", is_flag=True, help="Put back what the copy has, if the ledger only lost its end. Needs --against.")
@common_options
def verify(policy: str | None, ledger: str | None, against: str | None, *, repair: bool, as_json: bool) -> None:
    """Read every entry: is the chain whole, and do the sums equal the counters? Exit 3 when not."""
    if repair and not against:
        raise UsageError("--repair needs to know from which copy; add --against sqlite:///COPY")
    workspace = open_workspace(policy, ledger)
    found = verify_ledger(workspace.ledger)
    document = verification_document(found)
    is_well = found.ok
    if not as_json:
        click.echo(_verification_text(workspace.ledger, found))
    if against:
        comparison, repaired = _against(workspace, against, repair=repair and found.ok)
        document["against"] = {**_comparison_document(comparison), "repaired_entries": repaired}
        is_well = is_well and (comparison.is_whole or repaired > 0)
        if not as_json:
            click.echo(_comparison_text(comparison, repaired))
    if as_json:
        print_document(document)
    if not is_well:
        raise click.exceptions.Exit(REFUSED)


def _against(workspace: Workspace, url: str, *, repair: bool) -> tuple[Comparison, int]:
    """Compare the ledger with a copy, and put back what it lost if asked to; return how many entries that were."""
    from budget_gate.ledger import comparing

    copy = _existing(url, workspace)
    comparison = comparing.compare(workspace.ledger, copy)
    if not repair or comparison.is_whole:
        return comparison, 0
    return comparison, comparing.repair(workspace.ledger, copy, comparison, _say_progress).entries


def _existing(url: str, workspace: Workspace) -> Ledger:
    """Open a ledger to read from. A SQLite file that is not there is not made. It closes when the command ends."""
    import os

    path = url.removeprefix("sqlite:///")
    if path != url and not os.path.exists(path):  # noqa: PTH110 (the rest of the program avoids pathlib too)
        raise UsageError(f"there is no ledger at {path}; name the file that `ledger copy` wrote")
    opened = workspace.open_ledger(url)
    click.get_current_context().call_on_close(opened.close)
    return opened


def _say_progress(records: int) -> None:
    log(f"{records} records moved")


def _verification_text(ledger: Ledger, found: Verification) -> str:
    if found.ok:
        return f"{ledger.url}: {found.entries} entries, chain whole, sums equal the counters"
    return f"{ledger.url}: NOT intact: {found.problem} (difference {usd_text(found.difference_nano_usd)} dollars)"


def _comparison_document(found: Comparison) -> dict[str, object]:
    missing = [
        {
            "seq": each.seq,
            "kind": each.kind,
            "reservation": each.reservation or None,
            "posted_usd": usd_text(each.posted.nano_usd),
            "open_usd": usd_text(each.open.nano_usd),
        }
        for each in found.missing
    ]
    return {
        "whole": found.is_whole,
        "common_entries": found.common,
        "missing_entries": found.missing_count,
        "missing": missing,
        "added_entries": found.added_count,
        "lost_usd": usd_text(found.lost.nano_usd),
        "lost_open_usd": usd_text(found.lost_open.nano_usd),
    }


def _comparison_text(found: Comparison, repaired: int) -> str:
    if found.is_whole:
        return f"everything that the copy has is there: {found.common} entries the same, {found.added_count} newer"
    lost = f"{usd_text(found.lost.nano_usd)} dollars posted, {usd_text(found.lost_open.nano_usd)} dollars pending or held"
    lines = [f"LOST: {found.missing_count} entries that the copy has behind entry {found.common}: {lost}"]
    lines += [
        f"  entry {each.seq} {each.kind} {each.reservation}: {usd_text(each.posted.nano_usd)} dollars posted,"
        f" {usd_text(each.open.nano_usd)} dollars open"
        for each in found.missing
    ]
    if found.missing_count > len(found.missing):
        lines.append(f"  and {found.missing_count - len(found.missing)} more")
    if repaired:
        lines.append(f"repaired: {repaired} entries were put back from the copy, with their counters, answers and messages")
    elif found.can_repair:
        lines.append("the ledger is the beginning of the copy; add --repair to put the rest back")
    else:
        lines.append(f"the ledger has {found.added_count} entries of its own since: nothing can be put back by itself")
    return "\n".join(lines)


@click.command(
    "copy",
    epilog="Examples: budget-gate ledger copy redis://localhost sqlite:///copy.db; budget-gate ledger copy github://acme/shop redis://db",
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@common_options
def copy(source: str, target: str, policy: str | None, ledger: str | None, *, as_json: bool) -> None:
    """Move everything of one ledger into an empty one of any kind, and verify the result.

    Entries keep their chain. Waiting requests stay behind; stop the runners first, a ledger that changes meanwhile is not copied.
    """
    from budget_gate.ledger.moving import copy_ledger

    if ledger:
        raise UsageError("`ledger copy` names both ledgers itself; leave out --ledger")
    workspace = open_workspace(policy, source)
    reading = _existing(source, workspace)
    writing = workspace.open_ledger(target)
    click.get_current_context().call_on_close(writing.close)
    copied = copy_ledger(reading, writing, _say_progress)
    if as_json:
        print_document(
            {"from": reading.url, "to": writing.url, "entries": copied.entries, "records": copied.records, "verified": True}
        )
    else:
        click.echo(f"{reading.url} -> {writing.url}: {copied.entries} entries, {copied.records} records, verified")


@click.command("archive", epilog="Examples: budget-gate ledger archive; budget-gate ledger archive --month 2026-10 --show")
@click.option("--month", metavar="YYYY-MM", default="", help="Month to close. [default: the one before the present]")
@click.option("--show", is_flag=True, help="Read back what was archived; write nothing. Exit 3 if the pinned chain is gone.")
@common_options
def archive(month: str, policy: str | None, ledger: str | None, *, show: bool, as_json: bool) -> None:
    """Close a month that is over: write down every budget's final figures, once, and pin the chain."""
    from secrets import token_hex

    from budget_gate.ledger import archive as archives
    from budget_gate.reports.archive import archive_document, render_archive

    workspace = open_workspace(policy, ledger)
    window = archives.month_to_close(workspace.policy, workspace.ledger.now(), month)
    if show:
        found = archives.read_archive(workspace.ledger, window.label)
        if not found.figures:
            raise LedgerError(f"month {window.label} was not archived; run `budget-gate ledger archive --month {window.label}`")
    else:
        found = archives.close_month(workspace.policy, workspace.ledger, window, token_hex(8))
    is_kept = archives.is_pin_kept(workspace.ledger, found)
    if as_json:
        print_document({**archive_document(found, workspace.policy.timezone), "pin_kept": is_kept})
    else:
        click.echo(render_archive(found))
        if not is_kept:
            click.echo(f"NOT intact: entry {found.head_seq} is not the one that was pinned when the month was closed")
    if not is_kept:
        raise click.exceptions.Exit(REFUSED)
