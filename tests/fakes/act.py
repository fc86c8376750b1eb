"""Runs workflow files under act, on this machine, without Docker and without the internet.

The action is taken from a copy of this checkout (what git tracks or would track), the workflows from a scratch repository as a user
would have it. The environment is empty but for what a runner would have.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
CHECKOUT = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd"
REPOSITORY = "acme/shop"


class ActRun(NamedTuple):
    """How a run ended: its exit status and everything it printed."""

    status: int
    output: str

    def outputs(self) -> dict[str, str]:
        """Return the step outputs that were set."""
        return dict(re.findall(r"::set-output:: ([\w-]+)=(.*)", self.output))


def copy_checkout(target: Path) -> Path:
    """Copy the files of this checkout, without what git ignores, and return the copy's root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder with an identity of its own, and return what it printed."""
    identity = [
        "-c",
        "user.name=Test",
        "-c",
        "user.email=test@acme.test",
        "-c",
        "init.defaultBranch=main",
        "-c",
        "safe.directory=*",
    ]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def scratch_repository(folder: Path, files: dict[str, str]) -> tuple[Path, str]:
    """Make a repository with one commit, as a user would have it; return its path and the commit."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    git(folder, "remote", "add", "origin", f"https://github.com/{REPOSITORY}")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Start")
    return folder, git(folder, "rev-parse", "HEAD")


def run_act(
    *,
    repository: Path,
    action: Path,
    event_name: str,
    event: dict[str, Any],
    home: Path,
    environment: dict[str, str],
    secrets: dict[str, str],
    variables: dict[str, str] | None = None,
    timeout_seconds: int = 180,
) -> ActRun:
    """Run the repository's workflows for an event, in an environment that holds nothing of ours but PATH and the package caches."""
    home.mkdir(parents=True, exist_ok=True)
    event_file = home / "event.json"
    event_file.write_text(json.dumps(event))
    arguments = [
        str(BIN / "act"),
        event_name,
        *("-P", "ubuntu-latest=-self-hosted"),
        *("--eventpath", str(event_file)),
        *("--local-repository", f"budget-gate/budget-gate@v1={action}"),
        *("--local-repository", f"{CHECKOUT}={ROOT / 'tests/fakes/checkout_action'}"),
        *("--env", f"SCRATCH_REPOSITORY={repository}"),
        "--no-cache-server",
        "--action-offline-mode",
    ]
    for name, value in environment.items():
        arguments += ["--env", f"{name}={value}"]
    for name, value in secrets.items():
        arguments += ["--secret", f"{name}={value}"]
    for name, value in (variables or {}).items():
        arguments += ["--var", f"{name}={value}"]
    done = subprocess.run(
        arguments,
        cwd=repository,
        env=clean_environment(home),
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    return ActRun(done.returncode, done.stdout + done.stderr)


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment as `env -i` would give it, with the machine's own python on PATH and its package caches kept warm."""
    real_home = Path.home()
    kept = {name: value for name, value in os.environ.items() if name.startswith(("SSL_", "PIP_", "REQUESTS_CA")) and value}
    interpreter = Path(sys.base_prefix) / "bin"
    return kept | {
        "PATH": f"{interpreter}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(home),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(real_home / ".cache/uv")),
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(real_home / ".cache/pip")),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
