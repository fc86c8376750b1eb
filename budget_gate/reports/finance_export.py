"""Exports as files: CSV that no spreadsheet runs, and JSON lines. Rows stream through; nothing is collected.

Spreadsheets take a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return for a formula, and names come from
outside. Such a cell gets an apostrophe in front, which spreadsheets show as text. Amounts are never negative, so no number does.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the full-width forms, which some spreadsheets take for the plain ones."""


def harmless_cell(text: str) -> str:
    """Return a cell that no spreadsheet runs. Leading spaces do not hide a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def write_csv(rows: Iterable[Mapping[str, str | int]], columns: Sequence[str], out: TextIO) -> int:
    """Write rows as CSV (RFC 4180, with a heading) and return how many there were."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([harmless_cell(str(row[column])) for column in columns])
        count += 1
    return count


def write_json_lines(rows: Iterable[Mapping[str, str | int]], columns: Sequence[str], out: TextIO) -> int:
    """Write rows as one JSON object a line and return how many there were; dollars are decimal strings."""
    count = 0
    for row in rows:
        out.write(json.dumps({column: row[column] for column in columns}, ensure_ascii=False) + "\n")
        count += 1
    return count
