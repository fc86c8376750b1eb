"""Forecasts as people read them."""

from datetime import UTC, datetime

from fakes.golden import assert_golden

from budget_gate.analytics.forecast import Forecast
from budget_gate.analytics.outlook import BudgetForecast
from budget_gate.core.charges import LimitLine
from budget_gate.core.policy import Mode
from budget_gate.core.scopes import ORG, Scope
from budget_gate.reports.forecast_table import forecast_document, render_forecasts

USD = 10**9
ENDS = datetime(2026, 12, 1, tzinfo=UTC)


def line(limit: int, unit: str = "usd", mode: Mode = "enforce") -> LimitLine:
    """Return a limit that stops where it ends."""
    return LimitLine(unit, limit, limit, limit, limit, limit, mode)  # type: ignore[arg-type]


LITTLE = Forecast(9_000, 70_000, None, None, 3, "too little data")
FORECASTS = (
    BudgetForecast(ORG, "month", line(800 * USD), Forecast(400 * USD, 812 * USD, 700 * USD, 950 * USD, 84, "rhythm"), ENDS),
    BudgetForecast(
        Scope("team", "a\x1b[2Jb"), "month", line(90 * USD), Forecast(USD, 80 * USD, 60 * USD, 99 * USD, 30, "rhythm"), ENDS
    ),
    BudgetForecast(
        Scope("team", "new"),
        "quarter",
        line(5_000_000, "tokens"),
        Forecast(9_000, 70_000, None, None, 3, "too little data"),
        ENDS,
    ),
    BudgetForecast(
        Scope("user", "alice"), "week", line(9 * USD, mode="advise"), Forecast(USD, 2 * USD, USD, 3 * USD, 84, "rhythm"), ENDS
    ),
)


def test_the_table_of_forecasts() -> None:
    """One that passes, one that may, one with too little data, and one that is only advised; no escape sequence gets through."""
    assert_golden("forecast.txt", render_forecasts(FORECASTS, 110) + "\n")
    assert render_forecasts((), 80) == "no budget has a period with days to forecast"


def test_the_document_of_a_forecast() -> None:
    """Dollars are decimal strings, tokens integers, and a missing interval is null."""
    passing, _, unknown, _ = (forecast_document(each, "Europe/Berlin") for each in FORECASTS)
    assert (passing["expected"], passing["stop"], passing["outlook"], passing["ends_at"]) == (
        "812.00", "800.00", "passes", "2026-12-01T01:00:00+01:00",
    )  # fmt: skip
    assert (unknown["low"], unknown["expected"], unknown["outlook"]) == (None, 70_000, "unknown")
