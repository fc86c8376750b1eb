"""The package as users install it: built once, installed alone, run without this checkout in sight."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from fakes.act import ROOT, copy_checkout

DATA = (
    "config/prices.json",
    "samples/acme.yml",
    "samples/demo.diff",
    "samples/review.yml",
    "samples/merged.yml",
    "samples/monthly-report.yml",
    "samples/starter.yml",
    "py.typed",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a clean copy of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = copy_checkout(folder / "source")
    program = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
    built = subprocess.run([sys.executable, "-c", program, str(folder)], cwd=source, capture_output=True, text=True, check=True)
    return folder / built.stdout.split()[-1]


def test_the_wheel_carries_every_data_file(wheel: Path) -> None:
    """Prices, samples, prompts, templates and scripts of Redis are in the wheel; tests are not."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"budget_gate/{name}" for name in DATA} <= names
    for folder, ending in (
        ("ledger/lua", ".lua"),
        ("agents/prompts", ".md"),
        ("reports/templates", ".j2"),
        ("ledger/migrations", ".sql"),
    ):
        here = {f"budget_gate/{folder}/{path.name}" for path in (ROOT / "budget_gate" / folder).glob(f"*{ending}")}
        assert here
        assert here <= names
    assert not any(name.startswith("tests/") for name in names)


def test_the_installed_command_runs_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """Unpacked on its own, the package prints its version, checks its sample policy and runs the demo."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); from budget_gate.cli.main import main; main(sys.argv[1:])"
    )

    def run(*arguments: str) -> str:
        command = [sys.executable, "-P", "-c", program, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    policy = str(tmp_path / "site/budget_gate/samples/acme.yml")
    assert "budget-gate" in run("--version")
    assert "ok" in run("policy", "check", "--policy", policy)
    assert "The ledger lies in" in run("demo")
