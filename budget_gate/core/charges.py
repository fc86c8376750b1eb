"""Charges: which counters a request touches, and which lines it must stay under.

A policy and an attribution give the charges; a ledger applies them without knowing either.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from budget_gate.core.amounts import Unit
from budget_gate.core.attribution import Attribution
from budget_gate.core.exemptions import Exemption, extra_nano_usd
from budget_gate.core.money import COUNT_MAX, share_of
from budget_gate.core.periods import Per
from budget_gate.core.policy import Bounds, Budget, Limit, Mode, Policy, Workflow
from budget_gate.core.scopes import Scope

REPORT_PERIODS: tuple[Per, ...] = ("day", "month")
"""Counted for every scope of every call, budgeted or not: reports need them, and a limit added later finds what was spent."""


class LimitLine(NamedTuple):
    """One limit as a ledger needs it. All numbers are counts of ``unit`` (nano-dollars for ``usd``).

    ``admission_line`` is what posted, pending, held and new together may not pass; None when the limit only watches
    (``advise`` and ``observe``). It is the stop line, less what is kept back from uncritical work.
    """

    unit: Unit
    limit: int
    admission_line: int | None
    warn_line: int
    alert_line: int
    stop_line: int
    mode: Mode = "enforce"
    owner: str = ""

    @property
    def tier_lines(self) -> tuple[tuple[str, int], ...]:
        """The tiers that can be crossed, lowest first; a limit that is only observed has none."""
        if self.mode == "observe":
            return ()
        tiers = (("warn", self.warn_line), ("alert", self.alert_line), ("stop", self.stop_line))
        return tiers if self.warn_line <= self.alert_line <= self.stop_line else tuple(sorted(tiers, key=_line))


def _line(tier: tuple[str, int]) -> int:
    return tier[1]


class Charge(NamedTuple):
    """One counter that a request adds to, a scope in one kind of period, and the limits on it."""

    scope: Scope
    per: Per
    limits: tuple[LimitLine, ...] = ()

    def unenforced(self) -> "Charge":
        """Return the charge with limits that are watched and alerted on, and refuse nothing."""
        return self._replace(limits=tuple(line._replace(admission_line=None) for line in self.limits))


def charges_for(
    policy: Policy, attribution: Attribution, tier: str, workflow: Workflow, exemptions: Sequence[Exemption] = ()
) -> tuple[Charge, ...]:
    """Return every charge of one call on model tier ``tier``: report counters, budgets, task and session bounds.

    Each counter appears once, widest scope first. ``exemptions`` are those in force; they raise lines and never touch counters.
    """
    lines: dict[tuple[Scope, Per], list[LimitLine]] = {}
    for scope in attribution.budget_scopes(tier):
        for per in REPORT_PERIODS:
            lines[scope, per] = []
        budget = budget_for(policy, scope)
        for limit in budget.limits if budget else ():
            assert budget is not None
            line = exempted_line(limit_line(budget, limit, critical=workflow.critical), scope, limit.per, exemptions)
            lines.setdefault((scope, limit.per), []).append(line)
    for scope, bounds in _bounded_scopes(attribution, workflow):
        lines[scope, "lifetime"] = list(_bound_lines(bounds))
    return tuple(Charge(scope, per, tuple(limits)) for (scope, per), limits in lines.items())


def budget_for(policy: Policy, scope: Scope) -> Budget | None:
    """Return the scope's own budget, else the one written for every name of its kind (``user/*``), else None."""
    fallback = None
    for budget in policy.budgets:
        if budget.scope == scope:
            return budget
        if budget.scope.is_wildcard and budget.scope.kind == scope.kind:
            fallback = budget
    return fallback


def limit_line(budget: Budget, limit: Limit, *, critical: bool) -> LimitLine:
    """Return the lines of one limit; what is kept back is a share of the stop line, open to critical workflows only."""
    stop_line = share_of(limit.amount, budget.tiers.stop)
    kept_back = 0 if critical else share_of(stop_line, budget.keep_back)
    return LimitLine(
        unit=limit.unit,
        limit=limit.amount,
        admission_line=stop_line - kept_back if budget.mode == "enforce" else None,
        warn_line=share_of(limit.amount, budget.tiers.warn),
        alert_line=share_of(limit.amount, budget.tiers.alert),
        stop_line=stop_line,
        mode=budget.mode,
        owner=budget.owner,
    )


def exempted_line(line: LimitLine, scope: Scope, per: Per, exemptions: Sequence[Exemption]) -> LimitLine:
    """Return a dollar limit's line with its stop raised by the exemptions for that scope and period; any other as it is."""
    extra = extra_nano_usd(exemptions, scope, per) if exemptions and line.unit == "usd" else 0
    if not extra:
        return line
    admission_line = None if line.admission_line is None else min(line.admission_line + extra, COUNT_MAX)
    return line._replace(stop_line=min(line.stop_line + extra, COUNT_MAX), admission_line=admission_line)


def _bounded_scopes(attribution: Attribution, workflow: Workflow) -> Iterator[tuple[Scope, Bounds]]:
    """Yield the task and session counters; a task of the same name in another workflow is another task.

    A slash in the workflow's name is written ``%2F``, so that the first slash ends it and no two pairs of names share a counter.
    """
    workflow_name = workflow.name.replace("%", "%25").replace("/", "%2F")
    for kind, name, bounds in (
        ("task", attribution.task, workflow.task),
        ("session", attribution.session, workflow.session),
    ):
        if name:
            yield Scope(kind, f"{workflow_name}/{name}"), bounds


def _bound_lines(bounds: Bounds) -> Iterator[LimitLine]:
    """Yield a line per bound that stops. Bounds stop the work but are nobody's budget: no tier of theirs is alerted."""
    stops: tuple[tuple[Unit, int | None], ...] = (
        ("usd", bounds.nano_usd),
        ("tokens", bounds.hard_tokens),
        ("requests", bounds.steps),
    )
    for unit, amount in stops:
        if amount is not None:
            yield LimitLine(unit, amount, amount, amount, amount, amount, mode="enforce")
