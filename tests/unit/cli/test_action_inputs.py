"""The action's inputs: strictly parsed, and the same in action.yml and in the code."""

from pathlib import Path

import pytest
import yaml
from fakes.outcomes import NOTHING_FOUND

from budget_gate.config.action_inputs import COMMANDS, MIN_SEVERITY, ON_EXCEED, PREFIX, WISHES, read_action_inputs
from budget_gate.core.errors import UsageError
from budget_gate.runs.posting import Posted, output_values

ROOT = Path(__file__).resolve().parents[3]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())


def test_defaults_are_those_of_action_yml() -> None:
    """Reading the declared defaults gives the same inputs as reading an empty environment."""
    declared = {
        PREFIX + name.upper().replace("-", "_"): str(each["default"])
        for name, each in ACTION["inputs"].items()
        if "${{" not in str(each["default"])
    }
    assert read_action_inputs(declared)._replace(ledger="") == read_action_inputs({})


def test_allowed_values_are_named_in_action_yml() -> None:
    """Each choice that the code takes is written in the description of its input."""
    choices = {"command": COMMANDS, "on-exceed": ON_EXCEED, "dry-run": ("true", "false"), "draft-pr": ("true", "false")}
    choices |= {"min-severity": MIN_SEVERITY, "drafts": WISHES, "bots": WISHES}
    for name, allowed in choices.items():
        for value in allowed:
            assert value in ACTION["inputs"][name]["description"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COMMAND", "reveiw"),
        ("COMMAND", "review; rm -rf /"),
        ("ON_EXCEED", "Block"),
        ("DRY_RUN", "False"),
        ("DRY_RUN", "yes"),
        ("MIN_SEVERITY", "High"),
        ("DRAFTS", "true"),
        ("BOTS", "dependabot"),
        ("DRAFT_PR", "1"),
        ("PR", "-1"),
        ("PR", "7 8"),
        ("PR", "\u0667"),
    ],
)
def test_a_wrong_value_is_one_clear_line(name: str, value: str) -> None:
    """A value outside the allowed ones names the input and what to write instead."""
    with pytest.raises(UsageError, match=f"input {name.lower().replace('_', '-')}"):
        read_action_inputs({PREFIX + name: value})


def test_every_output_of_action_yml_is_written() -> None:
    """The outputs that a review writes are exactly those that action.yml declares, but for the report's and a test plan's own."""
    assert set(output_values(NOTHING_FOUND, Posted())) | {"report-path", "pull-url"} == set(ACTION["outputs"])
