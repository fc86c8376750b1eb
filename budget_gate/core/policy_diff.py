"""What changes from one policy to another, in lines for people: ``budgets[team/payments]: usd per month 350 -> 400``."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from budget_gate.core.money import NANO_PER_USD
from budget_gate.core.policy import AlertRoute, Bounds, Budget, Condition, Escalation, Policy, ValueLine, Workflow
from budget_gate.core.prices import TOKEN_KINDS, DatedPrice, Rate

_NOTHING = "nothing"

_Facts = dict[str, str]
"""One part of a policy, flattened: the name of each fact and its text."""


def diff_policies(old: Policy, new: Policy) -> list[str]:
    """Return one line for each difference, in the order of the policy file; none if both mean the same.

    The order of budgets, limits, models and alert routes does not count, and neither does the spelling of a number.
    """
    lines = _changes("", _general(old), _general(new))
    lines += _changes("models", dict(old.models), dict(new.models))
    before, after = ({budget.scope.text: _budget(budget) for budget in policy.budgets} for policy in (old, new))
    lines += _parts("budgets", before, after)
    before, after = ({name: _workflow(each) for name, each in policy.workflows.items()} for policy in (old, new))
    lines += _parts("workflows", before, after)
    lines += _changes("alerts", _alerts(old.alerts), _alerts(new.alerts))
    lines += _changes("anomaly", _anomaly(old), _anomaly(new))
    lines += _changes("exemptions", _exemptions(old), _exemptions(new))
    lines += _changes("value", _value(old.value), _value(new.value))
    before, after = ({model: _prices(entries) for model, entries in policy.prices.items()} for policy in (old, new))
    return [*lines, *_parts("prices", before, after)]


def _changes(place: str, old: _Facts, new: _Facts) -> list[str]:
    prefix = f"{place}: " if place else ""
    names = dict.fromkeys([*old, *new])
    pairs = ((name, old.get(name, _NOTHING), new.get(name, _NOTHING)) for name in names)
    return [f"{prefix}{name} {before} -> {after}" for name, before, after in pairs if before != after]


def _parts(place: str, old: Mapping[str, _Facts], new: Mapping[str, _Facts]) -> list[str]:
    lines: list[str] = []
    for name in dict.fromkeys([*old, *new]):
        where = f"{place}[{name}]"
        if name not in new:
            lines.append(f"{where}: removed")
        elif name not in old:
            facts = ", ".join(f"{fact} {text}" for fact, text in new[name].items())
            lines.append(f"{where}: added ({facts})")
        else:
            lines += _changes(where, old[name], new[name])
    return lines


def _dollars(nano_usd: int) -> str:
    """Return dollars as a policy writes them: no more digits than needed."""
    whole, fraction = divmod(nano_usd, NANO_PER_USD)
    return f"{whole}.{fraction:09d}".rstrip("0").rstrip(".")


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"


def _number(value: Decimal) -> str:
    """Return a decimal by its value, not its spelling: ``3.0`` and ``3`` are no difference."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _words(words: tuple[str, ...]) -> str:
    return f"[{', '.join(words)}]"


def _known(facts: Mapping[str, Any]) -> _Facts:
    """Return the facts that say something; what is None or empty counts as not written."""
    return {name: str(value) for name, value in facts.items() if value not in (None, "", "[]")}


def _general(policy: Policy) -> _Facts:
    facts = {"organization": policy.organization, "timezone": policy.timezone, "ledger.on_outage": policy.on_outage}
    return _known(facts)


def _budget(budget: Budget) -> _Facts:
    facts: dict[str, Any] = {}
    for limit in budget.limits:
        facts[f"{limit.unit} per {limit.per}"] = _dollars(limit.amount) if limit.unit == "usd" else limit.amount
    for tier, share in zip(budget.tiers._fields, budget.tiers, strict=True):
        facts[tier] = _percent(share)
    facts |= {"mode": budget.mode, "keep_back": _percent(budget.keep_back)}
    facts |= {"owner": budget.owner, "cost_center": budget.cost_center}
    return _known(facts)


