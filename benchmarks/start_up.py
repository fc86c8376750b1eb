"""How much `budget-gate check` costs beyond what it cannot avoid: its time as a ratio to `python -c "import click, sqlite3, yaml"`.

Both run as whole processes, in turn, in the same environment; the median of the pairwise ratios is what counts (bar: 1.5).
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 15


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Return how long one run of a command takes."""
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def measure(rounds: int = ROUNDS) -> float:
    """Return the median ratio of `check` to the bare imports, after one warm-up of each."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONDONTWRITEBYTECODE", "GITHUB_ACTIONS"}}
    environment["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        ledger = f"sqlite:///{folder}/ledger.db"
        policy = "examples/acme/budget-gate.yml"
        # What the installed `budget-gate` script does, without needing an installation.
        script = "import sys; from budget_gate.cli.main import run; sys.exit(run())"
        options = ["--workflow", "ci_cd_review", "--policy", policy, "--ledger", ledger]
        check = [sys.executable, "-c", script, "check", *options]
        bare = [sys.executable, "-c", "import click, sqlite3, yaml"]
        for command in (check, bare):
            seconds(command, environment)
        return statistics.median(seconds(check, environment) / seconds(bare, environment) for _ in range(rounds))


if __name__ == "__main__":
    print(f"budget-gate check / bare imports: {measure():.2f} (bar: 1.5)")
