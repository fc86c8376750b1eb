"""All metrics of a ledger: budgets, open reservations and pull requests as they stand now, and the running month's entries, counted."""

from collections.abc import Iterator, Mapping
from itertools import chain

from budget_gate.analytics.month_counts import Counts, MonthCounts, count_month
from budget_gate.analytics.monthly import ProjectMonth
from budget_gate.analytics.spending import SpendingReader
from budget_gate.core.periods import window_at
from budget_gate.core.policy import Policy
from budget_gate.ledger.interface import Ledger
from budget_gate.reports.metrics import Sample, budget_samples, count_samples
from budget_gate.runs.month_reading import read_running_month
from budget_gate.runs.recent_entries import entries_since
from budget_gate.runs.status import budget_states

_WHOSE = ("team", "workflow", "tier")


def metric_samples(policy: Policy, ledger: Ledger) -> Iterator[Sample]:
    """Yield every sample. Reads the counters of the policy's budgets, the open reservations, and the entries."""
    yield from budget_samples(budget_states(policy, ledger, {}))
    open_count: dict[tuple[str, ...], int] = {("pending",): 0, ("held",): 0}
    for reservation in ledger.open_reservations():
        open_count[(reservation.state,)] += 1
    yield from count_samples("reservations", ("state",), open_count, usd=False)
    yield from _month_samples(month_counts(policy, ledger))
    yield from _pull_samples(read_running_month(policy, ledger).by_project())


def month_counts(policy: Policy, ledger: Ledger) -> MonthCounts:
    """Return what the running month's entries come to."""
    month = window_at("month", policy.timezone, ledger.now())
    reader = SpendingReader()
    found = reader.follow(entries_since(ledger, month.starts_at))
    return count_month(chain(found, reader.still_open()), month.label, month.starts_at)


def _month_samples(counts: MonthCounts) -> Iterator[Sample]:
    yield from count_samples("spend_usd", _WHOSE, counts.spend_nano_usd, usd=True)
    yield from count_samples("held_usd", _WHOSE, counts.held_nano_usd, usd=True)
    yield from count_samples("tokens", ("model", "kind"), counts.tokens, usd=False)
    yield from count_samples("web_searches", ("model",), counts.web_searches, usd=False)
    yield from count_samples("requests", _WHOSE, counts.requests, usd=False)
    yield from count_samples("overrun_usd", _WHOSE, counts.overrun_nano_usd, usd=True)
    yield from count_samples("refusals", ("scope", "per", "reason"), counts.refusals, usd=False)


def _pull_samples(projects: Mapping[str, ProjectMonth]) -> Iterator[Sample]:
    merged: Counts = {(name,): each.merged for name, each in projects.items()}
    means = {name: each.cost_per_merged_nano_usd for name, each in projects.items()}
    costs: Counts = {(name,): mean for name, mean in means.items() if mean is not None}
    wasted: Counts = {(name, "closed"): each.closed for name, each in projects.items()}
    wasted |= {(name, "reverted"): each.reverted for name, each in projects.items()}
    waste: Counts = {(name,): each.waste.nano_usd for name, each in projects.items()}
    yield from count_samples("merged_prs", ("project",), merged, usd=False)
    yield from count_samples("merged_pr_cost_usd", ("project",), costs, usd=True)
    yield from count_samples("wasted_prs", ("project", "outcome"), wasted, usd=False)
    yield from count_samples("waste_usd", ("project",), waste, usd=True)
