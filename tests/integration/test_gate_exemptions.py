"""The gate and exemptions: a call past the stop line is served while an exemption is in force, and refused without one."""

from datetime import timedelta
from pathlib import Path

from fakes.gate_setup import BODY, START, PlayedProvider, SimulatedTime, budget, gate, open_ledger, policy, task

from budget_gate.core.exemptions import Exemption, Request
from budget_gate.core.policy import Limit
from budget_gate.core.reservations import Refused
from budget_gate.core.routing import Route
from budget_gate.core.scopes import ORG, Scope
from budget_gate.gate.interface import Served

ROUTE = Route("small", "model-s", 1_000, "a test")
RULES = policy(budget(limits=(Limit("usd", 1, "month"),)))


def _exemption(scope: Scope) -> Exemption:
    request = Request("ex-1", scope, "month", 10**9, 1, "maya", "release")
    return Exemption(request, "boss", START, START + timedelta(days=1))


def test_an_exemption_admits_what_the_limit_refuses(tmp_path: Path) -> None:
    """The gate asks which exemptions are in force at every call, so one that ends refuses the next call."""
    time = SimulatedTime()
    ledger = open_ledger("sqlite", tmp_path, time)
    in_force: list[Exemption] = []
    opened = gate(ledger, PlayedProvider(), RULES, time, exemptions=lambda: tuple(in_force), wait_seconds=0.0)
    assert isinstance(opened.call(task(), ROUTE, BODY), Refused)
    in_force.append(_exemption(Scope("team", "pay")))
    assert isinstance(opened.call(task(), ROUTE, BODY), Refused)
    in_force.append(_exemption(ORG))
    assert isinstance(opened.call(task(), ROUTE, BODY), Served)
    in_force.clear()
    assert isinstance(opened.call(task(), ROUTE, BODY), Refused)
    ledger.close()
