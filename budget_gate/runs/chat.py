"""A conversation with an assistant: turns, the commands between them, and the session kept after each."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from budget_gate.agents.assistant import Assistant
from budget_gate.agents.assistant_request import Question
from budget_gate.core.chat import Turn
from budget_gate.core.errors import LedgerError
from budget_gate.core.reservations import BudgetState
from budget_gate.reports.chat import HELP, IS_OVER, budget_line, cost_text, standing_line, streamed, transcript, turn_notes
from budget_gate.runs.session_files import SessionFile


class Terminal(NamedTuple):
    """Where a conversation takes place. ``read`` returns a line, or None at the end; ``write`` shows text as it is.

    ``read`` takes whether the line goes on from one before. ``table`` renders budgets for this terminal, ``zone`` is the policy's
    time zone, ``width`` the columns there are now (0: any), and ``aside`` marks what is no answer.
    """

    read: Callable[[bool], str | None]
    write: Callable[[str], None]
    table: Callable[[tuple[BudgetState, ...]], str]
    zone: str
    width: Callable[[], int] = lambda: 0
    aside: Callable[[str], str] = lambda text: text


def converse(assistant: Assistant, file: SessionFile, terminal: Terminal) -> None:
    """Talk until the user leaves; the session is saved after every turn. Past its hard bound nothing is sent, and commands work.

    Ctrl-C at the prompt drops the line; a second one leaves.
    """
    was_interrupted = False
    while True:
        try:
            line = _whole_line(terminal)
        except KeyboardInterrupt:
            if was_interrupted:
                terminal.write("\n")
                return
            was_interrupted = True
            terminal.write(f"\n{terminal.aside('dropped; nothing was sent. Once more leaves')}\n")
            continue
        was_interrupted = False
        if line is None:
            return
        if line.startswith("/"):
            if not command(assistant, terminal, line):
                return
        elif line and assistant.session.is_over:
            terminal.write(f"{IS_OVER}\n")
        elif line:
            speak(assistant, file, terminal, Question(line))


def _whole_line(terminal: Terminal) -> str | None:
    """Return what was typed, without the backslashes by which it went on over several lines; None at the end of input."""
    parts: list[str] = []
    while True:
        line = terminal.read(bool(parts))
        if line is None:
            return "\n".join(parts).strip() or None
        if not line.endswith("\\"):
            return "\n".join([*parts, line]).strip()
        parts.append(line[:-1])


class _Shown:
    """Shows an answer while it comes, and knows whether the line is at its end."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self.is_within_line = False

    def __call__(self, piece: str) -> None:
        """Show one piece."""
        text = streamed(piece)
        self.is_within_line = not text.endswith("\n") if text else self.is_within_line
        self._write(text)

    def end_line(self) -> None:
        """Begin what follows on a line of its own, however the answer ended."""
        if self.is_within_line:
            self._write("\n")
            self.is_within_line = False


def speak(assistant: Assistant, file: SessionFile | None, terminal: Terminal, question: Question) -> Turn | None:
    """Take one turn, showing the answer while it comes; None if the user broke it off. The session is saved in any case."""
    shown = _Shown(terminal.write)
    try:
        turn = assistant.turn(question, shown)
    except KeyboardInterrupt:
        terminal.write("\nbroken off; what was asked may have been billed, so it stays counted\n")
        with suppress(LedgerError):
            line = standing_line(assistant.budgets(), assistant.session, terminal.width())
            terminal.write(f"{terminal.aside(line)}\n")
        return None
    finally:
        if file is not None:
            file.save(assistant.session)
    shown.end_line()
    for note in turn_notes(turn, terminal.zone):
        terminal.write(f"{note}\n")
    terminal.write(f"{terminal.aside(budget_line(turn, assistant.session, terminal.width()))}\n")
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
