"""``budget-gate merged`` against the fake GitHub and a real ledger: recorded once, written back once, whatever runs again."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from fakes.command_line import ACME, Ended, run
from fakes.github_server import GitHubServer
from fakes.github_state import State
from fakes.history import spend

from budget_gate.github.client import GitHubClient
from budget_gate.ledger.sqlite import SqliteLedger
from budget_gate.reports.pr_comment import marker_of

SHA = "a" * 40
MERGED = {"head_sha": SHA, "title": "Add a cart", "merged_at": "2026-11-20T10:00:00Z"}
CLOSED = {"head_sha": SHA, "title": "Try <script>", "closed_at": "2026-11-21T10:00:00Z"}
REVERT = {
    "head_sha": SHA,
    "title": 'Revert "Add a cart"',
    "body": "Reverts acme/shop#7",
    "merged_at": "2026-11-22T10:00:00Z",
}


class World(NamedTuple):
    """A repository with pull requests 7 (merged), 8 (closed), 9 (the revert of 7) and 10 (open), and a ledger that knows their cost."""

    github: GitHubServer
    path: Path

    def run(self, *arguments: str) -> Ended:
        """Run ``budget-gate merged``."""
        return run("merged", "--policy", ACME, "--ledger", f"sqlite:///{self.path}", *arguments)

    def notes(self) -> list[dict[str, str]]:
        """Return the details of the outcome notes."""
        ledger = SqliteLedger(self.path)
        try:
            fields = [json.loads(entry.text) for entry in ledger.entries()]
        finally:
            ledger.close()
        return [each["body"]["details"] | {"pr": each["body"]["labels"]["pr"]} for each in fields if each["kind"] == "outcome"]

    def comments(self) -> dict[int, list[str]]:
        """Return the comments by pull request."""
        found: dict[int, list[str]] = {}
        for each in self.github.state.comments:
            found.setdefault(each["issue"], []).append(each["body"])
        return found


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world, with the variables that a shell would have."""
    path = tmp_path / "ledger.db"
    ledger = SqliteLedger(path)
    spend(ledger, "a", 1_500_000_000, pr="7", workflow="ci_cd_review")
    spend(ledger, "b", 250_000_000, pr="7", workflow="qa_test_gen", end="hold", tier="medium")
    spend(ledger, "c", 40_000_000, pr="8")
    ledger.close()
    state = State(pulls={"7": dict(MERGED), "8": dict(CLOSED), "9": dict(REVERT), "10": {"head_sha": SHA}})
    for name in ("GITHUB_ACTIONS", "GITHUB_EVENT_PATH"):
        monkeypatch.delenv(name, raising=False)
    with GitHubServer(state) as github:
        monkeypatch.setenv("GITHUB_API_URL", github.url)
        monkeypatch.setenv("GITHUB_TOKEN", "ghs_writes")
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/shop")
        yield World(github, path)


def test_a_merged_pull_request_is_recorded_and_told(world: World) -> None:
    """The cost counts every workflow and what is held, is recorded as merged, and stands in one comment."""
    (document,) = world.run("--pr", "7", "--json").document()["pulls"]
    assert (document["outcome"], document["waste"]) == ("merged", False)
    assert (document["cost_usd"], document["held_usd"], document["calls"]) == ("1.75", "0.25", 2)
    assert [each["name"] for each in document["by_workflow"]] == ["ci_cd_review", "qa_test_gen"]
    assert world.notes() == [{"outcome": "merged", "at": "2026-11-20T10:00:00+00:00", "pr": "7"}]
    ((body,),) = world.comments().values()
    assert body.startswith("<!-- budget-gate-merged -->")
    assert "cost $1.75" in body
    assert document["comment_url"].endswith("/pull/7#issuecomment-1001")


def test_running_again_changes_nothing(world: World) -> None:
    """Three runs leave the same notes, one comment and the same document."""
    documents = [world.run("--pr", "7", "--json").out for _ in range(3)]
    assert len(set(documents)) == 1
    assert len(world.notes()) == 1
    assert [len(each) for each in world.comments().values()] == [1]


def test_a_close_without_a_merge_is_waste(world: World) -> None:
    """A pull request that was closed counts as waste, and its comment says so."""
    (document,) = world.run("--pr", "8", "--json").document()["pulls"]
    assert (document["outcome"], document["waste"], document["cost_usd"]) == ("closed", True, "0.04")
    assert "counts as waste" in world.comments()[8][0]


