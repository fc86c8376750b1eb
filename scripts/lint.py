"""Every static check, run one after the other; all of them run, and one failure fails the lot. Used by ``make lint``."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = ["budget_gate", "tests", "scripts", "benchmarks", "action"]
WORKFLOWS = sorted(
    str(path.relative_to(ROOT)) for folder in ("workflows", ".github/workflows") for path in (ROOT / folder).glob("*.yml")
)

CHECKS: dict[str, list[str]] = {
    "ruff": ["ruff", "check", *CODE],
    "ruff format": ["ruff", "format", "--check", *CODE],
    "mypy": ["mypy"],
    "import contracts": ["lint-imports", "--no-cache"],
    "docstrings": ["interrogate", "--quiet", "budget_gate"],
    "house rules": [sys.executable, "scripts/house_rules.py"],
    "zizmor": ["zizmor", "--offline", "--quiet", "--config", "zizmor.yml", "--pedantic", "action.yml", *WORKFLOWS],
    "actionlint": ["actionlint", *WORKFLOWS],
    "action schema": ["check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"],
    "workflow schema": ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS],
    "prices": [sys.executable, "scripts/generate_prices.py", "--check"],
    "generated docs": [sys.executable, "scripts/generate_docs.py", "--check"],
    "shell": ["bash", "-n", ".ci/run", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "action").glob("*.sh"))],
}


def main() -> int:
    """Run every check, print a line for each and the output of those that fail; return 1 if any failed."""
    failed = []
    for name, command in CHECKS.items():
        started = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        ok = done.returncode == 0
        print(f"{'ok    ' if ok else 'FAILED'} {name} ({time.monotonic() - started:.1f} s)", flush=True)
        if not ok:
            failed.append(name)
            print(done.stdout + done.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
