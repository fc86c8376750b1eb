"""budget-gate: a cap on AI spending in CI that holds across every parallel run.

The package is a set of rooms, imported downward only (see docs/decisions/0001-layout.md). Importing this module loads none of them,
so that ``budget-gate check`` starts fast.
"""

__version__ = "0.1.0"
