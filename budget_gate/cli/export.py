"""``budget-gate export``: a month for finance, as CSV, JSON lines, Parquet or FOCUS."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TextIO

import click

from budget_gate.cli.options import common_options, log, open_workspace, print_document
from budget_gate.core.errors import UsageError
from budget_gate.core.money import usd_text
from budget_gate.core.periods import window_at
from budget_gate.runs.exporting import FORMATS, ExportPlan, export_month


@click.command(
    "export",
    epilog="Examples: budget-gate export --format focus --month 2026-11 --output november.csv; budget-gate export --by cost-center",
)
@click.option("--format", "format_", type=click.Choice(FORMATS), default="csv", show_default=True, help="FOCUS is CSV, too.")
@click.option("--month", metavar="YYYY-MM", help="Month to export. [default: the running month]")
@click.option("--by", type=click.Choice(["call", "cost-center"]), default="call", show_default=True, help="What a row is.")
@click.option("--output", type=click.Path(path_type=Path), help="File to write. [default: stdout]")
@common_options
def export(
    policy: str | None, ledger: str | None, format_: str, month: str | None, by: str, output: Path | None, *, as_json: bool
) -> None:
    """Export a month: what was spent, and what is held because it may have been billed; to the nano-dollar.

    The sum is held against the ledger's counter. Cells that a spreadsheet would run get an apostrophe in front.
    """
    workspace = open_workspace(policy, ledger)
    chosen = next(known for known in FORMATS if known == format_)
    label = _month_label(month) or window_at("month", workspace.policy.timezone, workspace.ledger.now()).label
    plan = ExportPlan(label, chosen, by == "cost-center")
    if plan.by_cost_center and chosen == "focus":
        raise UsageError(
            "--by cost-center has no FOCUS form: FOCUS is at token grain, with the cost centre as a tag; use --format csv"
        )
    if output is None and (chosen == "parquet" or as_json):
        raise UsageError("--format parquet and --json need --output FILE: stdout carries one text")
    with _destination(output, binary=chosen == "parquet") as out:
        done = export_month(workspace.policy, workspace.prices, workspace.ledger, plan, out)
    if as_json:
        print_document(
            {
                "month": label,
                "format": chosen,
                "rows": done.rows,
                "total_usd": usd_text(done.nano_usd),
                "counter_usd": usd_text(done.counter_nano_usd),
                "output": str(output),
            }
        )
    same = "as the ledger's counter says"
    if done.nano_usd != done.counter_nano_usd:
        same = (
            f"but the ledger's counter says {usd_text(done.counter_nano_usd)}: it is in use, or see `budget-gate ledger verify`"
        )
    log(f"budget-gate: {label}: {done.rows:,} rows, {usd_text(done.nano_usd)} dollars, {same}")


def _month_label(text: str | None) -> str:
    """Return a month as counters name it, empty if none was given. Raises ``UsageError``."""
    if text is None:
        return ""
    try:
        return date.fromisoformat(f"{text}-01").strftime("%Y-%m")
    except ValueError:
        raise UsageError(f"--month: {text!r} is no month; write YYYY-MM, such as 2026-11") from None


@contextmanager
def _destination(path: Path | None, *, binary: bool) -> Iterator[TextIO | str]:
    """Open the file beside its name and move it there once it is whole; without a path, stdout."""
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # CSV brings its own line ends.
            sys.stdout.reconfigure(encoding="utf-8", newline="")
        yield sys.stdout
        return
    partial = path.with_name(f"{path.name}.part")
    try:
        if binary:
            yield str(partial)
        else:
            with partial.open("w", encoding="utf-8", newline="") as file:
                yield file
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"--output: {path} cannot be written ({error.strerror}); name a file in a folder that exists") from None
    finally:
        partial.unlink(missing_ok=True)
