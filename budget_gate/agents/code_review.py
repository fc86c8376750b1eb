"""The code-review agent: as much of a diff as the budget pays for, riskiest parts first, and a plain word about the rest.

It decides what to ask and when to stop; admission and accounting are the gate's, wording is ``review_report``'s.
"""

from collections.abc import Sequence
from typing import NamedTuple

from budget_gate.agents.prompt_files import load_prompt
from budget_gate.agents.review_masking import masked_change
from budget_gate.agents.review_memory import ReviewMemory
from budget_gate.agents.review_prices import PriceList
from budget_gate.agents.review_report import not_reviewed, reason_of, verdict_of, why
from budget_gate.agents.review_request import Briefing, unused_tag
from budget_gate.agents.review_run import ReviewRun
from budget_gate.agents.review_steps import TriagePrice, planned_in_steps, review_in_steps, triage_price
from budget_gate.core.diff_pieces import Piece, pieces_of
from budget_gate.core.diff_selection import Selection, select
from budget_gate.core.diff_values import FileDiff
from budget_gate.core.diffs import parse_diff
from budget_gate.core.finding_checks import ShownCode, checked
from budget_gate.core.money import usd_short
from budget_gate.core.packing import LeftOut, Plan, Price
from budget_gate.core.pull_requests import SEVERITIES, PullRequest
from budget_gate.core.reviews import ReviewOutcome, without_review
from budget_gate.core.routing import Facts, Route
from budget_gate.core.tasks import Task
from budget_gate.gate.alternatives import Alternative
from budget_gate.gate.interface import GateService
from budget_gate.ledger.interface import Ledger


class RouteExplained(NamedTuple):
    """A route that would be taken, the alternatives to it (a whole change read in one call, cheapest first), and its extent.

    ``triage`` is the call that would divide the change between two models first, None where none would.
    """

    route: Route
    alternatives: tuple[Alternative, ...]
    files: int
    hunks: int
    triage: TriagePrice | None = None


FINDINGS_MOST = 25
"""The most findings of one review: people stop reading long before."""


