"""budget-gate: a cap on AI spending in CI that holds across every parallel run.

The package is a set of rooms, imported downward only (see docs/decisions/0001-layout.md). Importing this module loads none of them,
so that ``budget-gate check`` starts fast; the public names (``__all__``) load what they need when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from budget_gate.client import Gate, open_gate
    from budget_gate.core.errors import BudgetGateError, BudgetRefused, LedgerUnavailable, UsageError
    from budget_gate.core.reservations import BudgetState, Crossing, Refusal, Refused
    from budget_gate.gate.client_calls import CallReport

__version__ = "0.1.0"

__all__ = [
    "BudgetGateError",
    "BudgetRefused",
    "BudgetState",
    "CallReport",
    "Crossing",
    "Gate",
    "LedgerUnavailable",
    "Refusal",
    "Refused",
    "UsageError",
    "__version__",
    "open_gate",
]

_HOMES = {
    "budget_gate.client": ("Gate", "open_gate"),
    "budget_gate.core.errors": ("BudgetGateError", "BudgetRefused", "LedgerUnavailable", "UsageError"),
    "budget_gate.core.reservations": ("BudgetState", "Crossing", "Refusal", "Refused"),
    "budget_gate.gate.client_calls": ("CallReport",),
}
"""Where the public names live."""


def __getattr__(name: str) -> Any:
    """Load a public name at its first use (PEP 562)."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
