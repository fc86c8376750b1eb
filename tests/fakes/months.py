"""A month's report as tests render it: one with everything in it, an empty one, and the same with any names put in."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from fakes.history import SimulatedClock, record, spend
from fakes.ledger_requests import charge, line, request, usd

from budget_gate.analytics.month_report import MonthReport
from budget_gate.core.audit import AVOIDED
from budget_gate.core.exemptions import Request
from budget_gate.core.periods import Per
from budget_gate.core.policy import AnomalyRule, Budget, ExemptionRule, Limit, Policy, Tiers, ValueLine, Workflow
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.runs.exempting import approve, request_exemption
from budget_gate.runs.report import month_report

MONTH = "2026-10"
_START = datetime(2026, 9, 7, 12, tzinfo=UTC)
_DOLLAR = 10**9


def full_month(
    team: str = "payments",
    user: str = "alice",
    workflow: str = "ci_cd_review",
    model: str = "small",
    owner: str = "lead@acme.test",
    only_user: str = "",
) -> MonthReport:
    """Return a report in which every section has something, under the given names; with ``only_user``, that user's own."""
    ledger, clock = _ledger()
    spend(ledger, "s", 10 * _DOLLAR, team=team, pr="1", user=user, workflow=workflow, tier=model)
    record(ledger, "1", "merged", clock.now)
    clock.now += timedelta(days=30)
    for at in range(12):
        if at == 11:
            _exempt(_policy(team, workflow, owner), ledger, Scope("user", f"{user}11"), "day")
            _exempt(_policy(team, workflow, owner), ledger, ORG, "month")
        spend(
            ledger,
            f"{at}",
            (at + 1) * _DOLLAR // 2,
            team=team,
            pr=str(7 + at % 4),
            user=f"{user}{at}",
            workflow=workflow,
            tier=model,
        )
        clock.now += timedelta(hours=20)
    spend(ledger, "h", _DOLLAR, team=team, pr="7", user=user, end="hold", workflow=workflow, tier=model)
    spend(ledger, "n", _DOLLAR // 3, user=user, workflow=workflow, tier=model)
    ledger.reserve(request("refused", usd(5 * _DOLLAR), charge(ORG, "month", line(1))))
    for at, hunks in enumerate((3, 1)):
        details = {"nano_usd": str(_DOLLAR // 8), "hunks": str(hunks), "reason": "same content"}
        ledger.record(f"avoided/{at}", AVOIDED, {"team": team, "user": user}, details)
    for number, ending in (("7", "merged"), ("8", "merged"), ("9", "closed"), ("10", "reverted")):
        record(ledger, number, ending, clock.now, by="11" if ending == "reverted" else "")
    clock.now += timedelta(days=30)
    return month_report(_policy(team, workflow, owner), ledger, MONTH, user=only_user)


def _exempt(policy: Policy, ledger: MemoryLedger, scope: Scope, per: Per) -> None:
    """Let somebody ask for two dollars more, and somebody else approve it."""
    name = f"ex-{scope.kind}"
    request_exemption(ledger, policy, Request(name, scope, per, 2 * _DOLLAR, 3, "maya", f"a release of {scope.name}"[:100]))
    approve(ledger, policy, name, "vp-engineering", lambda *_: False)


def empty_month() -> MonthReport:
    """Return the report of a month of which the ledger holds nothing."""
    ledger, clock = _ledger()
    clock.now += timedelta(days=100)
    return month_report(_policy("payments", "ci_cd_review", "lead@acme.test"), ledger, MONTH)


def running_month(team: str = "payments", user: str = "alice", workflow: str = "ci_cd_review", hour: int = 18) -> MonthReport:
    """Return the report of a month on its 24th day: seven weeks of working days, one budget past its stop line, and a wild Saturday."""
    ledger, clock = _ledger()
    for day in range(48):
        clock.now = _START + timedelta(days=day)
        if clock.now.weekday() < 5:
            spend(ledger, f"d{day}", (10 + day % 3) * _DOLLAR // 5, team=team, user=user, pr="7", workflow=workflow)
    clock.now = datetime(2026, 10, 24, hour, tzinfo=UTC)
    spend(ledger, "wild", 9 * _DOLLAR, team=team, user=user, pr="8", workflow=workflow)
    policy = _policy(team, workflow, "lead@acme.test")._replace(anomaly=AnomalyRule(Decimal(3), 7, "16:00", _DOLLAR))
    return month_report(policy, ledger, MONTH)


def _ledger() -> tuple[MemoryLedger, SimulatedClock]:
    clock = SimulatedClock(_START)
    return MemoryLedger(clock=clock), clock


def _policy(team: str, workflow: str, owner: str) -> Policy:
    budgets = (
        Budget(ORG, (Limit("usd", 50 * _DOLLAR, "month"),), owner="vp@acme.test"),
        Budget(
            Scope("team", team),
            (Limit("tokens", 10_000_000, "month"),),
            Tiers(8_000, 11_000, 15_000),
            owner=owner,
            cost_center=owner,
        ),
        Budget(Scope("user", "*"), (Limit("usd", 5 * _DOLLAR, "day"),)),
    )
    value = (ValueLine(owner, Decimal("12.5"), Decimal(90)), ValueLine("QA", Decimal(3), Decimal(70)))
    return Policy(
        "acme",
        "UTC",
        {"small": "claude-haiku-4-5"},
        budgets,
        {workflow: Workflow(workflow, "code_review", "small")},
        value=value,
        exemptions=ExemptionRule(("vp-engineering",), 100 * _DOLLAR, 7),
    )
