"""What the fields of a policy mean together: names that must exist, things said twice, lines in the wrong order.

Runs on values that passed the table of fields, so each rule reads them without doubting their types. A JSON Schema cannot see any
of these; ``UNSEEN_BY_SCHEMA`` says so to people.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from budget_gate.config.faults import FieldFault, FieldPath, nearest, pick, printable, shown
from budget_gate.config.policy_build import Values, limit_of, tiers_of
from budget_gate.core.money import COUNT_MAX, NANO_PER_USD, USD_MAX, share_of
from budget_gate.core.periods import zone_named
from budget_gate.core.policy import Tiers
from budget_gate.core.prices import PriceBook

UNSEEN_BY_SCHEMA = (
    "a model tier, or a time zone, that does not exist",
    "a model without a price",
    "a key, a scope, or a unit and period written twice",
    "tiers in the wrong order, and stop lines that are too high",
    "`soft_tokens` above `hard_tokens`, and `output_tokens` that are not below `hard_tokens`",
    "dates that do not exist or do not rise, and model ids that are too long",
    "numbers in an unusual spelling (`007`, `1e3`, `5.0` for a whole number) or with too many decimals",
    "YAML that a policy may not use: tabs, anchors, aliases, tags, several documents, very large or deep files",
)
"""Faults that only `budget-gate policy check` finds; an editor with the schema does not."""


def rule_faults(values: Values, prices: PriceBook | None) -> Iterator[FieldFault]:
    """Yield every broken rule. ``prices`` is what models must have; None leaves prices out."""
    yield from _zone_faults(values)
    yield from _model_faults(values, prices)
    yield from _budget_faults(values)
    tiers = list(values.get("models", {}))
    for name, workflow in values.get("workflows", {}).items():
        yield from _reference_faults(workflow, ("workflows", name), tiers)
        yield from _bound_faults(workflow, ("workflows", name))


def _zone_faults(values: Values) -> Iterator[FieldFault]:
    zone = values.get("timezone", "UTC")
    try:
        zone_named(zone)
    except ValueError:
        from zoneinfo import available_timezones

        known = {name.lower(): name for name in available_timezones()}
        likeliest = known.get(nearest(zone, sorted(known)), "Europe/Berlin")
        yield FieldFault(("timezone",), f"{shown(zone)} is not an IANA time zone", f"write a name such as {likeliest}")


def _model_faults(values: Values, prices: PriceBook | None) -> Iterator[FieldFault]:
    for tier, model in values.get("models", {}).items():
        if prices is not None and not prices.is_priced(model):
            close = prices.nearest(model)
            hint = f"write {printable(close[0])}" if close else "write a model of `budget-gate prices list`"
            yield FieldFault(("models", tier), f"model {shown(model)} has no price", f"{hint}, or give it one under prices:")


def _budget_faults(values: Values) -> Iterator[FieldFault]:
    seen: dict[str, int] = {}
    tiers = list(values.get("models", {}))
    for index, budget in enumerate(values["budgets"]):
        path: FieldPath = ("budgets", index)
        scope = budget["scope"]
        first = seen.setdefault(scope.text, index)
        if first != index:
            problem = f"{shown(scope.text)} has a budget already, budgets[{first}]"
            yield FieldFault((*path, "scope"), problem, "write one budget per scope, with all its limits")
        if scope.kind == "model" and not scope.is_wildcard and scope.name not in tiers:
            yield _unknown_tier((*path, "scope"), scope.name, tiers, prefix="model/")
        yield from _tier_faults(budget.get("tiers", {}), (*path, "tiers"))
        yield from _limit_faults(budget["limits"], (*path, "limits"), tiers_of(budget.get("tiers", {})))


def _tier_faults(written: Values, path: FieldPath) -> Iterator[FieldFault]:
    tiers = tiers_of(written)
    for lower, higher in (("warn", "alert"), ("alert", "stop")):
        low, high = getattr(tiers, lower), getattr(tiers, higher)
        if low > high:
            at = (*path, lower if lower in written else higher)
            problem = f"{lower} ({_percent(low)}) is above {higher} ({_percent(high)})"
            yield FieldFault(at, problem, f"write {lower} at or below {higher}, or raise {higher}")


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"


def _limit_faults(limits: list[Values], path: FieldPath, tiers: Tiers) -> Iterator[FieldFault]:
    seen: dict[tuple[str, str], int] = {}
    for index, written in enumerate(limits):
        limit = limit_of(written)
        first = seen.setdefault((limit.unit, limit.per), index)
        if first != index:
            problem = f"{limit.unit} per {limit.per} is limited already, limits[{first}]"
            yield FieldFault((*path, index, limit.unit), problem, "keep one of the two")
        most = USD_MAX * NANO_PER_USD if limit.unit == "usd" else COUNT_MAX
        if share_of(limit.amount, tiers.stop) > most:
            ceiling = f"{USD_MAX} dollars" if limit.unit == "usd" else f"{COUNT_MAX} {limit.unit}"
            problem = f"the stop line, {_percent(tiers.stop)} of this limit, is over {ceiling}"
            yield FieldFault((*path, index, limit.unit), problem, "write a lower limit or a lower stop")


def _unknown_tier(path: FieldPath, name: str, tiers: list[str], prefix: str = "") -> FieldFault:
    if not tiers:
        return FieldFault(
            path, f"{shown(name)} is not a model tier: there is no models: section", "write models: and this tier in it"
        )
    choice = pick(name, tiers)
    if prefix:
        choice = choice.replace("write ", f"write {prefix}", 1)
    return FieldFault(path, f"{shown(name)} is not a model tier of this policy", f"{choice}, or add it under models:")


def _reference_faults(workflow: Values, path: FieldPath, tiers: list[str]) -> Iterator[FieldFault]:
    named: list[tuple[FieldPath, Any]] = [((key,), workflow[key]) for key in ("model", "simple") if key in workflow]
    named += [((key, "to"), workflow[key]["to"]) for key in ("escalate", "degrade") if key in workflow]
    named += [(("output_tokens", tier), tier) for tier in workflow.get("output_tokens", {})]
    for where, tier in named:
        if tier not in tiers:
            yield _unknown_tier((*path, *where), tier, tiers)


def _bound_faults(workflow: Values, path: FieldPath) -> Iterator[FieldFault]:
    for kind in ("task", "session"):
        bounds: Mapping[str, Any] = workflow.get(kind, {})
        soft, hard = bounds.get("soft_tokens"), bounds.get("hard_tokens")
        if hard is None:
            continue
        if soft is not None and soft > hard:
            problem = f"soft_tokens ({soft}) is above hard_tokens ({hard})"
            yield FieldFault((*path, kind, "soft_tokens"), problem, f"write at most {hard}")
        for tier, longest in workflow.get("output_tokens", {}).items():
            if longest >= hard:
                problem = f"an answer of {longest} tokens is not below {kind}.hard_tokens ({hard})"
                yield FieldFault((*path, "output_tokens", tier), problem, f"write less than {hard}")
