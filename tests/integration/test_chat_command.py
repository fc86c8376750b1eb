"""``budget-gate chat`` from end to end: the command, a policy, a ledger file, and a fake API."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Self

import pytest
from fakes.anthropic_server import KEY, AnthropicServer, Behaviour
from fakes.command_line import ACME, ROOT, run

from budget_gate.core.money import usd_short
from budget_gate.ledger.sqlite import SqliteLedger

ON_A_TERMINAL = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
"""Makes its standard input the terminal that Ctrl-C comes from, then becomes the command."""

CHAT = ("chat", "--policy", ACME, "--workflow", "dev_assistant")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AnthropicServer]:
    """A fake API that the environment points at, with an empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    with AnthropicServer() as running:
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        yield running


def test_one_turn_prints_the_answer_and_nothing_else(server: AnthropicServer) -> None:
    """With -m the answer is on stdout, the budget line on stderr; nothing is kept without a name."""
    ended = run(*CHAT, "-m", "What about security?")
    assert (ended.code, ended.out) == (0, "All is well: nothing to report.\n")
    assert "this turn" in ended.err
    assert "claude-sonnet-4-6 (medium: raised to medium: mentions `security`)" in ended.err
    assert server.messages[0]["stream"] is True
    assert not Path(".budget-gate/sessions").exists()


def test_a_session_outlives_the_process(server: AnthropicServer) -> None:
    """A second run of the same session sends what was said in the first; another workflow may not take it over."""
    run(*CHAT, "-m", "First question", "--session", "talk")
    second = run(*CHAT, "-m", "Second question", "--session", "talk", "--json").document()
    assert second["session"]["turns"] == 2
    assert [message["content"] for message in server.messages[1]["messages"]][:2] == [
        "First question",
        "All is well: nothing to report.",
    ]
    other = run("chat", "--policy", ACME, "--workflow", "pm_assistant", "-m", "Hi", "--session", "talk")
    assert other.code == 2
    assert "belongs to workflow 'dev_assistant'" in other.err
    assert len(server.messages) == 2


def test_json_has_answer_cost_and_budgets(server: AnthropicServer) -> None:
    """One JSON document says what the turn was, cost and left; every entry of the ledger names the prompt's version."""
    document = run(*CHAT, "-m", "Hello?", "--json").document()
    assert document["answer"] == "All is well: nothing to report."
    assert document["cost_usd"] == "0.000" + document["cost_usd"][5:]
    assert {"org", "workflow/dev_assistant"} <= {budget["scope"] for budget in document["budgets"]}
    assert (document["failure"], document["refused_by"], document["provider"]) == (None, [], "anthropic")
    ledger = SqliteLedger(Path(".budget-gate/ledger.db"))
    labels = [entry.parsed().body["labels"] for entry in ledger.entries() if "labels" in entry.parsed().body]
    ledger.close()
    assert {each["prompt_version"] for each in labels} == {"dev_assistant/1"}


def test_a_failing_service_exits_four(server: AnthropicServer) -> None:
    """When the model's service refuses for good, the line says so and the exit code is 4."""
    server.queue(Behaviour("status", status=400))
    ended = run(*CHAT, "-m", "Hello?")
    assert (ended.code, ended.out) == (4, "")
    assert "failed: the model's service failed (rejected)" in ended.err


def test_a_refused_turn_exits_three(server: AnthropicServer, tmp_path: Path) -> None:
    """When a budget has nothing left, the line names it, the exit code is 3, and nothing is sent."""
    policy = tmp_path / "poor.yml"
    policy.write_text(Path(ACME).read_text().replace("{usd: 12, per: day}", "{usd: 0.0001, per: day}"))
    ended = run("chat", "--policy", str(policy), "--workflow", "dev_assistant", "-m", "Hello?")
    assert ended.code == 3
    assert "workflow/dev_assistant per day has $0.0001 left" in ended.err
    assert server.messages == []


