"""Real diffs through reading, packing and reviewing: nothing is lost, no bound is passed, every line has its true number.

The corpus is made while the tests run (``fakes.diff_corpus``): releases of public packages, and this project's own history.
"""

import re
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from fakes.diff_corpus import CorpusUnavailable, RealDiff, corpus, pip_download

from budget_gate.agents.code_review import CodeReviewAgent
from budget_gate.agents.demo_script import scripted_reviewer
from budget_gate.config.price_file import load_prices
from budget_gate.core.attribution import Attribution
from budget_gate.core.diff_selection import select
from budget_gate.core.diff_values import DiffLine, FileDiff
from budget_gate.core.diffs import parse_diff
from budget_gate.core.policy import Bounds, Budget, Limit, Policy, Workflow
from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.core.scopes import ORG
from budget_gate.core.tasks import Task
from budget_gate.core.tokens import input_tokens_bound
from budget_gate.gate.gate import Gate
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.providers.scripted import ScriptedProvider

pytestmark = pytest.mark.xdist_group("diff_corpus")

LEAST_DIFFS = 30
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACME = Bounds(soft_tokens=6_000, hard_tokens=12_000, nano_usd=500_000_000, steps=5)
WIDE = Bounds(hard_tokens=60_000, steps=3)
SENT_FILE = re.compile(r"file (.*) \([a-z_]+\)")
SENT_LINE = re.compile(r"([RL])(\d+) ([ +-])(.*)")
NAMED = re.compile(r"(\d+) changed lines?\)$")


@pytest.fixture(scope="module")
def diffs() -> tuple[RealDiff, ...]:
    """Every real diff; where they cannot be had, the test fails in one line."""
    try:
        return corpus()
    except CorpusUnavailable as problem:
        pytest.fail(str(problem), pytrace=False)


def changed(file: FileDiff) -> list[DiffLine]:
    """Return the changed lines of a file."""
    return [line for hunk in file.hunks for line in hunk.lines if line.kind != "context"]


def counted_by_git(numstat: bytes) -> Counter[tuple[str, int, int]]:
    """Return each file's new path, added and removed lines as git counts them; a binary file has none of either."""
    found: Counter[tuple[str, int, int]] = Counter()
    fields = iter(numstat.decode("utf-8", "replace").split("\0"))
    for field in fields:
        if field:
            added, removed, path = field.split("\t")
            if not path:  # renamed: the two paths follow
                next(fields)
                path = next(fields)
            found[path, int(added.replace("-", "0")), int(removed.replace("-", "0"))] += 1
    return found


def content_lines(content: bytes) -> list[str]:
    """Return a file's lines as the diff reader shows them."""
    return content.decode("utf-8", "replace").split("\n")


def test_the_corpus_is_large_and_varied(diffs: tuple[RealDiff, ...]) -> None:
    """At least thirty real diffs, from a few dozen lines to many thousand."""
    lengths = [diff.data.count(b"\n") for diff in diffs]
    assert len(diffs) >= LEAST_DIFFS
    assert min(lengths) < 200
    assert max(lengths) > 10_000


def test_every_file_and_line_is_read_as_git_counts_it(diffs: tuple[RealDiff, ...]) -> None:
    """File by file, added and removed lines are as many as ``--numstat`` says; no hunk is cut and no file is unreadable."""
    for diff in diffs:
        files = parse_diff(diff.data)
        read = Counter(
            (file.path, *(sum(line.kind == kind for line in changed(file)) for kind in ("added", "removed"))) for file in files
        )
        assert read == counted_by_git(diff.numstat), diff.name
        assert not any(hunk.is_cut for file in files for hunk in file.hunks), diff.name
        assert not any(file.problem for file in files), diff.name


def test_line_numbers_are_true(diffs: tuple[RealDiff, ...]) -> None:
    """Each line of a diff stands in the file of its side, at the number it carries."""
    for diff in diffs:
        for file in parse_diff(diff.data):
            old, new = (
                content_lines(tree.get(path, b"")) for tree, path in ((diff.old, file.old_path), (diff.new, file.new_path))
            )
            for hunk in file.hunks:
                for line in hunk.lines:
                    assert not line.old_line or old[line.old_line - 1] == line.text, (diff.name, file.path, line)
                    assert not line.new_line or new[line.new_line - 1] == line.text, (diff.name, file.path, line)


