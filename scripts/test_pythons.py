"""Runs the unit tests on every other supported Python that is at hand, each in an environment of its own from the same lock.

Supported versions are read from the classifiers; interpreters are looked for on PATH and among pyenv's. ``make test-pythons``.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASK = "import sys; print('%d.%d' % sys.version_info[:2])"
PREFIX = "Programming Language :: Python :: 3."


def supported() -> list[str]:
    """Return the declared versions, such as ``3.12``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [f"3.{line.removeprefix(PREFIX)}" for line in project["classifiers"] if line.startswith(PREFIX)]


def interpreter(version: str) -> str | None:
    """Return an interpreter of this version that really starts, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(f"python{version}"), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python3")))]
    for candidate in filter(None, found):
        done = subprocess.run([candidate, "-c", ASK], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return candidate
    return None


def run_tests(python: str, folder: Path) -> int:
    """Install from the lock and run the unit tests; return the exit status."""
    uv = Path(sys.executable).with_name("uv")
    environment = os.environ | {"UV_PROJECT_ENVIRONMENT": str(folder), "UV_PYTHON": python, "UV_PYTHON_DOWNLOADS": "never"}
    sync = [str(uv), "sync", "--frozen", "--quiet", "--no-install-project", "--all-extras", "--group", "dev"]
    subprocess.run(sync, cwd=ROOT, env=environment, check=True)
    tests = [str(folder / "bin/python"), "-m", "pytest", "tests/unit", "-n", "2"]
    return subprocess.run(tests, cwd=ROOT, check=False).returncode


def main() -> int:
    """Test each version but the running one; say which were not at hand. Return 1 if any test failed."""
    failed = 0
    for version in supported():
        if version == f"3.{sys.version_info.minor}":
            continue
        python = interpreter(version)
        print(f"Python {version}: {python or 'not at hand, not tested'}", flush=True)
        if python is not None:
            failed |= run_tests(python, ROOT / f".venv-{version}") != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
