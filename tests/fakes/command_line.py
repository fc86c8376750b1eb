"""Runs the command line in this process and returns what a user would see."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

from budget_gate.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
ACME = str(ROOT / "examples/acme/budget-gate.yml")


class Ended(NamedTuple):
    """How a command ended: its exit code, and both streams."""

    code: int
    out: str
    err: str

    def document(self) -> dict[str, Any]:
        """Return the one JSON document on stdout."""
        document: dict[str, Any] = json.loads(self.out)
        return document


def run(*arguments: str) -> Ended:
    """Run ``budget-gate`` with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as ending:
            code = int(ending.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())
