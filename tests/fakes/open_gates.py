"""Gates as a user opens them: a policy file, a SQLite ledger, and a fake API. ``race_child`` is one of several processes."""

from pathlib import Path
from typing import Any

from fakes.anthropic_server import KEY

from budget_gate.client import Gate, open_gate
from budget_gate.core.amounts import ZERO, CounterValue
from budget_gate.core.errors import BudgetRefused
from budget_gate.ledger.sqlite import SqliteLedger

MODEL = "claude-haiku-4-5"
ASK: dict[str, Any] = {"model": MODEL, "max_tokens": 300, "messages": [{"role": "user", "content": "Name three fruits."}]}

POLICY = """\
version: 1
organization: acme
models: {{small: claude-haiku-4-5, medium: claude-sonnet-4-6}}
budgets:
  - scope: org
    limits: [{{usd: {usd}, per: month}}]
    owner: boss@acme.test
  - scope: user/*
    limits: [{{requests: {requests}, per: day}}]
workflows:
  scripts: {{agent: custom, model: small}}
"""


def write_policy(folder: Path, *, usd: str = "5", requests: int = 1000) -> str:
    """Write a policy with a budget of dollars for all and one of requests for every user; return its path."""
    path = folder / "budget-gate.yml"
    path.write_text(POLICY.format(usd=usd, requests=requests))
    return str(path)


def opened(folder: Path, url: str, **options: Any) -> Gate:
    """Open a gate on a policy (five dollars, unless a file is there) and a ledger in ``folder``."""
    policy = folder / "budget-gate.yml"
    path = str(policy) if policy.exists() else write_policy(folder)
    chosen: dict[str, Any] = {"workflow": "scripts", "user": "alice", "api_key": KEY, "base_url": url}
    return open_gate(path, f"sqlite:///{folder / 'ledger.db'}", **(chosen | options))


def spent(folder: Path, scope: str = "org", per: str = "month") -> CounterValue:
    """Return what a scope's counters hold, all periods together."""
    ledger = SqliteLedger(folder / "ledger.db")
    total = CounterValue()
    for row in ledger.counters():
        if (row.scope, row.per) == (scope, per):
            total = total.plus(row.value)
    ledger.close()
    return total


def ends(folder: Path) -> tuple[bool, bool, bool]:
    """Return whether anything is posted, pending and held."""
    value = spent(folder)
    return bool(value.posted.nano_usd), value.pending != ZERO, value.held != ZERO


def race_child(folder: str, url: str, calls: int) -> None:
    """Ask again and again through a client, until a budget refuses or ``calls`` are made."""
    with opened(Path(folder), url, wait_seconds=1) as gate:
        client = gate.anthropic(max_retries=0)
        for _ in range(calls):
            try:
                client.messages.create(**ASK)
            except BudgetRefused:
                return
