"""The public surface: what is exported is there, loads late, and costs nothing until it is used."""

import importlib
import subprocess
import sys

import pytest

import budget_gate


def test_every_exported_name_can_be_imported() -> None:
    """``__all__`` is exactly what can be imported from the package, and ``dir`` says the same."""
    for name in budget_gate.__all__:
        assert getattr(importlib.import_module("budget_gate"), name) is not None
    homes = [name for names in budget_gate._HOMES.values() for name in names]
    assert sorted([*homes, "__version__"]) == sorted(budget_gate.__all__) == dir(budget_gate)
    assert budget_gate.__all__ == sorted(budget_gate.__all__, key=lambda name: (not name[0].isupper(), name))


def test_other_names_are_refused() -> None:
    """A name that is not public is an ``AttributeError``, as of any module."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = budget_gate.nothing


def test_importing_the_package_loads_no_room() -> None:
    """Importing budget_gate loads itself only; the SDK is not even loaded when a gate is opened."""
    script = (
        "import sys, budget_gate\n"
        "assert [name for name in sys.modules if name.startswith('budget_gate.')] == []\n"
        "budget_gate.open_gate\n"
        "assert 'anthropic' not in sys.modules and 'click' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
