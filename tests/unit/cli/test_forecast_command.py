"""``forecast`` and ``check --forecast`` as users meet them, over a ledger with two simulated months."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes.command_line import ROOT, Ended, run
from fakes.organization import Clock, Organization

from budget_gate import bootstrap
from budget_gate.analytics.daily import days_from_counters
from budget_gate.core.errors import LedgerUnavailable
from budget_gate.ledger.memory import MemoryLedger

POLICY = """
version: 1
organization: acme
models: {{small: claude-haiku-4-5, medium: claude-sonnet-4-6}}
budgets:
  - {{scope: org, limits: [{{usd: {org}, per: month}}, {{usd: 900, per: day}}]}}
  - {{scope: team/team0, limits: [{{tokens: 900M, per: month}}], mode: advise}}
  - {{scope: user/*, limits: [{{usd: 500, per: month}}]}}
workflows:
  ci_cd_review: {{agent: code_review, model: small, on_exceed: {on_exceed}}}
"""


@pytest.fixture(scope="module")
def lived() -> tuple[MemoryLedger, Clock]:
    """A ledger in which three teams have worked from January to mid February."""
    clock = Clock()
    ledger = MemoryLedger(clock)
    Organization(11, days=45).write(ledger, clock)
    clock.now = datetime(2026, 2, 15, 12, tzinfo=UTC)
    return ledger, clock


@pytest.fixture
def command(lived: tuple[MemoryLedger, Clock], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Command":
    """Commands over that ledger, with a policy whose month's limit a test chooses."""
    monkeypatch.setattr(bootstrap, "open_ledger", lambda *_: lived[0])
    return Command(tmp_path)


class Command:
    """Runs commands with a policy of the test's own."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "policy.yml"

    def __call__(self, *arguments: str, org: str = "9000", on_exceed: str = "block") -> Ended:
        """Run one command."""
        self._path.write_text(POLICY.format(org=org, on_exceed=on_exceed))
        return run(*arguments, "--policy", str(self._path))


def test_forecast_names_every_budget_with_its_interval(command: Command, lived: tuple[MemoryLedger, Clock]) -> None:
    """Each month's limit is forecast, each user by name; spent is what the counters say, and the order is low, expected, high."""
    found = command("forecast", "--json").document()["forecasts"]
    org, team, *users = found
    days = days_from_counters(lived[0].counters())["org"]
    nano_usd = sum(amount.nano_usd for day, amount in days.items() if day.month == 2)
    assert org["spent"] == f"{nano_usd // 10**9}.{nano_usd % 10**9:09d}".rstrip("0")
    assert (org["per"], org["outlook"], org["method"], org["history_days"]) == ("month", "holds", "rhythm", 45)
    assert float(org["low"]) < float(org["expected"]) < float(org["high"])
    assert (team["scope"], team["unit"], team["mode"]) == ("team/team0", "tokens", "advise")
    assert {each["scope"] for each in users} == {f"user/team{team}-user{user}" for team in range(3) for user in range(4)}
    assert {each["per"] for each in users} == {"month"}


def test_forecast_for_people_is_a_table(command: Command) -> None:
    """The table names scope, interval and outlook."""
    lines = command("forecast").out.splitlines()
    assert lines[0].split()[:2] == ["scope", "per"]
    assert " and $" in lines[1]
    assert lines[1].endswith("holds")
    assert lines[2].endswith("(advise)")


def test_check_with_forecast_blocks_what_is_heading_past_the_line(command: Command) -> None:
    """A month that will pass its stop line, though it has not yet, blocks under block, notes under comment, and only if asked."""
    expected = float(command("forecast", "--json").document()["forecasts"][0]["expected"])
    limit = f"{expected * 0.8:.2f}"
    check = ("check", "--workflow", "ci_cd_review", "--json")
    assert command(*check, org=limit).document()["verdict"] == "pass"
    blocked = command(*check, "--forecast", org=limit)
    assert (blocked.code, blocked.document()["verdict"]) == (3, "block")
    assert "org per month is heading for" in blocked.document()["reason"]
    noted = command(*check, "--forecast", org=limit, on_exceed="comment")
    assert (noted.code, noted.document()["verdict"]) == (0, "pass_with_note")
    assert command(*check, "--forecast").document()["verdict"] == "pass"


def test_check_with_forecast_never_blocks_on_too_little_data(tmp_path: Path) -> None:
    """On an empty ledger the check passes, and says that there is too little data to forecast from."""
    policy = tmp_path / "policy.yml"
    policy.write_text(POLICY.format(org="5", on_exceed="block"))
    ended = run("check", "--workflow", "ci_cd_review", "--forecast", "--policy", str(policy), "--ledger", "memory://")
    assert ended.code == 0
    assert "too little data" in ended.out


def test_check_without_forecast_loads_no_analytics(tmp_path: Path) -> None:
    """The verdict path of every push loads none of the statistics."""
    program = (
        "import sys\nfrom budget_gate.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as ending:\n    assert not ending.code, ending.code\n"
        "print([name for name in sys.modules if name.startswith(('budget_gate.analytics', 'budget_gate.runs.forecast'))])"
    )
    arguments = ["check", "--workflow", "ci_cd_review", "--policy", str(ROOT / "examples/acme/budget-gate.yml")]
    arguments += ["--ledger", f"sqlite:///{tmp_path / 'l.db'}"]
    done = subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_check_with_forecast_and_no_ledger_is_an_outage(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the counters cannot be read the policy's on_outage decides, as without a forecast: exit 5."""

    def away(*_: object) -> None:
        raise LedgerUnavailable("the ledger is away")

    monkeypatch.setattr(MemoryLedger, "counters", away)
    assert command("check", "--workflow", "ci_cd_review", "--forecast").code == 5
