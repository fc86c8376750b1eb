"""The dashboard: one HTML file that needs no network. Tables stand in the page itself; charts and filters are added by its script.

Names are escaped by the template or reach the script as JSON, in which nothing can end the element. A content security policy in the
page forbids every request. Charts are drawn by uPlot (``assets/uplot``), which is part of the file.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from os.path import dirname, join
from typing import Any, NamedTuple

from budget_gate.analytics.daily import Series
from budget_gate.analytics.monthly import ProjectMonth
from budget_gate.analytics.outlook import BudgetForecast
from budget_gate.core.money import usd_short
from budget_gate.core.reservations import BudgetState
from budget_gate.reports.clean_text import CELL_CHARACTERS, clean_for_terminal
from budget_gate.reports.documents import time_text
from budget_gate.reports.templating import ROOMS, render_template
from budget_gate.reports.words import amount_text, count_text, resets_text

DAYS_SHOWN = 180
_SHADES = ((10_000, "over"), (8_000, "near"))


class DashboardData(NamedTuple):
    """Everything the page shows. ``series`` are complete days by scope, in nano-dollars; ``pulls`` by project."""

    organization: str
    zone: str
    now: datetime
    until: date
    budgets: Sequence[BudgetState]
    forecasts: Sequence[BudgetForecast]
    series: Mapping[str, Series]
    pulls: Mapping[str, ProjectMonth]


def render_dashboard(data: DashboardData) -> str:
    """Return the page."""
    from markupsafe import Markup

    teams = [scope for scope in sorted(data.series) if scope.startswith("team/")]
    return render_template(
        "dashboard.html.j2",
        ROOMS[0],
        organization=_shown(data.organization),
        made_at=time_text(data.now, data.zone),
        zone=data.zone,
        teams=[{"scope": scope, "name": _shown(scope.removeprefix("team/"))} for scope in teams],
        budgets=[_budget_row(state, data.zone) for state in data.budgets],
        forecasts=[_forecast_row(each) for each in data.forecasts],
        pulls=[_pulls_row(project, each) for project, each in sorted(data.pulls.items())],
        data=Markup(_script_json(_script_data(data))),  # noqa: S704 (escaped for a script element)
        styles=Markup(_asset("uplot/uPlot.min.css") + _asset("dashboard.css")),  # noqa: S704 (our own files)
        chart_library=Markup(f"/*!\n{_asset('uplot/LICENSE')}*/\n{_asset('uplot/uPlot.iife.min.js')}"),  # noqa: S704 (our own files)
        script=Markup(_asset("dashboard.js")),  # noqa: S704 (our own files)
    )


def _script_data(data: DashboardData) -> dict[str, Any]:
    """Return what the script draws: days up to ``until``, the newest last."""
    shown = {
        scope: series.last(DAYS_SHOWN).values
        for scope, series in data.series.items()
        if scope == "org" or scope.startswith(("team/", "model/"))
    }
    return {
        "organization": _shown(data.organization),
        "until": data.until.isoformat(),
        "series": shown,
        "tiers": [scope for scope in sorted(shown) if scope.startswith("model/")],
    }


def _script_json(value: object) -> str:
    """Return JSON that no name can turn into markup: nothing in it ends or opens an element."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _budget_row(state: BudgetState, zone: str) -> dict[str, str]:
    share = state.used_basis_points
    return {
        "scope": state.scope.text,
        "name": _shown(state.scope.text),
        "per": state.per,
        "used": count_text(state.unit, state.used),
        "limit": amount_text(state.unit, state.limit),
        "percent": f"{share // 100:,}",
        "shade": next((shade for line, shade in _SHADES if share >= line), "fine"),
        "width": str(min(share // 100, 100)),
        "state": (state.tier or "fine") if state.mode == "enforce" else f"{state.tier or 'fine'} ({state.mode})",
        "resets": resets_text(state.resets_at, state.per, zone),
    }


def _forecast_row(each: BudgetForecast) -> dict[str, str]:
    unit, forecast = each.limit.unit, each.forecast
    has_interval = forecast.low is not None and forecast.high is not None
    between = f"{count_text(unit, forecast.low or 0)} and {count_text(unit, forecast.high or 0)}" if has_interval else "-"
    return {
        "scope": each.scope.text,
        "name": _shown(each.scope.text),
        "per": each.per,
        "spent": count_text(unit, forecast.spent),
        "expected": count_text(unit, forecast.expected),
        "between": between,
        "stop": amount_text(unit, each.limit.stop_line),
        "outlook": "too little data" if each.outlook == "unknown" else each.outlook,
    }


def _pulls_row(project: str, month: ProjectMonth) -> dict[str, str]:
    cost = month.cost_per_merged_nano_usd
    return {
        "project": _shown(project),
        "merged": f"{month.merged:,}",
        "each": "-" if cost is None else usd_short(cost),
        "closed": f"{month.closed:,}",
        "reverted": f"{month.reverted:,}",
        "waste": usd_short(month.waste.nano_usd),
    }


def _shown(name: str) -> str:
    """Return a name without what cannot be seen or turns the reading direction."""
    return clean_for_terminal(name, CELL_CHARACTERS)


@lru_cache(maxsize=8)
def _asset(name: str) -> str:
    with open(join(dirname(__file__), "assets", name), encoding="utf-8") as file:  # noqa: PTH123,PTH118,PTH120 - as in templating
        return file.read()
