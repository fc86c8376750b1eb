"""Budgets as the text of a policy file, and a policy's text with other budgets in it; all else stays as it was written."""

from collections.abc import Sequence
from typing import Any

import yaml

from budget_gate.config.policy_edit import Spelling, with_limits
from budget_gate.config.policy_file import parse_policy
from budget_gate.core.errors import PolicyError
from budget_gate.core.money import usd_text
from budget_gate.core.policy import Budget, Tiers

_WIDTH = 130


class _Number(str):
    """A number that is written without quotes, digit by digit: money never becomes a float."""

    __slots__ = ()


class _Writer(yaml.SafeDumper):
    """Writes lists with a dash under their key's own indentation, and numbers exactly."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:  # noqa: ARG002, FBT001, FBT002 (its signature)
        """Indent lists, as people do."""
        return super().increase_indent(flow, False)


def _write_number(writer: yaml.SafeDumper, number: _Number) -> yaml.ScalarNode:
    kind = "float" if "." in number else "int"
    return writer.represent_scalar(f"tag:yaml.org,2002:{kind}", str(number))


_Writer.add_representer(_Number, _write_number)


def budgets_text(budgets: Sequence[Budget]) -> str:
    """Return the ``budgets:`` part of a policy file; what is left at its default is not written."""
    fields = {"budgets": [_fields(budget) for budget in budgets]}
    return yaml.dump(fields, Dumper=_Writer, sort_keys=False, default_flow_style=None, allow_unicode=True, width=_WIDTH)


def with_budgets(text: str, budgets: Sequence[Budget]) -> str:
    """Return a policy's text (one that loads) with other budgets: only limits changed and budgets added, where that is all.

    Where it takes more, the ``budgets:`` are written anew, and only comments outside of them are kept.
    """
    edited = with_limits(text, parse_policy(text).budgets, budgets, _SPELLING)
    return edited if edited is not None and _has(edited, budgets) else _replaced(text, budgets)


def _has(text: str, budgets: Sequence[Budget]) -> bool:
    """True if a text loads, and has these budgets; the order of one budget's limits says nothing."""
    try:
        found = parse_policy(text).budgets
    except PolicyError:
        return False
    return [_unordered(each) for each in found] == [_unordered(each) for each in budgets]


def _unordered(budget: Budget) -> Budget:
    return budget._replace(limits=tuple(sorted(budget.limits)))


def _replaced(text: str, budgets: Sequence[Budget]) -> str:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode), "the text was loaded before"
    for number, (key, value) in enumerate(root.value):
        if key.value == "budgets":
            later = root.value[number + 1 :]
            end = later[0][0].start_mark.index if later else value.end_mark.index
            kept = _trailing_comments(text[key.start_mark.index : end]) if later else ""
            return f"{text[: key.start_mark.index]}{budgets_text(budgets)}{kept}{text[end:]}"
    raise AssertionError("a policy has budgets")


def _trailing_comments(block: str) -> str:
    """Return the empty lines and comments at the margin that end a block: they belong to what follows."""
    lines = block.splitlines(keepends=True)
    kept: list[str] = []
    while lines and (not lines[-1].strip() or lines[-1].startswith("#")):
        kept.insert(0, lines.pop())
    return "".join(kept)


def _fields(budget: Budget) -> dict[str, Any]:
    fields: dict[str, Any] = {"scope": budget.scope.text}
    fields["limits"] = [{limit.unit: _Number(_amount(limit.unit, limit.amount)), "per": limit.per} for limit in budget.limits]
    if budget.tiers != Tiers():
        fields["tiers"] = {name: _percent(share) for name, share in zip(Tiers._fields, budget.tiers, strict=True)}
    if budget.mode != "enforce":
        fields["mode"] = budget.mode
    if budget.keep_back:
        fields["keep_back"] = _percent(budget.keep_back)
    for name in ("owner", "cost_center"):
        if getattr(budget, name):
            fields[name] = getattr(budget, name)
    return fields


def _amount(unit: str, count: int) -> str:
    return usd_text(count).removesuffix(".00") if unit == "usd" else str(count)


def _in_line(budget: Budget) -> str:
    fields = _fields(budget)
    return yaml.dump(fields, Dumper=_Writer, sort_keys=False, default_flow_style=True, allow_unicode=True, width=10**6).strip()


def _as_block(budgets: Sequence[Budget]) -> str:
    lines = budgets_text(budgets).splitlines(keepends=True)[1:]
    return "".join(line.removeprefix("  ") for line in lines)


_SPELLING = Spelling(lambda limit: _amount(limit.unit, limit.amount), _in_line, _as_block)


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}%" if rest else f"{whole}%"
