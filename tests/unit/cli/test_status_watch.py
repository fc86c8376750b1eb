"""``status --watch``: refreshed until Ctrl-C, cleared on a terminal only, patient with a ledger that is away."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.command_line import ACME, ROOT, run

from budget_gate.cli.status import CLEAR, watch_status
from budget_gate.core.errors import LedgerUnavailable


def _sleeps(times: int) -> Callable[[float], None]:
    """Return a sleep that does not, and that presses Ctrl-C in place of the last one."""
    left = iter(range(times - 1))

    def sleep(seconds: float) -> None:
        assert seconds == 5
        if next(left, None) is None:
            raise KeyboardInterrupt

    return sleep


def test_it_shows_the_table_again_until_it_is_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    """Each refresh renders anew; without a terminal nothing is cleared, and Ctrl-C ends it quietly."""
    shown = iter(["one", "two", "three"])
    watch_status(lambda: next(shown), 5, _sleeps(3))
    assert capsys.readouterr().out == "one\n\ntwo\n\nthree\n\n"


def test_a_ledger_that_is_away_is_said_and_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    """An outage does not end the watch: it is shown, and the table comes back with the ledger."""
    answers = iter([LedgerUnavailable("redis://host cannot be reached"), "back"])

    def render() -> str:
        answer = next(answers)
        if isinstance(answer, LedgerUnavailable):
            raise answer
        return answer

    watch_status(render, 5, _sleeps(2))
    assert capsys.readouterr().out == "redis://host cannot be reached; trying again in 5 s\n\nback\n\n"


def test_json_cannot_be_watched() -> None:
    """--watch with --json is wrong usage, and so is an interval of nothing."""
    assert "leave one of them out" in run("status", "--policy", ACME, "--ledger", "memory://", "--watch", "--json").err
    assert run("status", "--policy", ACME, "--ledger", "memory://", "--watch", "0").code == 2


def test_on_a_terminal_it_clears_and_ctrl_c_ends_it_well(tmp_path: Path) -> None:
    """On a real terminal the screen is cleared before each table with its bars, and Ctrl-C exits with 0 and no traceback."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "budget_gate", "status", "--watch", "1", "--policy", ACME]
    process = subprocess.Popen(
        [*command, "--ledger", f"sqlite:///{tmp_path / 'l.db'}"],
        cwd=ROOT,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "50"},
    )
    os.close(theirs)
    seen = b""
    try:
        while seen.count(CLEAR.encode()) < 2 or not seen.endswith(b"l.db\r\n"):
            seen += os.read(ours, 65_536)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert "░" in seen.decode()
    assert b"Traceback" not in seen
