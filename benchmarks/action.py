"""How long the action takes from an empty environment with warm package caches: to `check`'s verdict, to `review`'s first request.

Runs the two scripts of the action as a runner would, with local stand-ins for GitHub and Anthropic. Bars: 2.5 s and 8 s.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fakes.act import clean_environment, copy_checkout
from fakes.anthropic_server import AnthropicServer
from fakes.github_server import GitHubServer
from fakes.github_state import State

HEAD_SHA = "d" * 40


def one_run(command: str, checkout: Path, github: GitHubServer, anthropic: AnthropicServer) -> tuple[float, float]:
    """Install and run one command in a new folder; return seconds to the first model request and to the verdict."""
    folder = Path(tempfile.mkdtemp())
    event = {
        "pull_request": {"number": 7, "head": {"sha": HEAD_SHA}, "base": {"sha": "b" * 40}, "user": {"login": "alice"}},
        "number": 7,
    }
    (folder / "event.json").write_text(json.dumps(event))
    for name in ("output", "summary"):
        (folder / name).touch()
    environment = clean_environment(folder) | {
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(checkout),
        "GITHUB_API_URL": github.url,
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_RUN_ID": "1",
        "GITHUB_RUN_NUMBER": "1",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "GITHUB_TOKEN": "ghs_writes",
        "ANTHROPIC_API_KEY": "sk-ant-benchmark",
        "ANTHROPIC_BASE_URL": anthropic.url,
        "RUNNER_TEMP": str(folder / "temp"),
        "RUNNER_TOOL_CACHE": str(Path(tempfile.gettempdir()) / "budget-gate-benchmark-tools"),
        "BUDGET_GATE_INPUT_COMMAND": command,
        "BUDGET_GATE_INPUT_LEDGER": f"sqlite:///{folder / 'ledger.db'}",
        "BUDGET_GATE_INPUT_POLICY": str(checkout / "budget_gate/samples/starter.yml"),
    }
    started = time.time()
    subprocess.run([str(checkout / "action/install.sh")], env=environment, cwd=folder, check=True)
    python = (folder / "output").read_text().strip().partition("=")[2]
    run = subprocess.Popen(
        [str(checkout / "action/run.sh")],
        env=environment | {"BUDGET_GATE_PYTHON": python},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    verdict = next((line for line in run.stdout if line.startswith("pass")), "")
    verdict_at = time.time()
    _, log = run.communicate()
    assert verdict, log
    shutil.rmtree(folder, ignore_errors=True)
    first = next((seen.at for seen in anthropic.requests if seen.path == "/v1/messages"), 0.0)
    return first - started, verdict_at - started


def main() -> None:
    """Print the medians of three runs each."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    diff = (ROOT / "budget_gate/samples/demo.diff").read_text()
    with tempfile.TemporaryDirectory() as folder:
        checkout = copy_checkout(Path(folder) / "checkout")
        checks, reviews = [], []
        for _ in range(3):
            for command, times in (("check", checks), ("review", reviews)):
                state = State(pulls={"7": {"head_sha": HEAD_SHA, "diff": diff}})
                with GitHubServer(state) as github, AnthropicServer(key="sk-ant-benchmark") as anthropic:
                    first, verdict = one_run(command, checkout, github, anthropic)
                    times.append(first if command == "review" else verdict)
    print(f"check, to its verdict: {statistics.median(checks):.2f} s (bar: 2.5 s)")
    print(f"review, to its first model request: {statistics.median(reviews):.2f} s (bar: 8 s)")


if __name__ == "__main__":
    main()
