"""``python -m budget_gate``: the same program as the ``budget-gate`` command."""

from budget_gate.cli.main import run

if __name__ == "__main__":
    run()
