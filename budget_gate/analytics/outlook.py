"""The outlook of a budget: a forecast beside the limit it is measured against."""

from datetime import datetime
from typing import Literal, NamedTuple

from budget_gate.analytics.forecast import Forecast
from budget_gate.core.charges import LimitLine
from budget_gate.core.periods import Per
from budget_gate.core.scopes import Scope

Outlook = Literal["passes", "may pass", "holds", "unknown"]


class BudgetForecast(NamedTuple):
    """One limit, the line that stops it, and where its period is heading. Counts are of the limit's unit."""

    scope: Scope
    per: Per
    limit: LimitLine
    forecast: Forecast
    ends_at: datetime

    @property
    def outlook(self) -> Outlook:
        """One word for where it is heading: ``passes`` its stop line, ``may pass`` it, ``holds``, or ``unknown``."""
        if self.forecast.high is None:
            return "unknown"
        if self.forecast.expected > self.limit.stop_line:
            return "passes"
        return "may pass" if self.forecast.high > self.limit.stop_line else "holds"
