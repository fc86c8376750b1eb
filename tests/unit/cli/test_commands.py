"""Commands as users meet them: help, errors that say how to fix it, and what start-up may load."""

import subprocess
import sys
from pathlib import Path

import pytest
from fakes.command_line import ACME, ROOT, run

from budget_gate.cli.main import COMMANDS

HEAVY = (
    "anthropic",
    "github",
    "slack_sdk",
    "jinja2",
    "pydantic",
    "httpx",
    "httpx2",
    "requests",
    "urllib3",
    "redis",
    "asyncio",
    "genai_prices",
)


@pytest.mark.parametrize("name", [name for name, (_, text) in COMMANDS.items() if text])
def test_every_command_has_help_with_an_example(name: str) -> None:
    """--help of every command (or of its first subcommand) says what it does and shows an example."""
    help_text = run(name, "--help").out
    if "COMMAND [ARGS]" in help_text:
        first = help_text.split("Commands:")[1].split()[0]
        help_text = run(name, first, "--help").out
    assert "Example" in help_text


def test_an_unknown_command_names_the_nearest() -> None:
    """A misspelt command exits 2 and names the one that was probably meant."""
    ended = run("reveiw")
    assert ended.code == 2
    assert "review" in ended.err


def test_check_says_pass_where_there_is_budget(tmp_path: Path) -> None:
    """With an empty ledger every workflow has budget."""
    ended = run("check", "--workflow", "ci_cd_review", "--policy", ACME, "--ledger", f"sqlite:///{tmp_path / 'l.db'}", "--json")
    document = ended.document()
    assert (ended.code, document["verdict"], document["cost_usd"]) == (0, "pass", "0.00")
    assert document["remaining_usd"] == "7.00"


def test_check_with_a_spent_budget_passes_with_a_note_or_blocks(tmp_path: Path) -> None:
    """A spent budget ends in pass_with_note and exit 0, or with on-exceed block in exit 3."""
    common = ["--policy", ACME, "--ledger", f"sqlite:///{tmp_path / 'l.db'}", "--json"]
    call = ["--workflow", "ci_cd_review", "--model", "small", "--input-tokens", "0", "--max-output-tokens", "0", "--usd", "6.999"]
    reservation = run("ledger", "reserve", "--key", "k", *call, *common).document()["reservation"]
    usage = ["--input-tokens", "0", "--output-tokens", "0", "--usd", "6.999"]
    run("ledger", "settle", "--key", "k", "--reservation", reservation, *usage, *common)
    noted = run("check", "--workflow", "ci_cd_review", *common)
    blocked = run("check", "--workflow", "ci_cd_review", "--on-exceed", "block", *common)
    assert (noted.code, noted.document()["verdict"]) == (0, "pass_with_note")
    assert (blocked.code, blocked.document()["verdict"]) == (3, "block")


def test_check_without_its_ledger_follows_the_policy(tmp_path: Path) -> None:
    """An unreachable ledger blocks with exit 5 by default, and passes with a note where the policy says allow."""
    allowing = tmp_path / "allow.yml"
    allowing.write_text(Path(ACME).read_text() + "\nledger: {on_outage: allow}\n")
    down = "redis://127.0.0.1:1/0"
    blocked = run("check", "--workflow", "ci_cd_review", "--policy", ACME, "--ledger", down, "--json")
    allowed = run("check", "--workflow", "ci_cd_review", "--policy", str(allowing), "--ledger", down, "--json")
    assert (blocked.code, blocked.document()["verdict"]) == (5, "block")
    assert (allowed.code, allowed.document()["verdict"]) == (0, "pass_with_note")


def test_a_workflow_that_is_not_in_the_policy_lists_those_that_are() -> None:
    """A wrong --workflow exits 2 and names the policy's workflows."""
    ended = run("check", "--workflow", "nobody", "--policy", ACME, "--ledger", "memory://")
    assert ended.code == 2
    assert "ci_cd_review" in ended.err


def test_a_missing_policy_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a policy file the one line names `budget-gate init`."""
    monkeypatch.chdir(tmp_path)
    ended = run("status")
    assert ended.code == 2
    assert "budget-gate init" in ended.err


def test_init_writes_what_loads_and_overwrites_nothing(tmp_path: Path) -> None:
    """The starter policy is valid, carries the organization's name, and a second run keeps every file."""
    run("init", "--directory", str(tmp_path), "--organization", "my org: é")
    policy = tmp_path / ".github/budget-gate.yml"
    assert run("policy", "check", "--policy", str(policy)).code == 0
    policy.write_text(policy.read_text() + "# mine\n")
    assert {path.name for path in (tmp_path / ".github/workflows").iterdir()} == {
        "budget-gate-review.yml",
        "budget-gate-merged.yml",
        "budget-gate-report.yml",
    }
    assert "kept" in run("init", "--directory", str(tmp_path)).out
    assert policy.read_text().endswith("# mine\n")


def test_a_dry_run_needs_no_key_and_spends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Review --dry-run estimates a diff without a key, names the files, and leaves the ledger empty."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    diff = ROOT / "budget_gate/samples/demo.diff"
    ledger = f"sqlite:///{tmp_path / 'l.db'}"
    ended = run("review", "--diff", str(diff), "--dry-run", "--policy", ACME, "--ledger", ledger, "--json")
    document = ended.document()
    assert (ended.code, document["cost_usd"]) == (0, "0.00")
    assert document["not_reviewed"]
    assert run("ledger", "verify", "--policy", ACME, "--ledger", ledger, "--json").document()["entries"] == 0


def test_a_review_without_a_key_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ANTHROPIC_API_KEY a real review exits 2 and says so."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    diff = ROOT / "budget_gate/samples/demo.diff"
    ended = run("review", "--diff", str(diff), "--policy", ACME, "--ledger", "memory://")
    assert ended.code == 2
    assert "ANTHROPIC_API_KEY" in ended.err


def test_prices_are_listed_and_a_misspelt_model_is_named() -> None:
    """Prices list knows Acme's models; prices show of a misspelt id names the nearest."""
    assert "claude-haiku-4-5" in run("prices", "list").out
    ended = run("prices", "show", "claude-haiku-45")
    assert ended.code == 2
    assert "claude-haiku-4-5" in ended.err


def test_check_loads_nothing_heavy(tmp_path: Path) -> None:
    """The verdict path loads no SDK, no HTTP client, no template engine and no validation library."""
    program = (
        "import sys\nfrom budget_gate.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as ending:\n    assert not ending.code, ending.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    arguments = ["check", "--workflow", "ci_cd_review", "--policy", ACME, "--ledger", f"sqlite:///{tmp_path / 'l.db'}"]
    done = subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_bug_ends_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected failure exits 1 with one line that asks to be reported, and no traceback."""
    monkeypatch.setattr("budget_gate.bootstrap.load_policy", lambda *_, **__: 1 / 0)
    ended = run("policy", "check", "--policy", ACME)
    assert ended.code == 1
    assert ended.err.count("\n") == 1
    assert "Traceback" not in ended.err
