"""``budget-gate settle-left-open``: the action's last step. Settles the leases that an earlier process of the job left open."""

import os

import click

from budget_gate.cli.options import log, open_workspace
from budget_gate.config.action_inputs import read_action_inputs


@click.command("settle-left-open", hidden=True)
def settle_left_open() -> None:
    """Settle what a process of this job that was killed or cancelled had spent; what nobody knows the cost of stays held."""
    inputs = read_action_inputs(os.environ)
    workspace = open_workspace(inputs.policy or None, inputs.ledger or None)
    count = workspace.settle_left_open()
    if count:
        log(f"budget-gate: settled {count} {'lease' if count == 1 else 'leases'} that this job left open")
