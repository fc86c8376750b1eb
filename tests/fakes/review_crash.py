"""A review of the demo's diff in a process that kills itself at a given step: of the gate, or beside a write of what was learnt."""

from pathlib import Path
from typing import Any

from fakes.dying import SteppingLedger, Steps
from fakes.gate_setup import SimulatedTime

from budget_gate.agents.code_review import CodeReviewAgent
from budget_gate.agents.demo_script import scripted_reviewer
from budget_gate.config.policy_file import load_policy
from budget_gate.config.price_file import load_prices
from budget_gate.core.attribution import Attribution
from budget_gate.core.tasks import Task
from budget_gate.gate.gate import Gate
from budget_gate.providers.scripted import ScriptedProvider

ROOT = Path(__file__).parents[2]


def review_child(path: str, step: int) -> None:
    """Review on the ledger at ``path``; die at step ``step``, without a word to anybody. With fewer steps it ends as usual."""
    count_step = Steps(step)
    prices = load_prices()
    policy = load_policy(str(ROOT / "examples/acme/budget-gate.yml"), prices=prices)
    time = SimulatedTime()
    ledger = SteppingLedger(path, time, count_step)
    options: dict[str, Any] = {"clock": time, "sleep": time.sleep, "monotonic": time.monotonic, "on_event": count_step}
    gate = Gate(policy, prices, ledger, ScriptedProvider(scripted_reviewer), key_prefix="run", **options)
    attribution = Attribution("ci_cd_review", team="payments", project="acme/shop", user="ann", task="acme/shop#7", pr="7")
    agent = CodeReviewAgent(gate, Task(attribution, policy.workflows["ci_cd_review"]), ledger=ledger)
    count_step()
    outcome = agent.review((ROOT / "budget_gate/samples/demo.diff").read_bytes(), tag="0123456789abcdef")
    count_step()
    assert outcome.reviewed_hunks
    ledger.close()
