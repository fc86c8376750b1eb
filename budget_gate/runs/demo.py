"""The demo: a bot pushes to one pull request again and again, and its budget stops it. Real gate, real ledger, real agent.

Only the model is a scripted stand-in where no key is set, and the command says so.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from budget_gate.agents.interface import Reviewer
from budget_gate.core.attribution import Attribution
from budget_gate.core.policy import Policy
from budget_gate.core.prices import PriceBook
from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.reservations import Actual, Refused
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.tasks import Task
from budget_gate.gate.primitives import PrimitiveCall, reserve_call
from budget_gate.ledger.interface import Ledger
from budget_gate.runs.posting import RunIdentity
from budget_gate.runs.review import ReviewJob, render_result, run_review

WORKFLOW = "ci_cd_review"
PUSHES_MOST = 10

EARLIER_NANO_USD = 6_930_000_000
"""What the workflow spent earlier that day, so that its 7 dollars end within a few reviews rather than hundreds."""


class Push(NamedTuple):
    """One push of the bot: its number, the outcome of its review, and the comment as GitHub would show it."""

    number: int
    outcome: ReviewOutcome
    comment: str


def demo_attribution() -> Attribution:
    """Return on whose account the demo's reviews are."""
    return Attribution(WORKFLOW, team="payments", project="acme/shop", user="release-bot", pr="7")


def spend_earlier(policy: Policy, prices: PriceBook, ledger: Ledger) -> None:
    """Record the day's earlier reviews as one reservation, settled: the ledger offers no other way to spend."""
    attribution = demo_attribution()._replace(user="maya", pr="6")
    call = PrimitiveCall("demo/earlier", Task(attribution, policy.workflows[WORKFLOW]), "small", 0, 0, nano_usd=EARLIER_NANO_USD)
    reserved = reserve_call(policy, prices, ledger, call, 0.0, sleep=_never, monotonic=lambda: 0.0)
    assert not isinstance(reserved.decision, Refused), "a fresh ledger has room for the earlier spending"
    actual = Actual(reserved.decision.granted, details={"note": "demo: earlier reviews of the day"})
    ledger.settle("demo/earlier", reserved.decision.reservation, actual)


def _never(seconds: float) -> None:
    raise AssertionError(f"nothing waits in a fresh ledger ({seconds} s)")


def push_until_stopped(
    policy: Policy, reviewer_for: Callable[[Task], Reviewer], diff: str, tag: Callable[[], str]
) -> Iterator[Push]:
    """Review push after push, until a budget refuses one."""
    for number in range(1, PUSHES_MOST + 1):
        attribution = demo_attribution()._replace(task=f"acme/shop#7:push-{number}")
        task = Task(attribution, policy.workflows[WORKFLOW])
        job = ReviewJob(diff, _pull(number), f"{number:040x}")
        outcome = run_review(policy, reviewer_for(task), task, job, tag=tag())
        identity = RunIdentity(number, number, 1, "https://github.com/acme/shop/actions/runs/" + str(number))
        yield Push(number, outcome, render_result(outcome, WORKFLOW, identity, job.head_sha, policy.timezone).comment)
        if outcome.refused is not None:
            return


def _pull(number: int) -> PullRequest:
    return PullRequest(
        repository="acme/shop",
        number=7,
        title="Release preparations",
        body="Pushed by the release bot.",
        author="release-bot",
        head_sha=f"{number:040x}",
        base_sha="0" * 40,
        base_ref="main",
    )
