"""``budget-gate doctor``: is everything set up that a run needs?"""

import os
from datetime import UTC, datetime

import click

from budget_gate.cli.options import common_options, open_workspace, print_document
from budget_gate.reports.clean_text import clean_for_terminal

_SIGNS = {"ok": "ok     ", "warning": "warning", "fault": "FAULT  "}


@click.command("doctor", epilog="Example: budget-gate doctor --ledger redis://localhost")
@common_options
def doctor(policy: str | None, ledger: str | None, *, as_json: bool) -> None:
    """Look at policy, prices, ledger and environment, a line for each, with what to do about it.

    Exit 2 for a fault of the policy or its prices, 5 for one of the ledger, 0 when there are only warnings.
    """
    from budget_gate.runs import doctor as checks

    workspace = open_workspace(policy, ledger)
    settings = workspace.settings
    known, findings = checks.policy_findings(lambda: workspace.policy)
    if known is not None:
        findings += checks.price_findings(known, workspace.prices, datetime.now(UTC))
        findings += checks.ledger_findings(lambda: workspace.ledger, lambda: datetime.now(UTC))
    findings += checks.environment_findings(bool(settings.anthropic_api_key), settings.in_github_actions, os.environ)
    code = checks.exit_code(findings)
    if as_json:
        print_document({"ok": code == 0, "findings": [each._asdict() for each in findings]})
    else:
        for each in findings:
            click.echo(f"{_SIGNS[each.outcome]} {each.name}: {clean_for_terminal(each.text)}")
    if code:
        raise click.exceptions.Exit(code)
