"""The inputs of ``action.yml``, read once into a typed value. Every input is parsed strictly; a wrong one is one clear line.

They arrive as ``BUDGET_GATE_INPUT_*`` variables, because composite steps on GitHub do not get ``INPUT_*`` ones.
"""

from collections.abc import Mapping
from typing import NamedTuple

from budget_gate.core.errors import UsageError
from budget_gate.core.pull_requests import APPROVAL_LABEL, SEVERITIES

COMMANDS = ("review", "check", "testgen", "merged", "report", "alerts", "dashboard")
WISHES = ("policy", "skip", "review")
MIN_SEVERITY = ("policy", *SEVERITIES)
ON_EXCEED = ("policy", "comment", "block")
PREFIX = "BUDGET_GATE_INPUT_"
NUMBER_DIGITS_MOST = 18


def is_pull_number(text: str) -> bool:
    """True if ``text`` can be a pull request's number: ASCII digits, and not too many of them."""
    return text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS_MOST


class ActionInputs(NamedTuple):
    """What the workflow file said. Empty text means not given."""

    command: str
    policy: str
    ledger: str
    workflow: str
    team: str
    user: str
    pr: str
    month: str
    on_exceed: str
    dry_run: bool
    issue: str
    approval_label: str
    min_severity: str
    drafts: str
    bots: str
    draft_pr: bool

    def flags(self) -> dict[str, str]:
        """Return the attribution flags that were given."""
        given = {"workflow": self.workflow, "team": self.team, "user": self.user, "pr": self.pr}
        return {name: value for name, value in given.items() if value}


def read_action_inputs(environment: Mapping[str, str]) -> ActionInputs:
    """Return the inputs. Raises ``UsageError`` naming the input, its value and the allowed ones."""

    def text(name: str) -> str:
        return environment.get(PREFIX + name.upper().replace("-", "_"), "").strip()

    def choice(name: str, allowed: tuple[str, ...]) -> str:
        value = text(name) or allowed[0]
        if value not in allowed:
            raise UsageError(f"input {name}: {value[:60]!r} is not allowed; write one of {', '.join(allowed)}")
        return value

    def switch(name: str) -> bool:
        return choice(name, ("false", "true")) == "true"

    def number(name: str, what: str) -> str:
        value = text(name)
        if value and not is_pull_number(value):
            raise UsageError(f"input {name}: {value[:60]!r} is not {what}; write digits only, such as 7")
        return value

    return ActionInputs(
        command=choice("command", COMMANDS),
        policy=text("policy"),
        ledger=text("ledger"),
        workflow=text("workflow"),
        team=text("team"),
        user=text("user"),
        pr=number("pr", "a pull request number"),
        month=text("month"),
        on_exceed=choice("on-exceed", ON_EXCEED),
        dry_run=switch("dry-run"),
        issue=number("issue", "an issue number"),
        approval_label=text("approval-label") or APPROVAL_LABEL,
        min_severity=choice("min-severity", MIN_SEVERITY),
        drafts=choice("drafts", WISHES),
        bots=choice("bots", WISHES),
        draft_pr=switch("draft-pr"),
    )
