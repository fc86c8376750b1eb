"""Folding anomalies of one cause: a runaway loop makes its user, team, workflow and model tier unusual at once, and is one thing to tell.

Two scopes are twins when at least half of each one's excess was spent under both; a cause is what twins have in common, and is told
under its most specific scope. A scope whose excess two or three other causes explain is named in them and is none itself; a cause
that lies within a wider one which is more than its parts is named in that. Nothing that is folded is lost.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from budget_gate.analytics.anomaly import Anomaly
from budget_gate.analytics.daily import counted_scope

SPECIFIC_FIRST = ("user", "team", "workflow", "model")
"""Kinds of scopes, those that say most about who has to do something first."""

TWIN_SHARE = 5_000
"""Basis points of both excesses that two scopes share if they are one cause, and of one excess if it lies within the other."""

PART_SHARE = 3_000
"""What a cause explains of a wider scope, at the least, to count as one of its two or three parts."""

PARTS_SHARE = 7_000
"""What such parts explain together if the wider scope is nothing but them."""

Shared = Mapping[tuple[str, str], int]
"""Nano-dollars of excess that were spent under both of two scopes; in both orders (see ``anomaly.explain``)."""


class Named(NamedTuple):
    """Another anomalous scope of a cause.

    If ``is_wider``, the share (basis points) is what the cause makes up of its excess, else what it makes up of the cause's.
    """

    anomaly: Anomaly
    share_basis_points: int
    is_wider: bool


class Folded(NamedTuple):
    """One thing to tell: the scope it is told under, its twins (the same spending by another name), and what else is named in it."""

    anomaly: Anomaly
    twins: tuple[str, ...]
    named: tuple[Named, ...]


_Group = list[Anomaly]
"""Twins, the most specific first."""


def fold(anomalies: Sequence[Anomaly], shared: Shared) -> tuple[Folded, ...]:
    """Return the causes behind the anomalies of one day, the largest excess first. Every anomaly is in at least one of them."""
    groups = sorted(_twins(anomalies, shared), key=lambda group: (group[0].excess_nano_usd, group[0].scope))
    told: list[_Group] = []
    for group in groups:
        if not _is_nothing_but_parts(group[0], told, shared):
            told.append(group)
    for group in list(told):
        if _lies_within(group[0], [other[0] for other in told if other is not group], shared):
            told.remove(group)
    # Whoever would be named nowhere, because what it was folded into was folded itself, speaks for itself.
    told += [group for group in groups if group not in told and not any(_explains(each[0], group[0], shared) for each in told)]
    causes = [_cause(group, _also(group, groups, told, shared), shared) for group in told]
    return tuple(sorted(causes, key=lambda each: (-each.anomaly.excess_nano_usd, each.anomaly.scope)))


def _share(part: Anomaly, whole: Anomaly, shared: Shared) -> int:
    """Return how much of ``whole``'s excess was spent under ``part`` too, in basis points."""
    both = shared.get((part.scope, whole.scope), 0)
    return min(max(both * 10_000 // whole.excess_nano_usd, 0), 10_000) if whole.excess_nano_usd > 0 else 0


def _twins(anomalies: Sequence[Anomaly], shared: Shared) -> list[_Group]:
    """Return the anomalies in groups of twins, and of twins of twins."""
    groups: list[_Group] = []
    for each in anomalies:
        joined = [group for group in groups if any(_are_twins(each, other, shared) for other in group)]
        groups = [group for group in groups if group not in joined]
        groups.append(sorted([each, *(other for group in joined for other in group)], key=_specific))
    return groups


def _are_twins(one: Anomaly, other: Anomaly, shared: Shared) -> bool:
    return min(_share(one, other, shared), _share(other, one, shared)) >= TWIN_SHARE


def _explains(cause: Anomaly, other: Anomaly, shared: Shared) -> bool:
    return _share(cause, other, shared) >= PART_SHARE


def _is_nothing_but_parts(whole: Anomaly, smaller: Sequence[_Group], shared: Shared) -> bool:
    """True if two or three smaller causes explain a scope; what many small ones make up together is a cause of its own."""
    inside = [group[0] for group in smaller if _share(whole, group[0], shared) >= TWIN_SHARE]
    large = [_share(each, whole, shared) for each in inside if _explains(each, whole, shared)]
    return sum(large) >= PARTS_SHARE


def _lies_within(part: Anomaly, others: Sequence[Anomaly], shared: Shared) -> bool:
    return any(other.excess_nano_usd > part.excess_nano_usd and _share(other, part, shared) >= TWIN_SHARE for other in others)


def _also(group: _Group, groups: Sequence[_Group], told: Sequence[_Group], shared: Shared) -> list[Anomaly]:
    """Return who else is named: what is told nowhere else, whole, and of what is, those twins that this cause is a part of, too."""
    named: list[Anomaly] = []
    for other in groups:
        if other not in told and _explains(group[0], other[0], shared):
            named += other
        elif other in told and other is not group:
            named += [each for each in other[1:] if _explains(group[0], each, shared)]
    return named


def _cause(group: _Group, others: Sequence[Anomaly], shared: Shared) -> Folded:
    head, twins = group[0], group[1:]
    return Folded(head, tuple(each.scope for each in twins), tuple(_named(head, each, shared) for each in (*twins, *others)))


def _named(head: Anomaly, other: Anomaly, shared: Shared) -> Named:
    is_wider = other.excess_nano_usd >= head.excess_nano_usd
    return Named(other, _share(head, other, shared) if is_wider else _share(other, head, shared), is_wider)


def _specific(anomaly: Anomaly) -> tuple[int, int, str]:
    return SPECIFIC_FIRST.index(counted_scope(anomaly.scope).kind), -anomaly.excess_nano_usd, anomaly.scope
