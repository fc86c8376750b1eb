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


def interval_text(each: BudgetForecast) -> str:
    """Return the two ends of the interval: ``$3.10 and $4.20``; a hyphen when there is too little data for one."""
    unit, forecast = each.limit.unit, each.forecast
    if forecast.low is None or forecast.high is None:
        return "-"
    return f"{count_text(unit, forecast.low)} and {count_text(unit, forecast.high)}"


def outlook_text(each: BudgetForecast) -> str:
    """Return the outlook in words, with the mode of a limit that refuses nothing."""
    words = str(each.outlook)
    if words == "unknown":
        words = f"too little data ({each.forecast.history_days} days)"
    return words if each.limit.mode == "enforce" else f"{words} ({each.limit.mode})"


def _cells(each: BudgetForecast) -> tuple[str, ...]:
    line, forecast = each.limit, each.forecast
    return (
        clean_for_terminal(each.scope.text, CELL_CHARACTERS),
        each.per,
        count_text(line.unit, forecast.spent),
        count_text(line.unit, forecast.expected),
        interval_text(each),
        amount_text(line.unit, line.stop_line),
        outlook_text(each),
    )
