"""What a command leaves behind on GitHub: comment, check run, job summary, outputs. Called only where a runner is at hand."""

from budget_gate.bootstrap import Workspace
from budget_gate.cli.options import log
from budget_gate.core.pull_requests import PullRequest
from budget_gate.core.reviews import ReviewOutcome
from budget_gate.github.workflow_commands import annotation
from budget_gate.reports.clean_text import clean_for_terminal
from budget_gate.reports.job_summary import render_job_summary
from budget_gate.runs.posting import Posted, RunIdentity, output_values, post_result
from budget_gate.runs.review import render_result


def post_outcome(
    workspace: Workspace, outcome: ReviewOutcome, workflow: str, pull: PullRequest | None = None, *, is_posted: bool = True
) -> Posted:
    """Post an outcome and write summary and outputs. Without a pull request there is a check run and no comment.

    The outputs are written whatever happens to the posts: the job that reports the required status reads them. What is not to be
    posted leaves only those two, and a warning on the run's page.
    """
    runtime = workspace.runtime
    assert runtime is not None, "called only on a runner"
    identity = RunIdentity(runtime.run_id, runtime.run_number, runtime.run_attempt, runtime.run_url)
    head_sha = pull.head_sha if pull else runtime.head_sha
    zone = workspace.policy.timezone
    rendered = render_result(outcome, workflow, identity, head_sha, zone)
    posted = Posted()
    try:
        if not is_posted:
            log(annotation("warning", clean_for_terminal(outcome.reason), title="budget-gate").rstrip("\n"))
        elif workspace.github is not None:
            posted = post_result(workspace.github, outcome, rendered, identity, head_sha, pull)
    finally:
        for note in posted.notes:
            log(f"budget-gate: {note}")
        runtime.append_summary(render_job_summary(outcome, workflow=workflow, notes=posted.notes, zone=zone))
        runtime.write_outputs(output_values(outcome, posted))
    return posted
