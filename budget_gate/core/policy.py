"""The policy as values: what an organization decided. Reading it from a file, and its faults, are ``config.policy_file``.

Shares are basis points (10 000 is 100 %), dollars are nano-dollars, token and request counts are integers.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, NamedTuple

from budget_gate.core.amounts import Unit
from budget_gate.core.periods import Per
from budget_gate.core.prices import DatedPrice
from budget_gate.core.pull_requests import Severity
from budget_gate.core.scopes import Scope

Mode = Literal["enforce", "advise", "observe"]
TierName = Literal["warn", "alert", "stop"]
TIER_NAMES: tuple[TierName, ...] = ("warn", "alert", "stop")
Wish = Literal["skip", "review"]
AGENTS = ("code_review", "test_generation", "assistant", "custom")
ALERT_KINDS = ("warn", "alert", "stop", "forecast", "anomaly", "ledger_down")
ALERT_CHANNELS = ("slack", "email", "pagerduty")


class Limit(NamedTuple):
    """``amount`` of ``unit`` (nano-dollars for ``usd``) per calendar period."""

    unit: Unit
    amount: int
    per: Per


class Tiers(NamedTuple):
    """Shares of a limit, in basis points, at which something happens. ``stop`` is the line no admission passes."""

    warn: int = 8_000
    alert: int = 10_000
    stop: int = 10_000


class Budget(NamedTuple):
    """The limits of one scope, and who answers for it."""

    scope: Scope
    limits: tuple[Limit, ...]
    tiers: Tiers = Tiers()
    mode: Mode = "enforce"
    keep_back: int = 0
    owner: str = ""
    cost_center: str = ""


class Condition(NamedTuple):
    """When to escalate: any one of these suffices. ``input_tokens_over`` None means it does not count."""

    input_tokens_over: int | None = None
    paths: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class Escalation(NamedTuple):
    """Use tier ``to`` when the condition holds."""

    to: str
    when: Condition


class Degradation(NamedTuple):
    """Use tier ``to`` once an enforced budget of the call is used past this share (basis points)."""

    to: str
    when_used_over: int


class Bounds(NamedTuple):
    """Bounds of one task or session. ``soft_tokens`` narrows; the others stop. None means unbounded."""

    soft_tokens: int | None = None
    hard_tokens: int | None = None
    nano_usd: int | None = None
    steps: int | None = None


class Inventory(NamedTuple):
    """How often a workflow runs and how large its calls are, for ``estimate``."""

    per_month: int
    input_tokens: int
    output_tokens: int
    turns: int = 1


class Workflow(NamedTuple):
    """One kind of AI work: which agent, on which model, within which bounds.

    Of reviews: findings below ``min_severity`` are shown nowhere; ``bots`` may be the logins of those whose pull requests are reviewed.
    """

    name: str
    agent: str
    model: str
    simple: str = ""
    escalate: Escalation | None = None
    degrade: Degradation | None = None
    task: Bounds = Bounds()
    session: Bounds = Bounds()
    output_tokens: Mapping[str, int] = {}
    on_exceed: Literal["comment", "block"] = "comment"
    critical: bool = False
    estimate: Inventory | None = None
    min_severity: Severity = "info"
    drafts: Wish = "skip"
    bots: Wish | tuple[str, ...] = "skip"


class AlertRoute(NamedTuple):
    """Send alerts of these kinds to these channels."""

    when: tuple[str, ...]
    to: tuple[str, ...]


class AnomalyRule(NamedTuple):
    """A day is anomalous past ``ratio`` times the mean of ``window_days``, from ``check_after`` (HH:MM) and ``min_nano_usd`` on."""

    ratio: Decimal
    window_days: int
    check_after: str
    min_nano_usd: int


class ExemptionRule(NamedTuple):
    """Who may approve an exemption, for how much at most and for how long at most."""

    approvers: tuple[str, ...]
    max_nano_usd: int
    max_days: int


class ValueLine(NamedTuple):
    """An assumption about what the work is worth, shown as one in reports."""

    name: str
    hours_saved_per_month: Decimal
    usd_per_hour: Decimal


class Policy(NamedTuple):
    """Everything the policy file says. ``on_outage`` is what happens when the ledger cannot be reached."""

    organization: str
    timezone: str
    models: Mapping[str, str]
    budgets: tuple[Budget, ...]
    workflows: Mapping[str, Workflow]
    alerts: tuple[AlertRoute, ...] = ()
    anomaly: AnomalyRule | None = None
    exemptions: ExemptionRule | None = None
    value: tuple[ValueLine, ...] = ()
    prices: Mapping[str, tuple[DatedPrice, ...]] = {}
    on_outage: Literal["block", "allow"] = "block"
