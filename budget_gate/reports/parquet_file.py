"""Exports as Parquet: dollars as exact decimals, times as timestamps, one row group at a time. The only module that knows pyarrow."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from budget_gate.core.errors import UsageError
from budget_gate.reports.export_rows import AMOUNTS, NUMBERS

ROWS_IN_GROUP = 20_000
"""Rows held in memory at a time."""

_TIMES = ("reserved_at",)
_USD_COLUMNS = (*AMOUNTS, "held_usd")
_COUNT_COLUMNS = (*NUMBERS, "calls")


def write_parquet(rows: Iterable[Mapping[str, str | int]], columns: Sequence[str], path: str) -> int:
    """Write rows to a Parquet file and return how many there were.

    Raises ``UsageError`` where pyarrow is not installed.
    """
    try:
        import pyarrow  # type: ignore[import-untyped] # noqa: ICN001 (whole words)
        from pyarrow import parquet
    except ImportError:
        raise UsageError("--format parquet needs pyarrow; run `pip install 'budget-gate-ci[parquet]'`") from None
    schema = pyarrow.schema([(column, _kind(pyarrow, column)) for column in columns])
    count = 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        source = iter(rows)
        while group := list(islice(source, ROWS_IN_GROUP)):
            arrays = [pyarrow.array([_value(column, row[column]) for row in group], _kind(pyarrow, column)) for column in columns]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
            count += len(group)
    return count


def _kind(pyarrow: Any, column: str) -> Any:
    if column in _USD_COLUMNS:
        return pyarrow.decimal128(38, 9)
    if column in _COUNT_COLUMNS:
        return pyarrow.int64()
    return pyarrow.timestamp("us", tz="UTC") if column in _TIMES else pyarrow.string()


def _value(column: str, value: str | int) -> object:
    if column in _USD_COLUMNS:
        return Decimal(value)
    return datetime.fromisoformat(str(value)) if column in _TIMES else value
