"""Which exemptions a month knew, and what of them was spent. Notes say when one was in force; counters, how far it was needed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from budget_gate.analytics.month_periods import Counters, at_months_end, periods_of
from budget_gate.analytics.spending import Note
from budget_gate.core.charges import budget_for, limit_line
from budget_gate.core.exemptions import APPROVED, REQUESTED, REVOKED, Exemption, standing_from
from budget_gate.core.periods import Per, Window
from budget_gate.core.policy import Policy
from budget_gate.core.scopes import Scope


class ExemptionUse(NamedTuple):
    """An exemption that was in force in the month, and the most that any one period took of it (0: nobody needed it)."""

    exemption: Exemption
    used_nano_usd: int


class ExemptionLog:
    """Follows the notes about exemptions. What was asked for, denied, or merely stands in a checkpoint is in force for nobody."""

    def __init__(self) -> None:
        self._details: dict[str, dict[str, str]] = {}
        self._revoked: dict[str, datetime] = {}

    def follow(self, note: Note) -> None:
        """Remember what a note says; any other note is passed over."""
        details = note.body.get("details", {})
        if note.kind not in (REQUESTED, APPROVED, REVOKED) or not isinstance(details, Mapping):
            return
        name = str(details.get("name", ""))
        if note.kind == REVOKED:
            self._revoked.setdefault(name, note.at)
        else:
            known = self._details.get(name, {})
            self._details[name] = known | {str(field): str(value) for field, value in details.items()}

    def in_force(self, window: Window) -> tuple[Exemption, ...]:
        """Return the exemptions that were in force at some time of a period, the first approved first; a revoked one ends there."""
        found = (self._exemption(name) for name in self._details)
        inside = [each for each in found if each and each.approved_at < window.ends_at and each.until > window.starts_at]
        return tuple(sorted(inside, key=lambda each: (each.approved_at, each.request.name)))

    def _exemption(self, name: str) -> Exemption | None:
        standing = standing_from(self._details[name])
        if standing is None or standing.exemption is None:
            return None
        until = min(standing.exemption.until, self._revoked.get(name, standing.exemption.until))
        return standing.exemption._replace(until=until) if until > standing.exemption.approved_at else None


def exemption_uses(
    policy: Policy, counters: Counters, month: Window, exemptions: Sequence[Exemption]
) -> tuple[ExemptionUse, ...]:
    """Return how much of each exemption was spent in the month: what stood above the stop line that the policy has today.

    Several for one limit are used up in the order of their approval.
    """

    def limit_of(exemption: Exemption) -> tuple[Scope, Per]:
        return exemption.request.scope, exemption.request.per

    used = dict.fromkeys(exemptions, 0)
    for (scope, per), sharing in groupby(sorted(exemptions, key=lambda each: (limit_of(each), each.approved_at)), limit_of):
        shares = list(sharing)
        for window, excess in _above_the_line(policy, counters, month, scope, per):
            left = excess
            for each in shares:
                if each.approved_at < min(window.ends_at, month.ends_at) and each.until > max(window.starts_at, month.starts_at):
                    taken = min(left, each.request.nano_usd)
                    used[each], left = max(used[each], taken), left - taken
    return tuple(ExemptionUse(each, used[each]) for each in exemptions)


def _above_the_line(policy: Policy, counters: Counters, month: Window, scope: Scope, per: Per) -> Iterator[tuple[Window, int]]:
    """Yield each period in which a scope's dollars passed its stop line, and by how much."""
    budget = budget_for(policy, scope)
    limits = [limit for limit in budget.limits if (limit.unit, limit.per) == ("usd", per)] if budget else []
    for limit in limits:
        assert budget is not None, "it has limits"
        stop_line = limit_line(budget, limit, critical=True).stop_line
        for window in periods_of(per, policy.timezone, month):
            value = at_months_end(counters, scope, window, policy.timezone, month)
            excess = value.posted.nano_usd + value.held.nano_usd - stop_line
            if excess > 0:
                yield window, excess