def test_a_revert_turns_the_first_one_into_waste(world: World) -> None:
    """Merging GitHub's revert marks what it reverts, and brings that one's comment up to date."""
    world.run("--pr", "7")
    assert "counts as waste" not in world.comments()[7][0]
    documents = world.run("--pr", "9", "--json").document()["pulls"]
    assert [(each["pr"], each["outcome"]) for each in documents] == [(9, "merged"), (7, "reverted")]
    assert [len(each) for each in world.comments().values()] == [1, 1]
    assert "reverted later, so its cost counts as waste" in world.comments()[7][0]


def test_backfill_records_a_range_and_comments_nothing(world: World) -> None:
    """A backfill records what was closed in the range, its end left out; running it again changes nothing."""
    for _ in range(2):
        documents = world.run("--since", "2026-11-20", "--until", "2026-11-22", "--json").document()["pulls"]
        assert [(each["pr"], each["outcome"]) for each in documents] == [(7, "merged"), (8, "closed")]
    assert len(world.notes()) == 2
    assert world.comments() == {}
    documents = world.run("--since", "2026-11-20", "--json").document()["pulls"]
    assert [(each["pr"], each["outcome"]) for each in documents] == [(7, "reverted"), (8, "closed"), (9, "merged")]


def test_a_backfill_reads_every_page(world: World) -> None:
    """Of 250 pull requests closed in a range none is missed, and the list ends where nothing changed since."""
    for number in range(100, 350):
        at = f"2026-10-{1 + number % 28:02d}T10:00:00Z"
        world.github.state.pulls[str(number)] = {
            "head_sha": SHA,
            "merged_at": at,
            "updated_at": f"2026-11-01T00:00:{number % 60:02d}Z",
        }
    for number in range(1000, 1300):
        world.github.state.pulls[str(number)] = {"head_sha": SHA, "merged_at": "2025-01-01T00:00:00Z"}
    documents = world.run("--since", "2026-10-01", "--until", "2026-11-01", "--json").document()["pulls"]
    assert len(documents) == 250
    lists = [path for verb, path in world.github.requests if "/pulls?" in path]
    assert len(lists) == 4


def test_a_token_that_may_not_write_is_a_note(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a fork's pull request the outcome is recorded all the same, and the run does not fail."""
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_reads")
    ended = world.run("--pr", "7")
    assert (ended.code, len(world.notes())) == (0, 1)
    assert "may not write" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--pr", "10"), "#10 is still open"),
        (("--pr", "x"), "not a pull request number"),
        ((), "which pull request"),
        (("--since", "soon"), "not a day"),
        (("--until", "2026-11-01"), "--until needs --since"),
        (("--pr", "7", "--since", "2026-11-01"), "exclude each other"),
    ],
)
def test_wrong_usage_is_one_line(world: World, arguments: tuple[str, ...], words: str) -> None:
    """What cannot be done exits 2 and says what to do instead."""
    ended = world.run(*arguments)
    assert ended.code == 2
    assert words in ended.err
    assert ended.err.count("\n") == 1


def test_an_unknown_pull_request_is_an_outside_failure(world: World) -> None:
    """A number that GitHub does not know exits 4 and records nothing."""
    assert world.run("--pr", "4040").code == 4
    assert world.notes() == []


OLD = "<!-- budget-gate:merged -->\n<!-- budget-gate-run:0.0 -->\n"
"""How a cost's comment opened while its marker was that of a workflow of the name `merged`."""


def _client() -> GitHubClient:
    return GitHubClient("ghs_writes", os.environ["GITHUB_API_URL"], "acme/shop")


def test_a_workflow_of_the_name_merged_keeps_its_comment(world: World) -> None:
    """The review of a workflow named `merged` and the cost of the merged pull request are two comments, whichever comes first."""
    review, marker = "### AI code review\n\nfine", marker_of("merged")
    client = _client()
    for number in (1, 2):
        client.put_comment(7, marker, f"{marker}\n{review} {number}", number, 1)
        assert world.run("--pr", "7").code == 0
    client.close()
    bodies = world.comments()[7]
    assert len(bodies) == 2
    assert bodies[0].startswith(f"{marker}\n")
    assert "fine 2" in bodies[0]
    assert bodies[1].startswith("<!-- budget-gate-merged -->\n")
    assert "cost $1.75" in bodies[1]


def test_a_comment_of_an_earlier_version_is_brought_up_to_date(world: World) -> None:
    """The cost that an earlier version wrote is found by its heading, changed in place, and has the new marker from then on."""
    client = _client()
    client.put_comment(7, marker_of("merged"), f"{OLD}### The AI work on pull request 7 cost $1.00\n\nMerged.", 0, 0)
    client.close()
    assert [world.run("--pr", "7").code for _ in range(2)] == [0, 0]
    (body,) = world.comments()[7]
    assert body.startswith("<!-- budget-gate-merged -->\n")
    assert "cost $1.75" in body
    assert "$1.00" not in body
