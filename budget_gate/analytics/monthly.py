"""A month of an organization: the four numbers per team, waste, refusals, and who spent most. Pure; reading is the caller's.

Two sources, never mixed in one figure. *Counters* give every total (organization, teams, users, this month and the one before) and
every budget's state: a handful of rows, however long the ledger is. *Entries* give what counters do not know: pull requests, models
per workflow, refusals, exemptions. Both count posted and held amounts, in the month of the reservation.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from budget_gate.analytics.month_exemptions import ExemptionLog
from budget_gate.analytics.month_periods import month_before, month_window
from budget_gate.analytics.outcomes import KIND as OUTCOME
from budget_gate.analytics.outcomes import Event, PullName, Standing, event_from, month_of, standings
from budget_gate.analytics.pr_costs import UNKNOWN, model_of, pull_of
from budget_gate.analytics.spending import Note, Spend, SpendingReader
from budget_gate.core.amounts import ZERO, Amount, total_of
from budget_gate.core.audit import AVOIDED, Entry
from budget_gate.core.exemptions import Exemption
from budget_gate.core.scopes import Scope

NO_TEAM = ""
"""The team of work that names none. Its total is what the organization's counter holds beyond its teams' counters."""

COUNT_DIGITS = 16
"""More digits than any count in a ledger has."""


class MixLine(NamedTuple):
    """What one workflow spent on one model."""

    workflow: str
    model: str
    amount: Amount


class Refusals(NamedTuple):
    """Calls that a budget kept out, and the most that they would have cost. A retried call counts each time it was refused."""

    calls: int = 0
    asked: Amount = ZERO


class NotPaidAgain(NamedTuple):
    """What reviews did not have to pay, because an earlier run had read the same lines: by how many runs, and for how many hunks."""

    runs: int = 0
    hunks: int = 0
    nano_usd: int = 0


class PullShare(NamedTuple):
    """A pull request that ended in the month: how it stands, and what its AI work cost by team over its whole life."""

    pull: PullName
    standing: Standing
    by_team: Mapping[str, Amount]

    @property
    def cost(self) -> Amount:
        """What all teams' work on it cost."""
        return total_of(self.by_team.values())


class ProjectMonth(NamedTuple):
    """What became of one project's pull requests in the month, and what their AI work cost over their whole lives."""

    merged: int = 0
    merged_cost: Amount = ZERO
    closed: int = 0
    reverted: int = 0
    waste: Amount = ZERO

    @property
    def cost_per_merged_nano_usd(self) -> int | None:
        """What a merged pull request cost on average; None without one."""
        return mean_nano_usd(self.merged_cost, self.merged)

    def with_pull(self, pull: PullShare) -> "ProjectMonth":
        """Return it with one more pull request."""
        ending, cost = pull.standing.ending, pull.cost
        if ending == "merged":
            return self._replace(merged=self.merged + 1, merged_cost=self.merged_cost.plus(cost))
        counted = self._replace(closed=self.closed + 1) if ending == "closed" else self._replace(reverted=self.reverted + 1)
        return counted._replace(waste=self.waste.plus(cost))


class Breakdown(NamedTuple):
    """What the entries say of one month. ``pulls`` are those that ended in it, ``mix`` is by team, the dearest first.

    ``exemptions`` were in force at some time of it.
    """

    month: str
    pulls: tuple[PullShare, ...]
    mix: Mapping[str, tuple[MixLine, ...]]
    refusals: Refusals
    not_paid_again: NotPaidAgain
    exemptions: tuple[Exemption, ...]
    merged_before: int
    merged_before_by_team: Mapping[str, int]

    def merged(self, team: str | None = None) -> tuple[PullShare, ...]:
        """Return what was merged in the month and still stood at its end, for one team (None: for all of them)."""
        return tuple(each for each in self.pulls if each.standing.ending == "merged" and _is_of(each, team))

    def waste(self, team: str | None = None) -> Amount:
        """Return what was spent on pull requests that were closed unmerged or reverted in the month; of a team, its share."""
        wasted = [each for each in self.pulls if each.standing.ending != "merged"]
        return total_of(each.cost if team is None else each.by_team.get(team, ZERO) for each in wasted)

    def merged_cost(self, team: str | None = None) -> Amount:
        """Return what the pull requests merged in the month cost over their whole lives; of a team, its share."""
        return total_of(each.cost if team is None else each.by_team.get(team, ZERO) for each in self.merged(team))

    def by_project(self) -> dict[str, ProjectMonth]:
        """Return what became of the pull requests of each project (in small letters) that ended in the month."""
        found: dict[str, ProjectMonth] = {}
        for each in self.pulls:
            found[each.pull.project] = found.get(each.pull.project, ProjectMonth()).with_pull(each)
        return found


def ends_of(entries: Iterable[Entry], since: datetime, until: datetime) -> list[Event]:
    """Return what ended pull requests at ``since`` or later and before ``until``, in the order of the entries.

    An outcome is noted after it happened, so entries from ``since`` on suffice. Only entries that can be such notes are parsed.
    """
    reader = SpendingReader()
    notes = reader.follow(entry for entry in entries if OUTCOME in entry.text)
    events = (event_from(note) for note in notes if isinstance(note, Note))
    return [event for event in events if event is not None and since <= event.at < until]


