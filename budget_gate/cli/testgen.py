"""``budget-gate testgen``: the test-generation agent, on an issue, a ticket file or a Jira ticket."""

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import attribution_options, common_options, flags_given, log, open_workspace, print_document
from budget_gate.config.action_inputs import is_pull_number
from budget_gate.core.errors import LedgerUnavailable, UsageError
from budget_gate.core.tasks import Task
from budget_gate.core.test_plans import PlanOutcome
from budget_gate.core.tickets import Ticket

if TYPE_CHECKING:
    from budget_gate.reports.test_plan import Proposed, RunOfPlan

TICKET_BYTES_MOST = 1024 * 1024


class PlanWishes(NamedTuple):
    """What the flags ask for: one of the three tickets, and what is done with the answer."""

    issue: str = ""
    ticket: str = ""
    jira: str = ""
    root: Path = Path()
    write: Path | None = None
    may_overwrite: bool = False
    draft_pr: bool = False
    dry_run: bool = False
    on_exceed: str = "policy"
    as_json: bool = False


@click.command(
    "testgen",
    epilog="Examples: budget-gate testgen --issue 12; budget-gate testgen --ticket ticket.md --write .; "
    "budget-gate testgen --jira SHOP-7 --dry-run; budget-gate testgen --issue 12 --draft-pr",
)
@click.option("--issue", metavar="N", default="", help="A GitHub issue of this repository.")
@click.option(
    "--ticket", metavar="FILE|-", default="", help="A file whose first line is the ticket's title; - reads standard input."
)
@click.option(
    "--jira", metavar="KEY", default="", help="A Jira ticket, such as SHOP-7. [env: JIRA_BASE_URL, JIRA_EMAIL, JIRA_API_TOKEN]"
)
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The checkout to write tests for.",
)
@click.option("--write", type=click.Path(file_okay=False, path_type=Path), help="Write the test files under this folder.")
@click.option("--force", "may_overwrite", is_flag=True, help="Overwrite test files that are there already.")
@click.option(
    "--draft-pr",
    is_flag=True,
    help="Also propose the test files as a draft pull request, always the same one for a ticket. [env: GITHUB_TOKEN, GITHUB_REPOSITORY]",
)
@click.option("--dry-run", is_flag=True, help="Estimate only: no model is called, nothing is spent.")
@click.option(
    "--on-exceed", type=click.Choice(["policy", "comment", "block"]), default="policy", help="Overrule the workflow's on_exceed."
)
@attribution_options(leave_out=("pr",))
@common_options
def testgen(policy: str | None, ledger: str | None, *, as_json: bool, **given: Any) -> None:
    """Plan and write tests for a ticket within its budget. Exit 3 when a budget blocks it, 4 when the model's service failed."""
    wishes = PlanWishes(as_json=as_json, **{name: given[name] for name in PlanWishes._fields if name in given})
    code = generate_tests(open_workspace(policy, ledger), flags_given(given), wishes)
    if code:
        raise click.exceptions.Exit(code)


def generate_tests(workspace: Workspace, flags: dict[str, str], wishes: PlanWishes) -> int:
    """Plan, print, write and post; return the exit code. Shared by the command and the action."""
    from budget_gate.cli.review import exit_code

    if sum(map(bool, (wishes.issue, wishes.ticket, wishes.jira))) != 1:
        raise UsageError("which ticket is this for? Say one of --issue N, --ticket FILE, --jira KEY")
    if wishes.draft_pr and workspace.github is None:
        raise UsageError("--draft-pr needs GITHUB_TOKEN and GITHUB_REPOSITORY; or write the files here with --write .")
    attribution = workspace.attribution(flags, agent="test_generation")
    ticket = _ticket(workspace, wishes)
    run = f"{workspace.runtime.run_id}.{workspace.runtime.run_attempt}" if workspace.runtime else secrets.token_hex(4)
    name = attribution.task or f"{attribution.project or 'local'}:{ticket.key}:{run}"
    task = workspace.task(attribution._replace(task=name, pr=""), wishes.on_exceed)
    outcome = _planned(workspace, ticket, task, wishes)
    run_of_plan = _run_of(workspace, attribution.workflow)
    proposed = _proposed(workspace, outcome, run_of_plan, wishes)
    _print(outcome, run_of_plan, proposed, as_json=wishes.as_json)
    if workspace.runtime is not None:
        _post(workspace, outcome, run_of_plan, proposed, int(wishes.issue or 0))
    if wishes.write is not None:  # last: what cannot be written is an error, and what was paid for is told before it
        from budget_gate.runs.test_generation import write_files

        for place in write_files(outcome.files, wishes.write, may_overwrite=wishes.may_overwrite):
            log(f"budget-gate: written {place}")
    return exit_code(outcome.run)


