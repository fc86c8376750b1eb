"""A test generation's files as a draft pull request: one branch per ticket, so that the next run updates what is there.

The agent has checked every path against the checkout; here they are held against the rules once more, because what leaves this
machine is what counts. What cannot be proposed is a note, not an error: the plan is paid for, and is posted all the same.
"""

import re
from hashlib import sha256

from budget_gate.agents.testgen_checkout import is_test
from budget_gate.core.errors import GitHubError, UsageError
from budget_gate.core.test_plans import PlanOutcome, file_text
from budget_gate.core.tickets import TRACKER_KEY, Ticket
from budget_gate.github.interface import GitHub
from budget_gate.reports.test_plan import Proposed, ticket_words

BRANCHES = "budget-gate-tests"
NO_FILES_NOTE = "there is no test file to propose"


def branch_of(ticket: Ticket) -> str:
    """Return the branch for a ticket's tests: always the same one, and another one for every other ticket.

    A file's name does not tell two tickets apart, nor does what is left of it in a branch's name: a digest of its key does, and of
    its title where it came from standard input and has no name.
    """
    telling = TRACKER_KEY.fullmatch(ticket.key)
    if telling:
        return f"{BRANCHES}/issue-{telling[1]}" if telling[1] else f"{BRANCHES}/{telling[2]}"
    named = ticket.title if ticket.key == "stdin" else ""
    digest = sha256(f"{ticket.key}\n{named}".encode()).hexdigest()[:10]
    slug = re.sub(r"[^a-z0-9]+", "-", ticket.key.lower())[:40].strip("-")
    return f"{BRANCHES}/{slug or 'ticket'}-{digest}"


def propose_tests(github: GitHub, outcome: PlanOutcome, body: str, *, may_overwrite: bool = False) -> Proposed:
    """Open a draft pull request with the files of a plan, or bring the open one up to date.

    With ``may_overwrite``, tests that are there may be replaced; any other file must be new.
    """
    files = {file.path: file_text(file) for file in outcome.files}
    if not files:
        return Proposed(note=NO_FILES_NOTE)
    title = f"Tests for {ticket_words(outcome.ticket)}"
    only_new = [path for path in files if not (may_overwrite and is_test(path))]
    message = f"{title}\n\nWritten by a model from the ticket; none of them has been run."
    try:
        pull = github.open_pull("", branch_of(outcome.ticket), files, title, body, draft=True, message=message, only_new=only_new)
    except (GitHubError, UsageError) as error:
        return Proposed(note=str(error))
    return Proposed(pull)