def _workflow(workflow: Workflow) -> _Facts:
    facts: dict[str, Any] = {"agent": workflow.agent, "model": workflow.model, "simple": workflow.simple}
    facts |= _escalation(workflow.escalate)
    if workflow.degrade:
        facts["degrade.to"] = workflow.degrade.to
        facts["degrade.when_used_over"] = _percent(workflow.degrade.when_used_over)
    facts |= _bounds("task", workflow.task) | _bounds("session", workflow.session)
    facts |= {f"output_tokens.{tier}": tokens for tier, tokens in workflow.output_tokens.items()}
    facts |= {"on_exceed": workflow.on_exceed, "critical": str(workflow.critical).lower()}
    bots = workflow.bots if isinstance(workflow.bots, str) else _words(tuple(sorted(workflow.bots)))
    facts |= {"min_severity": workflow.min_severity, "drafts": workflow.drafts, "bots": bots}
    if workflow.estimate:
        facts |= {f"estimate.{name}": value for name, value in workflow.estimate._asdict().items()}
    return _known(facts)


def _escalation(escalate: Escalation | None) -> dict[str, Any]:
    if escalate is None:
        return {}
    when: Condition = escalate.when
    return {
        "escalate.to": escalate.to,
        "escalate.input_tokens_over": when.input_tokens_over,
        "escalate.paths": _words(when.paths),
        "escalate.keywords": _words(when.keywords),
        "escalate.labels": _words(when.labels),
    }


def _bounds(kind: str, bounds: Bounds) -> dict[str, Any]:
    usd = None if bounds.nano_usd is None else _dollars(bounds.nano_usd)
    values = (bounds.soft_tokens, bounds.hard_tokens, usd, bounds.steps)
    return {f"{kind}.{name}": value for name, value in zip(("soft_tokens", "hard_tokens", "usd", "steps"), values, strict=True)}


def _alerts(routes: tuple[AlertRoute, ...]) -> _Facts:
    """Return for each kind of alert the channels it reaches, however the routes are cut."""
    reached: dict[str, set[str]] = {}
    for route in routes:
        for kind in route.when:
            reached.setdefault(kind, set()).update(route.to)
    return {kind: _words(tuple(sorted(channels))) for kind, channels in sorted(reached.items())}


def _anomaly(policy: Policy) -> _Facts:
    rule = policy.anomaly
    if rule is None:
        return {}
    facts = {"ratio": _number(rule.ratio), "window_days": rule.window_days, "check_after": rule.check_after}
    return _known({**facts, "min_usd": _dollars(rule.min_nano_usd)})


def _exemptions(policy: Policy) -> _Facts:
    rule = policy.exemptions
    if rule is None:
        return {}
    facts = {"approvers": _words(rule.approvers), "max_usd": _dollars(rule.max_nano_usd), "max_days": rule.max_days}
    return _known(facts)


def _value(lines: tuple[ValueLine, ...]) -> _Facts:
    facts: _Facts = {}
    for line in lines:
        text = f"{_number(line.hours_saved_per_month)} hours per month at {_number(line.usd_per_hour)} dollars"
        facts[line.name] = f"{facts[line.name]}, {text}" if line.name in facts else text
    return facts


def _prices(entries: tuple[DatedPrice, ...]) -> _Facts:
    return {name: text for entry in entries for name, text in _price(entry)}


def _price(entry: DatedPrice) -> Iterator[tuple[str, str]]:
    since = f"from {entry.effective_from or 'the beginning'}"
    variant = "" if entry.variant == "standard" else f" {entry.variant}"
    for kind in TOKEN_KINDS:
        rate: Rate | None = getattr(entry, kind)
        if rate is not None:
            above = "".join(f", {_number(dearer)} over {tokens} tokens" for tokens, dearer in rate.above)
            yield f"{since}{variant} {kind}", _number(rate.base) + above
    if entry.web_searches_kcount is not None:
        yield f"{since}{variant} web_search", _number(entry.web_searches_kcount)
