"""``budget-gate chat``: the interactive assistants, and one turn of them for scripts."""

import contextlib
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator

import click

from budget_gate.agents.assistant import Assistant
from budget_gate.agents.assistant_request import Question
from budget_gate.bootstrap import Workspace
from budget_gate.cli.chat_terminal import open_terminal
from budget_gate.cli.options import (
    REFUSED,
    attribution_options,
    common_options,
    flags_given,
    log,
    open_workspace,
    print_document,
)
from budget_gate.core.chat import Turn
from budget_gate.core.errors import ServiceError, UsageError
from budget_gate.core.money import usd_text
from budget_gate.core.sessions import Session
from budget_gate.core.tasks import Task
from budget_gate.runs.chat import converse
from budget_gate.runs.session_files import FOLDER, SessionFile, open_session

CONTEXT_BYTES_MOST = 4 * 1024 * 1024
AGENT = "assistant"


@click.command(
    "chat",
    epilog="Examples: budget-gate chat --workflow dev_assistant; git diff | budget-gate chat --workflow dev_assistant -m 'what breaks?'; "
    "budget-gate chat --workflow pm_assistant --session roadmap",
)
@click.option("-m", "--message", metavar="TEXT", help="One turn, for scripts; what is piped in is its context.")
@click.option("--session", metavar="NAME", help="Begin or take up this session; kept in .budget-gate/sessions.")
@click.option("--dry-run", is_flag=True, help="With -m: estimate only; no model is called, nothing is spent.")
@attribution_options(leave_out=("session", "task"))
@common_options
def chat(
    policy: str | None,
    ledger: str | None,
    message: str | None,
    session: str | None,
    *,
    dry_run: bool,
    as_json: bool,
    **given: str | None,
) -> None:
    """Talk with an assistant within its budget. Exit 3 when a budget refused the one turn of -m, 4 when the model's service failed.

    The prompt is the workflow's: dev_assistant and pm_assistant have their own, other names get that of dev_assistant.
    """
    workspace = open_workspace(policy, ledger)
    task = _task(workspace, flags_given(given))
    if message is None and (as_json or dry_run or not sys.stdin.isatty()):
        raise UsageError("a conversation needs a terminal; for one turn say -m TEXT (what is piped in is its context)")
    if message is not None and not message.strip():
        raise UsageError("-m: the message is empty; write what you want to ask")
    with _session(session, task, is_one_turn=message is not None) as (file, kept):
        provider = workspace.provider(dry_run=dry_run)
        try:
            assistant = Assistant(workspace.gate(provider), task, kept, tag=secrets.token_hex(8))
            if message is None:
                _talk(workspace, assistant, file)
                return
            question = Question(message, _piped())
            code = (
                _dry(assistant, question, as_json=as_json)
                if dry_run
                else _one_turn(workspace, assistant, file, question, as_json=as_json)
            )
        finally:
            provider.close()
    if code:
        raise click.exceptions.Exit(code)


def _task(workspace: Workspace, flags: dict[str, str]) -> Task:
    task = workspace.task(workspace.attribution(flags, agent=AGENT))
    if task.workflow.agent != AGENT:
        fitting = ", ".join(sorted(each.name for each in workspace.policy.workflows.values() if each.agent == AGENT)) or "none"
        raise UsageError(
            f"workflow {task.workflow.name!r} has `agent: {task.workflow.agent}`; chat is for those with `agent: {AGENT}`: {fitting}"
        )
    return task


@contextlib.contextmanager
def _session(name: str | None, task: Task, *, is_one_turn: bool) -> Iterator[tuple[SessionFile | None, Session]]:
    """Yield the session and its file; one turn without a name leaves nothing behind."""
    if name is None and is_one_turn:
        yield None, _new_session("one-turn", task)
        return
    given = name or f"chat-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    with open_session(FOLDER, given) as file:
        kept = file.load() or _new_session(given, task)
        if kept.workflow != task.workflow.name:
            raise UsageError(f"session {given!r} belongs to workflow {kept.workflow!r}; say --workflow {kept.workflow}")
        if kept.is_over and is_one_turn:
            raise UsageError(f"session {given!r} has reached its hard bound and is at its end; start another with --session NAME")
        yield file, kept


def _new_session(name: str, task: Task) -> Session:
    return Session(name, f"{name}-{secrets.token_hex(6)}", task.workflow.name)


def _talk(workspace: Workspace, assistant: Assistant, file: SessionFile | None) -> None:
    assert file is not None, "a conversation is kept"
    session = assistant.session
    log(f"session {session.name} ({session.workflow}, {session.turns} turns so far); /help lists the commands")
    if session.is_over:
        from budget_gate.reports.chat import IS_OVER

        log(IS_OVER)
    converse(assistant, file, open_terminal(workspace))
    if not assistant.session.is_over:
        log(f"to go on: budget-gate chat --workflow {session.workflow} --session {session.name}")


def _one_turn(workspace: Workspace, assistant: Assistant, file: SessionFile | None, question: Question, *, as_json: bool) -> int:
    """Take one turn: the answer on stdout, everything else on stderr. Return the exit code."""
    zone = workspace.policy.timezone
    if as_json:
        from budget_gate.reports.chat import turn_document

        turn = assistant.turn(question)
        if file is not None:
            file.save(assistant.session)
        print_document(turn_document(turn, assistant.session, zone))
        return _exit_code(turn)
    from budget_gate.reports.chat import budget_line, streamed, turn_notes

    has_shown = False

    def show(piece: str) -> None:
        nonlocal has_shown
        has_shown = True
        click.echo(streamed(piece), nl=False)

    turn = assistant.turn(question, show)
    if file is not None:
        file.save(assistant.session)
    if has_shown:  # also an answer that was cut off in the middle: what follows begins a line
        click.echo()
    for line in (*turn_notes(turn, zone), budget_line(turn, assistant.session)):
        log(line)
    return _exit_code(turn)


def _exit_code(turn: Turn) -> int:
    if turn.refused is not None:
        return REFUSED
    return ServiceError.exit_code if turn.failure else 0


def _dry(assistant: Assistant, question: Question, *, as_json: bool) -> int:
    expected = assistant.expect(question)
    route, estimate = expected.route, expected.estimate
    if as_json:
        tokens = {"input_tokens": estimate.input_tokens, "output_tokens": estimate.output_tokens}
        cost = {"cost_usd": usd_text(estimate.nano_usd), "model": route.model, "tier": route.tier, "route_reason": route.reason}
        print_document({"dry_run": True, **tokens, **cost})
        return 0
    from budget_gate.reports.chat import expected_text

    tokens_most = (estimate.input_tokens, estimate.output_tokens)
    click.echo(expected_text(route.model, route.tier, route.reason, tokens_most, estimate.nano_usd))
    return 0


def _piped() -> str:
    """Return what is piped or redirected into standard input; nothing where it is a terminal or closed."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return ""
    if not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)):
        return ""
    content = sys.stdin.buffer.read(CONTEXT_BYTES_MOST + 1)
    if len(content) > CONTEXT_BYTES_MOST:
        raise UsageError(f"more than {CONTEXT_BYTES_MOST // 2**20} MiB were piped in; give less context")
    return content.decode(errors="replace")