class CodeReviewAgent:
    """Reviews diffs for one task. Implements ``agents.interface.Reviewer``."""

    def __init__(
        self,
        gate: GateService,
        task: Task,
        *,
        ledger: Ledger | None = None,
        findings_most: int = FINDINGS_MOST,
    ) -> None:
        """``ledger`` is where results are remembered: without one, everything is read anew."""
        self._gate = gate
        self._prompt = load_prompt("code_review")
        self._task = task._replace(prompt_version=f"{self._prompt.name}/{self._prompt.version}")
        self._memory = ReviewMemory(ledger, self._task) if ledger is not None else None
        self._findings_most = findings_most

    def review(self, diff: bytes | str, pull: PullRequest | None = None, *, tag: str, dry_run: bool = False) -> ReviewOutcome:
        """Review a unified diff; see ``Reviewer.review``."""
        selection = select(parse_diff(diff))
        pieces, pull, masked_secrets = masked_change(pieces_of(selection.files), pull)
        briefing = Briefing(self._prompt, _tag_for(tag, pieces, pull), pull)
        if not pieces:
            return self._nothing_to_review(selection)
        route, prices = self._route(selection, pieces, briefing)
        run = ReviewRun(self._gate, self._task, route, briefing, prices, self._memory)
        run.ending = run.ending._replace(masked_secrets=masked_secrets)
        waiting = prices.priced(pieces)
        if dry_run:
            return self._dry(*planned_in_steps(self._gate, self._task, run, briefing, waiting), run, selection)
        review_in_steps(self._gate, self._task, run, briefing, waiting)
        run.write_memory()
        return self._outcome(run, selection)

    def explain(self, diff: bytes | str, pull: PullRequest | None = None, *, tag: str) -> RouteExplained:
        """Say which model a review of this diff would get and why, and what every tier would cost. Calls nothing, takes nothing."""
        selection = select(parse_diff(diff))
        pieces, pull, _ = masked_change(pieces_of(selection.files), pull)
        briefing = Briefing(self._prompt, _tag_for(tag, pieces, pull), pull)
        route, prices = self._route(selection, pieces, briefing)
        alternatives = self._gate.alternatives(route, briefing.request(pieces))
        run = ReviewRun(self._gate, self._task, route, briefing, prices)
        triage = triage_price(self._gate, self._task, run, briefing, prices.priced(pieces))
        return RouteExplained(route, alternatives, len(selection.files), len({piece.hunk for piece in pieces}), triage)

    def _route(self, selection: Selection, pieces: Sequence[Piece], briefing: Briefing) -> tuple[Route, PriceList]:
        """Choose the model by what the whole selection would be to read; its size is measured on the route without it."""
        facts = Facts(
            paths=_paths(selection.files),
            text=f"{briefing.pull.title}\n{briefing.pull.body}" if briefing.pull else "",
            labels=briefing.pull.labels if briefing.pull else (),
        )
        first = self._gate.route(self._task, facts)
        prices = PriceList(self._gate, first, briefing)
        estimate = self._gate.estimate(first, briefing.request(pieces))
        route = self._gate.route(self._task, facts._replace(input_tokens=estimate.input_tokens))
        return route, prices if route == first else PriceList(self._gate, route, briefing)

    def _nothing_to_review(self, selection: Selection) -> ReviewOutcome:
        aside = len(selection.set_aside)
        reason = f"nothing to review: {aside} changed file{'' if aside == 1 else 's'} set aside" if aside else "the diff is empty"
        budgets = self._gate.budgets(self._task, self._task.workflow.model)
        outcome = without_review("pass", reason, provider=self._gate.provider_name, budgets=budgets)
        return outcome._replace(not_reviewed=selection.set_aside)

    def _dry(self, planned: Plan, steps: Sequence[Price], run: ReviewRun, selection: Selection) -> ReviewOutcome:
        """Say what a review would do, with what its ``steps`` add. Every file is named with its estimate; nothing is sent or taken."""
        prices = [*steps, *(pack.price for pack in planned.packs)]
        tokens = sum(price.tokens for price in prices)
        nano_usd = sum(price.nano_usd for price in prices)
        calls, asked = len(prices), ", one of them triage," if steps else ""
        sent = [("dry run", LeftOut(each, "soft")) for pack in planned.packs for each in pack.pieces]
        rest = [(f"dry run; {why(each.cause, self._task.workflow.task)}", each) for each in planned.left_out]
        plural = "" if calls == 1 else "s"
        return self._outcome(run, selection)._replace(
            verdict="pass",
            reason=f"dry run: nothing was sent; {calls} call{plural}{asked} would use at most {tokens:,} tokens, {usd_short(nano_usd)}",
            not_reviewed=(*not_reviewed([*sent, *rest], run.prices.call()), *selection.set_aside),
            is_dry_run=True,
        )

    def _outcome(self, run: ReviewRun, selection: Selection) -> ReviewOutcome:
        everything = checked(run.findings, ShownCode([*run.shown, *run.reused]))
        least = SEVERITIES.index(self._task.workflow.min_severity)
        findings = [each for each in everything if SEVERITIES.index(each.severity) >= least]
        run.ending = run.ending._replace(minor=len(everything) - len(findings))
        reported = tuple(findings)[: self._findings_most]
        workflow = self._task.workflow
        reason = reason_of(workflow, run.ending, len(reported), len(findings) - len(reported))
        read = [*run.shown, *run.reused]
        shown, missed = {piece.hunk for piece in read}, {each.priced.piece.hunk for _, each in run.left_out}
        return ReviewOutcome(
            verdict=verdict_of(workflow, run.ending),
            reason=reason,
            findings=reported,
            reviewed_files=len({hunk[0] for hunk in shown}),
            reviewed_hunks=len(shown - missed),
            not_reviewed=(*not_reviewed(run.left_out, run.prices.call()), *selection.set_aside),
            cost_nano_usd=run.spent.nano_usd,
            usage=run.usage,
            tier=run.route.tier,
            model=run.route.model,
            route_reason=run.route.reason,
            provider=self._gate.provider_name,
            budgets=run.budgets,
            dropped_findings=run.dropped,
            summary="\n".join(dict.fromkeys(run.summaries)),
            refused=run.ending.refused,
            failure=run.ending.failure,
            unsettled=tuple(run.unsettled),
            reused_hunks=run.ending.reused_hunks,
            avoided_nano_usd=run.ending.avoided_nano_usd,
            masked_secrets=run.ending.masked_secrets,
        )


def _paths(files: Sequence[FileDiff]) -> tuple[str, ...]:
    """Return every path of the files, old names included: a file moved out of a watched folder still counts."""
    return tuple(dict.fromkeys(path for file in files for path in (file.new_path, file.old_path) if path))


def _tag_for(tag: str, pieces: Sequence[Piece], pull: PullRequest | None) -> str:
    words = (pull.title, pull.body) if pull else ()
    texts = (text for piece in pieces for text in (piece.path, piece.heading, *(line.text for line in piece.lines)))
    return unused_tag(tag, (*words, *texts))
