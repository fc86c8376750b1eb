"""A conversation on a terminal: turns, commands, and the session kept after each."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from fakes.assistants import Scripted, made
from fakes.golden import assert_golden

from budget_gate.agents.assistant_request import Question
from budget_gate.core.policy import Bounds
from budget_gate.reports.chat import IS_OVER
from budget_gate.reports.tables import render_budget_table
from budget_gate.runs.chat import Terminal, converse, speak
from budget_gate.runs.session_files import SessionFile


class Screen:
    """A terminal that reads given lines and keeps what it shows."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.text = ""

    def read(self, goes_on: bool) -> str | None:  # noqa: FBT001 - the type is that of ``Terminal.read``
        """Return the next line; ``^C`` is an interruption."""
        line = next(self._lines, None)
        self.text += f"{'. ' if goes_on else '> '}{line}\n" if line is not None else ""
        if line == "^C":
            raise KeyboardInterrupt
        return line

    def write(self, text: str) -> None:
        """Show text."""
        self.text += text

    @property
    def terminal(self) -> Terminal:
        """This, as what a conversation wants."""
        return Terminal(self.read, self.write, lambda budgets: render_budget_table(budgets, colour=False, width=100), "UTC")


def test_a_conversation_reads_as_it_should(tmp_path: Path) -> None:
    """Answers, the line below each, the commands and their answers: as people see them."""
    script = Scripted(lambda body: f"Answer {len(body['messages'])}.\nIt has two lines.")
    assistant, _ = made(script)
    saved = tmp_path / "talk.md"
    lines = [
        "",
        "How do I stop a worker?",
        "/cost",
        "/budget",
        "What about security?",
        "/save",
        f"/save {saved}",
        f"/save {saved}",
    ]
    screen = Screen([*lines, "/dance", "/help", "/exit", "never read"])
    converse(assistant, SessionFile(tmp_path / "talk.json"), screen.terminal)
    assert_golden("chat_conversation.txt", screen.text.replace(str(tmp_path), "FOLDER"))
    assert_golden("chat_transcript.md", saved.read_text())
    assert SessionFile(tmp_path / "talk.json").load() == assistant.session


def test_save_never_overwrites(tmp_path: Path) -> None:
    """A file that is there keeps its content; a place that cannot be written is told, and the conversation goes on."""
    mine = tmp_path / "mine.md"
    mine.write_text("mine")
    assistant, _ = made(Scripted())
    screen = Screen([f"/save {mine}", f"/save {tmp_path}/none/talk.md", "/save \x1b[31m\x00"])
    converse(assistant, SessionFile(tmp_path / "talk.json"), screen.terminal)
    assert mine.read_text() == "mine"
    assert "is there already" in screen.text
    assert screen.text.count("cannot be written") == 2
    assert "\x1b" not in screen.text.replace("> /save \x1b", "")


def test_a_conversation_ends_at_its_hard_bound(tmp_path: Path) -> None:
    """At the session's hard bound the user is told so, and nothing more is sent; what was said can still be saved."""
    script = Scripted()
    assistant, _ = made(script, session=Bounds(hard_tokens=3_000))
    saved = tmp_path / "talk.md"
    screen = Screen([*["Again?"] * 50, f"/save {saved}", "/cost", "/exit"])
    converse(assistant, SessionFile(tmp_path / "talk.json"), screen.terminal)
    answered = assistant.session.turns - 1
    assert 0 < answered == len(script.bodies) < 50
    assert screen.text.count(IS_OVER) == 50 - answered
    assert saved.read_text().count("## Assistant") == answered
    kept = SessionFile(tmp_path / "talk.json").load()
    assert kept is not None
    assert kept.is_over


def test_what_a_model_writes_cannot_act_on_the_terminal(tmp_path: Path) -> None:
    """Escape sequences, bells and hidden characters of an answer do not reach the screen."""
    assistant, _ = made(Scripted(lambda _body: "safe\x1b]0;title\x07\x1b[2J\u202e \x9b31mtext"))
    screen = Screen(["Hello?"])
    converse(assistant, SessionFile(tmp_path / "talk.json"), screen.terminal)
    assert "safe" in screen.text
    assert all(character.isprintable() or character == "\n" for character in screen.text)


def test_breaking_off_leaves_a_hold_and_the_conversation(tmp_path: Path) -> None:
    """Ctrl-C in the middle of an answer ends that turn; what was asked stays counted, and the next question is answered."""
    assistant, _ = made(Scripted())
    screen = Screen([])

    def interrupt(_text: str) -> None:
        raise KeyboardInterrupt

    broken = screen.terminal._replace(write=lambda text: interrupt(text) if text == "An answer." else screen.write(text))
    assert speak(assistant, SessionFile(tmp_path / "talk.json"), broken, Question("Hello?")) is None
    assert any(state.held for state in assistant.budgets())
    assert "of them held: perhaps billed)]" in screen.text
    turn = speak(assistant, None, screen.terminal, Question("Hello?"))
    assert turn is not None
    assert turn.text == "An answer."
    assert "stays counted" in screen.text


@pytest.mark.parametrize(("day_usd", "words"), [(1_000, "refused: workflow/dev_assistant per day has")])
def test_a_refusal_is_one_line_and_no_end(tmp_path: Path, day_usd: int, words: str) -> None:
    """A budget that refuses is named, with when it resets; the session may go on another day."""
    assistant, _ = made(Scripted(), day_usd=day_usd)
    screen = Screen(["Hello?"])
    converse(assistant, SessionFile(tmp_path / "talk.json"), screen.terminal)
    assert words in screen.text
    assert not assistant.session.is_over


def test_ctrl_c_at_the_prompt_drops_the_line_and_twice_leaves(tmp_path: Path) -> None:
    """One slip does not end a conversation; two in a row do, and a question between them starts anew."""
    assistant, _ = made(Scripted())
    screen = Screen(["^C", "Hello?", "^C", "^C", "never read"])
    converse(assistant, SessionFile(tmp_path / "talk.json"), screen.terminal)
    assert (assistant.session.turns, screen.text.count("dropped; nothing was sent")) == (1, 2)
    assert "never read" not in screen.text


def test_a_line_that_ends_in_a_backslash_goes_on(tmp_path: Path) -> None:
    """Several lines are one question; the end of input sends what was typed, and leaves."""
    script = Scripted()
    assistant, _ = made(script)
    screen = Screen(["one\\", "two\\", "three", "four\\"])
    converse(assistant, SessionFile(tmp_path / "talk.json"), screen.terminal)
    assert [message.text for message in assistant.session.said[::2]] == ["one\ntwo\nthree", "four"]
    assert ". three" in screen.text


def test_the_budget_line_is_broken_between_its_parts(tmp_path: Path) -> None:
    """In a narrow window no word is torn; nothing is lost; what is aside is marked as such, and the answer is not."""
    assistant, _ = made(Scripted())
    screen = Screen(["Hello?"])
    terminal = screen.terminal._replace(width=lambda: 60, aside=lambda text: f"<{text}>")
    converse(assistant, SessionFile(tmp_path / "talk.json"), terminal)
    shown = screen.text.partition("<[")[2].partition("]>")[0].splitlines()
    assert [line.strip().partition(" ")[0] for line in shown] == ["$0.0003", "user/ann", "session:", "claude-haiku-4-5"]
    assert all(len(line) <= 60 for line in shown[:-1])
    assert "An answer.\n" in screen.text