class MonthReader:
    """Reads entries once, in their order, and keeps what a month's breakdown needs: sums, never rows.

    ``user`` narrows everything to one user's own calls; outcomes count where that user's calls are on the pull request. ``events``
    are those of the month and the one before (``ends_of``): work on other pull requests is not remembered, however many there are.
    Whatever else the entries say of these pull requests is read with them.
    """

    def __init__(self, month: str, zone: str, events: Sequence[Event], user: str = "") -> None:
        self._month = month
        self._before = month_before(month)
        self._zone = zone
        self._user = user
        self._events = set(events)
        self._ending = frozenset(event.pull for event in events)
        self._pulls: dict[PullName, dict[str, Amount]] = {}
        self._mix: dict[tuple[str, str, str], Amount] = {}
        self._refusals = Refusals()
        self._not_paid_again = NotPaidAgain()
        self._exemptions = ExemptionLog()

    def read(self, entries: Iterable[Entry]) -> Breakdown:
        """Return the breakdown."""
        reader = SpendingReader()
        for found in reader.follow(entries):
            if isinstance(found, Spend):
                self._spend(found)
            else:
                self._note(found)
        for left in reader.still_open():
            self._spend(left)
        before = self._ended(self._before)
        merged_before = [each for each in before if each.standing.ending == "merged"]
        teams = {team for each in merged_before for team in each.by_team}
        return Breakdown(
            self._month,
            self._ended(self._month),
            self._mix_by_team(),
            self._refusals,
            self._not_paid_again,
            self._exemptions_in_force(),
            len(merged_before),
            {team: sum(team in each.by_team for each in merged_before) for team in teams},
        )

    def _spend(self, row: Spend) -> None:
        # Later work belongs to later reports: a month that is over keeps its figures.
        if row.state == "pending" or not row.month or row.month > self._month:
            return
        if self._user and row.label("user") != self._user:
            return
        team, pull = row.label("team"), pull_of(row)
        if pull in self._ending:
            by_team = self._pulls.setdefault(pull, {})
            by_team[team] = by_team.get(team, ZERO).plus(row.amount)
        if row.month == self._month:
            key = (team, row.label("workflow") or UNKNOWN, model_of(row))
            self._mix[key] = self._mix.get(key, ZERO).plus(row.amount)

    def _note(self, note: Note) -> None:
        self._exemptions.follow(note)
        if event := event_from(note):
            # Older ones matter to what ended in these months, and a revert is undone by one that need not be among them.
            if event.pull in self._ending or event.ending == "reverted":
                self._events.add(event)
        elif month_of(note.at, self._zone) != self._month or self._user not in ("", note.body.get("labels", {}).get("user")):
            return
        elif note.kind == "refuse":
            asked = Amount(*note.body["asked"])
            self._refusals = Refusals(self._refusals.calls + 1, self._refusals.asked.plus(asked))
        elif note.kind == AVOIDED:
            hunks, nano_usd = (_count(note.body.get("details", {}).get(name)) for name in ("hunks", "nano_usd"))
            known = self._not_paid_again
            self._not_paid_again = NotPaidAgain(known.runs + 1, known.hunks + hunks, known.nano_usd + nano_usd)

    def _exemptions_in_force(self) -> tuple[Exemption, ...]:
        found = self._exemptions.in_force(month_window(self._month, self._zone))
        return tuple(each for each in found if not self._user or each.request.scope == Scope("user", self._user))

    def _ended(self, month: str) -> tuple[PullShare, ...]:
        """Return the pull requests that came to their end in a month, as they stood when it was over."""
        found = [
            PullShare(pull, standing, self._pulls.get(pull, {NO_TEAM: ZERO}))
            for pull, standing in standings(self._events, self._zone, month).items()
            if month_of(standing.at, self._zone) == month and (not self._user or pull in self._pulls)
        ]
        return tuple(sorted(found, key=lambda each: (-each.cost.nano_usd, each.pull)))

    def _mix_by_team(self) -> dict[str, tuple[MixLine, ...]]:
        found: dict[str, list[MixLine]] = {}
        for (team, workflow, model), amount in self._mix.items():
            found.setdefault(team, []).append(MixLine(workflow, model, amount))
        return {team: tuple(sorted(lines, key=_dearest_first)) for team, lines in found.items()}


def mean_nano_usd(cost: Amount, count: int) -> int | None:
    """Return what each of ``count`` cost on average, rounded half up; None where there is none."""
    return (cost.nano_usd + count // 2) // count if count else None


def month_that_ended(now: datetime, zone: str) -> str:
    """Return the last month that is over at ``now`` in ``zone``."""
    return month_before(month_of(now, zone))


def change_percent(now: int, before: int) -> int | None:
    """Return by how many percent something grew (rounded down); None where there was nothing before."""
    return (now - before) * 100 // before if before > 0 else None


def _is_of(share: PullShare, team: str | None) -> bool:
    return team is None or team in share.by_team


def _count(text: object) -> int:
    """Return the count that a note's detail is; 0 for what is none, because details are text that anybody may have recorded."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= COUNT_DIGITS else 0


def _dearest_first(line: MixLine) -> tuple[int, str, str]:
    return -line.amount.nano_usd, line.workflow, line.model
