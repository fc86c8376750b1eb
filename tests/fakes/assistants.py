"""Assistants over the real gate, a ledger in memory and a scripted model, under Acme's policy with bounds changed."""

from collections.abc import Callable, Mapping
from typing import Any

from fakes.command_line import ACME
from fakes.gate_setup import SimulatedTime

from budget_gate.agents.assistant import Assistant
from budget_gate.config.policy_file import load_policy
from budget_gate.config.price_file import load_prices
from budget_gate.core.attribution import Attribution
from budget_gate.core.policy import Bounds, Limit, Policy
from budget_gate.core.sessions import Session
from budget_gate.core.tasks import Task
from budget_gate.gate.gate import Gate
from budget_gate.ledger.memory import MemoryLedger
from budget_gate.providers.interface import Provider
from budget_gate.providers.scripted import ScriptedProvider

TAG = "0123456789abcdef"
LONG_ANSWER = "The queue drains first, then the workers stop. " * 40


class Scripted:
    """A model that answers by ``reply`` and remembers every request; a request for a summary gets one."""

    def __init__(
        self, reply: Callable[[Mapping[str, Any]], str] = lambda _body: "An answer.", *, summary: str = "Notes."
    ) -> None:
        self.bodies: list[Mapping[str, Any]] = []
        self.summaries: list[Mapping[str, Any]] = []
        self._reply = reply
        self._summary = summary

    def __call__(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Answer one request."""
        if body["system"].startswith("You shorten a conversation"):
            self.summaries.append(body)
            return [{"type": "text", "text": self._summary}]
        self.bodies.append(body)
        return [{"type": "text", "text": self._reply(body)}]


def made(
    script: Scripted,
    *,
    workflow: str = "dev_assistant",
    task: Bounds | None = None,
    session: Bounds | None = None,
    day_usd: int | None = None,
    provider: Provider | None = None,
    kept: Session | None = None,
) -> tuple[Assistant, MemoryLedger]:
    """Return an assistant and its ledger. ``day_usd`` (nano-dollars) replaces the workflow's limits."""
    policy = load_policy(ACME, prices=load_prices())
    if day_usd is not None:
        policy = _with_day_limit(policy, workflow, day_usd)
    rules = policy.workflows[workflow]
    rules = rules._replace(task=task or rules.task, session=session or rules.session)
    time = SimulatedTime()
    ledger = MemoryLedger(clock=time)
    gate = Gate(
        policy,
        load_prices(),
        ledger,
        provider or ScriptedProvider(script),
        key_prefix="run",
        clock=time,
        sleep=time.sleep,
        monotonic=time.monotonic,
    )
    begun = kept or Session("talk", "talk-1", workflow)
    return Assistant(gate, Task(Attribution(workflow, user="ann"), rules), begun, tag=TAG), ledger


def _with_day_limit(policy: Policy, workflow: str, nano_usd: int) -> Policy:
    budgets = tuple(
        budget._replace(limits=(Limit("usd", nano_usd, "day"),)) if budget.scope.text == f"workflow/{workflow}" else budget
        for budget in policy.budgets
    )
    return policy._replace(budgets=budgets)
