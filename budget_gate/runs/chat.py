"""A conversation with an assistant: turns, the commands between them, and the session kept after each."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from budget_gate.agents.assistant import Assistant
from budget_gate.agents.assistant_request import Question
from budget_gate.core.chat import Turn
from budget_gate.core.reservations import BudgetState
from budget_gate.reports.chat import HELP, budget_line, cost_text, streamed, transcript, turn_notes
from budget_gate.runs.session_files import SessionFile


class Terminal(NamedTuple):
    """Where a conversation takes place. ``read`` returns a line, or None at the end; ``write`` shows text as it is.

    ``table`` renders budgets for this terminal, ``zone`` is the policy's time zone.
    """

    read: Callable[[], str | None]
    write: Callable[[str], None]
    table: Callable[[tuple[BudgetState, ...]], str]
    zone: str


def converse(assistant: Assistant, file: SessionFile, terminal: Terminal) -> None:
    """Talk until the user leaves or the session is at its end; the session is saved after every turn."""
    while not assistant.session.is_over:
        line = terminal.read()
        if line is None:
            return
        line = line.strip()
        if line.startswith("/"):
            if not command(assistant, terminal, line):
                return
        elif line:
            speak(assistant, file, terminal, Question(line))


def speak(assistant: Assistant, file: SessionFile | None, terminal: Terminal, question: Question) -> Turn | None:
    """Take one turn, showing the answer while it comes; None if the user broke it off. The session is saved in any case."""
    try:
        turn = assistant.turn(question, lambda piece: terminal.write(streamed(piece)))
    except KeyboardInterrupt:
        terminal.write("\nbroken off; what was asked may have been billed, so it stays counted\n")
        return None
    finally:
        if file is not None:
            file.save(assistant.session)
    if turn.text:
        terminal.write("\n")
    for note in turn_notes(turn, terminal.zone):
        terminal.write(f"{note}\n")
    terminal.write(f"{budget_line(turn, assistant.session)}\n")
    return turn


def command(assistant: Assistant, terminal: Terminal, line: str) -> bool:
    """Obey one of the commands; False when the user leaves."""
    name, _, argument = line.partition(" ")
    if name == "/exit":
        return False
    if name == "/cost":
        terminal.write(f"{cost_text(assistant.session)}\n")
    elif name == "/budget":
        terminal.write(f"{terminal.table(assistant.budgets())}\n")
    elif name == "/save":
        terminal.write(f"{save(assistant, argument.strip())}\n")
    elif name == "/help":
        terminal.write(f"{HELP}\n")
    else:
        terminal.write(f"there is no such command\n{HELP}\n")
    return True


def save(assistant: Assistant, name: str) -> str:
    """Write the conversation into a new file and return a line about it; a file that is there is left alone."""
    if not name:
        return "where to? Write /save FILE"
    try:
        with Path(name).expanduser().open("x", encoding="utf-8", errors="replace") as stream:
            stream.write(transcript(assistant.session))
    except FileExistsError:
        return f"{streamed(name)} is there already, and was left as it is; write /save with another name"
    except (OSError, ValueError) as error:
        return f"{streamed(name)} cannot be written: {getattr(error, 'strerror', None) or error}; write /save with another name"
    return f"saved to {streamed(name)}"
