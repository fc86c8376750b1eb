"""Closing a month on every backend: the month that ended, once, with the chain pinned; and the ledger's clock decides."""

from datetime import UTC, datetime

import pytest
from contract.ledgers import Store
from fakes.golden import assert_golden
from fakes.ledger_requests import TEAM, actual, admitted, charge, request, usd

from budget_gate.config.policy_file import load_policy
from budget_gate.core.errors import UsageError
from budget_gate.core.policy import Policy
from budget_gate.core.scopes import ORG, Scope
from budget_gate.ledger.archive import close_month, is_pin_kept, month_to_close, read_archive
from budget_gate.ledger.interface import Ledger
from budget_gate.ledger.verify import verify
from budget_gate.reports.archive import render_archive

OCTOBER = datetime(2026, 10, 31, 22, 30, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, 0, 30, tzinfo=UTC)
CHARGES = (charge(ORG, "month"), charge(TEAM, "month"), charge(ORG, "day"), charge(Scope("task", "ci/1"), "lifetime"))

POLICY = """\
version: 1
organization: acme
timezone: Europe/Berlin
models: {small: claude-haiku-4-5}
workflows: {ci: {agent: code_review, model: small}}
budgets:
  - {scope: org, owner: cto@acme.test, limits: [{usd: 500, per: month}]}
  - {scope: team/payments, owner: pay@acme.test, limits: [{tokens: 2M, per: month}]}
  - {scope: team/quiet, owner: quiet@acme.test, limits: [{requests: 10, per: month}]}
"""


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """A policy in a zone where October ends an hour before it does in UTC."""
    path = tmp_path_factory.mktemp("policy") / "budget-gate.yml"
    path.write_text(POLICY)
    return load_policy(str(path))


@pytest.fixture
def spent(store: Store) -> Store:
    """A store where 40 nano-dollars were spent in October and 10 are still pending, and 5 were spent in November."""
    store.set_time(OCTOBER)
    spend(store.ledger, "october", 40)
    admitted(store.ledger.reserve(request("open", usd(10, 1, 1), *CHARGES, zone="Europe/Berlin", ttl_seconds=86_400)))
    store.set_time(NOVEMBER)
    spend(store.ledger, "november", 5)
    return store


def spend(ledger: Ledger, key: str, amount: int) -> None:
    """Reserve and settle one call."""
    taken = admitted(ledger.reserve(request(key, usd(amount, 3, 1), *CHARGES, zone="Europe/Berlin")))
    ledger.settle(key, taken.reservation, actual(usd(amount, 3, 1)))


def test_the_month_that_ended_is_closed(spent: Store, policy: Policy) -> None:
    """By default the month before the present one is closed, in the policy's zone, with what it came to and nothing of the next."""
    ledger = spent.ledger
    archive = close_month(policy, ledger, month_to_close(policy, ledger.now()), "me")
    assert archive.month == "2026-10"
    posted = {(each.scope, each.per): each.value.posted.nano_usd for each in archive.figures}
    assert posted == {("org", "month"): 40, ("team/payments", "month"): 40, ("team/quiet", "month"): 0}
    assert [each.limits for each in archive.figures] == [("500.00 usd",), ("2000000 tokens",), ("10 requests",)]
    assert [each.key for each in archive.open_reservations] == ["open"]
    assert archive.head_seq == 5
    assert is_pin_kept(ledger, archive)
    assert read_archive(ledger, "2026-10") == archive._replace(written=0, open_reservations=())
    assert read_archive(ledger, "2026-09").figures == ()
    assert verify(ledger).ok


def test_closing_again_changes_nothing(spent: Store, policy: Policy) -> None:
    """A second closing, with other figures by then, writes nothing and answers what was archived first."""
    ledger = spent.ledger
    window = month_to_close(policy, ledger.now())
    first = close_month(policy, ledger, window, "me")
    assert first.written == 3
    ledger.settle("late", first.open_reservations[0].reservation, actual(usd(9, 1, 1)))
    head = ledger.head()
    again = close_month(policy, ledger, window, "another")
    assert ledger.head() == head
    assert (again.written, again.figures, again.head_hash) == (0, first.figures, first.head_hash)


def test_a_year_that_ends_with_the_month_is_closed_with_it(store: Store, policy: Policy) -> None:
    """December closes its quarter and its year too."""
    store.set_time(datetime(2026, 12, 30, tzinfo=UTC))
    taken = admitted(
        store.ledger.reserve(request("one", usd(7), charge(ORG, "year"), charge(ORG, "quarter"), charge(ORG, "month")))
    )
    store.ledger.settle("one", taken.reservation, actual(usd(7)))
    store.set_time(datetime(2027, 1, 1, tzinfo=UTC))
    archive = close_month(policy, store.ledger, month_to_close(policy, store.ledger.now()), "me")
    labels = [each.label for each in archive.figures if each.scope == "org"]
    assert labels == ["2026-12", "2026-Q4", "2026"]


@pytest.mark.parametrize("month", ["2026-11", "2027-01"])
def test_a_month_that_is_not_over_is_refused(policy: Policy, month: str) -> None:
    """Its figures could still change."""
    with pytest.raises(UsageError, match="not over"):
        month_to_close(policy, NOVEMBER, month)


def test_a_month_ends_in_the_zone_of_the_policy(policy: Policy) -> None:
    """At half past eleven in UTC it is November in Berlin, so October is over; half an hour before midnight there it is not."""
    assert month_to_close(policy, datetime(2026, 10, 31, 23, 30, tzinfo=UTC)).label == "2026-10"
    assert month_to_close(policy, datetime(2026, 10, 31, 22, 30, tzinfo=UTC)).label == "2026-09"
    with pytest.raises(UsageError, match="write it as 2026-10"):
        month_to_close(policy, NOVEMBER, "October")


def test_an_archive_reads_like_this(store: Store, policy: Policy) -> None:
    """Figures by scope, unsettled amounts, what is still open; nothing in a name reaches the terminal as a command."""
    store.set_time(OCTOBER)
    odd = charge(Scope("user", "mallory\x1b[31m"), "month")
    taken = admitted(store.ledger.reserve(request("one", usd(1_500_000_000, 1200, 2), *CHARGES, odd, zone="Europe/Berlin")))
    store.ledger.settle("one", taken.reservation, actual(usd(1_250_000_000, 1000, 2)))
    held = admitted(store.ledger.reserve(request("two", usd(250_000_000, 1, 1), *CHARGES, zone="Europe/Berlin")))
    store.ledger.hold("two", held.reservation, "cut off")
    store.set_time(NOVEMBER)
    archive = close_month(policy, store.ledger, month_to_close(policy, store.ledger.now()), "me")
    assert_golden("ledger_archive.txt", render_archive(archive._replace(head_hash="sha256:0123")) + "\n")
