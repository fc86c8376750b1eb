"""The demo, as a newcomer runs it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def demo(folder: Path) -> str:
    """Run the demo in an empty folder and return what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "ANTHROPIC_API_KEY"} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "budget_gate", "demo"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_line_says_that_no_model_is_asked(tmp_path: Path) -> None:
    """Without a key the very first line says that a scripted stand-in answers."""
    assert "scripted" in demo(tmp_path).splitlines()[0]


def test_six_to_ten_pushes_until_the_budget_stops_the_bot(tmp_path: Path) -> None:
    """The bot gets six to ten reviews, the last one refused by the day's budget, with the note that GitHub would show."""
    printed = demo(tmp_path)
    pushes = re.findall(r"^push (\d+): (\w+)", printed, flags=re.MULTILINE)
    assert 6 <= len(pushes) <= 10
    assert pushes[0][1] in {"pass", "pass_with_note"}
    assert pushes[-1][1] == "pass_with_note"
    assert "workflow/ci_cd_review" in printed


def test_the_ledger_lies_where_the_demo_says(tmp_path: Path) -> None:
    """The demo ends with the status table and the ledger's place, and that ledger verifies."""
    printed = demo(tmp_path)
    place = re.search(r"The ledger lies in (\S+\.db)\.", printed)
    assert place is not None
    policy = ROOT / "examples/acme/budget-gate.yml"
    ledger = f"sqlite:///{tmp_path / place[1]}"
    command = [sys.executable, "-m", "budget_gate", "ledger", "verify", "--policy", str(policy), "--ledger", ledger]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_demo_takes_less_than_five_seconds(tmp_path: Path) -> None:
    """Once installed, the demo is over in under five seconds."""
    demo(tmp_path)
    started = time.monotonic()
    demo(tmp_path)
    assert time.monotonic() - started < 5


def test_the_next_command_it_names_works(tmp_path: Path) -> None:
    """The line that the demo ends with can be pasted into the shell as it stands."""
    program = tmp_path / "bin/budget-gate"
    program.parent.mkdir()
    start = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom budget_gate.cli.main import run\nrun()\n"
    program.write_text(f"#!{sys.executable}\n{start}")
    program.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "ANTHROPIC_API_KEY"}
    printed = subprocess.run([str(program), "demo"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    (command,) = re.findall(r"^  (\S+ ledger verify .*)$", printed.stdout, flags=re.MULTILINE)
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "chain whole" in done.stdout
