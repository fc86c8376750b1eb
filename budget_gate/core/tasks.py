"""Tasks: a piece of AI work, as the gate is asked for it."""

from typing import NamedTuple

from budget_gate.core.attribution import Attribution
from budget_gate.core.policy import Workflow


class Task(NamedTuple):
    """One run of an agent on one subject: on whose account, and under which workflow's rules.

    ``prompt_version`` names the agent's prompt in ledger entries, so that a change of cost can be traced to a change of words.
    """

    attribution: Attribution
    workflow: Workflow
    prompt_version: str = ""
