"""Makes this process look like a step of a job on a runner, so that a command run in it finds event, token and key."""

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.anthropic_server import AnthropicServer
from fakes.github_server import GitHubServer


def on_runner(
    patch: pytest.MonkeyPatch,
    folder: Path,
    github: GitHubServer,
    event: str,
    payload: dict[str, Any] | None = None,
    *,
    model: AnthropicServer | None = None,
    token: str = "ghs_writes",
    run: int = 5,
) -> None:
    """Set the variables of run number ``run``, started by ``event``; outputs and summary are fresh files in ``folder``."""
    files = {name: folder / name for name in ("event.json", "output", "summary")}
    for path in files.values():
        path.write_text("")
    files["event.json"].write_text(json.dumps(payload or {}))
    values = {"ACTIONS": "true", "API_URL": github.url, "TOKEN": token, "REPOSITORY": "acme/shop", "EVENT_NAME": event}
    values |= {"RUN_ID": str(run), "RUN_NUMBER": str(run), "RUN_ATTEMPT": "1", "SHA": "c" * 40}
    values |= {"EVENT_PATH": str(files["event.json"]), "OUTPUT": str(files["output"]), "STEP_SUMMARY": str(files["summary"])}
    for name, value in values.items():
        patch.setenv(f"GITHUB_{name}", value)
    if model is not None:
        patch.setenv("ANTHROPIC_API_KEY", model.key)
        patch.setenv("ANTHROPIC_BASE_URL", model.url)


def on_a_runner(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Set a runner's variables, its files below ``folder``; there is no token and no event."""
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "workflow_dispatch",
        "GITHUB_RUN_ID": "7",
        "GITHUB_RUN_NUMBER": "7",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_SHA": "0" * 40,
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.delenv("GITHUB_EVENT_PATH", raising=False)
