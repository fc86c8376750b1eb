"""Plain values, already checked, to ``core.policy.Policy``. Defaults live here; nothing here can fail."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from budget_gate.core.amounts import UNITS
from budget_gate.core.policy import (
    AlertRoute,
    AnomalyRule,
    Bounds,
    Budget,
    Condition,
    Degradation,
    Escalation,
    ExemptionRule,
    Inventory,
    Limit,
    Policy,
    Tiers,
    ValueLine,
    Wish,
    Workflow,
)
from budget_gate.core.prices import DatedPrice

Values = Mapping[str, Any]
"""A record as ``policy_reader`` read it: only the keys that were written."""

_DEFAULT_AGENT = "custom"
_DEFAULT_WINDOW_DAYS = 7
_DEFAULT_CHECK_AFTER = "00:00"


def build_policy(values: Values, prices: Mapping[str, tuple[DatedPrice, ...]]) -> Policy:
    """Return the policy that checked ``values`` describe, with its negotiated ``prices``."""
    return Policy(
        organization=values.get("organization", ""),
        timezone=values.get("timezone", "UTC"),
        models=values.get("models", {}),
        budgets=tuple(_budget(each) for each in values["budgets"]),
        workflows={name: _workflow(name, each) for name, each in values.get("workflows", {}).items()},
        alerts=tuple(AlertRoute(tuple(each["when"]), tuple(each["to"])) for each in values.get("alerts", ())),
        anomaly=_anomaly(values["anomaly"]) if "anomaly" in values else None,
        exemptions=_exemptions(values["exemptions"]) if "exemptions" in values else None,
        value=tuple(
            ValueLine(each["name"], each["hours_saved_per_month"], each["usd_per_hour"]) for each in values.get("value", ())
        ),
        prices=prices,
        on_outage=values.get("ledger", {}).get("on_outage", "block"),
    )


def tiers_of(values: Values) -> Tiers:
    """Return the tiers of a budget; a default gives way to what was written, so that ``stop: 50%`` alone is a valid wish."""
    usual = Tiers()
    stop: int = values.get("stop", usual.stop)
    alert: int = values.get("alert", min(max(usual.alert, values.get("warn", 0)), stop))
    return Tiers(values.get("warn", min(usual.warn, alert)), alert, stop)


def limit_of(values: Values) -> Limit:
    """Return one limit: its unit is the key that was written."""
    unit = next(unit for unit in UNITS if unit in values)
    return Limit(unit, values[unit], values["per"])


def _budget(values: Values) -> Budget:
    return Budget(
        scope=values["scope"],
        limits=tuple(limit_of(each) for each in values["limits"]),
        tiers=tiers_of(values.get("tiers", {})),
        mode=values.get("mode", "enforce"),
        keep_back=values.get("keep_back", 0),
        owner=values.get("owner", ""),
        cost_center=values.get("cost_center", ""),
    )


def _workflow(name: str, values: Values) -> Workflow:
    escalate, degrade, estimate = values.get("escalate"), values.get("degrade"), values.get("estimate")
    return Workflow(
        name=name,
        agent=values.get("agent", _DEFAULT_AGENT),
        model=values["model"],
        simple=values.get("simple", ""),
        escalate=Escalation(escalate["to"], _condition(escalate["when"])) if escalate else None,
        degrade=Degradation(degrade["to"], degrade["when_used_over"]) if degrade else None,
        task=_bounds(values.get("task", {})),
        session=_bounds(values.get("session", {})),
        output_tokens=values.get("output_tokens", {}),
        on_exceed=values.get("on_exceed", "comment"),
        min_severity=values.get("min_severity", "info"),
        drafts=values.get("drafts", "skip"),
        bots=_bots(values.get("bots", "skip")),
        critical=values.get("critical", False),
        estimate=Inventory(**estimate) if estimate else None,
    )


def _bots(written: str | list[str]) -> Wish | tuple[str, ...]:
    if isinstance(written, list):
        return tuple(written)
    return "review" if written == "review" else "skip"


def _condition(values: Values) -> Condition:
    return Condition(
        values.get("input_tokens_over"),
        tuple(values.get("paths", ())),
        tuple(values.get("keywords", ())),
        tuple(values.get("labels", ())),
    )


def _bounds(values: Values) -> Bounds:
    return Bounds(values.get("soft_tokens"), values.get("hard_tokens"), values.get("usd"), values.get("steps"))


def _anomaly(values: Values) -> AnomalyRule:
    ratio: Decimal = values["ratio"]
    return AnomalyRule(
        ratio,
        values.get("window_days", _DEFAULT_WINDOW_DAYS),
        values.get("check_after", _DEFAULT_CHECK_AFTER),
        values.get("min_usd", 0),
    )


def _exemptions(values: Values) -> ExemptionRule:
    return ExemptionRule(tuple(values["approvers"]), values["max_usd"], values["max_days"])
