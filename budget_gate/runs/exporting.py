"""The export of a month: rows from entries, streamed into a file, and their sum held against the ledger's own counter."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Literal, NamedTuple, TextIO

from budget_gate.analytics.daily import spent_of
from budget_gate.analytics.spending import Spend, spending
from budget_gate.core.periods import zone_named
from budget_gate.core.policy import Policy
from budget_gate.core.prices import PriceBook
from budget_gate.ledger.interface import Ledger
from budget_gate.reports import export_rows, focus_rows
from budget_gate.reports.finance_export import write_csv, write_json_lines
from budget_gate.runs.recent_entries import entries_since

Format = Literal["csv", "jsonl", "parquet", "focus"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "parquet", "focus")


class ExportPlan(NamedTuple):
    """What to export: a month (``2026-11``), in which format, per call or ``by_cost_center``."""

    month: str
    format: Format
    by_cost_center: bool = False


class Exported(NamedTuple):
    """What was written, and what the ledger's counter of that month holds (posted and held), both in nano-dollars."""

    rows: int
    nano_usd: int
    counter_nano_usd: int


class _Month:
    """The posted and held rows of one month, adding themselves up as they pass by."""

    def __init__(self, policy: Policy, ledger: Ledger, month: str) -> None:
        self.nano_usd = 0
        first = date.fromisoformat(f"{month}-01")
        since = datetime(first.year, first.month, first.day, tzinfo=zone_named(policy.timezone))
        self._rows = spending(entries_since(ledger, since))
        self._month = month

    def __iter__(self) -> Iterator[Spend]:
        for row in self._rows:
            if row.month == self._month and row.state != "pending":
                self.nano_usd += row.amount.nano_usd
                yield row


def export_month(policy: Policy, prices: PriceBook, ledger: Ledger, plan: ExportPlan, out: TextIO | str) -> Exported:
    """Write the export to an open text (for Parquet: to a path). What is pending is left out: it is in the next export.

    Memory grows with open reservations and cost centres, never with rows.
    """
    month = _Month(policy, ledger, plan.month)
    centers = export_rows.CostCenters(policy)
    columns: tuple[str, ...]
    rows: Iterable[dict[str, str | int]]
    if plan.by_cost_center:
        columns, rows = export_rows.CHARGEBACK_COLUMNS, export_rows.chargeback_rows(month, centers)
    elif plan.format == "focus":
        maker = focus_rows.FocusRows(policy.organization, policy.timezone, prices)
        columns = focus_rows.COLUMNS
        rows = ({**row} for spend in month for row in maker.rows(spend, centers.of(spend)))
    else:
        columns, rows = export_rows.COLUMNS, (export_rows.plain_row(spend, centers.of(spend)) for spend in month)
    count = _write(plan.format, rows, columns, out)
    return Exported(count, month.nano_usd, _counter_nano_usd(ledger, plan.month))


def _write(format_: Format, rows: Iterable[dict[str, str | int]], columns: tuple[str, ...], out: TextIO | str) -> int:
    if isinstance(out, str):
        from budget_gate.reports.parquet_file import write_parquet

        return write_parquet(rows, columns, out)
    return (write_json_lines if format_ == "jsonl" else write_csv)(rows, columns, out)


def _counter_nano_usd(ledger: Ledger, month: str) -> int:
    """Return what the organization's counter of a month holds."""
    return next(
        (
            spent_of(row.value).nano_usd
            for row in ledger.counters((month,))
            if (row.scope, row.per, row.label) == ("org", "month", month)
        ),
        0,
    )
