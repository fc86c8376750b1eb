"""A plan's files as a pull request: which branch, which files may replace others, and what is said where there is none."""

import pytest
from fakes.github_server import GitHubServer
from fakes.github_state import State
from fakes.outcomes import NOTHING_FOUND

from budget_gate.core.test_plans import PlanOutcome, WrittenFile
from budget_gate.core.tickets import Ticket
from budget_gate.github.branch_pull import open_pull
from budget_gate.github.client import GitHubClient, Transport
from budget_gate.reports.test_plan import Proposed
from budget_gate.runs.test_proposal import NO_FILES_NOTE, branch_of, propose_tests

BODY = "<!-- budget-gate:qa_test_gen -->\nthe plan\n"
FILE = WrittenFile("tests/test_refund.py", "def test_refund(): ...  # TC-1", ("TC-1",), "parsed")
OUTCOME = PlanOutcome(Ticket("#12", "Refunds", ""), NOTHING_FOUND, files=(FILE,))


def _state() -> State:
    state = State()
    state.git.push("main", {"tests/test_old.py": "# old\n", "tests/conftest.py": "# shared\n"})
    return state


def _propose(server: GitHubServer, outcome: PlanOutcome = OUTCOME, token: str = "ghs_writes", **options: bool) -> Proposed:
    with GitHubClient(token, server.url, "acme/shop", sleep=lambda _: None) as github:
        return propose_tests(github, outcome, BODY, **options)


@pytest.mark.parametrize(
    ("ticket", "branch"),
    [
        (Ticket("#12", "", ""), "budget-gate-tests/issue-12"),
        (Ticket("SHOP-7", "", ""), "budget-gate-tests/SHOP-7"),
        (Ticket("refunds", "", ""), "budget-gate-tests/refunds-d1d59d3c12"),
        (Ticket("Käse & Wein", "", ""), "budget-gate-tests/k-se-wein-33e2cd2b06"),
        (Ticket("票", "", ""), "budget-gate-tests/ticket-36263858fd"),
    ],
)
def test_a_ticket_has_one_branch(ticket: Ticket, branch: str) -> None:
    """The branch follows from the ticket's key alone, whatever its title becomes."""
    assert branch_of(ticket) == branch_of(ticket._replace(title="another")) == branch


def test_tickets_never_share_a_branch() -> None:
    """Names that become alike, a file that is called like an issue, and two tickets from standard input stay apart."""
    alike = [
        Ticket("a b", "", ""),
        Ticket("a-b", "", ""),
        Ticket("A.B", "", ""),
        Ticket("#12", "", ""),
        Ticket("issue-12", "", ""),
    ]
    alike += [Ticket("stdin", "One", ""), Ticket("stdin", "Two", ""), Ticket("x" * 90, "", ""), Ticket("x" * 91, "", "")]
    assert len({branch_of(each) for each in alike}) == len(alike)


@pytest.mark.parametrize(
    "key", ["../../main", "a..b", "-x", "x.lock", "\x1b[31m", "refs/heads/main", "@{upstream}", " " * 99, "~^:?*["]
)
def test_any_key_makes_a_branch_that_git_takes(key: str) -> None:
    """A ticket's name from outside never leads to another branch, nor to one that git refuses."""
    with GitHubServer(_state()) as server:
        ticket = Ticket(key, "", "")
        assert branch_of(ticket).startswith("budget-gate-tests/")
        opened = open_pull(
            Transport("ghs_writes", server.url), "acme/shop", "", branch_of(ticket), {FILE.path: "x\n"}, "t", BODY, True, "m"
        )
        assert opened.created


def test_proposed_once_and_updated_after() -> None:
    """The title names the ticket, the file ends with a line feed, and the second plan goes to the same pull request."""
    with GitHubServer(_state()) as server:
        first = _propose(server)
        second = _propose(server, OUTCOME._replace(files=(FILE._replace(content="# better\n"),)))
        assert (first.note, second.note) == ("", "")
        assert first.pull is not None
        assert second.pull == first.pull._replace(created=False)
        assert (server.state.pulls["1"]["title"], server.state.pulls["1"]["draft"]) == ("Tests for #12", True)
        assert server.state.git.text_at("tests/test_refund.py", "budget-gate-tests/issue-12") == "# better\n"


def test_what_is_on_the_base_is_replaced_only_when_told_to_and_only_tests() -> None:
    """A test of the base stays without ``may_overwrite``; a file that is no test stays with it, though the checkout lacks it."""
    with GitHubServer(_state()) as server:
        replacing = OUTCOME._replace(files=(FILE._replace(path="tests/test_old.py"),))
        assert _propose(server, replacing).note == "tests/test_old.py is on main already; nothing was written"
        shared = OUTCOME._replace(files=(FILE._replace(path="tests/conftest.py"),))
        assert _propose(server, shared, may_overwrite=True).note == "tests/conftest.py is on main already; nothing was written"
        assert server.state.pulls == {}
        assert _propose(server, replacing, may_overwrite=True).pull is not None


def test_a_token_that_may_not_push_is_a_note() -> None:
    """The note names both permissions."""
    with GitHubServer(_state()) as server:
        note = _propose(server, token="ghs_reads").note
        assert note.endswith("grant the job `permissions: contents: write` and `pull-requests: write`")
        server.state.may_create_pulls = False
        assert "Settings, Actions, General" in _propose(server).note


def test_nothing_to_propose_asks_github_nothing() -> None:
    """A plan without files opens no pull request."""
    with GitHubServer(_state()) as server:
        assert _propose(server, OUTCOME._replace(files=())) == Proposed(note=NO_FILES_NOTE)
        assert server.requests == []
