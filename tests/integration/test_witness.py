"""GitHub as the witness: holds of jobs that are over are settled at what the job recorded, else kept and named."""

from collections.abc import Iterator

import pytest
from fakes.gate_setup import assert_exact
from fakes.github_parties import HEAD, state
from fakes.github_server import GitHubServer
from fakes.ledger_requests import admitted, charge, line, request, usd
from fakes.outcomes import WITH_FINDINGS

from budget_gate.core.amounts import Amount
from budget_gate.core.job_record import UnsettledCost
from budget_gate.core.scopes import ORG
from budget_gate.github.client import GitHubClient
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.reports.check_run import render_check_run
from budget_gate.runs.witness import settle_by_witness

MONTH = charge(ORG, "month", line(1_000_000))
LABELS = {"project": "acme/shop", "run": "10", "attempt": "1", "model": "claude-haiku-4-5"}


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    """A repository in which run 10 is over, run 11 is not, and nothing is known of run 12."""
    with GitHubServer(state()) as opened:
        over = {"status": "completed", "conclusion": "cancelled", "head_sha": HEAD}
        opened.state.run_attempts = {"10.1": over, "11.1": {**over, "status": "in_progress", "conclusion": None}}
        yield opened


def held(ledger: MemoryLedger, key: str, **labels: str) -> str:
    """Reserve a hundred, hold it, and return its name."""
    taken = admitted(ledger.reserve(request(key, usd(100), MONTH)._replace(labels=LABELS | labels)))
    ledger.hold(key, taken.reservation, "cut")
    return taken.reservation


def test_a_hold_is_settled_at_what_its_job_recorded(server: GitHubServer) -> None:
    """The cost on the check run of that very attempt settles the hold, once; the others are kept, and running jobs left alone."""
    ledger = MemoryLedger()
    recorded, unrecorded = held(ledger, "a"), held(ledger, "b")
    running, unknown = held(ledger, "c", run="11"), held(ledger, "d", run="12")
    elsewhere = held(ledger, "e", project="acme/other")
    outcome = WITH_FINDINGS._replace(unsettled=(UnsettledCost(recorded, Amount(42, 7, 1)),))
    title, summary = render_check_run(outcome, workflow="w")
    with GitHubClient("ghs_writes", server.url, "acme/shop", sleep=lambda _: None) as client:
        client.put_check(HEAD, "success", title, summary, run_id=10, run_attempt=1)
        found = settle_by_witness(ledger, client, "acme/shop", 100)
        again = settle_by_witness(ledger, client, "acme/shop", 100)
    assert [each.reservation for each in found.settled] == [recorded]
    assert [each.reservation for each in found.kept] == [unrecorded, unknown]
    assert [each.reservation for each in found.running] == [running]
    assert (again.settled, again.kept) == ((), found.kept)
    assert ledger.show(recorded).cost == Amount(42, 7, 1)
    assert ledger.show(elsewhere).state == "held"
    assert_exact(ledger)


def test_another_runs_record_settles_nothing(server: GitHubServer) -> None:
    """A record that a newer run wrote over is not this job's word."""
    ledger = MemoryLedger()
    name = held(ledger, "a")
    outcome = WITH_FINDINGS._replace(unsettled=(UnsettledCost(name, Amount(1, 1, 1)),))
    title, summary = render_check_run(outcome, workflow="w")
    with GitHubClient("ghs_writes", server.url, "acme/shop", sleep=lambda _: None) as client:
        client.put_check(HEAD, "success", title, summary, run_id=13, run_attempt=1)
        assert settle_by_witness(ledger, client, "acme/shop", 100).settled == ()
