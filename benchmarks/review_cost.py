"""Dollars per thousand changed lines on real diffs: ours against sending the whole diff to the default model, and to the dearest.

The corpus is the tests' (releases of public packages, this project's history). No model is asked. Every way is charged alike: prompts
at the usual share of their bound, answers at the length that Acme's policy plans with. A whole diff longer than a model's window
could not be sent at all; it is charged all the same, and counted. Also measured: the processor's seconds spent outside the model's answer.
"""

import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes.diff_corpus import RealDiff, corpus

from budget_gate.agents.code_review import CodeReviewAgent
from budget_gate.agents.demo_script import scripted_reviewer
from budget_gate.agents.prompt_files import load_prompt
from budget_gate.agents.review_request import TOOL_NAME, Briefing
from budget_gate.config.policy_file import load_policy
from budget_gate.config.price_file import load_prices
from budget_gate.core.attribution import Attribution
from budget_gate.core.diffs import parse_diff
from budget_gate.core.policy import Bounds, Policy
from budget_gate.core.prices import call_cost_nano_usd
from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.tasks import Task
from budget_gate.core.tokens import input_tokens_bound
from budget_gate.core.usage import Usage
from budget_gate.gate.gate import Gate
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.providers.scripted import ScriptedProvider

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW_TOKENS = 200_000
LINES_TIMED_MOST = 2_500
"""The time is that of the slowest diff up to this long; the bar is a second for 2 000 lines."""

ANSWER_TOKENS, TRIAGE_TOKENS = 650, 150
TAG = "q7Zk2mVx9"
PRICES = load_prices()
BOUNDS = {
    "as Acme bounds it (12 000 tokens)": None,
    "with 60 000 tokens a task": Bounds(hard_tokens=60_000, steps=8),
    "unbounded": Bounds(),
}


class Cost(NamedTuple):
    """What reviewing one diff comes to."""

    nano_usd: int
    hunks: int
    seconds: float


def charged(body: Mapping[str, Any], output_tokens: int) -> int:
    """Return what a request would cost, in nano-dollars."""
    usage = Usage(input_tokens_bound(body) * 10 // 13, output_tokens)
    return call_cost_nano_usd(usage, PRICES.price_of(body["model"], NOW))


def ours(policy: Policy, diff: RealDiff, bounds: Bounds | None) -> Cost:
    """Review a diff on the real gate and charge what was sent."""
    workflow = policy.workflows["ci_cd_review"]
    workflow = workflow if bounds is None else workflow._replace(task=bounds)
    sent: list[Mapping[str, Any]] = []

    def answer(body: Mapping[str, Any]) -> list[dict[str, Any]]:
        sent.append(body)
        return scripted_reviewer(body)

    ledger = MemoryLedger(clock=lambda: NOW)
    open_policy = policy._replace(budgets=())
    gate = Gate(open_policy, PRICES, ledger, ScriptedProvider(answer), key_prefix=diff.name, wait_seconds=0)
    task = Task(Attribution("ci_cd_review", project="acme/app", user="mona", task="pr-7@abc"), workflow)
    pull = PullRequest("acme/app", 7, "Update", "A new release.", "mona", "abc", "def", "main")
    started = time.process_time()
    outcome = CodeReviewAgent(gate, task).review(diff.data, pull, tag=TAG)
    seconds = time.process_time() - started
    ledger.close()
    answers = [ANSWER_TOKENS if body["tool_choice"]["name"] == TOOL_NAME else TRIAGE_TOKENS for body in sent]
    nano_usd = sum(charged(body, tokens) for body, tokens in zip(sent, answers, strict=True))
    return Cost(nano_usd, outcome.reviewed_hunks, seconds)


def whole(diff: RealDiff, model: str) -> tuple[int, bool]:
    """Return what one request with the diff as it is would cost, and whether it would fit into the window."""
    body = Briefing(load_prompt("code_review"), TAG).request(())
    text = diff.data.decode("utf-8", "replace")
    body = {**body, "messages": [{"role": "user", "content": text}], "model": model, "max_tokens": ANSWER_TOKENS}
    return charged(body, ANSWER_TOKENS), input_tokens_bound(body) * 10 // 13 <= WINDOW_TOKENS


def row(name: str, nano_usd: int, lines: int, share: float, extra: str = "") -> None:
    """Print one line of the table."""
    print(f"| {name} | {nano_usd / lines / 1e6:.4f} | {share:.0%} | {extra} |")


def main() -> None:
    """Print the table."""
    policy = load_policy(str(ROOT / "examples/acme/budget-gate.yml"), prices=PRICES)
    diffs = corpus()
    read = [[hunk for file in parse_diff(diff.data) for hunk in file.hunks if hunk.lines] for diff in diffs]
    lines = sum(line.kind != "context" for hunks in read for hunk in hunks for line in hunk.lines)
    hunks = sum(map(len, read))
    print(f"{len(diffs)} diffs, {lines:,} changed lines, {hunks:,} hunks\n")
    print("| how | dollars per 1 000 changed lines | hunks reviewed | |\n| --- | --- | --- | --- |")
    for name, bounds in BOUNDS.items():
        costs = [ours(policy, diff, bounds) for diff in diffs]
        slowest = max(cost.seconds for cost, diff in zip(costs, diffs, strict=True) if diff.data.count(b"\n") <= LINES_TIMED_MOST)
        share = sum(cost.hunks for cost in costs) / hunks
        row(f"ours, {name}", sum(cost.nano_usd for cost in costs), lines, share, f"{slowest:.2f} s outside the model")
    for tier in ("small", "large"):
        prices = [whole(diff, policy.models[tier]) for diff in diffs]
        unsendable = sum(not fits for _, fits in prices)
        what = f"whole diff to {policy.models[tier]}"
        row(what, sum(nano_usd for nano_usd, _ in prices), lines, 1.0, f"{unsendable} diffs pass the window of 200 000 tokens")


if __name__ == "__main__":
    main()
