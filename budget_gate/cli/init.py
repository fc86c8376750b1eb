"""``budget-gate init``: a starter policy and workflows, written where they are missing and never over anything."""

from importlib import resources
from pathlib import Path

import click

from budget_gate.core.errors import UsageError

FILES = {
    ".github/budget-gate.yml": "starter.yml",
    ".github/workflows/budget-gate-review.yml": "review.yml",
    ".github/workflows/budget-gate-merged.yml": "merged.yml",
    ".github/workflows/budget-gate-report.yml": "monthly-report.yml",
}
"""Where each starter file goes, and the sample it comes from."""


@click.command("init", epilog="Example: budget-gate init --organization acme")
@click.option("--organization", help="Your organization's name. [default: the name of this folder]")
@click.option("--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Root of the repository.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show a traceback when something fails.")
def init(organization: str | None, directory: Path) -> None:
    """Write a starter policy and three workflows: review, cost of a merged pull request, report of the month. Nothing is overwritten."""
    if not directory.is_dir():
        raise UsageError(f"{directory} is not a folder; give the root of your repository with --directory")
    name = _plain_name(organization or directory.resolve().name)
    for place, sample in FILES.items():
        target = directory / place
        if target.exists():
            click.echo(f"kept     {place} (it is there already)")
            continue
        text = (resources.files("budget_gate") / "samples" / sample).read_text(encoding="utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text.replace("organization: acme", f"organization: {name}"))
        click.echo(f"written  {place}")
    click.echo("\nNext: put ANTHROPIC_API_KEY into the repository's secrets, commit, and make the status `budget-gate` required.")
    click.echo("Then look at it: budget-gate policy check")


def _plain_name(text: str) -> str:
    """Return a name that YAML reads as plain text."""
    name = "".join(character if character.isalnum() or character in "-_" else "-" for character in text).strip("-")
    return name or "my-organization"