def test_mistakes_are_told_before_anything_is_sent(server: AnthropicServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no workflow of this kind, an empty message, no terminal: one line each, exit 2."""
    for arguments, words in (
        ((*CHAT, "-m", " "), "the message is empty"),
        (CHAT, "a conversation needs a terminal"),
        ((*CHAT, "-m", "Hi", "--session", "../x"), "cannot name a session"),
        (("chat", "--policy", ACME, "--workflow", "ci_cd_review", "-m", "Hi"), "chat is for those with `agent: assistant`"),
        (("chat", "--policy", ACME, "-m", "Hi"), "Say --workflow NAME"),
    ):
        ended = run(*arguments)
        assert ended.code == 2, arguments
        assert words in ended.err
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert "no ANTHROPIC_API_KEY is set" in run(*CHAT, "-m", "Hi").err
    assert server.requests == []


def test_a_dry_run_needs_no_key(server: AnthropicServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """--dry-run says what a turn could cost at most, in text and JSON, and sends nothing."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    ended = run(*CHAT, "-m", "Hello?", "--dry-run")
    assert ended.code == 0
    assert ended.out.startswith("dry run: nothing was sent; at most ")
    document = run(*CHAT, "-m", "Hello?", "--dry-run", "--json").document()
    assert (document["model"], document["output_tokens"]) == ("claude-haiku-4-5", 2048)
    assert server.requests == []


def test_what_is_piped_in_is_context(server: AnthropicServer) -> None:
    """Standard input that is a pipe stands, fenced, before the message."""
    command = [sys.executable, "-m", "budget_gate", *CHAT, "-m", "What is this?", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, input=b"a diff \xff", capture_output=True, env=environment, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["answer"]
    sent = server.messages[0]["messages"][0]["content"]
    assert "\na diff \ufffd\n</material-" in sent
    assert sent.endswith("What is this?")


def test_a_conversation_on_a_terminal(server: AnthropicServer) -> None:
    """On a real terminal: a question is answered, /cost adds up, /exit leaves, and the way back is shown, without a colour."""
    with Talk("talk", TERM="dumb") as talk:
        talk.types("Hello?\n", until="session: [^>]*> ")
        talk.types("/cost\n/exit\n", until="--session talk")
    assert "All is well: nothing to report." in talk.shown
    assert "session talk: 1 turn, " in talk.shown
    assert "\x1b" not in talk.shown
    assert json.loads(Path(".budget-gate/sessions/talk.json").read_text())["turns"] == 1


def test_what_is_pasted_is_one_question(server: AnthropicServer) -> None:
    """Three lines from the clipboard are one turn, and paid for once; a terminal that takes colours gets them."""
    with Talk("talk", TERM="xterm") as talk:
        talk.types("\x1b[200~one\ntwo\nthree\x1b[201~\n", until="this session[^>]*> ")
        talk.types("/exit\n", until="--session talk")
    (question,) = [each["messages"][-1]["content"] for each in server.messages]
    assert "one\ntwo\nthree" in str(question).replace("\\n", "\n")
    assert "\x1b[2m[$" in talk.shown


def test_ctrl_c_and_ctrl_d_leave_in_peace(server: AnthropicServer) -> None:
    """Ctrl-C drops what was typed, Ctrl-D leaves: exit 0, the way back, and nothing sent."""
    with Talk("talk", TERM="dumb") as talk:
        talk.types("half a li", until="half a li")
        # A key pressed before the next prompt stands there is thrown away with the rest of the line.
        talk.types("\x03", until="nothing was sent[^>]*> ")
        talk.types("\x04", until="--session talk")
    assert server.messages == []


def test_a_connection_lost_in_the_middle_of_an_answer(server: AnthropicServer) -> None:
    """What came is shown, the failure stands on a line of its own, and turn, session and ledger count what may have been billed."""
    server.queue(Behaviour("cut_stream", events=5))
    ended = run(*CHAT, "--session", "talk", "-m", "Hello?")
    assert (ended.code, ended.out.endswith("\n"), len(ended.out) > 1) == (4, True, True)
    budgets = {(each["scope"], each["per"]): each for each in run("status", *CHAT[1:3], "--json").document()["budgets"]}
    held = Decimal(budgets["workflow/dev_assistant", "day"]["held"])
    assert f"it may have been billed, so {usd_short(int(held * 10**9))} stays counted" in ended.err
    kept = json.loads(Path(".budget-gate/sessions/talk.json").read_text())
    assert kept["cost_nano_usd"] == held * 10**9 > 0


class Talk:
    """A conversation of a child process on a terminal of its own; ``shown`` is all that it has shown."""

    def __init__(self, session: str, **environment: str) -> None:
        self.shown = ""
        self._ours, theirs = pty.openpty()
        command = [sys.executable, "-c", ON_A_TERMINAL, sys.executable, "-m", "budget_gate", *CHAT, "--session", session]
        given = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        given.pop("NO_COLOR", None)
        self._child = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=given, close_fds=True, start_new_session=True
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        """Wait for the prompt."""
        self.shown += _until(self._ours, "> ")
        return self

    def types(self, keys: str, *, until: str) -> None:
        """Press keys once nothing is being worked on, and wait for words (a regular expression).

        CPython forgets a Ctrl-C that comes while readline is still at work on the key before it, until the line ends.
        """
        stat = Path(f"/proc/{self._child.pid}/stat")
        while stat.read_text().rpartition(")")[2].split()[0] == "R":
            pass
        os.write(self._ours, keys.encode())
        self.shown += _until(self._ours, until)

    def __exit__(self, *_: object) -> None:
        """See that it has ended well."""
        try:
            assert self._child.wait(60) == 0
        finally:
            self._child.kill()
            self._child.wait()
            os.close(self._ours)


def _until(descriptor: int, words: str) -> str:
    """Return what a terminal shows, up to ``words`` (a regular expression)."""
    shown, ends_at = "", time.monotonic() + 60
    while not re.search(words, shown) and select.select([descriptor], [], [], max(ends_at - time.monotonic(), 0))[0]:
        try:
            shown += os.read(descriptor, 4096).decode(errors="replace")
        except OSError:  # the other side has left
            break
    assert re.search(words, shown), shown
    return shown