class Review:
    """One review of a real diff on a real gate, with everything that was sent."""

    def __init__(self, diff: RealDiff, bounds: Bounds) -> None:
        self.sent: list[Mapping[str, Any]] = []
        workflow = Workflow("ci_cd_review", "code_review", "small", task=bounds, output_tokens={"small": 1_024})
        policy = Policy("acme", "UTC", {"small": "claude-haiku-4-5"}, (Budget(ORG, (Limit("usd", 10**12, "month"),)),), {})
        self.ledger = MemoryLedger(clock=lambda: NOW)
        gate = Gate(policy, load_prices(), self.ledger, ScriptedProvider(self._answer), key_prefix="run", wait_seconds=0)
        task = Task(Attribution("ci_cd_review", project="acme/app", user="mona", task="pr-7@abc", pr="7"), workflow)
        pull = PullRequest("acme/app", 7, f"Update {diff.name}", "A new release.", "mona", "abc", "def", "main")
        self.outcome: ReviewOutcome = CodeReviewAgent(gate, task).review(diff.data, pull, tag="q7Zk2mVx9")
        self.task_tokens = sum(
            row.value.posted.tokens + row.value.pending.tokens + row.value.held.tokens
            for row in self.ledger.counters()
            if row.scope.startswith("task/")
        )
        self.ledger.close()

    def _answer(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        self.sent.append(body)
        return scripted_reviewer(body)

    def lines(self) -> Counter[tuple[str, str, int]]:
        """Count the changed lines that were sent: path, side and number."""
        found: Counter[tuple[str, str, int]] = Counter()
        for body in self.sent:
            path = ""
            for text in "\n".join(block["text"] for block in body["messages"][0]["content"]).split("\n"):
                if file := SENT_FILE.fullmatch(text):
                    path = file[1]
                elif (line := SENT_LINE.fullmatch(text)) and line[3] != " ":
                    found[path, line[1], int(line[2])] += 1
        return found


@pytest.mark.parametrize("bounds", [ACME, WIDE], ids=["acme", "wide"])
def test_a_review_loses_nothing_and_keeps_its_bound(diffs: tuple[RealDiff, ...], bounds: Bounds) -> None:
    """Every changed line was sent, once, or is counted in a named part that was not; the ledger never holds more than the task's bound."""
    for diff in diffs:
        review = Review(diff, bounds)
        selection = select(parse_diff(diff.data))
        wanted = Counter(
            (file.path, "L" if line.kind == "removed" else "R", line.old_line or line.new_line)
            for file in selection.files
            for line in changed(file)
        )
        sent = review.lines()
        assert sent <= wanted, diff.name
        named = sum(
            int(match[1])
            for each in review.outcome.not_reviewed
            if (match := NAMED.search(each.reason)) and each.estimated_nano_usd
        )
        assert sent.total() + named == wanted.total(), diff.name
        assert {file.path for file in parse_diff(diff.data)} == (
            {path for path, _, _ in sent} | {each.path for each in review.outcome.not_reviewed}
        ), diff.name
        assert review.task_tokens <= (bounds.hard_tokens or 0), diff.name
        assert sum(input_tokens_bound(body) for body in review.sent[:1]) + 1_024 <= (bounds.hard_tokens or 0), diff.name
        assert len(review.sent) <= (bounds.steps or 0), diff.name


def test_a_change_of_two_thousand_lines_takes_little_time_of_ours(diffs: tuple[RealDiff, ...]) -> None:
    """Everything but the model's answer: a second is the bar (benchmarks/review_cost.py); counted in processor time, with slack."""
    middling = [diff for diff in diffs if 1_500 <= diff.data.count(b"\n") <= 2_500]
    assert middling
    for diff in middling:
        started = time.process_time()
        Review(diff, ACME)
        assert time.process_time() - started < 3.0, diff.name


def test_without_a_registry_the_corpus_says_so(tmp_path: Any) -> None:
    """What cannot be fetched is one line that says what to do, never a test that passes without its material."""
    with pytest.raises(CorpusUnavailable, match="connect to a package registry"):
        pip_download(tmp_path, "download", "--no-index", "click==0.0.0")