def _planned(workspace: Workspace, ticket: Ticket, task: Task, wishes: PlanWishes) -> PlanOutcome:
    from budget_gate.agents.test_generation import TestGenerationAgent
    from budget_gate.agents.testgen_checkout import Checkout
    from budget_gate.runs.check import outage_outcome

    provider = workspace.provider(dry_run=wishes.dry_run)
    try:
        agent = TestGenerationAgent(workspace.gate(provider), task, Checkout(wishes.root), may_overwrite=wishes.may_overwrite)
        return agent.plan(ticket, tag=secrets.token_hex(8), dry_run=wishes.dry_run)
    except LedgerUnavailable as error:
        return PlanOutcome(ticket, outage_outcome(workspace.policy, task, error))
    finally:
        provider.close()


def _ticket(workspace: Workspace, wishes: PlanWishes) -> Ticket:
    if wishes.jira:
        return workspace.jira().ticket(wishes.jira)
    if wishes.ticket:
        return _ticket_file(wishes.ticket)
    if not is_pull_number(wishes.issue):
        raise UsageError(f"--issue: {wishes.issue[:40]!r} is not an issue number; write digits only, such as --issue 12")
    if workspace.github is None:
        raise UsageError("--issue needs GITHUB_TOKEN and GITHUB_REPOSITORY; or give the ticket as a file with --ticket FILE")
    return workspace.github.issue(int(wishes.issue))


def _ticket_file(name: str) -> Ticket:
    try:
        with click.open_file(name, "rb") as stream:
            raw: bytes = stream.read(TICKET_BYTES_MOST + 1)
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}; give the path of a text file, or - for stdin") from None
    if len(raw) > TICKET_BYTES_MOST:
        raise UsageError(f"{name}: more than {TICKET_BYTES_MOST // 2**20} MiB; a ticket is shorter")
    title, _, body = raw.decode("utf-8", "replace").lstrip("\ufeff\r\n ").partition("\n")
    if not title.strip():
        raise UsageError(f"{name}: empty; its first line is the ticket's title")
    return Ticket(Path(name).stem if name != "-" else "stdin", title.strip("# \r"), body)


def _run_of(workspace: Workspace, workflow: str) -> "RunOfPlan":
    from budget_gate.reports.test_plan import RunOfPlan

    runtime, zone = workspace.runtime, workspace.policy.timezone
    if runtime is None:
        return RunOfPlan(workflow, zone=zone)
    return RunOfPlan(workflow, runtime.run_url, runtime.run_number, runtime.run_attempt, zone)


def _proposed(workspace: Workspace, outcome: PlanOutcome, run: "RunOfPlan", wishes: PlanWishes) -> "Proposed":
    from budget_gate.reports.test_plan import Proposed, render_pull_text
    from budget_gate.runs.test_proposal import propose_tests

    if not wishes.draft_pr or outcome.run.is_dry_run:
        return Proposed()
    assert workspace.github is not None, "looked at before anything was spent"
    return propose_tests(workspace.github, outcome, render_pull_text(outcome, run), may_overwrite=wishes.may_overwrite)


def _print(outcome: PlanOutcome, run: "RunOfPlan", proposed: "Proposed", *, as_json: bool) -> None:
    from budget_gate.reports.test_plan import plan_document, render_for_terminal

    if as_json:
        print_document(plan_document(outcome, run.zone, proposed))
        return
    click.echo(render_for_terminal(outcome, proposed))
    sys.stdout.flush()


def _post(workspace: Workspace, outcome: PlanOutcome, run: "RunOfPlan", proposed: "Proposed", issue: int) -> None:
    """Post the plan on the issue and write summary and outputs, whatever becomes of the comment."""
    from budget_gate.reports.job_summary import render_job_summary
    from budget_gate.reports.pr_comment import marker_of
    from budget_gate.reports.test_plan import render_test_plan
    from budget_gate.runs.posting import Posted, RunIdentity, output_values
    from budget_gate.runs.test_generation import post_plan

    runtime = workspace.runtime
    assert runtime is not None, "called only on a runner"
    identity = RunIdentity(runtime.run_id, run.number, run.attempt, run.url)
    comment = render_test_plan(outcome, run, proposed)
    posted = Posted()
    try:
        if workspace.github is not None and issue:
            posted = post_plan(workspace.github, issue, marker_of(run.workflow), comment, identity)
    finally:
        notes = [*([f"no pull request: {proposed.note}"] if proposed.note else []), *posted.notes]
        for note in notes:
            log(f"budget-gate: {note}")
        runtime.append_summary(render_job_summary(outcome.run, workflow=run.workflow, notes=notes, zone=run.zone))
        pull_url = proposed.pull.url if proposed.pull else ""
        runtime.write_outputs({**output_values(outcome.run, posted), "pull-url": pull_url})
