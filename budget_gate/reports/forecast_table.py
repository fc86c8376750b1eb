"""Forecasts as a table for a terminal, and as the document of ``forecast --json``."""

from collections.abc import Sequence

from budget_gate.analytics.forecast import INTERVAL_PERCENT
from budget_gate.analytics.outlook import BudgetForecast
from budget_gate.reports.clean_text import CELL_CHARACTERS, clean_for_terminal
from budget_gate.reports.documents import Document, count_value, time_text
from budget_gate.reports.plain_table import aligned
from budget_gate.reports.words import amount_text, count_text

HEADINGS = ("scope", "per", "spent", "expected", f"{INTERVAL_PERCENT} % between", "stop line", "outlook")
_NUMBERS = (2, 3, 4, 5)


def forecast_document(each: BudgetForecast, zone: str) -> Document:
    """Return one forecast; ``low`` and ``high`` are null when there is too little data."""
    line, forecast = each.limit, each.forecast

    def count(value: int | None) -> str | int | None:
        return None if value is None else count_value(line.unit, value)

    return {
        "scope": each.scope.text,
        "per": each.per,
        "unit": line.unit,
        "mode": line.mode,
        "limit": count(line.limit),
        "stop": count(line.stop_line),
        "spent": count(forecast.spent),
        "expected": count(forecast.expected),
        "low": count(forecast.low),
        "high": count(forecast.high),
        "interval_percent": INTERVAL_PERCENT,
        "outlook": each.outlook,
        "method": forecast.method,
        "history_days": forecast.history_days,
        "ends_at": time_text(each.ends_at, zone),
    }


def render_forecasts(forecasts: Sequence[BudgetForecast], width: int) -> str:
    """Return forecasts as an aligned table, or a line that says there are none."""
    if not forecasts:
        return "no budget has a period with days to forecast"
    return aligned([HEADINGS, *map(_cells, forecasts)], width, right=_NUMBERS)


def _cells(each: BudgetForecast) -> tuple[str, ...]:
    line, forecast, outlook = each.limit, each.forecast, str(each.outlook)
    between = "-"
    if forecast.low is not None and forecast.high is not None:
        between = f"{count_text(line.unit, forecast.low)} and {count_text(line.unit, forecast.high)}"
    if outlook == "unknown":
        outlook = f"too little data ({forecast.history_days} days)"
    return (
        clean_for_terminal(each.scope.text, CELL_CHARACTERS),
        each.per,
        count_text(line.unit, forecast.spent),
        count_text(line.unit, forecast.expected),
        between,
        amount_text(line.unit, line.stop_line),
        outlook if line.mode == "enforce" else f"{outlook} ({line.mode})",
    )
