"""Metrics as text: what a Prometheus scrapes (OpenMetrics), or a node exporter's textfile collector picks up (the older format).

Gauges say how budgets, reservations and pull requests stand now (a revert takes a merge back). Counters count the running month from
its beginning, so they start anew each month, as counters may. Dollars are written exactly, as decimals; whoever stores them as doubles
rounds them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from budget_gate.core.money import usd_text
from budget_gate.core.reservations import BudgetState

Kind = Literal["gauge", "counter"]
TextFormat = Literal["openmetrics", "prometheus"]
TEXT_FORMATS: tuple[TextFormat, ...] = ("openmetrics", "prometheus")
Labels = tuple[tuple[str, str], ...]

PREFIX = "budget_gate"
_REPLACED = "\ufffd"

FAMILIES: dict[str, tuple[Kind, str]] = {
    "budget_limit": ("gauge", "Limit of a budget, in dollars, tokens or requests as its unit says."),
    "budget_stop": ("gauge", "Line at which a budget refuses."),
    "budget_posted": ("gauge", "What a budget has spent for good in its running period."),
    "budget_pending": ("gauge", "What running jobs have reserved from a budget."),
    "budget_held": ("gauge", "What may have been billed to a budget, counted at the reserved amount."),
    "budget_used_ratio": ("gauge", "Posted and held, as a share of the limit."),
    "budget_resets_timestamp_seconds": ("gauge", "When the running period of a budget ends."),
    "reservations": ("gauge", "Open reservations by state."),
    "spend_usd": ("counter", "Dollars spent (posted) this month, by team, workflow and model tier."),
    "held_usd": ("counter", "Dollars held this month, by team, workflow and model tier."),
    "tokens": ("counter", "Tokens used this month, by model and kind."),
    "web_searches": ("counter", "Server-side web searches made this month, by model."),
    "requests": ("counter", "Requests posted this month, by team, workflow and model tier."),
    "overrun_usd": ("counter", "Dollars that calls cost more than they had reserved, this month."),
    "refusals": ("counter", "Requests refused this month, by the limit that refused and why."),
    "merged_prs": ("gauge", "Pull requests merged this month that still stand, by project, where outcomes are recorded."),
    "merged_pr_cost_usd": ("gauge", "Dollars that a pull request merged this month cost over its life, on average, by project."),
    "wasted_prs": ("gauge", "Pull requests closed unmerged or reverted this month, by project and outcome."),
    "waste_usd": (
        "gauge",
        "Dollars that pull requests closed unmerged or reverted this month cost over their lives, by project.",
    ),
}
"""Every metric there can be: its kind and what it means. The dashboard and the alert rules use these and no others."""


class Sample(NamedTuple):
    """One value of a family. ``value`` is a decimal number as text: exact for dollars."""

    family: str
    labels: Labels
    value: str


def budget_samples(budgets: Sequence[BudgetState]) -> Iterator[Sample]:
    """Yield how each budget stands."""
    for state in budgets:
        labels = (("scope", state.scope.text), ("per", state.per), ("unit", state.unit), ("mode", state.mode))

        def count(value: int, unit: str = state.unit) -> str:
            return usd_text(value) if unit == "usd" else str(value)

        for family, value in (
            ("budget_limit", state.limit),
            ("budget_stop", state.stop),
            ("budget_posted", state.posted),
            ("budget_pending", state.pending),
            ("budget_held", state.held),
        ):
            yield Sample(family, labels, count(value))
        yield Sample("budget_used_ratio", labels, f"{state.used_basis_points // 10_000}.{state.used_basis_points % 10_000:04d}")
        if state.per != "lifetime":
            yield Sample("budget_resets_timestamp_seconds", labels, str(int(state.resets_at.timestamp())))


def count_samples(family: str, names: Sequence[str], counts: Mapping[tuple[str, ...], int], *, usd: bool) -> Iterator[Sample]:
    """Yield one sample for each combination of label values; amounts in nano-dollars where ``usd`` says so."""
    for values, count in sorted(counts.items()):
        yield Sample(family, tuple(zip(names, values, strict=True)), usd_text(count) if usd else str(count))


def render_metrics(samples: Iterable[Sample], text: TextFormat = "openmetrics") -> str:
    """Return every family that has samples, with its type and meaning.

    The two formats differ in the name by which a counter's type is told (with or without ``_total``) and in the end mark. Node
    exporter's textfile collector and ``promtool check metrics`` read ``prometheus``; OpenMetrics' counters have no type for them.
    """
    is_open = text == "openmetrics"
    by_family: dict[str, list[Sample]] = {}
    for sample in samples:
        by_family.setdefault(sample.family, []).append(sample)
    lines = []
    for family, (kind, meaning) in FAMILIES.items():
        if family not in by_family:
            continue
        total = "_total" if kind == "counter" else ""
        name = f"{PREFIX}_{family}{'' if is_open else total}"
        series = f"{PREFIX}_{family}{total}"
        lines += [f"# TYPE {name} {kind}", f"# HELP {name} {meaning}"]
        lines += [f"{series}{_label_text(sample.labels)} {sample.value}" for sample in by_family[family]]
    return "".join(f"{line}\n" for line in [*lines, *(["# EOF"] if is_open else [])])


def _label_text(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _can_stand(character: str) -> bool:
    return character.isprintable() and character != _REPLACED


def _escaped(value: str) -> str:
    """Return a label's value as OpenMetrics quotes it; control characters other than a line feed would split the text for some.

    What cannot be shown is told by its number: two names that became one would be one series twice, and a collector then drops the
    whole file.
    """
    shown = "".join(each if each == "\n" or _can_stand(each) else f"{_REPLACED}{ord(each):x};" for each in value)
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
