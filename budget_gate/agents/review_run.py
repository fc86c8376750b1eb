"""One review under way: plan, send, take the answer, plan again. What it gathers becomes the outcome in ``code_review``."""

from collections.abc import Sequence

from budget_gate.agents.review_answer import ShownLines, read_answer
from budget_gate.agents.review_memory import ReviewMemory
from budget_gate.agents.review_prices import PriceList, Spent, room_left
from budget_gate.agents.review_report import Ending, why
from budget_gate.agents.review_request import Briefing
from budget_gate.core.diff_pieces import Piece
from budget_gate.core.diff_values import side_range
from budget_gate.core.errors import ProviderError
from budget_gate.core.job_record import UnsettledCost
from budget_gate.core.packing import LeftOut, Pack, Plan, Priced, plan
from budget_gate.core.pull_requests import Finding
from budget_gate.core.reservations import BudgetState, Refused
from budget_gate.core.routing import Route
from budget_gate.core.tasks import Task
from budget_gate.core.usage import Usage
from budget_gate.gate.interface import GateService, Served, is_bound_only
from budget_gate.providers.interface import Failed

CALLS_MOST = 50
"""The most calls of one review, whatever the policy allows."""

WHOLE_HUNK = 2
"""The length of an uncut piece's order: file and hunk."""

NO_ROOM_TO_RETRY = "the model's service failed; what the attempt may have cost leaves the task no room for another"
"""A broken service is a note, even where a budget that is used up would block (docs/decisions/0017)."""


