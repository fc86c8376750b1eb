"""Alerts about what no ledger crosses: a forecast past a limit, an unusual day, a ledger that cannot be reached. Sends nothing."""

import json
from datetime import datetime
from typing import NamedTuple

from budget_gate.core.amounts import Unit
from budget_gate.core.policy import Policy
from budget_gate.core.scopes import ORG, Scope
from budget_gate.notify.interface import Message
from budget_gate.reports.alert_words import EXEMPTION, RAISE
from budget_gate.reports.alerts import NAME_CHARACTERS, mail_address
from budget_gate.reports.clean_text import clean_for_terminal
from budget_gate.reports.words import amount_text, budget_name, percent_text, resets_text

CAUSES_MOST = 3
ALSO_MOST = 4


class ForecastAlert(NamedTuple):
    """A budget that is expected to pass its limit by the end of its period. Counts are of ``unit``; low to high is the interval."""

    scope: Scope
    per: str
    label: str
    unit: Unit
    limit: int
    used: int
    expected: int
    low: int
    high: int
    owner: str
    resets_at: datetime


class AlsoUnusual(NamedTuple):
    """Another scope in an alert of one cause.

    The share, in basis points, is what the cause makes up of a wider scope's excess, or a narrower scope of the cause's. ``is_same``
    where both are one thing under two names, so that nobody needs to be told of it again.
    """

    scope: Scope
    spent_nano_usd: int
    share_basis_points: int
    is_wider: bool
    is_same: bool


class AnomalyAlert(NamedTuple):
    """A day on which a scope spent unusually much, and ``also`` which other scopes' days are unusual for the same cause.

    ``causes`` are what it was, how much more it cost, and which share of the excess that is (basis points), largest first. The
    excess is what was spent above the mean of the days before.
    """

    scope: Scope
    day: str
    spent_nano_usd: int
    mean_nano_usd: int
    causes: tuple[tuple[str, int, int], ...]
    owner: str
    ends_at: datetime
    also: tuple[AlsoUnusual, ...] = ()


class LedgerDown(NamedTuple):
    """A ledger that could not be reached: ``problem`` is one line, its address without secrets in it."""

    problem: str
    at: datetime


def forecast_message(alert: ForecastAlert, policy: Policy) -> Message:
    """Return the alert for a forecast; once per limit and period."""
    name = _clean(budget_name(alert.scope, alert.per))
    expected, limit = amount_text(alert.unit, alert.expected), amount_text(alert.unit, alert.limit)
    resets = resets_text(alert.resets_at, alert.per, policy.timezone)
    between = f"{amount_text(alert.unit, alert.low)} to {amount_text(alert.unit, alert.high)}"
    used = f"{amount_text(alert.unit, alert.used)} of {limit} ({percent_text(alert.used, alert.limit)})"
    exemption = f", {EXEMPTION}" if policy.exemptions is not None else ""
    return Message(
        kind="forecast",
        title=f"{name}: heading for {percent_text(alert.expected, alert.limit)} of its limit",
        lines=(
            f"{name} ({alert.label}) is expected to end at {expected}, most likely {between}; its limit is {limit}.",
            f"Nothing is refused yet. At this pace the limit is reached before it resets {resets}.",
            f"Spend less, {RAISE}{exemption}; `budget-gate status` shows how it stands.",
        ),
        fields=(
            ("Budget", name),
            ("Used", used),
            ("Expected", f"{expected} ({between})"),
            ("Owner", _clean(alert.owner) or "nobody"),
            ("Resets", resets),
        ),
        severity="warning",
        dedup_key=_key(policy, "forecast", alert.scope.text, alert.per, alert.label, alert.unit),
        owner=mail_address(alert.owner),
        over_at=alert.resets_at,
    )


def anomaly_message(alert: AnomalyAlert, policy: Policy) -> Message:
    """Return the alert for an unusual day; once per cause and day, whichever of its scopes it is told under."""
    name = _clean(alert.scope.text)
    spent, usual = amount_text("usd", alert.spent_nano_usd), amount_text("usd", alert.mean_nano_usd)
    causes = "; ".join(
        f"{_clean(cause)}: {amount_text('usd', part)} more ({percent_text(share, 10_000)})"
        for cause, part, share in alert.causes[:CAUSES_MOST]
    )
    return Message(
        kind="anomaly",
        title=f"{name}: {spent} on {alert.day}, usually {usual}",
        lines=(
            f"{name} spent {spent} on {alert.day}; the mean of the days before is {usual}.",
            "Nothing is refused for being unusual; the limits of the policy hold as always.",
            "Look at the largest cause first; if it is a loop, stop it, and if it is wanted, nothing is to do.",
        ),
        fields=(
            ("Scope", name),
            ("Spent", spent),
            ("Mean before", usual),
            ("Causes", causes or "not known"),
            *((("Also unusual", _also_text(alert.also)),) if alert.also else ()),
            ("Owner", _clean(alert.owner) or "nobody"),
        ),
        severity="warning",
        dedup_key=_key(policy, "anomaly", alert.scope.text, alert.day),
        owner=mail_address(alert.owner),
        also_keys=tuple(_key(policy, "anomaly", each.scope.text, alert.day) for each in alert.also if each.is_same),
        over_at=alert.ends_at,
    )


def _also_text(also: tuple[AlsoUnusual, ...]) -> str:
    """Return the other scopes, each with what it spent and its share; beyond a few, how many there are."""
    parts = []
    for each in also[:ALSO_MOST]:
        share = percent_text(each.share_basis_points, 10_000)
        of_what = f"this is {share} of its excess" if each.is_wider else f"{share} of this"
        parts.append(f"{_clean(each.scope.text)}: {amount_text('usd', each.spent_nano_usd)} ({of_what})")
    return "; ".join([*parts, *([f"and {len(also) - ALSO_MOST} more"] if len(also) > ALSO_MOST else [])])


def ledger_down_message(down: LedgerDown, policy: Policy) -> Message:
    """Return the alert for a ledger that cannot be reached; its key holds the hour, so each hour of an outage is told once.

    It goes to the owner of the organization's budget.
    """
    owner = next((budget.owner for budget in policy.budgets if budget.scope == ORG), "")
    if policy.on_outage == "allow":
        effect = "Calls go on and are counted nowhere, because the policy says `on_outage: allow`: no budget holds meanwhile."
    else:
        effect = "Every call is refused until it is back, because the policy says `on_outage: block`."
    return Message(
        kind="ledger_down",
        title="The ledger cannot be reached",
        lines=(
            f"budget-gate could not reach its ledger: {clean_for_terminal(down.problem, 2 * NAME_CHARACTERS)}.",
            effect,
            "Bring it back or correct BUDGET_GATE_LEDGER, then see `budget-gate ledger verify`; resolve the incident by hand.",
        ),
        fields=(
            ("Organization", _clean(policy.organization)),
            ("Owner", _clean(owner) or "nobody"),
            ("At", resets_text(down.at, "hour", policy.timezone)),
        ),
        severity="critical",
        dedup_key=_key(policy, "ledger_down", f"{down.at:%Y-%m-%dT%H}Z"),
        owner=mail_address(owner),
    )


def _key(policy: Policy, *parts: str) -> str:
    return f"budget-gate {json.dumps([policy.organization, *parts], ensure_ascii=False, separators=(',', ':'))}"


def _clean(text: str) -> str:
    return clean_for_terminal(text, NAME_CHARACTERS)
