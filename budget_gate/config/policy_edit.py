"""Limits changed where they stand in a policy's text: an amount for an amount, a limit before its neighbours, a budget behind the last.

Comments, order, spelling (``20M``) and everything else stay as people wrote them. What cannot be changed so (a budget or a limit that
goes, another mode) is left to ``policy_text``, which writes the budgets anew.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import yaml

from budget_gate.core.policy import Budget, Limit


class _Edit(NamedTuple):
    """Characters of the text, from ``start`` up to ``end``, and what stands there instead."""

    start: int
    end: int
    text: str


class Spelling(NamedTuple):
    """How new parts are written: a limit's number, a budget in one line, and budgets as items of a block list."""

    number: Callable[[Limit], str]
    in_line: Callable[[Budget], str]
    as_block: Callable[[Sequence[Budget]], str]


def with_limits(text: str, before: Sequence[Budget], after: Sequence[Budget], spelling: Spelling) -> str | None:
    """Return a policy's text (one that loads, with the budgets ``before``) with the limits of ``after``; None where it takes more.

    The caller loads what comes back and compares: places are found here, meanings are not judged.
    """
    items = _value(yaml.compose(text, Loader=yaml.SafeLoader), "budgets")
    if not isinstance(items, yaml.SequenceNode) or len(items.value) != len(before):
        return None
    wanted = {budget.scope: budget for budget in after}
    edits: list[_Edit] = []
    for item, budget in zip(items.value, before, strict=True):
        changed = wanted.pop(budget.scope, None)
        limits = _value(item, "limits")
        if changed is None or not isinstance(limits, yaml.SequenceNode) or len(limits.value) != len(budget.limits):
            return None
        edits += _limit_edits(limits, budget, changed, spelling)
    edits += _added(text, items, list(wanted.values()), spelling)
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def _value(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """Return what a mapping has under a key."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def _limit_edits(node: yaml.SequenceNode, before: Budget, after: Budget, spelling: Spelling) -> Iterator[_Edit]:
    wanted = {(limit.unit, limit.per): limit for limit in after.limits}
    for item, limit in zip(node.value, before.limits, strict=True):
        now = wanted.pop((limit.unit, limit.per), limit)
        amount = _value(item, limit.unit)
        if now.amount != limit.amount and amount is not None:
            yield _Edit(amount.start_mark.index, amount.end_mark.index, spelling.number(now))
    if wanted and node.value:
        first = node.value[0].start_mark
        texts = [f"{{{limit.unit}: {spelling.number(limit)}, per: {limit.per}}}" for limit in wanted.values()]
        start = first.index if node.flow_style else node.start_mark.index
        indent = " " * node.start_mark.column
        between = "".join(f"{each}, " for each in texts) if node.flow_style else "".join(f"- {each}\n{indent}" for each in texts)
        yield _Edit(start, start, between)


def _added(text: str, node: yaml.SequenceNode, budgets: Sequence[Budget], spelling: Spelling) -> Iterator[_Edit]:
    if not budgets or not node.value:
        return
    last = _end(node.value[-1])
    if node.flow_style:
        yield _Edit(last, last, "".join(f", {spelling.in_line(budget)}" for budget in budgets))
        return
    line_end = text.find("\n", last)
    at, before = (len(text), "\n") if line_end < 0 else (line_end + 1, "")
    indent = " " * node.start_mark.column
    lines = spelling.as_block(budgets).splitlines(keepends=True)
    yield _Edit(at, at, before + "".join(f"{indent}{line}" for line in lines))


def _end(node: yaml.Node) -> int:
    """Return where a node's own text ends. PyYAML ends a block where the next thing begins, behind empty lines and comments."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        return int(node.end_mark.index)
    parts = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
    return max((_end(part) for part in parts), default=int(node.start_mark.index))