class ReviewRun:
    """One review under way: calls until nothing is waiting, nothing fits, a budget refuses or something fails."""

    def __init__(
        self,
        gate: GateService,
        task: Task,
        route: Route,
        briefing: Briefing,
        prices: PriceList,
        memory: ReviewMemory | None = None,
    ) -> None:
        self._gate, self._task, self._briefing, self._memory = gate, task, briefing, memory
        self.route, self.prices = route, prices
        self.budgets: tuple[BudgetState, ...] = gate.budgets(task, route.tier)
        self.spent = Spent()
        self.usage = Usage()
        self.findings: list[Finding] = []
        self.dropped = 0
        self.summaries: list[str] = []
        self.shown: list[Piece] = []
        self.reused: list[Piece] = []
        self.left_out: list[tuple[str, LeftOut]] = []
        self.unsettled: list[UnsettledCost] = []
        self.ending = Ending(frozenset())
        self._avoided_nano_usd = 0
        self.first_route: Route | None = None
        self._overload, self._is_served = "", False
        self._room = room_left(task.workflow.task, self.budgets, self.spent)

    def plan(self, waiting: Sequence[Priced]) -> Plan:
        """Plan the calls that the task still has room for."""
        self._room = room_left(self._task.workflow.task, self.budgets, self.spent)
        most = CALLS_MOST - self.spent.steps
        room = self._room._replace(steps=most if self._room.steps is None else min(most, self._room.steps))
        call = self.prices.call(is_narrow=self._is_narrow)
        return plan(waiting, call=call, room=room, price=self.prices.piece)

    @property
    def _is_narrow(self) -> bool:
        return self._room.soft_tokens == 0

    def review(self, waiting: Sequence[Priced]) -> bool:
        """Send one pack, see what that left of the task, plan the rest anew: estimates are worst cases, so more fits.

        False when a budget refused or a call failed, so that no other call should follow.
        """
        waiting = self.without_known(waiting)
        while waiting:
            planned = self.plan(waiting)
            first = planned.packs[0] if planned.packs else Pack((), self.prices.call())
            pack = self.prices.within(first, self._room, is_narrow=self._is_narrow)
            if not pack.pieces:
                self._stop_at_bounds(planned)
                return True
            rest = [*first.pieces[len(pack.pieces) :], *_not_in_first(planned)]
            unknown = self.without_known([each for each in pack.pieces if len(each.piece.order) > WHOLE_HUNK])
            whole = [each for each in pack.pieces if len(each.piece.order) == WHOLE_HUNK]
            if len(unknown) + len(whole) < len(pack.pieces):
                waiting = [*whole, *unknown, *rest]  # parts that an earlier run has read: plan anew with the room they leave
                continue
            is_first_route = self.first_route is None
            if not self._send(pack, rest):
                return False
            waiting = rest
            if is_first_route and self.first_route is not None:  # nothing was read; the prices are another tier's now
                waiting = self.prices.priced(each.piece for each in [*pack.pieces, *rest])
        return True

    def without_known(self, waiting: Sequence[Priced], route: Route | None = None) -> list[Priced]:
        """Return what no earlier run has read on a route (None: the present one); take over the findings of the rest."""
        if self._memory is None or not waiting:
            return list(waiting)
        known = self._memory.recall([each.piece for each in waiting], route or self.route)
        for each in waiting:
            remembered = known.get(each.piece.order)
            if remembered is not None:
                self.reused.append(each.piece)
                self.findings += remembered.findings
                self._avoided_nano_usd += remembered.nano_usd
        self.ending = self.ending._replace(
            reused_hunks=len({piece.hunk for piece in self.reused}), avoided_nano_usd=self._avoided_nano_usd
        )
        return [each for each in waiting if each.piece.order not in known]

    def write_memory(self) -> None:
        """Write what this run has learnt, for the next one."""
        if self._memory is None:
            return
        if self.reused:
            self._memory.record_avoided(self.reused, self.route, self._avoided_nano_usd)
        self._memory.write()

    def switch(self, route: Route, briefing: Briefing) -> None:
        """Send the next calls on another route, or with another briefing."""
        self.route, self._briefing = route, briefing
        self.prices = PriceList(self._gate, route, briefing)

    def _send(self, pack: Pack, rest: Sequence[Priced]) -> bool:
        """Make one call; True when the review may go on."""
        body = self._briefing.request((each.piece for each in pack.pieces), is_narrow=self._is_narrow)
        try:
            result = self._gate.call(self._task, self.route, body)
        except ProviderError as error:  # a provider that could not even start; the gate has accounted for the attempt
            result = Failed("broken", str(error), 0)
        if not isinstance(result, Served):
            self.account_unanswered(result)
        if isinstance(result, Failed) and result.kind == "overloaded" and self._falls_back(result):
            return True
        if isinstance(result, Refused) and self.first_route is not None and not self._is_served:
            # The overload is what went wrong: that a tier nobody planned for has no budget must not block anything.
            self.ending = self.ending._replace(failure=f"{self._overload}; {self.route.tier} has no budget to take over")
            self.leave_out("the model's service failed", [*pack.pieces, *rest])
            return False
        if isinstance(result, Refused):
            self.budgets = result.budgets or self.budgets
            if is_bound_only(result):  # it was planned within the task's bounds: an attempt of this very call broke, and is held
                self.ending = self.ending._replace(failure=NO_ROOM_TO_RETRY)
                self.leave_out("the model's service failed", [*pack.pieces, *rest])
                return False
            self.ending = self.ending._replace(refused=result)
            self.leave_out("the budget refused", [*pack.pieces, *rest])
            return False
        if isinstance(result, Failed):
            self.ending = self.ending._replace(failure=f"the model's service failed ({result.kind}): {_one_line(result.text)}")
            self.budgets = self._gate.budgets(self._task, self.route.tier)  # what may have been billed is held by now
            self.leave_out("the model's service failed", [*pack.pieces, *rest])
            return False
        return self._take(result, pack, rest)

    def _falls_back(self, failed: Failed) -> bool:
        """Go over to another tier, once in a review, where the workflow names one."""
        route = self._gate.fallback(self._task, self.route) if self.first_route is None else None
        if route is None:
            return False
        self.first_route = self.route
        self.switch(route, self._briefing)
        self._overload = f"the model's service failed ({failed.kind}): {_one_line(failed.text)}"
        self.budgets = self._gate.budgets(self._task, route.tier)
        return True

    def account(self, served: Served) -> None:
        """Take in what a call of this task used, whatever it was for."""
        self.usage = self.usage.plus(served.usage)
        self.spent = Spent(
            self.usage.total_tokens, self.spent.nano_usd + served.cost_nano_usd, self.spent.steps + served.attempts
        )
        self.budgets = served.budgets or self.budgets
        self.unsettled += served.unsettled
        if served.accounting != "metered":
            self.ending = self.ending._replace(is_recorded=False)

    def account_unanswered(self, result: Refused | Failed) -> None:
        """Take in what the attempts of a call without an answer were billed, or may have been."""
        tokens, nano_usd, steps = self.spent
        attempts = result.attempts if isinstance(result, Failed) else 0
        self.spent = Spent(tokens, nano_usd + result.cost_nano_usd, steps + attempts)

    def _take(self, served: Served, pack: Pack, rest: Sequence[Priced]) -> bool:
        self.account(served)
        self._is_served = self.first_route is not None
        pieces = [each.piece for each in pack.pieces]
        answer = read_answer(served.message, ShownLines(pieces))
        self.findings += answer.findings
        self.dropped += answer.dropped
        self.summaries += [answer.summary] if answer.summary else []
        self.ending = self.ending._replace(failure=answer.failure or self.ending.failure)
        if answer.is_usable:
            self.shown += pieces
            if not answer.failure:
                self._keep(pack, answer.findings, served.cost_nano_usd)
            return True
        self.leave_out("the model gave no usable answer", [*pack.pieces, *rest])
        return False

    def _keep(self, pack: Pack, findings: Sequence[Finding], cost_nano_usd: int) -> None:
        """Remember each piece's findings, and its share of what the call cost."""
        if self._memory is None:
            return
        total = max(sum(each.price.tokens for each in pack.pieces), 1)
        for each in pack.pieces:
            its_own = [finding for finding in findings if _is_in(finding, each.piece)]
            self._memory.keep(each.piece, self.route, its_own, cost_nano_usd * each.price.tokens // total)

    def _stop_at_bounds(self, planned: Plan) -> None:
        """Nothing more fits: what is left stays out, each piece for its own cause."""
        unplanned = [LeftOut(each, "tokens") for pack in planned.packs for each in pack.pieces]
        left_out = [*unplanned, *planned.left_out]
        self.left_out += [(why(each.cause, self._task.workflow.task), each) for each in left_out]
        self.ending = self.ending._replace(causes=self.ending.causes | {each.cause for each in left_out})

    def leave_out(self, reason: str, pieces: Sequence[Priced]) -> None:
        """Note pieces that are not reviewed, and why."""
        self.left_out += [(reason, LeftOut(each, "tokens")) for each in pieces]


def _not_in_first(planned: Plan) -> list[Priced]:
    """Return what a plan does not send in its first call."""
    later = [each for pack in planned.packs[1:] for each in pack.pieces]
    return [*later, *(each.priced for each in planned.left_out)]


def _is_in(finding: Finding, piece: Piece) -> bool:
    lines = side_range(piece.lines, finding.side) if finding.path == piece.path else None
    return lines is not None and lines.holds(finding.line)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
