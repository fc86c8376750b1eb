"""``ledger copy``, ``verify --against``, ``archive`` and ``doctor`` on the command line: what people read, and exit codes."""

import re
from pathlib import Path

import pytest
from fakes.command_line import ACME, Ended, run
from fakes.golden import assert_golden


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    """The URL of a ledger with one posted and one pending reservation."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    first = reserve(url, "one").document()["reservation"]
    usage = ["--input-tokens", "500", "--output-tokens", "100"]
    run("ledger", "settle", "--key", "one", "--reservation", first, *usage, "--policy", ACME, "--ledger", url)
    reserve(url, "two")
    return url


def reserve(url: str, key: str) -> Ended:
    """Reserve a small call for Acme's review workflow."""
    call = ["--workflow", "ci_cd_review", "--model", "small", "--input-tokens", "1000", "--max-output-tokens", "1000"]
    return run("ledger", "reserve", "--key", key, *call, "--policy", ACME, "--ledger", url, "--json")


def test_a_copy_is_verified_and_made_once(ledger: str, tmp_path: Path) -> None:
    """The copy says what it moved; a second one into the same place is refused in one line, with what to do."""
    target = f"sqlite:///{tmp_path / 'copy.db'}"
    ended = run("ledger", "copy", ledger, target, "--policy", ACME, "--json")
    assert ended.code == 0
    assert ended.document()["entries"] == 3
    assert ended.document()["verified"] is True
    assert run("ledger", "verify", "--policy", ACME, "--ledger", target).code == 0
    again = run("ledger", "copy", ledger, target, "--policy", ACME)
    assert again.code == 5
    assert "copy into an empty ledger" in again.err


def test_a_file_that_is_not_there_is_not_copied(tmp_path: Path) -> None:
    """A mistyped source is wrong usage, and no file is made of it."""
    ended = run("ledger", "copy", f"sqlite:///{tmp_path}/nowhere.db", "memory://", "--policy", ACME)
    assert ended.code == 2
    assert not (tmp_path / "nowhere.db").exists()


def test_a_loss_is_named_in_dollars_and_repaired_when_asked(ledger: str, tmp_path: Path) -> None:
    """Against a longer copy: exit 3 and every missing entry; with --repair they come back, and then all is whole."""
    copy = f"sqlite:///{tmp_path / 'copy.db'}"
    run("ledger", "copy", ledger, copy, "--policy", ACME)
    reserve(copy, "three")
    common = ["ledger", "verify", "--policy", ACME, "--ledger", ledger, "--against", copy]
    lost = run(*common)
    assert lost.code == 3
    assert_golden("ledger_verify_lost.txt", _stable(lost.out))
    document = run(*common, "--json").document()["against"]
    assert (document["whole"], document["missing_entries"], document["lost_open_usd"]) == (False, 1, "0.006")
    repaired = run(*common, "--repair")
    assert repaired.code == 0
    assert_golden("ledger_verify_repaired.txt", _stable(repaired.out))
    assert run(*common).code == 0


def _stable(text: str) -> str:
    """Return a text without the folder of this run."""
    return re.sub(r"sqlite:///\S*/", "sqlite:///", text)


def test_repair_needs_a_copy(ledger: str) -> None:
    """--repair alone is wrong usage."""
    ended = run("ledger", "verify", "--repair", "--policy", ACME, "--ledger", ledger)
    assert ended.code == 2
    assert "--against" in ended.err


def test_a_month_is_archived_and_read_back(ledger: str) -> None:
    """The month before the present one by default; the present one is refused; reading back needs a closing first."""
    common = ["ledger", "archive", "--policy", ACME, "--ledger", ledger]
    assert run(*common, "--show").code == 5
    closed = run(*common, "--json").document()
    assert closed["written"] == len(closed["archived"]) == 9
    assert closed["head"]["seq"] == 3
    assert closed["pin_kept"] is True
    shown = run(*common, "--show", "--json").document()
    assert shown["archived"] == closed["archived"]
    assert run(*common, "--month", "2099-01").code == 2


def test_doctor_finds_nothing_wrong_with_a_sound_set_up(ledger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each part, exit 0; keys are said to be there and not shown."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-hunter2")
    ended = run("doctor", "--policy", ACME, "--ledger", ledger)
    assert ended.code == 0
    assert "FAULT" not in ended.out
    assert "hunter2" not in ended.out
    names = [each["name"] for each in run("doctor", "--policy", ACME, "--ledger", ledger, "--json").document()["findings"]]
    assert names[:6] == ["policy", "prices", "ledger", "clock", "ledger writable", "file"]


def test_doctor_tells_a_bad_policy_from_a_ledger_that_is_away(tmp_path: Path) -> None:
    """A fault of the policy exits 2 and one of the ledger 5, each on one line, and the rest is looked at all the same."""
    broken = tmp_path / "policy.yml"
    broken.write_text("version: 1\norganization: acme\nmodels: {small: claude-nothing-9}\n")
    ended = run("doctor", "--policy", str(broken), "--ledger", "memory://")
    assert ended.code == 2
    assert "FAULT   policy" in ended.out
    assert "model key" in ended.out
    away = run("doctor", "--policy", ACME, "--ledger", "redis://user:hunter2@127.0.0.1:1/0", "--json")
    assert away.code == 5
    assert away.document()["ok"] is False
    assert "hunter2" not in away.out + away.err


def test_doctor_warns_of_what_counts_as_spent_and_of_memory(ledger: str) -> None:
    """Held reservations and a ledger that forgets are warnings with what to do; neither fails."""
    held = reserve(ledger, "held").document()["reservation"]
    run("ledger", "hold", "--key", "h", "--reservation", held, "--policy", ACME, "--ledger", ledger)
    ended = run("doctor", "--policy", ACME, "--ledger", ledger)
    assert ended.code == 0
    assert "1 held and 0 expired, worth 0.006 dollars" in ended.out
    assert "warning persistence" in run("doctor", "--policy", ACME, "--ledger", "memory://").out
